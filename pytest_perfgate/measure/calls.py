"""Timed loops around a call, with nothing in them but the call: made for each shape of arguments, as timeit does.

A loop written as ``for _ in it: target(*args, **kwargs)`` costs some 50 ns more per call than the user's own call
would; on a function of 100 ns that is half of what is reported.
"""

from __future__ import annotations

import functools
import keyword
import types
from collections.abc import Callable
from typing import Any

_LOOP = """
{define} timed(_repeat, _clock, _kept, _target{parameters}):
    __tracebackhide__ = True
    _began = _clock()
    _kept.clear()
    for _ in _repeat:
        {wait}_target({arguments})
    _result = {wait}_target({arguments})
    _elapsed = _clock() - _began
    _kept.append(_result)
    return _elapsed
"""

#: More arguments than anybody writes by hand; the general call's overhead is lost in a call with so many.
_MOST_ARGUMENTS = 20
#: An ASCII name that cannot be written as a keyword of a call, although no reserved word.
_NOT_ASSIGNABLE = "__debug__"


def timed_loop(positional: int, keywords: tuple[str, ...], *, awaited: bool) -> Callable[..., Any]:
    """Make the loop for calls with so many positional arguments and these keywords.

    Args:
        positional: Number of positional arguments.
        keywords: Names of keyword arguments, in the order of their values.
        awaited: Whether each call is awaited; the loop is then a coroutine function.

    Returns:
        A function of (iterator of one element less than calls wanted, clock, list, target, arguments ...) that
        returns elapsed nanoseconds.  The list holds what the last call returned, and is emptied when the clock has
        started: freeing a result is part of a call's cost, in the last iteration as in all others, and at no time
        are two results alive.

    Source:
        The template of :mod:`timeit`.
    """
    made = _template(positional, keywords, awaited)
    # A copy for each measurement: the interpreter specialises code for the function it sees called, and a number
    # must not depend on what was measured before.
    return types.FunctionType(made.__code__.replace(), made.__globals__)


@functools.lru_cache(maxsize=256)
def _template(positional: int, keywords: tuple[str, ...], awaited: bool) -> types.FunctionType:  # noqa: FBT001  # a key
    if _is_plain(positional, keywords):
        parameters = [f"_a{place}" for place in range(positional)] + [f"_k{place}" for place in range(len(keywords))]
        arguments = parameters[:positional] + [
            f"{word}={name}" for word, name in zip(keywords, parameters[positional:], strict=True)
        ]
    else:
        parameters, arguments = ["_args", "_kwargs"], ["*_args", "**_kwargs"]
    source = _LOOP.format(
        define="async def" if awaited else "def",
        wait="await " if awaited else "",
        parameters="".join(f", {name}" for name in parameters),
        arguments=", ".join(arguments),
    )
    namespace: dict[str, Any] = {}
    exec(compile(source, "<perfgate loop>", "exec"), namespace)  # noqa: S102  # a template filled with identifiers
    loop: types.FunctionType = namespace["timed"]
    return loop


def loop_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Lay out the target's arguments as the loop of their shape takes them."""
    if _is_plain(len(args), tuple(kwargs)):
        return (*args, *kwargs.values())
    return args, kwargs


def _is_plain(positional: int, keywords: tuple[str, ...]) -> bool:
    """Tell whether the call can be written out; names outside ASCII would be normalised to others by the compiler."""
    can_be_written = all(
        word.isascii() and word.isidentifier() and not keyword.iskeyword(word) and word != _NOT_ASSIGNABLE
        for word in keywords
    )
    return can_be_written and positional + len(keywords) <= _MOST_ARGUMENTS
