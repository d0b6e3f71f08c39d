"""This process's end of the spawner: starts it when first needed, asks it to run processes, ends it; judges nothing."""

from __future__ import annotations

import atexit
import contextlib
import marshal
import os
import py_compile
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import ending
from pytest_perfgate.measure.clock import MONOTONIC_S
from pytest_perfgate.measure.spawner.inheritance import found, inherited
from pytest_perfgate.measure.spawner.order import Order, Output

_PROGRAM = Path(__file__).with_name("program.py")
#: Makes itself the subreaper of what it starts (PR_SET_CHILD_SUBREAPER of linux/prctl.h), so that nothing gets away,
#: sees to it that exit statuses are kept for it, and becomes the program: without ctypes, which takes memory.
_FIRST_STAGE = """\
import ctypes, os, signal, sys
if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0):
    sys.exit("no subreaper")
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
os.execv(sys.executable, [sys.executable, "-I", "-S", *sys.argv[1:]])
"""
#: Two starts of a small interpreter on a busy machine.
_START_S = 20.0
#: Beyond the time limit of a process, which the spawner keeps itself: then it is the spawner that hangs.
_SLACK_S = 60.0
_END_S = 5.0


class SpawnerLostError(CannotMeasureError):
    """The spawner ended in the middle of a run."""

    def __init__(self) -> None:
        super().__init__(
            "the small interpreter that starts commands for perfgate was ended while one of them ran (out of memory?)"
        )


class Spawner:
    """A spawner that runs.

    Raises:
        OSError: It could not be started, or cannot do its work here.
    """

    def __init__(self) -> None:
        if not sys.executable:
            raise OSError("this Python does not know where it is")
        self._owner, self._inherited = os.getpid(), inherited()
        self._lock, self._thread = threading.Lock(), 0
        self.folder = Path(tempfile.mkdtemp(prefix="perfgate-"))
        try:
            program = self.folder / "program.pyc"  # compiling it there would take a megabyte of memory, for good
            py_compile.compile(str(_PROGRAM), cfile=str(program), doraise=True, optimize=2)
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own program
                [sys.executable, "-I", "-S", "-c", _FIRST_STAGE, str(program), str(self.folder), str(self._owner)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
                cwd="/",
            )
            self._heard = select.poll()
            self._heard.register(self._reading, select.POLLIN)
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        try:
            greeting = self._hear(_START_S)
        except SpawnerLostError:
            raise OSError("it ended at once: this system has no pidfds or no subreapers, or refuses them") from None
        if greeting != "ready":
            raise OSError("it does not answer")

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to this process, still runs, and hands on what a child of this process would inherit now.

        One that a fork copied does not.
        """
        return self._owner == os.getpid() and self._process.poll() is None and self._inherited == inherited()

    @contextlib.contextmanager
    def running(self, order: Order) -> Iterator[Running]:
        """Start a process; whatever interrupts the block ends the process with everything that it started.

        Args:
            order: What to run.

        Yields:
            The process; the end of the block waits for its end.

        Raises:
            OSError: It could not be started.
            ValueError: Something in *order* is nothing that an operating system takes.
            SpawnerLostError: The spawner was ended.
        """
        if self._thread == threading.get_ident():
            raise CannotMeasureError("a process cannot be measured within the measurement of another, as in ready=")
        with self._lock:
            self._thread = threading.get_ident()
            running = Running(self, order)
            try:
                packed = self._packed(order)
                running.is_over = False
                self._say(packed)
                running.begin()
                yield running
                running.end()
            except BaseException:
                if not running.is_over:
                    self.close()
                    running.end_stray()
                raise
            finally:
                self._thread = 0

    def close(self) -> None:
        """End it, and what it runs."""
        process = getattr(self, "_process", None)
        if process is not None and self._owner != os.getpid():
            process.returncode = 0  # the process that forked this one looks after it
            return
        if process is not None:
            with contextlib.suppress(OSError, ValueError, SpawnerLostError):  # it ended, or was closed before
                self._say(None)
            for pipe in (process.stdin, process.stdout):  # it may be in the middle of saying something
                pipe.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                ending.kill_tree(process.pid)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _reading(self) -> int:
        assert self._process.stdout is not None  # noqa: S101  # for the type checker: it was asked for
        return self._process.stdout.fileno()

    def _packed(self, order: Order) -> dict[str, Any]:
        stdin = os.devnull
        if order.stdin is not None:
            stdin = str(self.folder / "in")
            Path(stdin).write_bytes(order.stdin)
        return {
            "program": os.fsencode(found(order.argv[0], order.env, order.cwd)),
            "argv": [os.fsencode(word) for word in order.argv],
            "env": {os.fsencode(name): os.fsencode(value) for name, value in order.env.items()},
            "cwd": os.fsencode(order.cwd),
            "stdin": stdin,
            "timeout_s": order.timeout_s,
            "grace_s": ending.GRACE_S,
            "tell": order.tell,
            "affinity": sorted(os.sched_getaffinity(0)),
            "restored": [int(signal.SIGPIPE), int(signal.SIGXFSZ)],  # Python ignores them: as subprocess does
        }

    def _say(self, value: Any) -> None:
        packed = marshal.dumps(value)
        assert self._process.stdin is not None  # noqa: S101  # as above
        left = memoryview(len(packed).to_bytes(4, "little") + packed)
        try:
            while left:
                left = left[os.write(self._process.stdin.fileno(), left) :]
        except BrokenPipeError:
            raise SpawnerLostError from None

    def _hear(self, timeout_s: float | None) -> Any:
        """Wait for a message; None when there is none in time."""
        if not self._heard.poll(None if timeout_s is None else timeout_s * 1000):
            return None
        size = int.from_bytes(self._exactly(4), "little")
        return marshal.loads(self._exactly(size))  # noqa: S302  # from our own child, of the same version

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._reading, count)
            if not part:
                raise SpawnerLostError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Running:
    """A process that the spawner runs.

    Args:
        spawner: It.
        order: What was asked for.
    """

    def __init__(self, spawner: Spawner, order: Order) -> None:
        self._spawner, self._order = spawner, order
        self.pid, self._born = 0, b""
        self.started_ns = 0
        """When, on the clock of :func:`time.perf_counter_ns`; known, like the number, to who asked to hear of it."""
        self.facts: dict[str, Any] | None = None
        """What it did and cost, when it is over."""
        self.is_over = True
        """Whether there is nothing of it, not yet or not any more."""

    def begin(self) -> None:
        """Wait for the start, if that is to be told."""
        if self._order.tell:
            told = self._told(_SLACK_S)
            if told is None:
                raise SpawnerLostError
            _, self.pid, self.started_ns = told
            self._born = _born(self.pid)

    def output(self, timeout_s: float) -> Output | None:
        """Wait for output, or for the end.

        Returns:
            What came; None when nothing did in time, or it is over (:attr:`facts`).
        """
        told = None if self.facts is not None else self._told(timeout_s)
        return Output(*told[1:]) if told is not None and told[0] == "output" else None

    def signal(self, number: int) -> None:
        """Send a signal to its group."""
        if self.facts is None:
            self._spawner._say(number)  # noqa: SLF001  # two halves of one thing

    def end_stray(self) -> None:
        """End it where the spawner could not, because it was ended first; of what was not told to start, none knows."""
        if self._born and _born(self.pid) == self._born:  # else it has ended, and another may have its number
            ending.kill_tree(self.pid)

    def end(self) -> dict[str, Any]:
        """Wait for the end, and say what it did and cost."""
        limit_s = self._order.timeout_s
        until_s = None if limit_s is None else MONOTONIC_S() + limit_s + _SLACK_S
        while self.facts is None:
            left_s = None if until_s is None else max(0.0, until_s - MONOTONIC_S())
            if self._told(left_s) is None:
                raise SpawnerLostError
        return self.facts

    def _told(self, timeout_s: float | None) -> Any:
        told = self._spawner._hear(timeout_s)  # noqa: SLF001  # as above
        self.is_over = told is not None and told[0] in ("ended", "failed")
        if told is not None and told[0] == "failed":
            _, number, text = told
            raise ValueError(text) if number is None else OSError(number, os.strerror(number), self._order.argv[0])
        if told is not None and told[0] == "ended":
            self.facts = told[1]
        return told


def _born(pid: int) -> bytes:
    """Read when a process that leads a session was started, in ticks since the boot; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return b""
    session, started = stat[3], stat[19]  # proc(5): fields 6 and 22; the split starts with the third
    return started if session == str(pid).encode() else b""


class _Current:
    """The spawner of this process, or why there is none."""

    spawner: Spawner | None = None
    problem = "" if sys.platform == "linux" else f"on {sys.platform} commands are started by pytest's own process"
    owner = 0
    lock = threading.Lock()


def current() -> Spawner | None:
    """Return the spawner of this process, started if need be; None where there can be none (:func:`problem`)."""
    if _Current.owner != os.getpid():  # a copy that a fork made: what it knows is another process's
        _Current.owner, _Current.lock = os.getpid(), threading.Lock()
    with _Current.lock:
        old = _Current.spawner
        if old is not None and not old.is_ours:
            old.close()
            _Current.spawner = None
        if _Current.spawner is None and not _Current.problem:
            try:
                _Current.spawner = Spawner()
            except (OSError, SpawnerLostError, py_compile.PyCompileError) as problem:
                _Current.problem = f"the small interpreter that starts commands could not be started ({problem})"
        return _Current.spawner


def problem() -> str:
    """Say why there is no spawner; empty when there is one, or nobody asked yet."""
    return _Current.problem


def close() -> None:
    """End the spawner of this process, if there is one; the next run starts another."""
    spawner, _Current.spawner = _Current.spawner, None
    if spawner is not None:
        spawner.close()


atexit.register(close)
