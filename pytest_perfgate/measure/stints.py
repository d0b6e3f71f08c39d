"""What a worker saw of one chunk: its time, and how much of it the worker waited for a core.

Who hands out chunks, and what follows from their times, is not here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.measure.runqueue import open_account, read_queued_ns

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class Stint(NamedTuple):
    """One chunk, done by one worker; a tuple, because it travels with the results and is paid for in the window."""

    worker: tuple[int, int]
    """Process and thread."""
    wall_ns: int
    queued_ns: int
    """Of that time: runnable, and not let onto a core."""
    waited_ns: int
    """The same since the worker's previous stint: what waking up for this one took is in it."""

    @property
    def own_ns(self) -> int:
        """Take what it would have needed on a core of its own; waiting for anything but a core is left in."""
        return max(0, self.wall_ns - self.queued_ns)


class _Account:
    """The account that the kernel keeps of the thread that makes this, open for as long as the thread lives."""

    __slots__ = ("_file", "_process", "last_ns")

    def __init__(self) -> None:
        self._process = os.getpid()
        self._file = open_account()
        self.last_ns = 0 if self._file is None else read_queued_ns(self._file)

    def is_own(self) -> bool:
        """Tell whether it was opened in this process: a fork inherits its parent's account."""
        return self._process == os.getpid()

    def queued_ns(self) -> int | None:
        """Read how long the thread has waited for a core; None where that is not known."""
        return None if self._file is None else read_queued_ns(self._file)

    def __del__(self) -> None:
        if self._file is not None and self.is_own():
            os.close(self._file)


_own = threading.local()


def _account() -> _Account:
    account: _Account | None = getattr(_own, "account", None)
    if account is None or not account.is_own():
        account = _own.account = _Account()
    return account


def timed_stint(
    run: Callable[..., list[Any]], task: Callable[[Any], Any], first: int, items: Sequence[Any]
) -> tuple[list[Any], Stint | None]:
    """Do a chunk in the worker that calls this, and look at the clocks.

    Args:
        run: Does the chunk, see :func:`pytest_perfgate.measure.parallel.run_chunk`.
        task: Called with each item.
        first: Index of the first item.
        items: The items.

    Returns:
        One result per item; and the stint, None where the system keeps no account of waiting for cores.
    """
    account = _account()
    # Reading the account lets go of the interpreter lock, so the clock is read around it: what getting the lock back
    # takes is waiting for something else than a core, and must not be missing from the stint.
    began_ns, queued_ns = PERF_COUNTER(), account.queued_ns()
    results = run(task, first, items)
    now_ns, ended_ns = account.queued_ns(), PERF_COUNTER()
    if queued_ns is None or now_ns is None:
        return results, None
    waited_ns, account.last_ns = now_ns - account.last_ns, now_ns
    worker = os.getpid(), threading.get_ident()
    return results, Stint(worker, ended_ns - began_ns, now_ns - queued_ns, waited_ns)
