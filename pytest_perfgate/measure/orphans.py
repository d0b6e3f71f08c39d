"""Worker processes that end with the process they work for, however that ends; what they do is not said here."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def end_with_parent() -> None:
    """See to it that this process, started by :mod:`multiprocessing`, is killed when its parent is gone.

    A pool's worker waits for work that nobody will send: the workers hold both ends of the pipe open for each other.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if not _is_told_by_the_kernel():
        # Elsewhere a thread waits: asleep until then, so that it takes nothing from what is measured.
        threading.Thread(target=_end_after, args=(parent.sentinel, None), daemon=True).start()
    else:
        _end_after(parent.sentinel, 0.0)  # it may have gone before the kernel was asked


def _is_told_by_the_kernel() -> bool:
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL) == 0)
    except (OSError, AttributeError):
        return False


def _end_after(sentinel: int, timeout_s: float | None) -> None:
    if connection.wait([sentinel], timeout_s):
        os._exit(1)
