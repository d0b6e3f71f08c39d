"""Giving up on a target that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.units import SECONDS, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: A target that catches the interruption (``except Exception``) and goes on is interrupted again after so long.
_AGAIN_S = 5.0
#: What awaits gets this much longer before it is interrupted from outside: cancelling it is the gentler way.
_GRACE_S = 1.0


class TargetHangsError(CannotMeasureError):
    """The target did not return in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the target did not return within {format_value(seconds, SECONDS)} and was given up; "
            f'mend it, or raise [tool.perfgate] timeout = "..."'
        )


@contextlib.contextmanager
def given_up_after(seconds: float, *, grace_s: float = 0.0) -> Iterator[None]:
    """Interrupt the block when it takes too long.

    Works in the main thread where the system has interval timers (not on Windows), and leaves a timer that somebody
    else has set (pytest-timeout) alone; elsewhere it does nothing.

    Args:
        seconds: Patience; 0 for ever.
        grace_s: Added to it, and not spoken of.

    Raises:
        TargetHangsError: In the block, wherever it is.
    """
    if not seconds or not _can_interrupt():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TargetHangsError(seconds)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds + grace_s, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def awaiting_given_up_after(seconds: float) -> Iterator[None]:
    """Cancel the running task when the block takes too long, and interrupt it when it blocks the loop.

    A signal that arrives while everybody waits would break the event loop, which is not ours; cancelling breaks only
    what hangs.  Under another library than asyncio there is only the signal.

    Args:
        seconds: Patience; 0 for ever.

    Raises:
        TargetHangsError: At the end of the block, or in it.
    """
    task = _running_task()
    if task is None or not seconds:
        with given_up_after(seconds, grace_s=_GRACE_S):
            yield
        return
    gave_up = False

    def give_up() -> None:
        nonlocal gave_up
        gave_up = True
        task.cancel()

    timer = task.get_loop().call_later(seconds, give_up)
    try:
        with given_up_after(seconds, grace_s=_GRACE_S):
            yield
    except asyncio.CancelledError:
        if not gave_up:
            raise
        if hasattr(task, "uncancel"):  # 3.11
            task.uncancel()
        raise TargetHangsError(seconds) from None
    finally:
        timer.cancel()


def _running_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop of asyncio's
        return None


def _can_interrupt() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    # A handler that was not installed from Python could not be put back.
    return signal.getitimer(signal.ITIMER_REAL)[0] == 0 and signal.getsignal(signal.SIGALRM) is not None
