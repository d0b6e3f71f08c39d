"""What holds for every verb of ``perfgate ci``."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pytest_perfgate.ci.plan import Plan
from pytest_perfgate.cli.ci import VERBS

linux = pytest.mark.skipif(sys.platform != "linux", reason="places of Linux")

verbs = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)


@verbs
def test_help_of_each_verb_shows_an_example_and_the_exit_status(verb, perfgate):
    status, out, err = perfgate("ci", verb.name, "--help")
    assert (status, err) == (0, "")
    assert f"ci {verb.name}" in out.partition("example:")[2]
    assert "exit status:" in out
    assert max(map(len, out.splitlines())) <= 80


@verbs
def test_each_verb_is_one_file_named_after_it_and_listed(verb, perfgate):
    module = import_module(verb.module)
    assert module.__name__.rpartition(".")[2] == verb.name
    assert module.__doc__.startswith(f"``perfgate ci {verb.name}``")
    status, out, _ = perfgate("ci", "--help")
    assert status == 0
    assert f"{verb.name} " in out
    assert verb.summary in " ".join(out.split())


@verbs
def test_nonsense_is_a_usage_error_that_names_itself(verb, perfgate):
    status, out, err = perfgate("ci", verb.name, "--nonsense")
    assert (status, out) == (2, "")
    assert f"usage: perfgate ci {verb.name}" in err


@pytest.mark.parametrize("words", [[], ["nonsense"]])
def test_without_a_verb_that_exists_all_are_named(words, perfgate):
    status, out, err = perfgate("ci", *words)
    assert (status, out) == (2, "")
    assert "usage: perfgate ci" in err


@pytest.mark.parametrize("verb", ["plan", "measure", "verdict"])
def test_a_step_outside_of_the_action_says_so(verb, perfgate, monkeypatch):
    for name in ("GITHUB_EVENT_NAME", "PERFGATE_PLAN"):
        monkeypatch.delenv(name, raising=False)
    status, out, err = perfgate("ci", verb)
    assert (status, err) == (2, "")
    assert out.startswith("::error title=perfgate::")


@pytest.mark.parametrize("place", ["taken/base.json", pytest.param("/proc/base.json", marks=linux)])
def test_a_baseline_that_cannot_be_written_is_told_before_anything_is_measured(place, perfgate, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file")
    plan = Plan(
        compare="cache",
        baseline=str(tmp_path / place),
        records=True,
        working_directory=str(tmp_path),
        report_dir=str(tmp_path / "reports"),
    )
    monkeypatch.setenv("PERFGATE_PLAN", plan.to_text())
    status, out, err = perfgate("ci", "measure")
    assert (status, err) == (2, "")
    assert out.startswith("::error title=perfgate::baseline-path: cannot write")
    assert "stop-commands" not in out


def test_install_needs_nothing_but_the_standard_library(tmp_path):
    """It runs before anything is installed: without the packages of any environment."""
    tree = Path(__file__).parent.parent.parent
    environ = {**os.environ, "PYTHONPATH": str(tree), "PERFGATE_INPUT_INSTALL": "false"}
    command = [sys.executable, "-S", "-m", "pytest_perfgate", "ci", "install"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert "pytest-perfgate is not installed" in done.stdout


class TestInstall:
    @pytest.fixture(autouse=True)
    def _tree(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pytest_perfgate.ci.installing.find_tree", lambda _: tmp_path)
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "9.8.7"\n')

    def test_a_version_that_is_not_the_actions_is_refused(self, perfgate, monkeypatch):
        monkeypatch.setenv("PERFGATE_INPUT_INSTALL", "false")
        monkeypatch.setattr("pytest_perfgate.ci.installing.installed_version", lambda _: "9.8.6")
        status, out, _ = perfgate("ci", "install")
        assert status == 2
        assert "9.8.6 is installed" in out
        assert "pytest-perfgate==9.8.7" in out
        monkeypatch.setattr("pytest_perfgate.ci.installing.installed_version", lambda _: "9.8.7")
        assert perfgate("ci", "install").status == 0

    def test_it_is_installed_from_the_tree_into_this_interpreter(self, perfgate, monkeypatch, tmp_path):
        called = []

        def run(command, *, env, check):
            called.append((command, "PYTHONPATH" in env))
            return type("Done", (), {"returncode": len(called) - 1})

        monkeypatch.setenv("PYTHONPATH", "x")
        monkeypatch.setattr("subprocess.run", run)
        status, out, _ = perfgate("ci", "install")
        assert status == 0
        assert "installed pytest-perfgate 9.8.7" in out
        ((command, has_path),) = called
        assert (command[0], command[-1], has_path) == (sys.executable, str(tmp_path), False)
        status, out, _ = perfgate("ci", "install")
        assert status == 2
        assert "failed (exit status 1" in out

    def test_without_pip_uv_does_it_and_without_both_it_is_told(self, tmp_path, monkeypatch):
        from pytest_perfgate.ci.installing import installer
        from pytest_perfgate.errors import UsageError

        monkeypatch.setattr("pytest_perfgate.ci.installing.PathFinder.find_spec", lambda _: None)
        monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
        assert installer("py", tmp_path)[:2] == ["/bin/uv", "pip"]
        monkeypatch.setattr("shutil.which", lambda _: None)
        with pytest.raises(UsageError, match="no pip"):
            installer("py", tmp_path)
