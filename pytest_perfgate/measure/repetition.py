"""How often to run something that needs a fresh process each time; knows neither the process nor the metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.measure.sampler import Planner, drive
from pytest_perfgate.model import Plan
from pytest_perfgate.stats import median, median_interval

#: The interval of a median stays wide below the one, and hardly narrows above the other number of runs.
_FEWEST_RUNS, _MOST_RUNS = 10, 40
#: Fewer are accepted only of what is so slow that the case's time is spent: the least that have a 95 % interval.
_FEWEST_SLOW_RUNS = 6
#: Precise enough to stop early: half the interval over the median, once the runs outlast a scheduler's mood.
_PRECISE, _SPAN_S = 0.02, 0.5


class Run(Protocol):
    """Anything that took time."""

    @property
    def wall_s(self) -> float:
        """All of the time it took, for the case's budget of time."""


R = TypeVar("R", bound=Run)


def repeat(
    plan: Plan,
    runs: int | None,
    warmup: int | None,
    once: Callable[[], R],
    value_s: Callable[[R], float],
    *,
    planner: Planner | None = None,
) -> tuple[R | None, list[R]]:
    """Run often enough.

    Args:
        plan: ``rounds`` and ``warmup`` stand in for *runs* and *warmup*; without either, 10 to 40 runs within
            ``max_time_s`` (6 at least), stopping when half the median's interval is within 2 % of it.
        runs: Runs to keep, >= 1, whatever time they take; None to choose.
        warmup: Runs to throw away first, >= 0; None for one.
        once: Runs once.
        value_s: Takes from a run what is measured, in seconds.
        planner: Plans the runs, one per round, in place of what is said above; None for that.

    Returns:
        The first run that was thrown away, if any, and those that were kept, in order. A *planner* throws away what it
        likes by itself: its first run is the first of those kept, too, unless there is to be no warm-up.

    Raises:
        UsageError: *runs* or *warmup* is not such a number.
    """
    wanted = count(plan.rounds if runs is None else runs, "runs", least=1)
    discarded = count(plan.warmup if warmup is None else warmup, "warmup", least=0)
    if planner is not None:
        return _planned(planner, replace(plan, iterations=1, rounds=wanted, warmup=discarded), once, value_s)
    cold = [once() for _ in range(1 if discarded is None else discarded)]
    left_s = plan.max_time_s - sum(run.wall_s for run in cold)
    kept: list[R] = []
    while not _is_enough([value_s(run) for run in kept], wanted, left_s):
        kept.append(once())
        left_s -= kept[-1].wall_s
    return (cold[0] if cold else None), kept


def _planned(
    planner: Planner, plan: Plan, once: Callable[[], R], value_s: Callable[[R], float]
) -> tuple[R | None, list[R]]:
    kept: list[R] = []

    def run(_: int) -> int:
        kept.append(once())
        return round(value_s(kept[-1]) * 1e9)

    drive(planner(plan, clock=PERF_COUNTER, tick_ns=1), run)
    return (kept[0] if kept and plan.warmup != 0 else None), kept


def _is_enough(values_s: Sequence[float], wanted: int | None, left_s: float) -> bool:
    """Tell whether to stop; *left_s* is what remains of the case's time."""
    runs = len(values_s)
    if wanted is not None:
        return runs >= wanted
    if left_s <= 0:
        return runs >= _FEWEST_SLOW_RUNS
    if runs < _FEWEST_RUNS or runs >= _MOST_RUNS:
        return runs >= _MOST_RUNS
    interval = median_interval(values_s)
    if interval is None or sum(values_s) < _SPAN_S:
        return False
    return (interval[1] - interval[0]) / 2 <= _PRECISE * median(values_s)


def count(number: object, option: str, *, least: int) -> int | None:
    """Check a number of repetitions.

    Args:
        number: What the user wrote; None leaves the choice to us.
        option: How it is spelled, for the message.
        least: The smallest that makes sense.

    Returns:
        *number*.

    Raises:
        UsageError: It is not a whole number, or smaller than *least*.
    """
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise UsageError(f"{option}={number!r} is not a whole number of at least {least}")
    return number
