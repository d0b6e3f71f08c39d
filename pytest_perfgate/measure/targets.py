"""What may be measured: telling what has to be awaited, and refusing what would be timed without being run."""

from __future__ import annotations

import contextlib
import functools
import inspect
import reprlib
from typing import Any

from pytest_perfgate.errors import CannotMeasureError

#: Said of a target that hands back a generator: measuring it is not wrong, but hardly ever what was meant.
LAZY = "the target returned a generator, so only making it was measured; consume it in the target, as in list(...)"


def laziness(result: object) -> tuple[str, ...]:
    """Return the warning about a target that returned *result*, if one is due."""
    return (LAZY,) if inspect.isgenerator(result) else ()


def is_async(target: object) -> bool:
    """Tell whether calling *target* gives a coroutine: an async function, a partial of one, an async ``__call__``.

    A plain function around an async one (a decorator's) is not told from other plain functions; what it returns
    shows it, and :func:`finished` refuses that.
    """
    while isinstance(target, functools.partial):
        target = target.func
    if inspect.iscoroutinefunction(target):
        return True
    # Asked of the type: calling a class whose instances are async makes an instance, and nothing to be awaited.
    return not inspect.isroutine(target) and inspect.iscoroutinefunction(getattr(type(target), "__call__", None))  # noqa: B004  # the method is meant


def check_callable(target: object, front: str = "perf") -> None:
    """Refuse what cannot be called.

    Args:
        target: What the user wants to measure.
        front: What they wrote to measure it, for the message.

    Raises:
        CannotMeasureError: With the remedy for the usual mistake.
    """
    if not callable(target):
        if inspect.isawaitable(target):
            _discard(target)
            raise CannotMeasureError(
                f"{front} got {_kind(target)}, which is not callable: pass the async function and its arguments, "
                f"{front}(fetch, url), not {front}(fetch(url))"
            )
        raise CannotMeasureError(
            f"{front} got {reprlib.repr(target)}, which is {_kind(target)} and not callable: pass the function and "
            f"its arguments, {front}(fn, x), not the result of a call, {front}(fn(x))"
        )
    if inspect.isasyncgenfunction(target):
        raise CannotMeasureError(
            f"{_name(target)} is an async generator function, so calling it runs nothing: pass an async function "
            f"that consumes it"
        )


def finished(result: Any, target: object, front: str = "perf") -> Any:
    """Refuse a result that is work still to be done: timing it would time nothing.

    Args:
        result: What the first call returned.
        target: What was called.
        front: What the user wrote to measure it, for the message.

    Returns:
        *result*.

    Raises:
        CannotMeasureError: It has to be awaited or iterated asynchronously.
    """
    __tracebackhide__ = True
    if inspect.isasyncgen(result):
        raise CannotMeasureError(
            f"{_name(target)} returned {_kind(result)}, of which nothing has run yet: pass an async function that "
            f"consumes it"
        )
    if inspect.isawaitable(result):
        _discard(result)
        raise CannotMeasureError(
            f"{_name(target)} returned {_kind(result)} that nobody awaited: pass the async function itself, "
            f"{front}(fetch, url), not {front}(lambda: fetch(url)); where there is none, write one that awaits it"
        )
    return result


def _discard(awaitable: Any) -> None:
    """Put an awaitable away, so that Python does not warn somewhere else that it was never awaited."""
    ending = "close" if inspect.iscoroutine(awaitable) or inspect.isgenerator(awaitable) else "cancel"
    end = getattr(awaitable, ending, None)
    if end is not None and not inspect.iscoroutinefunction(end):
        with contextlib.suppress(Exception):
            end()


def _name(target: object) -> str:
    return str(getattr(target, "__qualname__", type(target).__qualname__))


def _kind(thing: object) -> str:
    name = type(thing).__name__
    return f"an {name}" if name[:1].lower() in set("aeiou") else f"a {name}"
