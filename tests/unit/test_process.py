"""Real processes, small ones, by way of the spawner and without; no assertion on how long anything takes."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from processes import is_gone

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import ending, process
from pytest_perfgate.measure.process import run_process
from pytest_perfgate.measure.spawner import here, remote

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

#: A shell that starts a child of its own, tells its number, and neither of them ends.
NEVER_ENDS = ["sh", "-c", "sleep 60 & echo $!; sleep 60"]


def python(code, **options):
    return run_process([sys.executable, "-c", code], **options)


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def _no_spawner(monkeypatch):
    """As on a system where there is none."""
    monkeypatch.setattr(remote, "current", lambda: None)


@pytest.fixture(params=["spawner", "here"])
def _both_ways(request, monkeypatch):
    """By way of the spawner, or in this process."""
    if request.param == "here":
        monkeypatch.setattr(remote, "current", lambda: None)
    elif remote.current() is None:
        pytest.skip(remote.problem())


@pytest.fixture(params=["spawner", "pidfd", "thread"])
def _every_deadline(request, monkeypatch):
    """Every way to keep a deadline: the spawner's, polling a pidfd, or a watching thread."""
    if request.param == "spawner":
        if remote.current() is None:
            pytest.skip(remote.problem())
        return
    monkeypatch.setattr(remote, "current", lambda: None)
    if request.param == "pidfd" and not ending._can_poll_processes():
        pytest.skip("no pidfds here")
    if request.param == "thread":
        monkeypatch.setattr(ending, "_can_poll_processes", lambda: False)


@pytest.mark.usefixtures("_every_deadline")
@pytest.mark.parametrize("timeout_s", [None, 0, 60])
def test_output_status_and_usage_of_a_process_are_read(timeout_s):
    run = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", timeout_s=timeout_s)
    assert (run.exit_status, run.stdout, run.stderr) == (3, b"out\n", b"err\n")
    assert run.wall_s > 0
    assert run.user_s >= 0
    assert run.system_s >= 0
    assert run.minor_faults > 100
    assert run.major_faults >= 0
    assert not run.timed_out
    assert not run.left_behind


@pytest.mark.usefixtures("_no_spawner")
def test_wall_time_runs_from_before_the_spawn_to_the_exit(monkeypatch):
    readings = iter([1_000_000_000, 1_250_000_000])
    monkeypatch.setattr(here, "PERF_COUNTER", lambda: next(readings))
    assert run_process(["true"]).wall_s == 0.25


@pytest.mark.usefixtures("_both_ways")
def test_standard_input_is_given_and_otherwise_empty():
    echo = "import sys; print(repr(sys.stdin.buffer.read()))"
    assert python(echo, stdin=b"a\0b").stdout == b"b'a\\x00b'\n"
    assert python(echo).stdout == b"b''\n"


@pytest.mark.usefixtures("_both_ways")
def test_environment_and_directory_are_those_asked_for(tmp_path):
    run = python("import os; print(os.getcwd()); print(sorted(os.environ))", env={"LC_ALL": "C"}, cwd=tmp_path)
    folder, names = run.stdout.decode().splitlines()
    assert tmp_path.samefile(folder)
    assert "'LC_ALL'" in names
    assert "'PATH'" not in names


def test_passed_descriptors_are_inherited():
    reading, writing = os.pipe()
    try:
        python(f"import os; os.write({writing}, b'hello')", pass_fds=[writing])
        assert os.read(reading, 10) == b"hello"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.usefixtures("_both_ways")
def test_death_by_a_signal_is_a_negative_status():
    run = python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert run.exit_status == -signal.SIGTERM


@pytest.mark.usefixtures("_both_ways")
def test_the_middle_of_long_output_is_left_out(monkeypatch):
    monkeypatch.setattr(process, "KEPT_OUTPUT_BYTES", 10)
    run = python("import sys; sys.stdout.write('abcde' + 990 * '.' + 'vwxyz')")
    assert run.stdout == b"abcde\n... 990 bytes left out ...\nvwxyz"


@pytest.mark.usefixtures("_every_deadline")
def test_a_timeout_ends_the_process_and_its_children():
    run = run_process(NEVER_ENDS, timeout_s=1)
    assert run.timed_out
    assert run.exit_status == -signal.SIGKILL
    assert is_gone(int(run.stdout))


def test_a_deadline_that_strikes_before_there_is_a_process_kills_it_at_once():
    watched = ending._WatchedDeadline(0)
    watched._thread.join()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
        watched.hold(child.pid)
        watched.close()
        assert watched.passed
        assert child.wait(10) == -signal.SIGKILL


def test_a_descendant_that_left_the_group_is_killed_with_it():
    code = (
        "import subprocess, time\n"
        "print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as child:
        stray = int(child.stdout.readline())
        ending.kill_tree(child.pid)
    assert is_gone(stray)


@pytest.mark.usefixtures("_both_ways")
def test_what_a_process_leaves_running_is_killed_and_told(monkeypatch):
    monkeypatch.setattr(ending, "GRACE_S", 0)
    run = run_process(["sh", "-c", "sleep 60 & echo $!; exit 0"])
    assert run.left_behind
    assert run.exit_status == 0
    assert is_gone(int(run.stdout))


@pytest.mark.usefixtures("_no_spawner")
@pytest.mark.parametrize("problem", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_wait_leaves_no_process_behind(monkeypatch, problem):
    held = []

    def interrupted(self, pid):
        held.append(pid)
        raise problem

    monkeypatch.setattr(ending.Deadline, "hold", interrupted)
    with pytest.raises(problem):
        run_process(["sleep", "60"])
    assert not psutil.pid_exists(held[0])


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc")
@pytest.mark.usefixtures("_both_ways")
def test_no_descriptor_is_left_whatever_happens(monkeypatch):
    run_process(["true"])
    before = open_descriptors()
    run_process(["true"], stdin=b"x", timeout_s=60)
    run_process(["sleep", "60"], timeout_s=0.01)
    with pytest.raises(FileNotFoundError):
        run_process(["no-such-program-anywhere"], stdin=b"x", timeout_s=60)
    monkeypatch.setattr(ending, "_can_poll_processes", lambda: False)
    run_process(["true"], timeout_s=60)
    assert open_descriptors() == before


@pytest.mark.usefixtures("_no_spawner")
def test_an_exit_status_taken_by_somebody_else_is_told():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(CannotMeasureError, match="reaps all children"):
            run_process(["true"])
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("_no_spawner")
def test_a_peak_that_may_be_ours_is_not_reported():
    assert run_process(["true"]).peak_bytes is None


@pytest.mark.usefixtures("_both_ways")
def test_a_peak_above_ours_is_the_childs():
    scale = 1 if sys.platform == "darwin" else 1024
    wanted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale + 32 * 2**20
    run = python(f"bytearray(b'x') * {wanted}")
    assert wanted <= run.peak_bytes < 2 * wanted + 2**26


@pytest.mark.usefixtures("_both_ways")
def test_a_program_that_does_not_exist_is_an_os_error():
    with pytest.raises(FileNotFoundError):
        run_process(["no-such-program-anywhere"])


# --- what is known of a run


def ran(**facts):
    usual = {
        "wall_s": 1.0,
        "user_s": 0.5,
        "system_s": 0.1,
        "peak_bytes": None,
        "minor_faults": 1,
        "major_faults": 0,
        "exit_status": 0,
        "stdout": b"",
        "stderr": b"",
    }
    return process.ProcessRun(**{**usual, **facts})


def test_contention_is_the_share_of_the_time_it_wanted_a_processor():
    assert ran(on_cpu_s=0.6, queued_s=0.2).contention == pytest.approx(0.25)
    assert ran(on_cpu_s=0.6, queued_s=0.0).contention == 0
    assert ran().contention is None
    assert ran(on_cpu_s=0.0, queued_s=0.0).contention is None


def test_how_a_thread_waits_that_did_little_of_the_work_says_nothing_of_the_rest():
    assert ran(on_cpu_s=0.4, queued_s=0.4).contention == pytest.approx(0.5)
    assert ran(on_cpu_s=0.2, queued_s=0.2).contention is None
    assert ran(user_s=None, on_cpu_s=0.2, queued_s=0.2).contention == pytest.approx(0.5)


def test_waiting_is_taken_off_where_one_thread_did_all_the_work():
    assert ran(on_cpu_s=0.6, queued_s=0.2).uncontended_s == pytest.approx(0.8)
    assert ran(on_cpu_s=0.3, queued_s=0.2).uncontended_s is None
    assert ran().uncontended_s is None
