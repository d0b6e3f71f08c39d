"""Metrics ``perf`` and ``call``: wall time of a function per call, and of a test's call phase."""

from __future__ import annotations

import contextlib
import gc
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.calls import loop_arguments, timed_loop
from pytest_perfgate.measure.clock import PERF_COUNTER, Clock, resolution_ns
from pytest_perfgate.measure.loops import is_coroutine_function, private_loop
from pytest_perfgate.measure.sampler import Sample, drive, schedule
from pytest_perfgate.measure.surroundings import disturbances
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.stats import mean, median, median_interval, percentile, stddev
from pytest_perfgate.units import SECONDS

PERF = Metric("perf", SECONDS, Better.LOWER, "wall time of a function per call")
CALL = Metric("call", SECONDS, Better.LOWER, "wall time of a test's call phase")

#: Young objects that wait for the collector while it is switched off; beyond it they are collected between rounds.
_MOST_UNCOLLECTED = 50_000
#: An interquartile range beyond this share of the median is worth a remark.
_NOISY = 0.2

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def is_async(target: object) -> bool:
    """Tell whether *target* has to be awaited: an async function, a partial of one, an async ``__call__``."""
    return is_coroutine_function(target)


def measure_call(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    setup: Callable[[], Any] | None = None,
    teardown: Callable[..., Any] | None = None,
    clock: Clock = PERF_COUNTER,
) -> tuple[Any, Measurement]:
    """Time a function per call.

    Args:
        plan: How much to measure.
        case: What the measurement is of.
        target: A function that is not async.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        setup: Called before each round, outside the clock; may return (args, kwargs) for that round.
        teardown: Called after each round with the round's arguments, outside the clock.
        clock: Nanoseconds.

    Returns:
        What the last call returned, and the measurement in seconds per call.

    Raises:
        CannotMeasureError: Not callable, gives a coroutine instead of a result, or does not return in time.
        UsageError: The plan cannot be meant.
        BaseException: Whatever *target* raises, unchanged.
    """
    rounds = _Rounds(plan, target, (args, kwargs or {}), setup, teardown, clock)
    tick_ns = resolution_ns(clock)
    with _undisturbed(), given_up_after(plan.timeout_s):
        sample = drive(schedule(plan, clock=clock, tick_ns=tick_ns), rounds.run)
    return rounds.result, _measurement(case, sample, rounds, tick_ns)


async def measure_call_async(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    setup: Callable[[], Any] | None = None,
    teardown: Callable[..., Any] | None = None,
    clock: Clock = PERF_COUNTER,
) -> tuple[Any, Measurement]:
    """Time an async function per await, on the loop that runs; otherwise as :func:`measure_call`."""
    rounds = _Rounds(plan, target, (args, kwargs or {}), setup, teardown, clock)
    tick_ns = resolution_ns(clock)
    planned = schedule(plan, clock=clock, tick_ns=tick_ns)
    with _undisturbed(), given_up_after(plan.timeout_s):
        try:
            iterations = next(planned)
            while True:
                iterations = planned.send(await rounds.run_awaited(iterations))
        except StopIteration as end:
            sample: Sample = end.value
    return rounds.result, _measurement(case, sample, rounds, tick_ns)


def measure_call_in_loop(plan: Plan, case: Case, target: Callable[..., Any], **how: Any) -> tuple[Any, Measurement]:
    """Time an async function per await on one event loop of our own; arguments as :func:`measure_call`."""
    with private_loop() as loop:
        return loop.run_until_complete(measure_call_async(plan, case, target, **how))


def call_once(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function once, refusing what cannot be measured so that a test is right or wrong in both modes."""
    __tracebackhide__ = True
    check_callable(target)
    return _finished(target(*args, **kwargs), target)


async def call_once_async(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Await an async function once."""
    return await target(*args, **kwargs)


def call_in_loop_once(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Await an async function once on an event loop of our own."""
    __tracebackhide__ = True
    with private_loop() as loop:
        return loop.run_until_complete(call_once_async(target, args, kwargs))


def phase_measurement(case: Case, values_s: Sequence[float]) -> Measurement:
    """Make the measurement of a test's call phase.

    Args:
        case: What the measurement is of.
        values_s: What each repetition took, in seconds; at least one.
    """
    return _timed(case, values_s, iterations=1, extra={}, warnings=disturbances())


def check_callable(target: object) -> None:
    """Refuse what cannot be called.

    Raises:
        CannotMeasureError: With the remedy for the usual mistake.
    """
    if not callable(target):
        raise CannotMeasureError(
            f"the target is {type(target).__name__}, which is not callable: pass the function and its arguments, "
            f"perf(fn, x), not the result of a call, perf(fn(x))"
        )
    if inspect.isasyncgenfunction(target):
        raise CannotMeasureError("the target is an async generator function: pass an async function that consumes it")


class _Rounds:
    """Runs rounds of a target and keeps the last result, and only that."""

    def __init__(
        self,
        plan: Plan,
        target: Callable[..., Any],
        arguments: Arguments,
        setup: Callable[[], Any] | None,
        teardown: Callable[..., Any] | None,
        clock: Clock,
    ) -> None:
        check_callable(target)
        _check_plan(plan, setup)
        self._target, self._arguments, self._clock = target, arguments, clock
        self._setup, self._teardown = setup, teardown
        self._calls = 0
        self.result: Any = None
        self.warnings: tuple[str, ...] = ()

    def run(self, iterations: int) -> int:
        """Run one round and return what it took in nanoseconds."""
        __tracebackhide__ = True
        args, kwargs = self._prepare()
        loop = timed_loop(len(args), tuple(kwargs), awaited=False)
        try:
            elapsed_ns, result = loop(
                itertools.repeat(None, iterations - 1), self._clock, self._target, *loop_arguments(args, kwargs)
            )
        except BaseException as problem:
            self._note(problem, iterations)
            raise
        self._keep(_finished(result, self._target), iterations)
        if self._teardown is not None:
            self._teardown(*args, **kwargs)
        return int(elapsed_ns)

    async def run_awaited(self, iterations: int) -> int:
        """Run one round, awaiting each call, and return what it took in nanoseconds."""
        args, kwargs = self._prepare()
        loop = timed_loop(len(args), tuple(kwargs), awaited=True)
        try:
            elapsed_ns, result = await loop(
                itertools.repeat(None, iterations - 1), self._clock, self._target, *loop_arguments(args, kwargs)
            )
        except BaseException as problem:
            self._note(problem, iterations)
            raise
        self._keep(result, iterations)
        if self._teardown is not None:
            self._teardown(*args, **kwargs)
        return int(elapsed_ns)

    def _prepare(self) -> Arguments:
        self.result = None  # before the clock runs: what it holds may take long to free
        if gc.get_count()[0] > _MOST_UNCOLLECTED:
            gc.collect(0)
        made = self._setup() if self._setup is not None else None
        if made is None:
            return self._arguments
        try:
            args, kwargs = made
        except (TypeError, ValueError):
            raise UsageError("setup= returns None or the pair (args, kwargs) for the round") from None
        return tuple(args), dict(kwargs)

    def _keep(self, result: Any, iterations: int) -> None:
        if not self._calls and inspect.isgenerator(result):
            self.warnings = (
                "the target returned a generator, so only making it was timed; consume it in the target: list(...)",
            )
        self._calls += iterations
        self.result = result

    def _note(self, problem: BaseException, iterations: int) -> None:
        if self._calls and hasattr(problem, "add_note"):  # 3.11
            first, last = self._calls + 1, self._calls + iterations
            which = f"call {first}" if iterations == 1 else f"one of the calls {first} to {last}"
            problem.add_note(f"raised by {which} of the target; the calls before succeeded")


def _check_plan(plan: Plan, setup: object) -> None:
    for name, least in (("rounds", 1), ("iterations", 1), ("warmup", 0)):
        value = getattr(plan, name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise UsageError(f"{name}={value!r}: give a whole number of at least {least}")
    if setup is not None and (plan.iterations or 1) > 1:
        raise UsageError("setup= runs once per round, so it goes with iterations=1 only")


def _finished(result: Any, target: object) -> Any:
    """Refuse a result that is work still to be done: timing it would time nothing."""
    __tracebackhide__ = True
    if inspect.iscoroutine(result) or inspect.isasyncgen(result) or _is_future(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python warns, somewhere else, that it was never awaited
        kind = type(result).__name__
        name = getattr(target, "__qualname__", type(target).__name__)
        raise CannotMeasureError(
            f"{name} returned a {kind} without awaiting it, so there is nothing to time: pass the async function "
            f"itself, perf(fetch, url), not perf(lambda: fetch(url))"
        )
    return result


def _is_future(result: object) -> bool:
    return hasattr(result, "__await__") and not inspect.isgenerator(result)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the garbage collector out of the rounds, and leave it as it was."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _measurement(case: Case, sample: Sample, rounds: _Rounds, tick_ns: int) -> Measurement:
    extra = {"resolution_s": tick_ns / 1e9}
    if sample.first_ns is not None:
        extra["first_call_s"] = sample.first_ns / 1e9
    return _timed(
        case,
        [value / 1e9 for value in sample.values_ns],
        iterations=sample.iterations,
        extra=extra,
        warnings=(*disturbances(), *rounds.warnings, *sample.warnings),
    )


def _timed(
    case: Case, values_s: Sequence[float], *, iterations: int, extra: dict[str, Any], warnings: Sequence[str]
) -> Measurement:
    middle = median(values_s)
    remarks = list(warnings)
    spread = percentile(values_s, 75) - percentile(values_s, 25)
    if middle and spread > _NOISY * middle and len(values_s) > 1:
        remarks.append(f"noisy: the middle half of the rounds spreads over {spread / middle * 100:.0f} % of the median")
    return Measurement(
        case=case,
        unit=SECONDS,
        value=middle,
        interval=median_interval(values_s),
        samples=tuple(values_s),
        iterations=iterations,
        processes=(middle,),
        extra={
            "min_s": min(values_s),
            "mean_s": mean(values_s),
            "stddev_s": stddev(values_s),
            "p95_s": percentile(values_s, 95),
            **extra,
        },
        warnings=tuple(remarks),
    )
