"""Metric ``speedup``: how much faster the same work is with several workers than with one, measured in pairs.

Who the workers are, and how a pass is timed, is the business of :mod:`pytest_perfgate.measure`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.contention import cores_left
from pytest_perfgate.measure.loops import open_functions
from pytest_perfgate.measure.outcomes import refuse_unfinished
from pytest_perfgate.measure.pairs import Choice, Pairs, measure_pairs
from pytest_perfgate.measure.parallel import CLOCKS, Clocks, Task, Window, Work, check_workers, checked_items, counts_of
from pytest_perfgate.measure.pools import open_passes
from pytest_perfgate.measure.scaling import (
    amdahl_fraction,
    ceiling_formula,
    ceiling_of,
    gil_is_enabled,
    hindrance,
    kind_of,
    serial_fraction,
)
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import DEFAULT_WORKERS, Better, Case, Measurement, Plan
from pytest_perfgate.stats import median, median_interval
from pytest_perfgate.units import RATIO, SECONDS, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

SPEEDUP = Metric(
    "speedup",
    RATIO,
    Better.HIGHER,
    "serial time over parallel time of the same work, paired",
    show_as="×",
)

#: Below it, handing out the work and waking the workers weighs as much as the work.
_SHORTEST_SERIAL_S = 0.005
#: Other programs are in the way when they leave less than this share of what the workers could use.
_CROWDED = 0.9

#: Backends whose workers are threads of this process, so that its CPU time is theirs.
_SHARED_INTERPRETER = ("thread",)

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
            ``max_time_s`` (3 at least).  ``timeout_s`` holds for each parallel pass.
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
        CannotMeasureError: Too little work; results that differ; task or items that cannot be sent; dead workers.
        Exception: What the task raised, with a note that names the item.
    """
    *fewer, most = counts_of(workers)
    kept = checked_items(items)
    check_workers(most, len(kept))
    choice, curve = Choice(repeats, warmup, check), []
    facts = {"target": _name(task), "workers": most, "backend": backend, "items": len(kept)}
    for count in (*fewer, most):
        work = Work(task=task, items=kept, workers=count, timeout_s=plan.timeout_s)
        with open_passes(work, backend) as passes:
            left = cores_left(clocks.load)
            pairs = measure_pairs(plan, passes, choice, seed=case.id, clocks=clocks)
            facts["cores_left"] = left()
        _refuse_too_little(median(pairs.serial_s))
        curve.append((count, median(pairs.ratios)))
    if passes.startup_s is not None:
        facts["pool_startup_s"] = passes.startup_s
    if fewer:
        facts["curve"] = [list(point) for point in curve]
    results: list[Any] = pairs.outcome
    return results, _measurement(case, pairs, most, _cores(capacity), facts)


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
        CannotMeasureError: Too little work, or outcomes that differ.
    """
    check_workers(workers)
    facts = {"target": _name(parallel), "workers": workers, "backend": "callable"}
    with open_functions(serial, parallel) as passes:
        left = cores_left(clocks.load)
        pairs = measure_pairs(plan, passes, Choice(repeats, warmup, check), seed=case.id, clocks=clocks)
        facts["cores_left"] = left()
    _refuse_too_little(median(pairs.serial_s))
    outcome: T = pairs.outcome
    return outcome, _measurement(case, pairs, workers, _cores(capacity), facts)


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


def _measurement(case: Case, pairs: Pairs, workers: int, capacity: float, facts: dict[str, Any]) -> Measurement:
    value = median(pairs.ratios)
    cpu_share = _cpu_share(pairs.serial)
    left = facts["cores_left"]
    # What other programs take of the machine the work cannot have: less than is left must not be asked of it.
    is_crowded = left is not None and left < _CROWDED * min(workers, capacity)
    ceiling = ceiling_of(workers, max(1.0, left) if is_crowded else capacity, cpu_share)
    able = workers if ceiling is None else ceiling
    extra = {
        **facts,
        "capacity": capacity,
        "serial_s": median(pairs.serial_s),
        "parallel_s": median(pairs.parallel_s),
        "cpu_share": cpu_share,
        "kind": kind_of(cpu_share),
        "efficiency": value / able,
        "efficiency_against": ceiling_formula(ceiling, cpu_share),
    }
    fraction = serial_fraction(value, able)
    if fraction is not None:
        extra["serial_fraction"] = fraction
    fitted = _amdahl(facts.get("curve", ()), capacity, cpu_share)
    if fitted is not None:
        extra["amdahl_fraction"] = fitted
    warnings = [f"other programs left {left:.1f} of {capacity:g} cores"] if is_crowded else []
    if facts["backend"] in _SHARED_INTERPRETER:
        extra |= {"busy_cores": _busy_cores(pairs.parallel), "gil": gil_is_enabled()}
        extra["overhead_s"] = max(0.0, median(pairs.parallel_s) - median(pairs.serial_s) / able)
        warnings += [] if is_crowded else filter(None, [_hindrance(value, workers, able, pairs)])
    return Measurement(
        case=case,
        unit=SPEEDUP.unit,
        better=SPEEDUP.better,
        value=value,
        interval=median_interval(pairs.ratios),
        samples=tuple(pairs.ratios),
        processes=(value,),
        extra=extra,
        show_as=SPEEDUP.show_as,
        # Where work waits for a core it looks as if it waited for anything else: on a crowded machine nobody can tell.
        ceiling=min(able, max(1.0, left)) if is_crowded else ceiling,
        warnings=tuple(warnings),
    )


def _refuse_too_little(serial_s: float) -> None:
    if serial_s < _SHORTEST_SERIAL_S:
        raise CannotMeasureError(
            f"too little work ({format_value(serial_s, SECONDS)}) to measure a speedup: at least "
            f"{format_value(_SHORTEST_SERIAL_S, SECONDS)} of serial work are needed, 50 ms are good; give more items"
        )


def _cpu_share(serial: Sequence[Window]) -> float:
    """Take the largest share of a serial window on a core: waiting for a core lowers it, nothing raises it."""
    return max(window.cpu_s / max(window.wall_s, 1e-9) for window in serial)


def _amdahl(curve: Iterable[Sequence[float]], capacity: float, cpu_share: float) -> float | None:
    """Fit Amdahl's law to a curve, over what could work at a time with each number of workers."""
    return amdahl_fraction({ceiling_of(int(n), capacity, cpu_share) or float(n): speedup for n, speedup in curve})


def _busy_cores(windows: Sequence[Window]) -> float:
    return median([window.cpu_s / max(window.wall_s, 1e-9) for window in windows])


def _hindrance(speedup: float, workers: int, able: float, pairs: Pairs) -> str:
    serial_cpu_s, parallel_cpu_s = (median([one.cpu_s for one in side]) for side in (pairs.serial, pairs.parallel))
    return hindrance(
        speedup=speedup,
        workers=workers,
        able=able,
        cpu_share=_cpu_share(pairs.serial),
        busy_cores=_busy_cores(pairs.parallel),
        cpu_growth=parallel_cpu_s / max(serial_cpu_s, 1e-9),
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
