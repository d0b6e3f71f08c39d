"""Giving up on a target that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.clock import MONOTONIC_S
from pytest_perfgate.units import SECONDS, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: A target that catches the interruption (``except BaseException``) and goes on is interrupted again after so long.
_AGAIN_S = 5.0
#: An alarm that comes so much before the limit is our own.
_EARLY_S = 1e-3
#: What awaits gets this much longer before it is interrupted from outside: cancelling it is the gentler way.
_GRACE_S = 1.0


class TargetHangsError(CannotMeasureError):
    """The target did not return in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(_said(seconds))


class TargetGivenUp(BaseException):  # a loop that swallows every Exception must end as well
    """Ends the target from inside; whoever set the limit makes a :class:`TargetHangsError` of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(_said(seconds))


def _said(seconds: float) -> str:
    return (
        f"the target did not return within {format_value(seconds, SECONDS)} and was given up; "
        f'mend it, or raise [tool.perfgate] timeout = "..."'
    )


@contextlib.contextmanager
def given_up_after(seconds: float, *, grace_s: float = 0.0) -> Iterator[None]:
    """Interrupt the block when it takes too long.

    Works in the main thread where the system has interval timers (not on Windows), and leaves a timer that somebody
    else has set (pytest-timeout) alone; elsewhere it does nothing.  A block that sets that timer itself keeps its
    alarms; the limit holds again after an alarm for which the block has no handler of its own.

    Args:
        seconds: Patience; 0 for ever.
        grace_s: Added to it, and not spoken of.

    Raises:
        TargetHangsError: When the block was interrupted, wherever it was.
    """
    if not seconds or not _can_interrupt():
        yield
        return
    alarm = _Alarm(seconds, grace_s)
    alarm.set()
    try:
        yield
    except TargetGivenUp:
        raise TargetHangsError(seconds) from None
    finally:
        alarm.clear()


class _Alarm:
    """The interval timer as long as a target runs, which may use the same timer and the same signal itself."""

    def __init__(self, seconds: float, grace_s: float) -> None:
        self._seconds, self._until_s = seconds, MONOTONIC_S() + seconds + grace_s
        self._before: Any = None

    def set(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._rings)
        self._arm()

    def clear(self) -> None:
        """Disarm, and put back the handler; what the target has put there in the meantime stays."""
        is_ours = signal.getsignal(signal.SIGALRM) == self._rings
        if _is_armed_here() or (is_ours and self._before is signal.SIG_DFL):  # which would end the process
            signal.setitimer(signal.ITIMER_REAL, 0)
        if is_ours:
            signal.signal(signal.SIGALRM, self._before)

    def _arm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, max(self._until_s - MONOTONIC_S(), _EARLY_S), _AGAIN_S)

    def _rings(self, number: int, frame: FrameType | None) -> None:
        if MONOTONIC_S() >= self._until_s - _EARLY_S:
            raise TargetGivenUp(self._seconds)
        # A timer of the target's.  One that repeats goes on, and has the clock looked at as often.
        if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
            self._arm()
        if callable(self._before):
            self._before(number, frame)


def _is_armed_here() -> bool:
    return math.isclose(signal.getitimer(signal.ITIMER_REAL)[1], _AGAIN_S, abs_tol=_EARLY_S)


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
