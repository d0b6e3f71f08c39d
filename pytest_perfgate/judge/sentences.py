"""The one sentence of each verdict: what was found, against what limit, on which evidence, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_perfgate import units
from pytest_perfgate.model import Change, Check, Comparison, Measurement, Verdict

#: What is measured is the test's own business: it is called by the name of the test.
_TEST_ITSELF = frozenset({"perf", "call", "budget"})

#: Between two numbers.
_TO = "\N{EN DASH}"

_SMALL_TOLERANCE = 0.01
#: An interval whose ends differ by such a factor says nothing: too few rounds are given ends that are far away.
_UNBOUNDED = 1000

_SAID = {
    Verdict.REGRESSED: "regressed",
    Verdict.IMPROVED: "improved",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.INCOMPARABLE: "incomparable",
    Verdict.NO_BASELINE: "has no baseline",
}


def subject(measurement: Measurement) -> str:
    """Name what was measured: ``test_parse``, ``startup of "app --version"``, ``memory peak of test_load (large)``."""
    case = measurement.case
    metric = "" if case.metric in _TEST_ITSELF else case.metric
    target = measurement.extra.get("target")
    if metric and isinstance(target, str) and target:
        named = f'{metric.partition(".")[0]} of "{target}"'
    elif metric:
        named = f"{metric.replace('.', ' ')} of {_test_name(case.test)}"
    else:
        named = _test_name(case.test)
    return f"{named} ({case.name})" if case.name else named


def missing(measurement: Measurement, comparison: Comparison) -> str:
    """Say that a case of the stored run is not in this one."""
    return f"{subject(measurement)} is missing: {comparison.reason}"


def failed(measurement: Measurement) -> str:
    """Say why there is no number."""
    return f"{subject(measurement)} could not be measured: {measurement.error or 'it has no value'}"


def unmeasured(measurement: Measurement, checks: Sequence[Check]) -> str:
    """Say which limits speak of something that was not measured."""
    reasons = (check.reason or f'"{check.expression}" limits something that was not measured' for check in checks)
    return f"{subject(measurement)} failed to measure what its budget limits: {'; '.join(reasons)}"


def over_budget(measurement: Measurement, broken: Sequence[Check]) -> str:
    """Say which limits are broken, the worst first, on which evidence."""
    worst, *others = sorted(broken, key=lambda check: -check.closeness)
    found = _broken(measurement, worst)
    evidence = ", ".join(_evidence(measurement, worst, found))
    text = f"{subject(measurement)} is over budget: {found}" + (f" ({evidence})" if evidence else "")
    return "; ".join([text, *(f"also {_broken(measurement, check)}" for check in others)])


def doubted(measurement: Measurement) -> str:
    """Say why the number must not be judged."""
    return f"{subject(measurement)} inconclusive: {measurement.doubt}"


def undecided(measurement: Measurement, checks: Sequence[Check]) -> str:
    """Say which limits this machine cannot tell about, and why."""
    said = "; ".join(f"{_broken(measurement, check)}, but {check.undecidable}" for check in checks)
    return f"{subject(measurement)} inconclusive: {said}"


def compared(measurement: Measurement, comparison: Comparison, verdict: Verdict, checks: Sequence[Check] = ()) -> str:
    """Say what the comparison with a stored run came to; and how the limits stand, if there are any."""
    change = comparison.change
    if change is None:
        said = comparison.reason or "no reason was given"
    elif verdict is Verdict.INCONCLUSIVE:
        said = _unsettled(change)
    else:
        said = f"{_moved(change)} against {change.against}, {_processes(change)}"
    text = f"{subject(measurement)} {_SAID[verdict]}: {said}"
    return f"{text}; {_kept(measurement, checks)}" if checks else text


def passed(measurement: Measurement, checks: Sequence[Check], change: Change | None) -> str:
    """Say how far inside its limits a case is."""
    parts = [_kept(measurement, checks)] if checks else [_headline(measurement)]
    if change is not None:
        parts.append(f"{_moved(change)} against {change.against}, {_processes(change)}")
    elif not checks:
        parts[0] += ", no limit set"
    return "; ".join(parts)


# -- numbers


def _headline(measurement: Measurement) -> str:
    label = measurement.case.metric if measurement.statistic == "value" else measurement.statistic
    value = units.format_value(measurement.value or 0.0, measurement.unit, show_as=measurement.show_as)
    return f"{label} {value}"


def _kept(measurement: Measurement, checks: Sequence[Check]) -> str:
    """Say how the tightest of the limits holds: ``median 312 ms <= 400 ms, 78 % of the budget``."""
    tightest = max(checks, key=lambda check: (not check.holds, check.closeness))
    more = f" (and {len(checks) - 1} more)" if len(checks) > 1 else ""
    if tightest.operator is None or tightest.limit is None or tightest.observed is None:
        return f"{tightest.expression} holds{more}"
    value, limit = (_number(measurement, tightest, number) for number in (tightest.observed, tightest.limit))
    return f"{_label(tightest)} {value} {tightest.operator.value} {limit}{_share(tightest)}{more}"


def _share(check: Check) -> str:
    """Say how much of its budget a value uses; a lower limit is no budget to use up."""
    if check.operator is None or not check.operator.is_upper or not check.closeness:
        return ""
    return f", {round(check.closeness * 100) or 'under 1'} % of the budget"


def _broken(measurement: Measurement, check: Check) -> str:
    """Say what is wrong with one check; in its own words where it has some."""
    if check.reason or check.observed is None:
        return check.reason or f"{check.expression} does not hold"
    return f"{_label(check)} {_number(measurement, check, check.observed)}, not {check.expression}"


def _label(check: Check) -> str:
    """Cut ``median <= 400ms`` down to what the number is."""
    operator = check.operator.value if check.operator else ""
    return check.expression.partition(operator)[0].strip() if operator else check.expression


def _number(measurement: Measurement, check: Check, value: float) -> str:
    show_as = measurement.show_as if check.unit == measurement.unit else ""
    return units.format_value(value, check.unit, show_as="%" if "%" in check.expression else show_as)


def _evidence(measurement: Measurement, check: Check, found: str) -> list[str]:
    """List what a broken limit rests on."""
    evidence = [f"profile {check.profile}"] if check.profile else []
    if measurement.rounds > 1:
        evidence.append(f"{measurement.rounds} rounds")
    if len(measurement.processes) > 1:
        evidence.append(f"{len(measurement.processes)} processes")
    is_headline = check.observed == measurement.value and check.unit == measurement.unit
    if measurement.interval is not None and is_headline and "interval" not in found:
        evidence.append(f"95 % interval {_range(measurement)}")
    return evidence


def _range(measurement: Measurement) -> str:
    """Write an interval with its unit once: ``405-421 ms``."""
    ends = measurement.interval or (0.0, 0.0)
    low, high = (units.format_value(end, measurement.unit, show_as=measurement.show_as) for end in ends)
    number, _, unit = low.partition(" ")
    return f"{number}{_TO}{high}" if unit and high.endswith(f" {unit}") else f"{low} {_TO} {high}"


# -- changes


def _moved(change: Change) -> str:
    """Write a change with its evidence: ``+8.2 % (99 % interval +6.1 ... +10.4 %, tolerance 5 %)``."""
    digits = _digits(change)
    low, high = change.interval
    interval = f"{_percent(change.confidence)} interval {_span(change)}" if low < high else "exact"
    moved = units.format_change(change.ratio - 1, digits=digits) + " calibrated" * change.calibrated
    return f"{moved} ({interval}, tolerance {_percent(change.tolerance)})"


def _unsettled(change: Change) -> str:
    """Say why a change is neither one thing nor the other."""
    low, high = change.worsening_interval
    if change.settled is None or low <= change.tolerance <= high:
        return _straddling(change)
    return f"{_moved(change)} against {change.against}, but {change.doubt}"


def _straddling(change: Change) -> str:
    """Say that the tolerance lies within the interval, and what would settle it."""
    calibrated = " calibrated" * change.calibrated
    if change.interval[1] / change.interval[0] > _UNBOUNDED:
        text = f"{_processes(change)} are too few to bound the change against {change.against}"
        return f"{text}; {change.doubt}" if change.doubt else text
    text = (
        f"the {_percent(change.confidence)} interval {_span(change)}{calibrated} against {change.against} "
        f"includes the tolerance of {_percent(change.tolerance)}"
    )
    return f"{text}; {change.doubt}" if change.doubt else text


def _span(change: Change) -> str:
    digits = _digits(change)
    low, high = (f"{(end - 1) * 100:+.{digits}f}" for end in change.interval)
    return f"{low} … {high} %"


def _digits(change: Change) -> int:
    """Write one decimal of a percentage, or two where the tolerance itself is that small."""
    return 2 if change.tolerance < _SMALL_TOLERANCE else 1


def _percent(ratio: float) -> str:
    return f"{ratio * 100:g} %"


def _processes(change: Change) -> str:
    if change.pairs is None:
        return f"{change.processes} processes"
    return f"{change.processes // 2} process pairs, {change.pairs} pairs"


def _test_name(node_id: str) -> str:
    """Take the function with its parameters off a node id; parameters may hold "::" as well."""
    path, bracket, parameters = node_id.partition("[")
    return (path.rpartition("::")[2] or path) + bracket + parameters
