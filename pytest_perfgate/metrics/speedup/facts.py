"""What windows say of a speedup: its value, the ends it lies between, what was possible, what keeps it from more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_perfgate.measure.interpreterlock import GilWatch
from pytest_perfgate.measure.pairs import Pairs
from pytest_perfgate.measure.scaling import (
    NOISIEST_FOR_USL,
    amdahl_fraction,
    ceiling_formula,
    ceiling_of,
    gil_is_enabled,
    hindrance,
    kind_of,
    serial_fraction,
    universal_scalability,
)
from pytest_perfgate.measure.undisturbed import (
    Surroundings,
    core_share,
    ends,
    held_up_s,
    steady_gain,
    with_cores_enough,
)
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.metrics.speedup.between import ends_of_facts
from pytest_perfgate.model import Better, Case, Measurement
from pytest_perfgate.stats import mad, median, median_interval
from pytest_perfgate.units import RATIO

SPEEDUP = Metric(
    "speedup",
    RATIO,
    Better.HIGHER,
    "serial time over parallel time of the same work, paired",
    show_as="×",
)

#: Other programs are in the way when they leave less than this share of what the workers could use.
_CROWDED = 0.9
#: A smaller share of the cores is what looking at the counters, which tick, may miss.
_HARDLY_TAKEN = 0.02
#: Waiting for a core for a smaller share of the time moves no speedup that anybody would see.
_HARDLY_WAITED = 0.01
#: Backends whose workers are threads of this process, so that its CPU time is theirs, and its interpreter lock.
_SHARED_INTERPRETER = ("thread",)
_PERHAPS_SHARED = (*_SHARED_INTERPRETER, "callable")
#: From the median absolute deviation to the standard error of a median, both of normal values.
_ERROR_PER_MAD = 1.4826 * math.sqrt(math.pi / 2)


@dataclass(frozen=True, slots=True)
class Timed:
    """Pairs of windows, and what was seen beside them."""

    pairs: Pairs
    cores_left: float | None
    """By other programs, on average; None when it is not known."""
    gains: tuple[float, ...]
    """What spinning processes gained, next to each pair; empty for work that needs no cores."""


@dataclass(frozen=True, slots=True)
class Point:
    """One number of workers of a curve."""

    workers: int
    speedup: float
    noise: float
    """Standard error of *speedup*, relative."""

    @classmethod
    def of(cls, workers: int, pairs: Pairs) -> Point:
        """Take the median of the ratios, and how well it is known."""
        ratios = pairs.ratios
        middle = median(ratios)
        return cls(workers, middle, _ERROR_PER_MAD * mad(ratios) / middle / math.sqrt(len(ratios)))


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the machine could give."""

    cpu_share: float
    nominal: float | None
    """The most on an idle machine that has all its cores; None where cores are not what limits it."""
    given: float | None
    """The most here and now, where that was measured, steady, and less than the nominal; else None."""
    is_crowded: bool
    is_steady: bool

    @property
    def ceiling(self) -> float | None:
        return self.nominal if self.given is None else self.given


def measurement_of(  # each is another thing
    case: Case,
    timed: Timed,
    capacity: float,
    watch: GilWatch,
    facts: dict[str, Any],
    curve: Sequence[Point] = (),
) -> Measurement:
    """Say what windows mean.

    Args:
        case: What was measured.
        timed: The windows with the most workers.
        capacity: Cores this process may use.
        watch: The interpreter lock, from before the windows.
        facts: ``target``, ``workers`` and ``backend`` at least.
        curve: All numbers of workers, where there were several.
    """
    pairs, workers = timed.pairs, int(facts["workers"])
    value, limits = median(pairs.ratios), _limits(timed, workers, capacity)
    around = Surroundings(
        able=float(workers) if limits.ceiling is None else limits.ceiling,
        capacity=capacity,
        workers=workers,
        is_crowded=limits.is_crowded,
        lost=_lost(timed.cores_left, min(workers, capacity)),
        gains=() if limits.is_steady else timed.gains,
    )
    lower, upper = ends(pairs.serial, pairs.parallel, around)
    extra = {**facts, **_plain_facts(value, timed, limits, around), **_curve_facts(curve, capacity, limits)}
    if facts["backend"] in _SHARED_INTERPRETER:
        extra |= _thread_facts(pairs, around.able)
    disturbance = "; ".join(_disturbances(timed, around))
    if disturbance:
        extra |= {"disturbance": disturbance, "speedup_at_least": lower, "speedup_at_most": upper}
        extra |= ends_of_facts(extra, value, (lower, upper), around.able, _over(curve, capacity, limits))
    warnings = [_crowd(timed, capacity)] if limits.is_crowded else []
    if facts["backend"] in _PERHAPS_SHARED:
        extra |= {"gil": gil_is_enabled(), "gil_before": watch.was_enabled}
        warnings.append(watch.remark())
    if facts["backend"] in _SHARED_INTERPRETER:
        warnings.append(_hindrance(value, pairs, workers, limits))
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
        ceiling=limits.ceiling,
        warnings=tuple(filter(None, warnings)),
    )


def _plain_facts(value: float, timed: Timed, limits: _Limits, around: Surroundings) -> dict[str, Any]:
    """List what is known of every speedup, and what machine and work add to it."""
    pairs, able = timed.pairs, around.able
    given = "cores" if limits.given is None else "machine_ceiling"
    facts: dict[str, Any] = {
        "cores_left": timed.cores_left,
        "capacity": around.capacity,
        "serial_s": median(pairs.serial_s),
        "parallel_s": median(pairs.parallel_s),
        "cpu_share": limits.cpu_share,
        "kind": kind_of(limits.cpu_share),
        "efficiency": value / able,
        "efficiency_against": ceiling_formula(limits.ceiling, limits.cpu_share, given),
    }
    if timed.gains:
        facts["machine_ceiling"] = median(timed.gains)
    fraction = serial_fraction(value, able)
    if fraction is not None:
        facts["serial_fraction"] = fraction
    if limits.nominal is not None and around.workers > around.capacity:
        # On a single undisturbed core everything takes turns, and the account of waiting for it can be relied on.
        had_several = around.capacity >= 2 or around.lost > 0  # noqa: PLR2004  # cores
        estimate = with_cores_enough(pairs.serial, pairs.parallel, around.workers, had_several=had_several)
        if estimate is not None and estimate > value:
            facts["speedup_if_cores"] = min(estimate, float(around.workers))
    return facts


def _thread_facts(pairs: Pairs, able: float) -> dict[str, Any]:
    """List what the CPU time of this process tells of workers that are its threads."""
    overhead_s = median(pairs.parallel_s) - median(pairs.serial_s) / able
    return {"busy_cores": _busy_cores(pairs), "overhead_s": max(0.0, overhead_s)}


def _limits(timed: Timed, workers: int, capacity: float) -> _Limits:
    # The largest share: waiting that nobody accounts for lowers it, nothing raises it.
    cpu_share = max(map(core_share, timed.pairs.serial))
    nominal = ceiling_of(workers, capacity, cpu_share)
    left, usable = timed.cores_left, min(workers, capacity)
    is_crowded = left is not None and left < _CROWDED * usable
    steady = steady_gain(timed.gains, is_crowded=is_crowded)
    given = None
    if nominal is not None and steady is not None and steady < usable:
        given = ceiling_of(workers, max(1.0, steady), cpu_share)
    return _Limits(cpu_share, nominal, given, is_crowded, steady is not None)


def _lost(left: float | None, usable: float) -> float:
    """Tell how many of the usable cores other programs took; 0 where it is none worth speaking of, or not known."""
    lost = 0.0 if left is None else usable - left
    return lost if lost > _HARDLY_TAKEN * usable else 0.0


def _crowd(timed: Timed, capacity: float) -> str:
    return f"other programs left {timed.cores_left or 0.0:.1f} of {capacity:g} core{'' if capacity == 1 else 's'}"


def _disturbances(timed: Timed, around: Surroundings) -> Iterator[str]:
    """Say what may have made the ratio too small or too large."""
    pairs = timed.pairs
    if around.is_crowded or (around.lost and not any(window.stints for window in pairs.parallel)):
        yield _crowd(timed, around.capacity)
    serial = median([window.queued_s / max(window.wall_s, 1e-9) for window in pairs.serial])
    if serial > _HARDLY_WAITED:
        yield f"the serial pass waited for a core for {serial:.0%} of its time"
    parallel = median([held_up_s(window) / max(window.wall_s, 1e-9) for window in pairs.parallel])
    if parallel > _HARDLY_WAITED and around.workers <= around.capacity:
        yield f"workers waited for a core for {min(parallel, 1.0):.0%} of their time"
    usable = min(around.workers, around.capacity)
    if around.gains and median(around.gains) < usable * (1 - _HARDLY_WAITED):
        yield f"processes that only spin gained {median(around.gains):.2f}× beside it"
    ratios = pairs.ratios
    low, high = median_interval(ratios) or (min(ratios), max(ratios))
    if high > median(ratios) * (1 + _HARDLY_WAITED):
        yield f"pairs of passes differ, {low:.2f}× to {high:.2f}×"


def _curve_facts(curve: Sequence[Point], capacity: float, limits: _Limits) -> dict[str, Any]:
    """List the points of a curve and what is fitted to them."""
    if not curve:
        return {}
    facts: dict[str, Any] = {
        "curve": [[point.workers, point.speedup] for point in curve],
        "curve_noise": [point.noise for point in curve],
    }
    fitted = amdahl_fraction(_over(curve, capacity, limits))
    if fitted is not None:
        facts["amdahl_fraction"] = fitted
    # Beyond the cores a curve bends for want of them, which is none of the code's doing.
    within = [one for one in curve if limits.nominal is None or one.workers <= capacity]
    is_clear = not limits.is_crowded and all(one.noise <= NOISIEST_FOR_USL for one in within)
    law = universal_scalability({float(one.workers): one.speedup for one in within}) if is_clear else None
    if law is not None:
        facts["usl_contention"], facts["usl_coherency"] = law
    return facts


def _over(curve: Sequence[Point], capacity: float, limits: _Limits) -> dict[float, float]:
    """Map how many could work at a time to the speedup, point by point."""
    return {ceiling_of(one.workers, capacity, limits.cpu_share) or float(one.workers): one.speedup for one in curve}


def _hindrance(speedup: float, pairs: Pairs, workers: int, limits: _Limits) -> str:
    if limits.is_crowded:
        return ""  # threads that others keep waiting, one of them holding a lock perhaps, look like threads behind one
    serial_cpu_s, parallel_cpu_s = (median([one.cpu_s for one in side]) for side in (pairs.serial, pairs.parallel))
    return hindrance(
        speedup=speedup,
        workers=workers,
        able=float(workers) if limits.nominal is None else limits.nominal,
        cpu_share=limits.cpu_share,
        busy_cores=_busy_cores(pairs),
        cpu_growth=parallel_cpu_s / max(serial_cpu_s, 1e-9),
    )


def _busy_cores(pairs: Pairs) -> float:
    return median([window.cpu_s / max(window.wall_s, 1e-9) for window in pairs.parallel])
