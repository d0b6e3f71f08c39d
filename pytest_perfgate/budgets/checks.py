"""Holding a budget's limits against what a test measured; what follows from it is the judge's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_perfgate import units
from pytest_perfgate.budgets.excuses import (
    WITHOUT_SCALE,
    is_beyond,
    is_kept,
    shown_as,
    why_broken,
    why_kept,
    why_unsettled,
)
from pytest_perfgate.budgets.limits import described
from pytest_perfgate.budgets.targets import (
    Reading,
    Target,
    find_targets,
    may_be_target,
    missing_reason,
    read,
    when_there,
)
from pytest_perfgate.model import Budget, Case, Check, Limit, Measurement, Operator

_NEGATED = {Operator.LT: ">=", Operator.LE: ">", Operator.GT: "<=", Operator.GE: "<"}
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
        if metric == "speedup" and is_beyond(limit, workers) and limit.statistic not in WITHOUT_SCALE:
            return f'"{limit.text}" cannot be met: {workers} workers give at most {workers}×'
    return None


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
    is_within = is_kept(limit.operator, reading.value, limit.value)
    unsettled = why_unsettled(limit, target, reading)
    expression = limit.text
    if limit.metric is None and limit.statistic == "value":
        expression = reading.label + limit.text.removeprefix("value")
    excuse = unsettled
    if not unsettled and math.isfinite(reading.value):
        excuse = (why_kept if is_within else why_broken)(limit, target, reading)
    return Check(
        expression=expression,
        limit=limit.value,
        unit=reading.unit,
        operator=limit.operator,
        observed=reading.value if math.isfinite(reading.value) else None,
        holds=is_within and not excuse,
        profile=budget.profile,
        reason=(
            _compared(limit, target, reading)
            if unsettled
            else _reason(limit, target, reading, holds=is_within, is_doubted=bool(excuse))
        ),
        undecidable=excuse,
    )


def _reason(limit: Limit, target: Target, reading: Reading, *, holds: bool, is_doubted: bool) -> str:
    if not math.isfinite(reading.value):
        return f"{reading.label} is not a finite number"
    show_as = shown_as(limit, target)
    value, bound = _apart(reading, limit.value, show_as)
    bound += "".join(limit.text.partition(" (")[1:])  # how a profile scaled it
    interval = target.measurement.interval if reading.is_headline else None
    remark = _about_means(limit, target)
    if interval is not None and interval[0] < limit.value < interval[1]:
        low, high = (units.format_value(end, reading.unit, show_as=show_as) for end in interval)
        remark = f"its 95 % interval {low} to {high} includes the limit"
    if holds and is_doubted:
        return f"{reading.label} {value} keeps to {bound}"
    if holds:
        return remark and f"{reading.label} {value} keeps to {bound}, but {remark}"
    reason = f"{reading.label} {value} {_NEGATED[limit.operator]} {bound}"
    if show_as == "%" and limit.unit == units.COUNT and limit.value > 1:
        remark = f"{limit.value:g} without a percent sign is {bound}"
    return f"{reason}; {remark}" if remark else reason


def _about_means(limit: Limit, target: Target) -> str:
    """Say that single calls may lie above an upper limit, where only rounds of many calls were timed."""
    calls = target.measurement.iterations
    is_extreme = limit.statistic in {"max", "p"} and limit.operator.is_upper
    if not is_extreme or calls <= 1 or target.extra:
        return ""
    return f"it is of means of {calls:,} calls each, and a single call may take longer"


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


def _compared(limit: Limit, target: Target, reading: Reading) -> str:
    """Put a value beside its limit and leave open what follows."""
    value, bound = _apart(reading, limit.value, shown_as(limit, target))
    return f"{reading.label} {value} against a limit of {bound}"


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
    return [_module_check(budget, expression, f"{reason} (it measured {names}){when_there('modules', measured)}")]


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
