"""What every front shares: the last measurement, errors told in one message, the running event loop."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

import pytest

from pytest_perfgate.errors import PerfgateError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from pytest_perfgate.model import Case, Measurement
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

P = ParamSpec("P")
T = TypeVar("T")


class Front:
    """A callable thing that a fixture hands out.

    Args:
        recorder: Of the running test; None when nothing is measured and everything is just called.
    """

    METRICS: ClassVar[tuple[str, ...]] = ()
    """Metrics whose newest measurement is :attr:`last`."""

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder

    def _begin(self, meter: str, metric: str, name: str) -> tuple[Recorder, Case] | None:
        """Announce a case.

        Returns:
            The recorder and the case; None when everything is just to be called: nothing is measured, or this case
            was before the test ran (in a paired comparison).
        """
        return begin(self._recorder, meter, metric, name)

    @staticmethod
    def _measured(begun: tuple[Recorder, Case], measure: Callable[[Recorder, Case], tuple[T, Measurement]]) -> T:
        """Measure a case that was announced, with the machine to itself, and keep what came of it.

        Args:
            begun: As :meth:`_begin` returned it.
            measure: Given both, returns what the target returned, and the measurement.

        Returns:
            What the target returned.
        """
        recorder, case = begun
        with recorder.measuring(case):
            result, measurement = measure(recorder, case)
        recorder.add(measurement)
        return result

    @property
    def last(self) -> Measurement | None:
        """The newest measurement of this test; None when nothing is measured."""
        return self._recorder.last(*self.METRICS) if self._recorder else None


def begin(recorder: Recorder | None, meter: str, metric: str, name: str) -> tuple[Recorder, Case] | None:
    """Announce a case to *recorder*, as :meth:`Front._begin` does."""
    if recorder is None:
        return None
    case = recorder.begin(meter, metric, name)
    if recorder.known(case) is None:
        return recorder, case
    recorder.replay(case)
    return None


def told_clearly(function: Callable[P, T]) -> Callable[P, T]:
    """Turn this package's errors into a failed test with one message and no traceback of ours."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return await function(*args, **kwargs)
            except PerfgateError as problem:
                message = _located(problem)
            pytest.fail(message, pytrace=False)  # outside the handler: the message stands once, not chained to itself

        return awaited  # type: ignore[return-value]  # T is the coroutine's type here

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except PerfgateError as problem:
            message = _located(problem)
        except TypeError as problem:
            if problem.__traceback__ is None or problem.__traceback__.tb_next is not None:
                raise  # from within: not of how it was called
            message = _located(UsageError(_misused(function, problem, kwargs)))
        pytest.fail(message, pytrace=False)

    return called


def refuse_unknown(call: str, options: Iterable[str], allowed: Sequence[str]) -> None:
    """Refuse keywords that a fixture does not take, with the close one.

    Args:
        call: How the user wrote it, such as ``startup.app``.
        options: Keywords that were given.
        allowed: Keywords that there are.

    Raises:
        UsageError: One of them is none.
    """
    import difflib  # only a mistake needs it

    for option in options:
        if option not in allowed:
            close = difflib.get_close_matches(option, allowed, 1)
            hint = f"; did you mean {close[0]}=?" if close else f"; it takes {', '.join(allowed)}"
            raise UsageError(f"{call}() has no option {option}={hint}")


def loop_is_running() -> bool:
    """Tell whether the caller runs inside an event loop, asyncio's or another library's."""
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None:  # trio, or anyio over trio: no asyncio loop, and still nothing of ours may block
        try:
            sniffio.current_async_library()
        except sniffio.AsyncLibraryNotFoundError:
            return False
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _misused(function: Callable[..., Any], problem: TypeError, keywords: Mapping[str, Any]) -> str:
    """Say what Python says of arguments that do not fit, in terms of the fixture as the user knows it."""
    call = getattr(function, "__qualname__", "").lower().removesuffix(".__call__").removeprefix("custom")
    taken = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    named = [one.name for one in taken if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    if any(one not in named for one in keywords) and not any(one.kind is one.VAR_KEYWORD for one in taken):
        try:
            refuse_unknown(call, keywords, named)
        except UsageError as unknown:
            return str(unknown)
    first = [one for one in taken if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = ", ".join("fn" if one.name == "target" else one.name for one in first)
    return f"{call}({needed}, ...) is how it is called; {str(problem).partition('() ')[2].replace('target', 'fn')}"


def _located(problem: PerfgateError) -> str:
    """Put the place in the user's file before the message."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # documented for this use; inspect.stack reads files
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith("pytest_perfgate."):
            return f"{os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno}: {problem}"
        frame = frame.f_back
    return str(problem)  # pragma: no cover  # somebody always called
