"""Nothing of a run outlives it, however it ends; the cache keeps what is worth it, and is safe between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from checkouts import nowhere, run

import pytest_perfgate
from pytest_perfgate.paired.environment import prepared
from pytest_perfgate.paired.environment.cache import cache_folder, obtain, prune
from pytest_perfgate.paired.environment.runfolder import run_folder

HOLD = """
import sys, tempfile, pathlib
tempfile.tempdir = sys.argv[2]
from pytest_perfgate.paired.environment import prepared
with prepared("HEAD", root=pathlib.Path(sys.argv[1])) as sides:
    print(sides.base.location, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(repository, tmp_path):
    """A process that holds a run until it is told otherwise."""
    repository.commit({"pkg/__init__.py": "V = 1"})
    environ = {**os.environ, "PYTHONPATH": str(Path(pytest_perfgate.__file__).parent.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, repository.path, tmp_path / "tmp"],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert Path(process.stdout.readline().strip()).is_dir()
        yield process
        process.kill()


def test_a_killed_run_is_removed_by_the_next_one(hold, runs, repository):
    hold.kill()
    hold.wait()
    assert len(runs()) == 2
    with prepared("HEAD", root=repository.path, locate=nowhere):
        assert len(runs()) == 2  # ours
    assert runs() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_nothing(hold, runs):
    hold.send_signal(signal.SIGINT)
    hold.wait(60)
    assert runs() == []


def test_two_runs_at_once_leave_each_other_alone(hold, runs, repository):
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert run(sides.base, "import pkg; print(pkg.V)") == "1"
        with prepared("HEAD", root=repository.path, locate=nowhere) as others:
            assert others.base.location != sides.base.location
        assert run(sides.base, "import pkg; print(pkg.V)") == "1"
        assert len(runs()) == 4
    assert len(runs()) == 2
    hold.communicate()
    assert hold.returncode == 0
    assert runs() == []


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path):
    with run_folder() as first:
        shared = first.parent
    shared.chmod(0o777)
    with run_folder() as second:
        assert second.parent != shared


def test_what_is_made_twice_at_once_is_kept_once(tmp_path):
    gate = threading.Barrier(2)
    made = []

    def make(folder):
        gate.wait(10)
        (folder / "x").write_text("made")
        made.append(folder)

    threads = [threading.Thread(target=obtain, args=(tmp_path / "c", "key", make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["key"]
    assert (obtain(tmp_path / "c", "key", make) / "x").read_text() == "made"


def test_what_fails_is_not_kept(tmp_path):
    def fail(folder):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        obtain(tmp_path, "key", fail)
    assert list(tmp_path.iterdir()) == [tmp_path / "tmp"]


@pytest.mark.parametrize("limits", [{"entries": 2}, {"size": 25}])
def test_what_was_used_longest_ago_goes_first(tmp_path, limits):
    cache = tmp_path / "c"
    for age, name in enumerate(["new", "middle", "old", "making-lost"]):
        (cache / name).mkdir(parents=True)
        (cache / name / "x").write_bytes(b"0123456789")
        os.utime(cache / name, (1000 - age, 1000 - age))
    prune(cache, **limits)
    assert sorted(path.name for path in cache.iterdir()) == ["middle", "new"]


def test_what_was_used_lately_stays(tmp_path):
    (tmp_path / "c" / "key").mkdir(parents=True)
    prune(tmp_path / "c", entries=0, size=0)
    assert (tmp_path / "c" / "key").exists()


@pytest.mark.parametrize(
    ("platform", "variable", "ending"),
    [
        ("linux", "XDG_CACHE_HOME", "pytest-perfgate"),
        ("win32", "LOCALAPPDATA", "cache"),
        ("darwin", "", "pytest-perfgate"),
    ],
)
def test_the_cache_is_where_the_system_has_such_things(monkeypatch, tmp_path, platform, variable, ending):
    monkeypatch.delenv("PERFGATE_CACHE_DIR")
    monkeypatch.setattr("sys.platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder().name == ending
    assert cache_folder().is_relative_to(tmp_path) == bool(variable)
    monkeypatch.setenv("PERFGATE_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache_folder() == tmp_path / "chosen"
