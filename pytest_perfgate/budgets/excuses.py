"""What on this machine, and not in the code, may be why a limit is broken, or why one is kept."""

from __future__ import annotations

from pytest_perfgate import units
from pytest_perfgate.budgets.targets import Reading, Target
from pytest_perfgate.model import Limit, Operator

#: Statistics that are no speedups, whatever they are taken of.
WITHOUT_SCALE = frozenset({"count", "stddev", "rate"})
#: Times that do not grow while a process waits for a processor.
_UNHINDERED = frozenset({"cpu_s", "user_s", "system_s", "on_cpu_s", "uncontended_s"})
#: What neighbours take besides processors, caches mostly, makes a program slower by a quarter or less.
_HINDRANCE = 1.3
#: Where the waiting is only known of the whole, or of something beside it, so many times as much may be meant.
_GENEROUS = 3
#: ... and processes that are over in a moment wait for a turn each: a shell and four programs, 3 ms, for 16 ms.
_TURNS_S = 0.05
#: A limit that is kept stays kept although its value may be this share too large: that much is scatter.
_SCATTER = 0.05
#: What one worker alone may seem to reach, by that scatter.
_ALONE = 1.1


def is_kept(operator: Operator, value: float, limit: float) -> bool:
    """Hold *value* against *limit*; what is not finite keeps to none."""
    if not abs(value) < float("inf"):
        return False
    if operator is Operator.LT:
        return value < limit
    if operator is Operator.LE:
        return value <= limit
    return value > limit if operator is Operator.GT else value >= limit


def is_beyond(limit: Limit, largest: float) -> bool:
    """Tell whether a lower limit lies above the largest value there can be."""
    return not limit.operator.is_upper and not is_kept(limit.operator, largest, limit.value)


def why_broken(limit: Limit, target: Target, reading: Reading) -> str:
    """Say why a broken limit may be no fault of the code's; empty when it is."""
    return _starved(limit, target, reading) or _out_of_reach(limit, target) or _hindered(limit, target, reading)


def why_kept(limit: Limit, target: Target, reading: Reading) -> str:
    """Say why a limit that is kept may be no merit of the code's; empty when it is."""
    return _unearned(limit, target, reading) or _too_easy(limit, target)


def why_unsettled(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that the value is not known well enough, where the metric has its interval decide; empty when it is."""
    interval = target.measurement.interval
    if not reading.is_headline or interval is None or target.measurement.extra.get("judged_by") != "interval":
        return ""
    if len({is_kept(limit.operator, end, limit.value) for end in interval}) == 1:
        return ""
    low, high = (units.format_value(end, reading.unit, show_as=shown_as(limit, target)) for end in interval)
    return f"its 95 % interval {low} to {high} includes the limit; more calls, or more time, would settle it"


def shown_as(limit: Limit, target: Target) -> str:
    """Tell in which way a value and its limit are written: "%" for shares limited in percent; empty for the usual."""
    return target.measurement.show_as or ("%" if "%" in limit.text else "")


def _starved(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that others kept the machine too busy for a limit on time, unless it is broken without their part as well."""
    starved = target.measurement.extra.get("starved")
    if not starved or not limit.operator.is_upper or not _grows_with_waiting(target, reading):
        return ""
    return "" if _is_broken_anyway(limit, target, reading) else f"the machine was too busy: {starved}"


def _grows_with_waiting(target: Target, reading: Reading) -> bool:
    if target.extra == "ratio_to_bare":  # of times without waiting, unless that cannot be told
        return _known(target, "uncontended_s") is None
    return reading.unit == units.SECONDS and target.extra not in _UNHINDERED


def _is_broken_anyway(limit: Limit, target: Target, reading: Reading) -> bool:
    """Tell whether waiting for a processor cannot have been all that broke an upper limit."""
    rest_s = _known(target, "uncontended_s")
    if rest_s is not None and not target.extra:
        return rest_s > limit.value * _HINDRANCE
    share = _known(target, "contention")
    if share is None or share >= 1:
        return False
    is_time = reading.unit == units.SECONDS
    rest = reading.value - _TURNS_S * is_time
    if rest * (1 - share) > limit.value * _GENEROUS:
        return True
    # Of an application it is what its first process used, which may only have started others.
    cpu_s = None if target.measurement.case.metric == "startup.app" else _known(target, "cpu_s")
    # What sleeps, or waits for something else, does not wait for a processor meanwhile.
    return is_time and cpu_s is not None and rest - cpu_s * share / (1 - share) * _GENEROUS > limit.value * _HINDRANCE


def _known(target: Target, key: str) -> float | None:
    fact = target.measurement.extra.get(key)
    return fact if isinstance(fact, int | float) else None


def _out_of_reach(limit: Limit, target: Target) -> str:
    """Say that this machine cannot reach a lower limit, whatever the code does; empty when it can."""
    measurement = target.measurement
    ceiling, workers = measurement.ceiling, measurement.extra.get("workers")
    # An efficiency is a share of the ceiling, so there is none that cannot be reached.
    if ceiling is None or limit.statistic in WITHOUT_SCALE or target.extra or not is_beyond(limit, ceiling):
        return ""
    shown = units.format_value(ceiling, measurement.unit, show_as=measurement.show_as)
    cause = ""
    if isinstance(workers, int | float) and ceiling < workers:
        cause = f": {ceiling:.3g} {'core' if ceiling == 1 else 'cores'} for {workers:g} workers"
    return f"this machine can give at most {shown}{cause}"


def _hindered(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that a speedup may be better where nobody else uses the machine; empty when it would still break the limit.

    So may be what follows from it, such as the serial fraction.
    """
    best = _end(limit, target, reading, "at_least" if limit.operator.is_upper else "at_most")
    if best is None or not is_kept(limit.operator, best, limit.value):
        return ""
    way = "as little as" if limit.operator.is_upper else "up to"
    return f"it may be {way} {_shown(limit, target, reading, best)} on a machine of its own: {_disturbance(target)}"


def _unearned(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that a speedup may owe its size to others who slowed the serial pass down; empty when it is certain."""
    is_upper = limit.operator.is_upper
    worst = _end(limit, target, reading, "at_most" if is_upper else "at_least")
    # A share near 0 scatters by a part of the whole, and not of itself.
    scale = max(1.0, reading.value) if is_upper and reading.unit != units.SECONDS else reading.value
    if worst is None or is_kept(limit.operator, worst, limit.value) or abs(worst - reading.value) <= _SCATTER * scale:
        return ""
    way = "as much as" if is_upper else "no more than"
    return f"it may be {way} {_shown(limit, target, reading, worst)}: {_disturbance(target)}"


def _too_easy(limit: Limit, target: Target) -> str:
    """Say that so little can be had here that work which is not parallel at all keeps to a limit on efficiency."""
    ceiling, workers = target.measurement.ceiling, target.measurement.extra.get("workers")
    if target.extra != "efficiency" or limit.operator.is_upper or ceiling is None:
        return ""
    if not isinstance(workers, int | float) or limit.value * ceiling > _ALONE or limit.value * workers <= _ALONE:
        return ""
    most = units.format_value(ceiling, units.RATIO, show_as="×")
    return f"this machine can give at most {most}, of which one worker alone reaches as much"


def _end(limit: Limit, target: Target, reading: Reading, side: str) -> float | None:
    """Take an end of what is limited, a speedup or what follows from one; None where it is not known.

    Args:
        limit: The limit.
        target: What is limited.
        reading: Its value.
        side: ``at_least`` or ``at_most``.
    """
    measurement = target.measurement
    is_fact = target.extra not in ("", "efficiency")
    end = measurement.extra.get(f"{target.extra if is_fact else 'speedup'}_{side}")
    if not isinstance(end, int | float) or limit.statistic in WITHOUT_SCALE:
        return None
    if is_fact:
        return end
    if limit.operator.is_upper or not measurement.value:
        return None
    return end * (reading.value / measurement.value)


def _shown(limit: Limit, target: Target, reading: Reading, end: float) -> str:
    show_as = ("%" if "%" in limit.text else "") if target.extra else target.measurement.show_as
    return units.format_value(end, reading.unit, show_as=show_as)


def _disturbance(target: Target) -> str:
    return str(target.measurement.extra.get("disturbance", "others used it"))
