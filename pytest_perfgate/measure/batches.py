"""Calling a target so many times in a row, or awaiting it so many times on one loop, at no memory of its own."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.loops import private_loop
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
    """

    def batch(calls: int) -> Any:
        for _ in itertools.repeat(None, calls - 1):  # makes no numbers, which would be memory of ours
            target(*args, **kwargs)
        return target(*args, **kwargs)

    async def awaited_batch(calls: int) -> Any:
        for _ in itertools.repeat(None, calls - 1):
            await target(*args, **kwargs)
        return await target(*args, **kwargs)

    if not is_async(target):
        yield batch
        return
    with private_loop() as loop:
        # One loop for all calls, one task for each batch: a new one for each call would be a workload of its own.
        yield lambda calls: loop.run_until_complete(awaited_batch(calls))
