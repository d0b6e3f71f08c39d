"""Metrics ``perf`` and ``call``: wall time of a function per call, and of a test's call phase."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.clock import PERF_COUNTER, Clock, resolution_ns
from pytest_perfgate.measure.loops import private_loop
from pytest_perfgate.measure.rounds import Rounds, collector_off
from pytest_perfgate.measure.sampler import Planner, Sample, drive, schedule
from pytest_perfgate.measure.surroundings import disturbances
from pytest_perfgate.measure.targets import check_callable, finished, is_async
from pytest_perfgate.measure.timeout import awaiting_given_up_after, given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.stats import mean, median, median_interval, percentile, stddev
from pytest_perfgate.units import SECONDS, format_value

if TYPE_CHECKING:
    from pytest_perfgate.measure.interleaving import Interleaved

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

__all__ = [
    "CALL",
    "PERF",
    "call_in_loop_once",
    "call_once",
    "call_once_async",
    "is_async",
    "measure_call",
    "measure_call_async",
    "measure_call_in_loop",
    "phase_measurement",
]

PERF = Metric("perf", SECONDS, Better.LOWER, "wall time of a function per call")
CALL = Metric("call", SECONDS, Better.LOWER, "wall time of a test's call phase")

#: An interquartile range beyond this share of the median is worth a remark.
_NOISY = 0.2
#: A round of fewer ticks is as coarse as this: the clock's error is then 10 % of it.
_FEWEST_TICKS = 10


def measure_call(  # noqa: PLR0913  # the controls of the fixture
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    setup: Callable[[], Any] | None = None,
    teardown: Callable[..., Any] | None = None,
    clock: Clock = PERF_COUNTER,
    planner: Planner = schedule,
) -> tuple[Any, Measurement]:
    """Time a function per call.

    Args:
        plan: How much to measure.
        case: What the measurement is of.
        target: A function that is not async.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        setup: Called before each round, outside the clock; may return (args, kwargs) for that round, which then has
            one iteration.
        teardown: Called after each round with the round's arguments, outside the clock.
        clock: Nanoseconds.
        planner: Plans the rounds.

    Returns:
        What the last call returned, and the measurement in seconds per call.

    Raises:
        CannotMeasureError: Not callable, gives a coroutine instead of a result, or does not return in time.
        UsageError: The plan cannot be meant.
        BaseException: Whatever *target* raises, unchanged but for a note which call it was.
    """
    __tracebackhide__ = True
    plan = _checked(plan, setup)
    rounds = Rounds(target, (args, kwargs or {}), setup=setup, teardown=teardown, clock=clock)
    tick_ns = resolution_ns(clock)
    with (
        _calibration(plan, clock) as between,
        collector_off() as gc_was_enabled,
        given_up_after(plan.timeout_s),
    ):
        run = between.around(rounds.run) if between else rounds.run
        sample = drive(planner(plan, clock=clock, tick_ns=tick_ns), run)
        facts = between.facts(len(sample.values_ns)) if between else {}
    facts["gc_was_enabled"] = gc_was_enabled
    return rounds.result, _measurement(case, sample, rounds, tick_ns, facts)


async def measure_call_async(  # noqa: PLR0913  # as above
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    setup: Callable[[], Any] | None = None,
    teardown: Callable[..., Any] | None = None,
    clock: Clock = PERF_COUNTER,
    planner: Planner = schedule,
) -> tuple[Any, Measurement]:
    """Time an async function per await, on the loop that runs; otherwise as :func:`measure_call`.

    Setup and teardown may be async as well.
    """
    __tracebackhide__ = True
    plan = _checked(plan, setup)
    rounds = Rounds(target, (args, kwargs or {}), setup=setup, teardown=teardown, clock=clock)
    tick_ns = resolution_ns(clock)
    planned = planner(plan, clock=clock, tick_ns=tick_ns)
    iterations = next(planned)
    with (
        _calibration(plan, clock) as between,
        collector_off() as gc_was_enabled,
        awaiting_given_up_after(plan.timeout_s),
    ):
        run = between.around_awaited(rounds.run_awaited) if between else rounds.run_awaited
        while True:
            elapsed_ns = await run(iterations)
            try:
                iterations = planned.send(elapsed_ns)
            except StopIteration as end:
                sample: Sample = end.value
                break
        facts = between.facts(len(sample.values_ns)) if between else {}
    facts["gc_was_enabled"] = gc_was_enabled
    return rounds.result, _measurement(case, sample, rounds, tick_ns, facts)


def measure_call_in_loop(plan: Plan, case: Case, target: Callable[..., Any], **how: Any) -> tuple[Any, Measurement]:
    """Time an async function per await on one event loop of our own; arguments as :func:`measure_call`.

    Raises:
        CannotMeasureError: Besides what :func:`measure_call` raises: a loop is running already.
    """
    __tracebackhide__ = True
    _check_no_loop_runs()
    with private_loop() as loop:
        return loop.run_until_complete(measure_call_async(plan, case, target, **how))


def call_once(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function once, refusing what cannot be measured so that a test is right or wrong in both modes."""
    __tracebackhide__ = True
    check_callable(target)
    return finished(target(*args, **kwargs), target)


async def call_once_async(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Await an async function once."""
    __tracebackhide__ = True
    check_callable(target)
    return await target(*args, **kwargs)


def call_in_loop_once(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Await an async function once on an event loop of our own."""
    __tracebackhide__ = True
    _check_no_loop_runs()
    with private_loop() as loop:
        return loop.run_until_complete(call_once_async(target, args, kwargs))


def phase_measurement(case: Case, values_s: Sequence[float]) -> Measurement:
    """Make the measurement of a test's call phase.

    Args:
        case: What the measurement is of.
        values_s: What each repetition took, in seconds; at least one.
    """
    return _timed(case, values_s, iterations=1, extra={}, warnings=disturbances())


def _checked(plan: Plan, setup: object) -> Plan:
    for name, least in (("rounds", 1), ("iterations", 1), ("warmup", 0)):
        value = getattr(plan, name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise UsageError(f"{name}={value!r}: give a whole number of at least {least}")
    if setup is None:
        return plan
    if (plan.iterations or 1) > 1:
        raise UsageError("setup= runs once per round, so it goes with iterations=1 only")
    return replace(plan, iterations=1)


def _calibration(plan: Plan, clock: Clock) -> contextlib.AbstractContextManager[Interleaved | None]:
    """Return what puts calibration between the rounds of *plan*, or nothing."""
    if not plan.calibrated:
        return contextlib.nullcontext()
    from pytest_perfgate.measure.interleaving import interleaved  # noqa: PLC0415  # needs psutil; plain calls do not

    return interleaved(clock)


def _check_no_loop_runs() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise CannotMeasureError("an event loop is running already: write `await perf(fetch, url)`")


def _measurement(case: Case, sample: Sample, rounds: Rounds, tick_ns: int, facts: dict[str, Any]) -> Measurement:
    extra: dict[str, Any] = {"resolution_s": tick_ns / 1e9, "result_type": type(rounds.result).__qualname__, **facts}
    if rounds.first_call_ns is not None:
        extra["first_call_s"] = rounds.first_call_ns / 1e9
    warnings = [*disturbances(), *rounds.warnings, *sample.warnings]
    round_ns = median(sample.values_ns) * sample.iterations
    if round_ns < _FEWEST_TICKS * tick_ns:
        shown, tick = format_value(round_ns / 1e9, SECONDS), format_value(tick_ns / 1e9, SECONDS)
        warnings.append(f"a round takes {shown}, too short for a clock that tells {tick} apart; raise iterations=")
    return _timed(
        case,
        [value / 1e9 for value in sample.values_ns],
        iterations=sample.iterations,
        extra=extra,
        warnings=warnings,
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
