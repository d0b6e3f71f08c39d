"""The small interpreter that starts processes: what it tells, and that nothing survives it."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from processes import is_gone

from pytest_perfgate.measure.process import made_of_spawned, run_process
from pytest_perfgate.measure.spawner import remote
from pytest_perfgate.measure.spawner.order import Order

pytestmark = pytest.mark.skipif(remote.current() is None, reason=remote.problem() or "no spawner here")


def order(*argv, **options):
    return Order(argv=argv, env=dict(os.environ), cwd="/", stdin=None, **{"timeout_s": None, **options})


@pytest.fixture
def spawner():
    """One of the test's own."""
    made = remote.Spawner()
    yield made
    made.close()


def test_everything_there_is_to_know_is_told():
    run = run_process([sys.executable, "-c", "print('x')"])
    assert run.on_cpu_s > 0
    assert run.queued_s >= 0
    assert run.blocks_read >= 0
    assert 0 < run.first_output_s <= run.wall_s
    assert run.untold == ""


def test_without_output_there_is_no_first_output():
    assert run_process(["true"]).first_output_s is None


def test_the_memory_of_this_process_is_not_taken_for_the_childs():
    held = bytearray(b"x") * 2**27
    run = run_process([sys.executable, "-c", "bytearray(b'x') * 2**25"])
    assert 2**25 < run.peak_bytes < len(held)


def test_a_small_program_is_told_to_be_no_larger_than_a_bare_interpreter():
    held = bytearray(b"x") * 2**26
    assert run_process(["true"]).peak_bytes < 16 * 2**20 < len(held)


def test_one_spawner_serves_all_runs():
    first = remote.current()
    run_process(["true"])
    assert remote.current() is first


def test_a_spawner_that_was_killed_is_replaced():
    first = remote.current()
    first._process.kill()
    first._process.wait()
    assert run_process(["echo", "again"]).stdout == b"again\n"
    assert remote.current() is not first
    assert not first.folder.exists()


def test_a_spawner_that_dies_while_it_runs_something_is_told(spawner):
    sleeping = order("sleep", "60", tell="start")
    with pytest.raises(remote.SpawnerLostError), spawner.running(sleeping) as running:  # noqa: PT012  # its end raises
        left = running.pid
        spawner._process.kill()
    os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("problem", [KeyboardInterrupt, ValueError, OSError])
def test_whatever_interrupts_a_run_ends_the_process_and_what_it_started(spawner, problem):
    script = "sleep 60 & setsid sleep 60 & echo $!; wait"
    with pytest.raises(problem), spawner.running(order("sh", "-c", script, tell="output")) as running:  # noqa: PT012  # at its end
        pids = [running.pid, int(running.output(10).data)]
        raise problem
    assert all(map(is_gone, pids))
    assert not spawner.folder.exists()


def test_a_daemon_is_found_killed_and_told(monkeypatch):
    monkeypatch.setattr(remote.ending, "GRACE_S", 0)
    run = run_process(["sh", "-c", "setsid sh -c 'sleep 60 & echo $!' & wait"])
    assert run.left_behind
    assert is_gone(int(run.stdout))


def test_a_program_that_ends_by_itself_within_the_grace_is_not_left_behind(monkeypatch):
    monkeypatch.setattr(remote.ending, "GRACE_S", 60)
    run = run_process(["sh", "-c", "(sleep 0.05) & exit 0"])
    assert not run.left_behind


def test_much_output_on_both_streams_blocks_nobody():
    code = "import sys\nfor _ in range(200): sys.stdout.write('o' * 9999); sys.stderr.write('e' * 9999)"
    run = run_process([sys.executable, "-c", code], timeout_s=60)
    assert (len(run.stdout), len(run.stderr)) == (1_999_800, 1_999_800)
    assert run.exit_status == 0


def test_a_signal_that_crosses_the_end_disturbs_nothing(spawner):
    with spawner.running(order("true")) as running:
        running.end()
    spawner._say(15)
    with spawner.running(order("true")) as running:
        assert running.end()["exit_status"] == 0


def test_what_cannot_be_started_is_told_and_the_next_one_runs(spawner):
    with pytest.raises(PermissionError), spawner.running(order("/")) as running:
        running.end()
    with pytest.raises(ValueError, match="null"), spawner.running(order("/bin/true", "a\0b")) as running:
        running.end()
    with spawner.running(order("true")) as running:
        assert running.end()["exit_status"] == 0


def test_threads_take_turns():
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(run_process(["echo", str(n)]).stdout)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"0\n", b"1\n", b"2\n", b"3\n"]


def test_a_fork_starts_its_own_and_leaves_that_of_its_parent_alone():
    mine = remote.current()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover  # not seen by coverage
        try:
            told = run_process(["echo", "child"]).stdout
            other = remote.current() is not mine
            remote.close()
            os.write(writing, told if other else b"the same")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"child\n"
    os.close(reading)
    assert remote.current() is mine
    assert run_process(["echo", "parent"]).stdout == b"parent\n"


def test_the_end_of_the_parent_ends_the_spawner_and_what_it_runs(tmp_path):
    code = (
        "import os, sys, pathlib\n"
        "from pytest_perfgate.measure.spawner import remote\n"
        "from pytest_perfgate.measure.spawner.order import Order\n"
        "ask = Order(argv=['sleep', '60'], env=dict(os.environ), cwd='/', stdin=None, timeout_s=None, tell='start')\n"
        "spawner = remote.current()\n"
        "with spawner.running(ask) as running:\n"
        "    print(spawner._process.pid, running.pid, spawner.folder, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(remote.__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env, cwd=tmp_path, check=False)
    helper, child, folder = done.stdout.decode().split()
    assert is_gone(int(child))
    assert is_gone(int(helper))
    assert not Path(folder).exists()


def test_where_it_cannot_be_started_this_process_does_it_and_says_so(monkeypatch):
    monkeypatch.setattr(remote._Current, "spawner", None)
    monkeypatch.setattr(remote._Current, "problem", "")
    monkeypatch.setattr(remote, "_FIRST_STAGE", "raise SystemExit('not here')")
    run = run_process(["echo", "hello"])
    assert run.stdout == b"hello\n"
    assert run.queued_s is None
    assert "could not be started" in run.untold
    unknown = "the time waited for a processor, the time to the first output, the peak memory of a small program"
    assert f"not known are {unknown}; times include" in run.untold


@pytest.mark.parametrize("account", [None, 0], ids=["none", "empty"])
def test_where_it_is_not_known_how_long_a_process_waited_that_is_said(tmp_path, account):
    for name in ("out", "err"):
        (tmp_path / name).touch()
    told = {"wall_ns": 10**7, "user_s": 0.01, "system_s": 0.0, "exit_status": 0, "timed_out": False}
    run = made_of_spawned({**told, "on_cpu_ns": account, "queued_ns": account}, tmp_path)
    assert "does not tell how long a process waits for a processor" in run.untold
    assert run.contention is None


def test_an_ignored_end_of_children_does_not_matter():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        remote.close()
        assert run_process(["sh", "-c", "exit 3"]).exit_status == 3
    finally:
        signal.signal(signal.SIGCHLD, before)
        remote.close()


def test_limits_and_the_mask_of_new_files_are_those_of_this_process_now():
    run_process(["true"])
    before_mask, before = os.umask(0o077), resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
        told = run_process(["sh", "-c", "ulimit -n; umask"]).stdout.split()
    finally:
        os.umask(before_mask)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert told == [str(before[0] - 1).encode(), b"0077"]
    assert run_process(["sh", "-c", "ulimit -n"]).stdout == b"%d\n" % before[0]


def test_signals_that_python_ignores_are_given_back():
    assert run_process(["sh", "-c", "kill -PIPE $$; echo survived"]).exit_status == -signal.SIGPIPE


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one processor")
def test_processes_run_on_the_processors_of_the_thread_that_asks():
    before = os.sched_getaffinity(0)
    code = "import os; print(sorted(os.sched_getaffinity(0)))"
    try:
        os.sched_setaffinity(0, {min(before)})
        assert run_process([sys.executable, "-c", code]).stdout.decode().strip() == str([min(before)])
    finally:
        os.sched_setaffinity(0, before)
    assert run_process([sys.executable, "-c", code]).stdout.decode().strip() == str(sorted(before))


def lose(spawner, before_the_end=lambda running: None):
    """Kill the spawner under a process that it runs; return the number of that."""
    with contextlib.suppress(remote.SpawnerLostError), spawner.running(order("sleep", "60", tell="start")) as running:
        pid = running.pid
        spawner._process.kill()
        spawner._process.wait()
        before_the_end(running)
    assert running.facts is None
    return pid


@pytest.mark.parametrize("signals", [False, True], ids=["waits", "signals"])
def test_a_process_does_not_outlive_a_spawner_that_is_killed(spawner, signals):
    assert is_gone(lose(spawner, lambda running: running.signal(int(signal.SIGTERM)) if signals else None))


def test_another_process_with_the_number_of_a_lost_one_is_left_alone(spawner):
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:

        def confuse(running):
            running.pid, running._born = other.pid, b"1"

        lost = lose(spawner, confuse)
        still_runs = other.poll() is None
        other.kill()
    os.kill(lost, signal.SIGKILL)
    assert still_runs
