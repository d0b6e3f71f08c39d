"""Calling a target so many times in a row, or awaiting it so many times on one loop, at no memory of its own."""

from __future__ import annotations

import array
import contextlib
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.loops import private_loop
from pytest_perfgate.measure.notes import note_origin
from pytest_perfgate.measure.targets import is_async

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Calls the target so many times and returns what the last call returned.
Batch = Callable[[int], Any]


def check_count(front: str, name: str, value: object) -> None:
    """Refuse a number of calls, rounds or objects that cannot be meant; None leaves the choice to us.

    Args:
        front: What the user wrote, for the message.
        name: Of the option.
        value: Its value.

    Raises:
        UsageError: It is no whole number of at least 1.
    """
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"{front}: {name}={value!r}: give a whole number of at least 1")


@contextlib.contextmanager
def batches(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Batch]:
    """Give a function that calls, or awaits, the target so many times and returns what the last call returned.

    Args:
        target: A function or an async function; the latter is awaited on one event loop of our own.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    What the target raises bears a note of the call that raised it.
    """
    made = array.array("q", [0])  # a number of Python's would be memory of ours, and so would those of a range

    def batch(calls: int) -> Any:
        __tracebackhide__ = True
        todo = itertools.repeat(None, calls)
        result = None
        with _told_which(made, calls, todo):
            for _ in todo:
                result = None  # at no time are two results alive
                result = target(*args, **kwargs)
        return result

    async def awaited_batch(calls: int) -> Any:
        __tracebackhide__ = True
        todo = itertools.repeat(None, calls)
        result = None
        with _told_which(made, calls, todo):
            for _ in todo:
                result = None
                result = await target(*args, **kwargs)
        return result

    if not is_async(target):
        yield batch
        return
    with private_loop() as loop:
        # One loop for all calls, one task for each batch: a new one for each call would be a workload of its own.
        yield lambda calls: loop.run_until_complete(awaited_batch(calls))


@contextlib.contextmanager
def _told_which(made: array.array[int], calls: int, todo: itertools.repeat[None]) -> Iterator[None]:
    """Count the calls of a batch, and note on what one of them raises which it was."""
    __tracebackhide__ = True
    try:
        yield
    except Exception as problem:
        note_origin(problem, f"call {made[0] + calls - operator.length_hint(todo):,} of the target")
        raise
    made[0] += calls
