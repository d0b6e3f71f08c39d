"""How long the thread that measures could have run and was not let: time that neighbours took, where it is known."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from pytest_perfgate.measure.clock import Clock

#: Of the thread that opens it: nanoseconds on a processor, nanoseconds waiting for one, number of turns (Linux,
#: Documentation/scheduler/sched-stats.rst).
_PATH = "/proc/thread-self/schedstat"
_ENOUGH_BYTES = 64


@contextlib.contextmanager
def run_queue() -> Iterator[Clock]:
    """Yield what tells how many nanoseconds the calling thread has waited for a processor; always 0 elsewhere.

    The waiting of a virtual processor for a real one is not seen from inside a machine, and not counted.
    """
    file = open_account()
    if file is None:
        yield lambda: 0
        return
    try:
        yield lambda: read_queued_ns(file)
    finally:
        os.close(file)


def open_account() -> int | None:
    """Open the calling thread's account, to be closed by the caller; None where the kernel keeps none."""
    if sys.platform != "linux":
        return None
    try:
        file = os.open(_PATH, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        read_queued_ns(file)
    except (OSError, ValueError, IndexError):
        os.close(file)
        return None
    return file


def read_queued_ns(file: int) -> int:
    """Read from an open account how long its thread has waited for a processor."""
    return int(os.pread(file, _ENOUGH_BYTES, 0).split()[1])
