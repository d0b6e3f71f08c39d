"""Giving up on a target that hangs."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.units import SECONDS, format_value


class TargetHangsError(CannotMeasureError):
    """The target did not return in time."""


@contextlib.contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Interrupt the block when it takes too long.

    Works in the main thread where the system has interval timers (not on Windows), and leaves a timer that somebody
    else has set (pytest-timeout) alone; elsewhere it does nothing.

    Args:
        seconds: Patience; 0 for ever.

    Raises:
        TargetHangsError: In the block, wherever it is.
    """
    if not seconds or not _can_interrupt():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TargetHangsError(
            f"the target did not return within {format_value(seconds, SECONDS)} and was given up; "
            f'mend it, or raise [tool.perfgate] timeout = "..."'
        )

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _can_interrupt() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getitimer(signal.ITIMER_REAL)[0] == 0
