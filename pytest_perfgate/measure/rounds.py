"""Running the rounds of one target, called or awaited; how many there are is the schedule's business."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.calls import loop_arguments, timed_loop
from pytest_perfgate.measure.clock import Clock
from pytest_perfgate.measure.notes import note_origin
from pytest_perfgate.measure.targets import check_callable, finished, laziness

#: Young objects that wait for the collector while it is switched off; beyond it they are collected between rounds.
_MOST_UNCOLLECTED = 50_000

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Rounds:
    """Runs rounds of a target and keeps the last result, and only that.

    Args:
        target: What is called, or awaited.
        arguments: Positional and keyword arguments.
        setup: Called before each round, outside the clock; may return arguments for that round.
        teardown: Called after each round with the round's arguments, outside the clock, also when it failed.
        clock: Nanoseconds.

    Raises:
        CannotMeasureError: The target is not callable.
    """

    def __init__(
        self,
        target: Callable[..., Any],
        arguments: Arguments,
        *,
        setup: Callable[..., Any] | None,
        teardown: Callable[..., Any] | None,
        clock: Clock,
    ) -> None:
        check_callable(target)
        self._target, self._arguments, self._clock = target, arguments, clock
        self._setup, self._teardown = setup, teardown
        self._loops: dict[Any, Callable[..., Any]] = {}
        self._kept: list[Any] = []
        self._calls = 0
        self.first_call_ns: int | None = None
        self.warnings: tuple[str, ...] = ()

    @property
    def result(self) -> Any:
        """What the last call returned."""
        return self._kept[-1]

    def run(self, iterations: int) -> int:
        """Run one round and return what it took in nanoseconds."""
        __tracebackhide__ = True
        _collect_young()
        made = self._setup() if self._setup is not None else None
        arguments = self._round_arguments(finished(made, self._setup, "setup="))
        elapsed_ns = 0
        try:
            for part in self._parts(iterations):
                elapsed_ns += self._run_part(part, arguments)
        finally:
            if self._teardown is not None:
                self._teardown(*arguments[0], **arguments[1])
        return elapsed_ns

    async def run_awaited(self, iterations: int) -> int:
        """Run one round, awaiting each call, and return what it took in nanoseconds.

        Setup and teardown may be async as well.
        """
        __tracebackhide__ = True
        _collect_young()
        await _let_others_run()
        made = self._setup() if self._setup is not None else None
        arguments = self._round_arguments(await made if inspect.isawaitable(made) else made)
        elapsed_ns = 0
        try:
            for part in self._parts(iterations):
                elapsed_ns += await self._run_part_awaited(part, arguments)
        finally:
            if self._teardown is not None:
                ending = self._teardown(*arguments[0], **arguments[1])
                if inspect.isawaitable(ending):
                    await ending
        return elapsed_ns

    def _parts(self, iterations: int) -> Iterator[int]:
        """Split the first round: its first call is timed alone and its result looked at before there are more."""
        if self._calls:
            yield iterations
            return
        yield 1
        if iterations > 1:
            yield iterations - 1

    def _run_part(self, calls: int, arguments: Arguments) -> int:
        __tracebackhide__ = True
        loop, values = self._loop(arguments, awaited=False)
        with self._told_which(calls):
            elapsed_ns: int = loop(itertools.repeat(None, calls - 1), self._clock, self._kept, self._target, *values)
        self._count(calls, elapsed_ns)
        return elapsed_ns

    async def _run_part_awaited(self, calls: int, arguments: Arguments) -> int:
        __tracebackhide__ = True
        loop, values = self._loop(arguments, awaited=True)
        with self._told_which(calls):
            elapsed_ns: int = await loop(
                itertools.repeat(None, calls - 1), self._clock, self._kept, self._target, *values
            )
        self._count(calls, elapsed_ns)
        return elapsed_ns

    def _loop(self, arguments: Arguments, *, awaited: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        args, kwargs = arguments
        shape = len(args), tuple(kwargs)
        if shape not in self._loops:
            self._loops[shape] = timed_loop(*shape, awaited=awaited)
        return self._loops[shape], loop_arguments(args, kwargs)

    def _round_arguments(self, made: Any) -> Arguments:
        if made is None:
            return self._arguments
        try:
            args, kwargs = made
            return tuple(args), dict(kwargs)
        except (TypeError, ValueError):
            raise UsageError("setup= returns None or the pair (args, kwargs) for the round") from None

    def _count(self, calls: int, elapsed_ns: int) -> None:
        __tracebackhide__ = True
        if not self._calls:
            self.first_call_ns = elapsed_ns
            finished(self.result, self._target)
            self.warnings = laziness(self.result)
        self._calls += calls

    @contextlib.contextmanager
    def _told_which(self, calls: int) -> Iterator[None]:
        """Note on what the target raises which call it was; of the first one there is nothing to tell."""
        __tracebackhide__ = True
        try:
            yield
        except Exception as problem:
            if self._calls:
                first, last = self._calls + 1, self._calls + calls
                which = f"call {first}" if calls == 1 else f"one of the calls {first} to {last}"
                note_origin(problem, f"{which} of the target; the calls before succeeded")
            raise


@contextlib.contextmanager
def collector_off() -> Iterator[bool]:
    """Keep the garbage collector out of the rounds and leave it as it was; yields whether it was on."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield was_enabled
    finally:
        if was_enabled:
            gc.enable()


def _collect_young() -> None:
    """Keep cycles that the target leaves behind from filling the memory while the collector is off."""
    if gc.get_count()[0] > _MOST_UNCOLLECTED:
        gc.collect(0)


async def _let_others_run() -> None:
    """Give way once between rounds: what never waits would keep servers, timers and our own time limit from running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another library's loop
        return
    await asyncio.sleep(0)
