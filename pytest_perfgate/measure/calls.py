"""Timed loops around a call, with nothing in them but the call: made for each shape of arguments, as timeit does.

A loop written as ``for _ in it: target(*args, **kwargs)`` costs some 50 ns more per call than the user's own call
would; on a function of 100 ns that is half of what is reported.
"""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable
from typing import Any

_LOOP = """
{define} timed(_repeat, _clock, _target{parameters}):
    _began = _clock()
    for _ in _repeat:
        {wait}_target({arguments})
    _result = {wait}_target({arguments})
    return _clock() - _began, _result
"""

_ANY_SHAPE = """
{define} timed(_repeat, _clock, _target, _args, _kwargs):
    _began = _clock()
    for _ in _repeat:
        {wait}_target(*_args, **_kwargs)
    _result = {wait}_target(*_args, **_kwargs)
    return _clock() - _began, _result
"""

#: More arguments than anybody writes by hand; the general loop's overhead is lost in a call with so many.
_MOST_ARGUMENTS = 20


@functools.lru_cache(maxsize=256)
def timed_loop(positional: int, keywords: tuple[str, ...], *, awaited: bool) -> Callable[..., Any]:
    """Make the loop for calls with so many positional arguments and these keywords.

    Args:
        positional: Number of positional arguments.
        keywords: Names of keyword arguments, in the order of their values.
        awaited: Whether each call is awaited; the loop is then a coroutine function.

    Returns:
        A function of (iterator of one element less than calls wanted, clock, target, arguments ...) that returns
        elapsed nanoseconds and what the last call returned.  Results of the other calls are dropped at once, as in
        ordinary code, so that the allocator sees what it would see there.

    Source:
        The template of :mod:`timeit`.
    """
    how = {"define": "async def" if awaited else "def", "wait": "await " if awaited else ""}
    if not _is_plain(positional, keywords):
        source = _ANY_SHAPE.format(**how)
    else:
        places = [f"_a{place}" for place in range(positional)]
        named = {word: f"_k{place}" for place, word in enumerate(keywords)}
        source = _LOOP.format(
            **how,
            parameters="".join(f", {name}" for name in [*places, *named.values()]),
            arguments=", ".join([*places, *(f"{word}={name}" for word, name in named.items())]),
        )
    namespace: dict[str, Any] = {}
    exec(compile(source, "<perfgate loop>", "exec"), namespace)  # noqa: S102  # a template filled with identifiers
    loop: Callable[..., Any] = namespace["timed"]
    return loop


def loop_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Lay out the target's arguments as the loop of their shape takes them."""
    if _is_plain(len(args), tuple(kwargs)):
        return (*args, *kwargs.values())
    return args, kwargs


def _is_plain(positional: int, keywords: tuple[str, ...]) -> bool:
    are_names = all(word.isidentifier() and not keyword.iskeyword(word) for word in keywords)
    return are_names and positional + len(keywords) <= _MOST_ARGUMENTS
