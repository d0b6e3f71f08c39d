"""End processes: deadlines that cost the measured process nothing, and groups ended to the last.

Starting and timing a process is :mod:`pytest_perfgate.measure.process`.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_perfgate.measure.clock import MONOTONIC_S

if TYPE_CHECKING:
    import psutil

#: Helpers that end themselves when their parent is gone (multiprocessing's resource tracker)
#: need a moment for it.
GRACE_S = 0.5

#: poll(2) takes milliseconds as a C int.
_LONGEST_POLL_MS = 2**31 - 1


class Deadline:
    """No deadline: wait as long as it takes."""

    passed = False
    """Whether the process was killed because its time was up."""

    def hold(self, pid: int) -> None:
        """Return when *pid* has exited, was killed for its time, or may be waited for by blocking.

        Args:
            pid: A child that nobody has reaped, leader of its own process group.
        """


class _PolledDeadline(Deadline):
    """Sleeps in poll(2) on a pidfd until the process exits or its time is up (Linux)."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_ms = min(math.ceil(timeout_s * 1000), _LONGEST_POLL_MS)

    def hold(self, pid: int) -> None:
        descriptor = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            self.passed = not poll.poll(self._timeout_ms)
        finally:
            os.close(descriptor)
        if self.passed:
            kill_tree(pid)


class _WatchedDeadline(Deadline):
    """A thread that kills the process when its time is up, while the caller blocks in ``wait4``."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._over = threading.Event()
        self._pid: int | None = None
        self._thread = threading.Thread(target=self._watch, name="perfgate deadline", daemon=True)
        self._thread.start()

    def hold(self, pid: int) -> None:
        self._pid = pid
        if self.passed:  # the time was up before the process had a number
            kill_tree(pid)

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._over.wait(self._timeout_s):
            return
        self.passed = True
        if self._pid is not None:
            kill_tree(self._pid)


@contextlib.contextmanager
def deadline(timeout_s: float | None) -> Iterator[Deadline]:
    """Make a deadline ready, so that only :meth:`Deadline.hold` is left for after the spawn.

    Args:
        timeout_s: None for never.

    Yields:
        The deadline; its ``passed`` tells afterwards whether it struck.
    """
    if timeout_s is None:
        yield Deadline()
    elif _can_poll_processes():
        yield _PolledDeadline(timeout_s)
    else:
        with contextlib.closing(_WatchedDeadline(timeout_s)) as watched:
            yield watched


def _can_poll_processes() -> bool:
    """Tell whether pidfds exist here: Linux 5.3, and not refused by a sandbox."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def kill_tree(pid: int) -> None:
    """Kill the group that *pid* leads, and its descendants that left the group.

    Args:
        pid: A process that has not been reaped; one that is gone is no error.
    """
    import psutil  # noqa: PLC0415  # 20 ms that only a process out of control costs

    strays: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        strays = psutil.Process(pid).children(recursive=True)
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    for stray in strays:
        with contextlib.suppress(psutil.Error):
            stray.kill()


def end_group(group: int) -> bool:
    """End what is left of a group whose leader has exited and was reaped.

    Args:
        group: Its number, that of the leader.

    Returns:
        Whether something still ran after a moment of grace, and was killed.
    """
    try:
        return _outlives_grace(group)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _outlives_grace(group: int) -> bool:
    give_up = MONOTONIC_S() + GRACE_S
    while _group_runs(group):
        if MONOTONIC_S() >= give_up:
            return True
        time.sleep(0.01)
    return False


def _group_runs(group: int) -> bool:
    """Tell whether a member still runs; one that only waits for init to reap it does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    import psutil  # noqa: PLC0415  # as above

    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(OSError):
            ended = process.info["status"] == psutil.STATUS_ZOMBIE
            if os.getpgid(process.pid) == group and not ended:
                return True
    return False
