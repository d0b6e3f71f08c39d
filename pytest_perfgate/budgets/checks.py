"""Holding a budget's limits against what a test measured; what follows from it is the judge's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_perfgate import units
from pytest_perfgate.budgets.limits import described
from pytest_perfgate.budgets.targets import Reading, Target, find_targets, may_be_target, missing_reason, read
from pytest_perfgate.model import Budget, Case, Check, Limit, Measurement, Operator

_NEGATED = {Operator.LT: ">=", Operator.LE: ">", Operator.GT: "<=", Operator.GE: "<"}
_WITHOUT_SCALE = {"count", "stddev", "rate"}
#: Times that do not grow while a process waits for a processor.
_UNHINDERED = frozenset({"cpu_s", "user_s", "system_s", "on_cpu_s", "uncontended_s"})
#: What neighbours take besides processors, caches mostly, makes a program slower by a quarter or less.
_HINDRANCE = 1.3
#: Beyond this many digits two different numbers of a message may look the same.
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Checked:
    """The checks of one test."""

    by_case: Mapping[Case, tuple[Check, ...]]
    """Every case that has a value, in the order measured, with the checks that speak of it, perhaps none."""
    unmeasured: tuple[Check, ...]
    """Limits on something that was not measured; none of them holds."""


def check(budget: Budget, measurements: Sequence[Measurement]) -> Checked:
    """Hold each limit against every measurement it speaks of.

    A measurement with an error is nobody's target; a limit that could have spoken of it is not
    reported as unmeasured, since the error is the reason.

    Args:
        budget: What is asked.
        measurements: Everything the test measured.

    Returns:
        The checks by case, and those that nothing was measured for.
    """
    measured = [each for each in measurements if each.value is not None]
    failed = [each for each in measurements if each.value is None]
    by_case: dict[Case, list[Check]] = {each.case: [] for each in measured}
    unmeasured: list[Check] = []
    for limit in budget.limits:
        targets = find_targets(limit, measured)
        if not targets and not any(may_be_target(limit, each) for each in failed):
            unmeasured.append(_unmeasured(budget, limit, missing_reason(limit, measurements)))
        for target in targets:
            reading = read(limit, target)
            if isinstance(reading, str):
                unmeasured.append(_unmeasured(budget, limit, reading))
            else:
                by_case[target.measurement.case].append(_check(budget, limit, target, reading))
    if budget.forbid:
        unmeasured += _check_modules(budget, measured, by_case, has_failed=bool(failed))
    return Checked({case: tuple(checks) for case, checks in by_case.items()}, tuple(unmeasured))


def impossible_speedup(budget: Budget, workers: int) -> str | None:
    """Find a limit on the speedup that this many workers cannot reach.

    Args:
        budget: What is asked.
        workers: Workers asked for, >= 1.

    Returns:
        One sentence, or None.
    """
    for limit in budget.limits:
        metric = (limit.metric or "").partition(":")[0]
        if metric == "speedup" and _is_beyond(limit, workers) and limit.statistic not in _WITHOUT_SCALE:
            return f'"{limit.text}" cannot be met: {workers} workers give at most {workers}×'
    return None


def _is_beyond(limit: Limit, largest: float) -> bool:
    """Tell whether a lower limit lies above the largest value there can be."""
    if limit.operator.is_upper:
        return False
    return limit.value > largest or (limit.value == largest and limit.operator is Operator.GT)


def _unmeasured(budget: Budget, limit: Limit, reason: str) -> Check:
    return Check(
        expression=described(limit),
        limit=limit.value,
        unit=limit.unit,
        operator=limit.operator,
        observed=None,
        holds=False,
        profile=budget.profile,
        reason=reason,
    )


def _check(budget: Budget, limit: Limit, target: Target, reading: Reading) -> Check:
    unsettled = _unsettled(limit, target, reading)
    holds = not unsettled and _holds(limit.operator, reading.value, limit.value)
    expression = limit.text
    if limit.metric is None and limit.statistic == "value":
        expression = reading.label + limit.text.removeprefix("value")
    return Check(
        expression=expression,
        limit=limit.value,
        unit=reading.unit,
        operator=limit.operator,
        observed=reading.value if math.isfinite(reading.value) else None,
        holds=holds,
        profile=budget.profile,
        reason=_compared(limit, target, reading) if unsettled else _reason(limit, target, reading, holds=holds),
        undecidable=unsettled or ("" if holds else _undecidable(limit, target, reading)),
    )


def _holds(operator: Operator, value: float, limit: float) -> bool:
    if not math.isfinite(value):
        return False
    if operator is Operator.LT:
        return value < limit
    if operator is Operator.LE:
        return value <= limit
    return value > limit if operator is Operator.GT else value >= limit


def _reason(limit: Limit, target: Target, reading: Reading, *, holds: bool) -> str:
    if not math.isfinite(reading.value):
        return f"{reading.label} is not a finite number"
    show_as = _shown_as(limit, target)
    value, bound = _apart(reading, limit.value, show_as)
    bound += "".join(limit.text.partition(" (")[1:])  # how a profile scaled it
    interval = target.measurement.interval if reading.is_headline else None
    remark = ""
    if interval is not None and interval[0] < limit.value < interval[1]:
        low, high = (units.format_value(end, reading.unit, show_as=show_as) for end in interval)
        remark = f"its 95 % interval {low} to {high} includes the limit"
    if holds:
        return remark and f"{reading.label} {value} keeps to {bound}, but {remark}"
    reason = f"{reading.label} {value} {_NEGATED[limit.operator]} {bound}"
    if show_as == "%" and limit.unit == units.COUNT and limit.value > 1:
        remark = f"{limit.value:g} without a percent sign is {bound}"
    return f"{reason}; {remark}" if remark else reason


def _apart(reading: Reading, limit: float, show_as: str) -> tuple[str, str]:
    """Write value and limit with as many digits as it takes to tell them apart."""
    for digits in range(3, _MOST_DIGITS + 1):
        value, bound = (
            units.format_value(number, reading.unit, show_as=show_as, digits=digits)
            for number in (reading.value, limit)
        )
        if value != bound or reading.value == limit:
            break
    return value, bound


def _unsettled(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that the value is not known well enough, where the metric has its interval decide; empty when it is."""
    interval = target.measurement.interval
    if not reading.is_headline or interval is None or target.measurement.extra.get("judged_by") != "interval":
        return ""
    if len({_holds(limit.operator, end, limit.value) for end in interval}) == 1:
        return ""
    low, high = (units.format_value(end, reading.unit, show_as=_shown_as(limit, target)) for end in interval)
    return f"its 95 % interval {low} to {high} includes the limit; more calls, or more time, would settle it"


def _compared(limit: Limit, target: Target, reading: Reading) -> str:
    """Put a value beside its limit and leave open what follows."""
    value, bound = _apart(reading, limit.value, _shown_as(limit, target))
    return f"{reading.label} {value} against a limit of {bound}"


def _shown_as(limit: Limit, target: Target) -> str:
    return target.measurement.show_as or ("%" if "%" in limit.text else "")


def _undecidable(limit: Limit, target: Target, reading: Reading) -> str:
    """Say why a broken limit may be no fault of the code's; empty when it is."""
    if not math.isfinite(reading.value):
        return ""
    return _starved(limit, target, reading) or _out_of_reach(limit, target)


def _starved(limit: Limit, target: Target, reading: Reading) -> str:
    """Say that others kept the machine too busy for a limit on time, unless it is broken without their part as well."""
    extra = target.measurement.extra
    starved, rest_s = extra.get("starved"), extra.get("uncontended_s")
    if not starved or reading.unit != units.SECONDS or not limit.operator.is_upper or target.extra in _UNHINDERED:
        return ""
    is_certain = isinstance(rest_s, int | float) and rest_s > limit.value * _HINDRANCE and not target.extra
    return "" if is_certain else f"the machine was too busy: {starved}"


def _out_of_reach(limit: Limit, target: Target) -> str:
    """Say that this machine cannot reach a lower limit, whatever the code does; empty when it can."""
    measurement = target.measurement
    ceiling, workers = measurement.ceiling, measurement.extra.get("workers")
    if ceiling is None or limit.statistic in _WITHOUT_SCALE:
        return ""
    if target.extra == "efficiency" and isinstance(workers, int | float) and workers > 0:
        ceiling /= workers
    elif target.extra:
        return ""
    if not _is_beyond(limit, ceiling):
        return ""
    show_as = "" if target.extra else measurement.show_as
    shown = units.format_value(ceiling, measurement.unit, show_as=show_as)
    cause = ""
    if isinstance(workers, int | float) and measurement.ceiling is not None and measurement.ceiling < workers:
        cause = f": {measurement.ceiling:g} cores for {workers:g} workers"
    return f"this machine can give at most {shown}{cause}"


# -- modules


def _check_modules(
    budget: Budget, measured: Sequence[Measurement], by_case: Mapping[Case, list[Check]], *, has_failed: bool
) -> list[Check]:
    """Add a check for every measurement that lists modules; returns one check when none does."""
    expression = f"forbid {', '.join(budget.forbid)}"
    listed = [each for each in measured if isinstance(each.extra.get("module_names"), list | tuple)]
    for each in listed:
        found = _imported(budget.forbid, each.extra["module_names"])
        reason = f"imports {', '.join(found)}, which the budget forbids" if found else ""
        by_case[each.case].append(_module_check(budget, expression, reason))
    if listed or has_failed:
        return []
    names = ", ".join(each.case.metric for each in measured) or "nothing"
    reason = f'"{expression}" needs the modules that were imported, and this test did not measure them'
    return [_module_check(budget, expression, f"{reason} (it measured {names})")]


def _module_check(budget: Budget, expression: str, reason: str) -> Check:
    return Check(
        expression=expression,
        limit=None,
        unit="",
        operator=None,
        observed=None,
        holds=not reason,
        profile=budget.profile,
        reason=reason,
    )


def _imported(forbidden: Sequence[str], names: Sequence[str]) -> list[str]:
    """List the forbidden modules that were imported: the package where it is among them, not all inside it."""
    found = []
    for module in forbidden:
        inside = sorted(name for name in names if name == module or name.startswith(f"{module}."))
        found += [module] if module in inside else inside
    return list(dict.fromkeys(found))
