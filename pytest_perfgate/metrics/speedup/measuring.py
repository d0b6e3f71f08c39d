"""What is timed for the metric ``speedup``, with which workers, beside what; what it says is in :mod:`.facts`."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.contention import cores_left
from pytest_perfgate.measure.interpreterlock import GilWatch
from pytest_perfgate.measure.loops import open_functions
from pytest_perfgate.measure.outcomes import refuse_unfinished
from pytest_perfgate.measure.pairs import Choice, measure_pairs
from pytest_perfgate.measure.parallel import (
    CLOCKS,
    Clocks,
    Passes,
    Task,
    Window,
    Work,
    check_workers,
    checked_items,
    counts_of,
)
from pytest_perfgate.measure.pools import open_passes
from pytest_perfgate.measure.scaling import NEEDS_CORES
from pytest_perfgate.measure.spinning import probing
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.measure.undisturbed import core_share
from pytest_perfgate.metrics.speedup.credible import refuse_incredible, warn_of_nothing_compared
from pytest_perfgate.metrics.speedup.facts import Point, Timed, measurement_of
from pytest_perfgate.model import DEFAULT_WORKERS, Case, Measurement, Plan
from pytest_perfgate.stats import median
from pytest_perfgate.units import SECONDS, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Below it, handing out the work and waking the workers weighs as much as the work.
_SHORTEST_SERIAL_S = 0.005

T = TypeVar("T")


def measure_speedup(  # noqa: PLR0913  # the options of the fixture
    plan: Plan,
    case: Case,
    task: Task,
    items: Iterable[Any],
    *,
    workers: int | Sequence[int] = DEFAULT_WORKERS,
    backend: str = "thread",
    repeats: int | None = None,
    warmup: int | None = None,
    check: bool = True,
    capacity: float | None = None,
    clocks: Clocks = CLOCKS,
) -> tuple[list[Any], Measurement]:
    """Measure the speedup of a task over items in a pool of workers.

    Serial: items one after the other, in this thread (awaited, for async tasks).  Parallel: the same items, in about
    four chunks per worker, on a pool made and filled beforehand.

    Args:
        plan: ``rounds`` and ``warmup`` stand in for *repeats* and *warmup*; without either, 9 pairs within
            ``max_time_s`` (3 at least).  ``timeout_s`` holds for each pass.
        case: What is measured.
        task: Called with each item; an async function for ``asyncio``.
        items: At least as many as workers.
        workers: At least 2; for ``asyncio`` the number of items under way at a time. Several numbers give a curve, and
            the value is that of the largest.
        backend: ``thread``, ``process``, ``asyncio`` or ``interpreter``.
        repeats: Pairs to keep, >= 1, whatever time they take.
        warmup: Pairs thrown away first (1).
        check: Whether every parallel pass must give what its serial one gave.
        capacity: Cores this process may use, fractions included; None to count them by affinity.
        clocks: For tests.

    Returns:
        The last parallel pass's results, in the order of the items, and the measurement: one ratio serial / parallel
        per pair, their median, and :attr:`Measurement.ceiling`.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: Too little work; results that differ; clearly more than the workers can give; task or items
            that cannot be sent; dead workers.
        Exception: What the task raised, with a note that names the item.
    """
    *fewer, most = counts_of(workers)
    kept = checked_items(items)
    check_workers(most, len(kept))
    choice, cores, watch = Choice(repeats, warmup, check), _cores(capacity), GilWatch()
    facts = {"target": _name(task), "workers": most, "backend": backend, "items": len(kept)}
    curve: list[Point] = []
    for count in (*fewer, most):
        work = Work(task=task, items=kept, workers=count, timeout_s=plan.timeout_s)
        with open_passes(work, backend) as passes:
            timed = _time(plan, case, passes, choice, clocks, crew=_crew(count, cores) if count == most else 0)
        curve.append(Point.of(count, timed.pairs))
    if passes.startup_s is not None:
        facts["pool_startup_s"] = passes.startup_s
    results: list[Any] = timed.pairs.outcome
    measured = measurement_of(case, timed, cores, watch, facts, curve if fewer else ())
    return results, refuse_incredible(measured, check=check)


def measure_speedup_of(  # noqa: PLR0913  # the options of the fixture
    plan: Plan,
    case: Case,
    serial: Callable[[], Any],
    parallel: Callable[[], T],
    *,
    workers: int = DEFAULT_WORKERS,
    repeats: int | None = None,
    warmup: int | None = None,
    check: bool = True,
    capacity: float | None = None,
    clocks: Clocks = CLOCKS,
) -> tuple[T, Measurement]:
    """Measure the speedup of one function over another that does the same work.

    Args:
        plan: As for :func:`measure_speedup`.
        case: What is measured.
        serial: Does the work with one worker; may be async.
        parallel: Does the same work with *workers* of its own; may be async.
        workers: How many *parallel* uses.
        repeats: Pairs to keep, >= 1.
        warmup: Pairs thrown away first (1).
        check: Whether both must return the same.
        capacity: Cores this process may use; None to count them by affinity.
        clocks: For tests.

    Returns:
        What *parallel* returned last, and the measurement.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: Too little work, outcomes that differ, or clearly more than the workers can give.
    """
    check_workers(workers)
    facts = {"target": _name(parallel), "workers": workers, "backend": "callable"}
    cores, watch = _cores(capacity), GilWatch()
    with open_functions(serial, parallel) as passes:
        choice = Choice(repeats, warmup, check)
        limited = replace(passes, parallel=_limited(passes.parallel, plan.timeout_s))
        timed = _time(plan, case, limited, choice, clocks, crew=_crew(workers, cores))
    outcome: T = timed.pairs.outcome
    measured = refuse_incredible(measurement_of(case, timed, cores, watch, facts), check=check)
    return outcome, warn_of_nothing_compared(measured, outcome) if check else measured


def run_parallel_once(
    task: Task, items: Iterable[Any], *, workers: int | Sequence[int] = DEFAULT_WORKERS, backend: str = "thread"
) -> list[Any]:
    """Do the parallel pass once, unmeasured, with the checks of :func:`measure_speedup`.

    Returns:
        Results in the order of *items*.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: Task or items cannot be sent to workers, or a worker died.
    """
    most, kept = counts_of(workers)[-1], checked_items(items)
    check_workers(most, len(kept))
    with open_passes(Work(task=task, items=kept, workers=most, timeout_s=Plan().timeout_s), backend) as passes:
        results: list[Any] = passes.parallel()
    refuse_unfinished(parallel=results)
    return results


def run_parallel_of_once(serial: Callable[[], Any], parallel: Callable[[], T], *, workers: int = DEFAULT_WORKERS) -> T:
    """Call *parallel* once, unmeasured, with the checks of :func:`measure_speedup_of`.

    Returns:
        What it returned.

    Raises:
        UsageError: An argument cannot be meant.
    """
    check_workers(workers)
    with open_functions(serial, parallel) as passes:
        outcome: T = passes.parallel()
    refuse_unfinished(parallel=outcome)
    return outcome


def _time(  # each is another thing
    plan: Plan, case: Case, passes: Passes, choice: Choice, clocks: Clocks, *, crew: int
) -> Timed:
    """Time pairs of windows, and beside them what the machine gives."""
    passes = replace(passes, serial=_limited(passes.serial, plan.timeout_s))
    with probing(clocks.spinners, crew) as probe:

        def beside(serial: Window) -> None:
            probe.beside(is_needed=core_share(serial) > NEEDS_CORES)

        left = cores_left(clocks.load)
        pairs = measure_pairs(plan, passes, choice, seed=case.id, clocks=clocks, beside=beside)
        timed = Timed(pairs, left(), tuple(probe.gains))
    _refuse_too_little(median(pairs.serial_s))
    return timed


def _limited(work: Callable[[], T], timeout_s: float) -> Callable[[], T]:
    """Give up a pass that hangs in this thread; those who wait for a pool look at the time themselves."""

    def limited() -> T:
        with given_up_after(timeout_s):
            return work()

    return limited


def _crew(workers: int, cores: float) -> int:
    """Choose how many processes show what the machine gives: no more than there are cores for, nor workers."""
    return min(workers, math.ceil(cores))


def _refuse_too_little(serial_s: float) -> None:
    if serial_s < _SHORTEST_SERIAL_S:
        raise CannotMeasureError(
            f"too little work ({format_value(serial_s, SECONDS)}) to measure a speedup: at least "
            f"{format_value(_SHORTEST_SERIAL_S, SECONDS)} of serial work are needed, 50 ms are good; give more items"
        )


def _cores(capacity: float | None) -> float:
    if capacity is not None:
        return float(capacity)
    if hasattr(os, "sched_getaffinity"):
        return float(len(os.sched_getaffinity(0)))
    return float(os.cpu_count() or 1)


def _name(target: object) -> str:
    """Name a callable: of a partial, what it calls."""
    inner = getattr(target, "func", target)
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)
