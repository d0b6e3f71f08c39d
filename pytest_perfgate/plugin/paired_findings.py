"""From what a paired comparison measured to findings that can be stored, sent and judged with the budgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_perfgate import stats
from pytest_perfgate.compare import compare_measurements
from pytest_perfgate.judge import judge
from pytest_perfgate.judge.sequential import Standing
from pytest_perfgate.model import Change, Comparison, Measurement, Verdict
from pytest_perfgate.paired.comparison import PairedComparison
from pytest_perfgate.paired.environment import Sides
from pytest_perfgate.paired.facts import differences, merged_facts
from pytest_perfgate.paired.series import DIFFERENT_ROUNDS, Series
from pytest_perfgate.paired.terms import Outcome
from pytest_perfgate.store import finding_from_dict, finding_to_dict
from pytest_perfgate.units import SECONDS
from pytest_perfgate.words import counted

#: What to do about a rise from zero that is meant: nothing is recorded here.
_MERGED = "if it is meant, set an absolute limit and merge it in spite of this; the base has it from then on"
#: Of the time that a message asks for: rounds differ in what they take.
_SPARE = 1.2


def packed_findings(outcome: Outcome, comparison: PairedComparison, sides: Sides) -> dict[str, Any]:
    """Pack what a comparison came to.

    Returns:
        ``findings`` (node id -> findings as plain objects) and ``notes``.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for series in outcome.series:
        if _is_beside_the_point(series):
            continue
        tolerance = comparison.tolerance(series.case.test)
        compared = _comparison(series, outcome, sides.base.label, tolerance)
        finding = finding_to_dict(judge(_measurement(series), (), compared))
        # The reason of a finding is a whole sentence already; what a later judgement needs is the bare clause.
        found.setdefault(series.case.test, []).append({**finding, "reason": compared.reason})
    return {"findings": found, "notes": [*comparison.notes, *_notes(outcome, sides)]}


def _is_beside_the_point(series: Series) -> bool:
    """Tell whether a test's own phase was begun and turned out to hold a measurement, which is what counts then."""
    return series.case.metric == "call" and not series.has_head


def _comparison(series: Series, outcome: Outcome, against: str, tolerance: float) -> Comparison:
    standing = series.standing
    if series.no_base:
        return Comparison(verdict=Verdict.NO_BASELINE, reason=series.no_base)
    if series.other_meaning:
        return Comparison(verdict=Verdict.INCOMPARABLE, reason=series.other_meaning)
    if standing is None or standing.verdict is None:
        return Comparison(verdict=Verdict.INCONCLUSIVE, reason=series.no_head or "it was not measured often enough")
    if not math.isfinite(standing.interval[0]):
        return _without_ratio(series, standing, against)
    low, high = standing.interval
    flip = -1 if series.better.value == "higher" else 1
    ends = sorted((flip * low, flip * high))
    settled, doubt = standing.verdict, standing.doubt
    if series.is_out_of_time and settled is Verdict.INCONCLUSIVE:
        doubt += f"; it took {series.spent_s:.0f} s, and {_allowing(series, standing)} allows it more"
    if settled in (Verdict.REGRESSED, Verdict.IMPROVED) and outcome.doubts(standing, tolerance):
        settled, doubt = Verdict.INCONCLUSIVE, outcome.contaminated
    change = Change(
        ratio=math.exp(flip * standing.estimate),
        interval=(math.exp(ends[0]), math.exp(ends[1])),
        tolerance=tolerance,
        confidence=standing.confidence,
        against=against,
        better=series.better,
        pairs=series.pairs,
        processes=2 * len(series.base),
        doubt=doubt,
        settled=settled,
    )
    return Comparison(change=change)


def _allowing(series: Series, standing: Standing) -> str:
    """Write the option that allows a case the rounds it misses; how long they take is known from those it had."""
    if not standing.missing:
        return "--perfgate-max-time"
    needed_s = series.spent_s * (1 + standing.missing / max(len(series.base), 1))
    return f"--perfgate-max-time {math.ceil(needed_s * _SPARE)}s"


def _without_ratio(series: Series, standing: Standing, against: str) -> Comparison:
    """Judge a change from or to zero, or below it, as that of two stored runs is, once it was seen often enough."""
    if len(series.base) < DIFFERENT_ROUNDS:
        seen = counted(len(series.base), "process pair")
        return Comparison(verdict=Verdict.INCONCLUSIVE, reason=f"measured in only {seen}: {standing.doubt}")
    sides = [_merged(series.told[side], values) for side, values in (("base", series.base), ("head", series.head))]
    return compare_measurements(sides[0], sides[1], tolerance=0.0, against=against, if_meant=_MERGED)


def _merged(told: Sequence[dict[str, Any]], values: Sequence[float]) -> Measurement:
    measured = [finding_from_dict(_as_finding(one)).measurement for one in told]
    return replace(
        measured[-1],
        value=stats.median(values),
        interval=stats.median_interval(values) or measured[-1].interval,
        samples=tuple(sample for one in measured for sample in one.samples),
        processes=tuple(values),
        extra=merged_facts([one.extra for one in measured]),
    )


def _measurement(series: Series) -> Measurement:
    """Make head's measurement out of all rounds."""
    if series.no_head:
        return Measurement(case=series.case, unit=SECONDS, better=series.better, error=series.no_head)
    told = [finding_from_dict(_as_finding(one)).measurement for one in series.told.get("head", ())]
    if told:
        merged = _merged(series.told["head"], series.head) if series.head else told[-1]
        return replace(merged, warnings=(*merged.warnings, *series.warnings))
    if not series.head_samples:
        return Measurement(
            case=series.case, unit=SECONDS, error="the target raised, or its test ended, while it was measured"
        )
    shape = series.shape
    told_base, told_head = (series.facts.get(side, []) for side in ("base", "head"))
    extra: dict[str, Any] = {
        **(merged_facts([one["extra"] for one in told_head]) if told_head else {}),
        "min_s": min(series.head_samples),
        "mean_s": stats.mean(series.head_samples),
        "stddev_s": stats.stddev(series.head_samples),
        "p95_s": stats.percentile(series.head_samples, 95),
        "base_s": stats.median(series.base),
    }
    warnings = [*series.warnings, *_said_always(told_head)]
    warnings += differences([one["extra"] for one in told_base], [one["extra"] for one in told_head])
    if shape is not None and shape.why_free:
        warnings.append(
            f"{shape.why_free}, so base and head were not measured on one processor: "
            f"telling a change takes several times the rounds"
        )
    return Measurement(
        case=series.case,
        unit=SECONDS,
        better=series.better,
        value=stats.median(series.head_samples),
        interval=stats.median_interval(series.head),
        samples=tuple(series.head_samples),
        iterations=shape.iterations if shape else 1,
        processes=tuple(series.head),
        extra=extra,
        warnings=tuple(warnings),
    )


def _said_always(told: Sequence[dict[str, Any]]) -> list[str]:
    """Return the warnings that every process gave in the same words; others speak of its own few blocks."""
    return [text for text in told[-1]["warnings"] if all(text in one["warnings"] for one in told)] if told else []


def _as_finding(measurement: dict[str, Any]) -> dict[str, Any]:
    """Dress a measurement up as the case of a report that it will be part of."""
    return {
        **measurement,
        "verdict": Verdict.PASS.value,
        "reason": "",
        "budget": None,
        "budgets": [],
        "change": None,
        "measurement_warnings": measurement["warnings"],
    }


def _notes(outcome: Outcome, sides: Sides) -> list[str]:
    notes = list(sides.notes)
    if sides.identical:
        notes.append(f"base ({sides.base.label}) and head hold the same code: every difference found is noise")
    if outcome.contaminated:
        notes.append(f"only changes that stand out from it are called regressed or improved: {outcome.contaminated}")
    return notes
