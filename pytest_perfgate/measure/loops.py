"""Passes over coroutines, on an event loop of our own; pools of threads and processes are not here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.parallel import Passes, Work, note_item
from pytest_perfgate.measure.targets import is_async

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


@contextlib.contextmanager
def private_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give an event loop of our own, and close it with everything that is left on it.

    Raises:
        UsageError: A loop is already running in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise UsageError("an event loop is running, and speedup needs its own; call it from a test that is not async")
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(_clear(loop))
        loop.close()


async def _clear(loop: asyncio.AbstractEventLoop) -> None:
    """End what an interrupted pass left on the loop."""
    left = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


@contextlib.contextmanager
def open_coroutines(work: Work) -> Iterator[Passes]:
    """Await items one after the other, and against it by as many coroutines as workers, each taking the next item.

    Args:
        work: Its task is an async function.

    Yields:
        Both passes, returning results in the order of the items.
    """
    with private_loop() as loop:
        yield Passes(
            lambda: loop.run_until_complete(_await_items(work, 1)),
            lambda: loop.run_until_complete(_in_time(_await_items(work, work.workers), work.timeout_s)),
        )


async def _await_items(work: Work, workers: int) -> list[Any]:
    results: list[Any] = [None] * len(work.items)
    todo = iter(enumerate(work.items))

    async def take_turns() -> None:
        index, item = 0, None
        try:
            for index, item in todo:
                results[index] = await work.task(item)
        except Exception as problem:
            note_item(problem, index, item)
            raise

    takers = [asyncio.ensure_future(take_turns()) for _ in range(workers)]
    try:
        await asyncio.gather(*takers)
    finally:
        for taker in takers:
            taker.cancel()
        await asyncio.gather(*takers, return_exceptions=True)
    return results


async def _in_time(work: Coroutine[Any, Any, list[Any]], timeout_s: float) -> list[Any]:
    """Give up after a while; unlike ``wait_for``, never mistakes the task's own TimeoutError for it."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=timeout_s or None)
    if not done:
        task.cancel()
        raise CannotMeasureError(f"the workers did not finish within {timeout_s:g} s; they were given up")
    return task.result()


@contextlib.contextmanager
def open_functions(serial: Callable[[], Any], parallel: Callable[[], Any]) -> Iterator[Passes]:
    """Make passes of two functions of the user's, async ones on a loop of ours.

    Args:
        serial: Does the work with one worker.
        parallel: Does it with several.

    Yields:
        Both passes, returning what the functions return.

    Raises:
        UsageError: One of them cannot be called, or is async while a loop is running.
    """
    for name, function in (("serial", serial), ("parallel", parallel)):
        if not callable(function):
            raise UsageError(f"the {name} function is {function!r}, which cannot be called")
    if not (is_async(serial) or is_async(parallel)):
        yield Passes(serial, parallel)
        return
    with private_loop() as loop:

        def called(function: Callable[[], Any]) -> Callable[[], Any]:
            if not is_async(function):
                return function
            return lambda: loop.run_until_complete(function())

        yield Passes(called(serial), called(parallel))
