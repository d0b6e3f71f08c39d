"""Several runs of the same code on the same machine, as one run that knows how much they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pytest_perfgate.compare.calibrated import merged_calibration
from pytest_perfgate.compare.change import meaning
from pytest_perfgate.compare.comparable import differing_facts
from pytest_perfgate.compare.noise import process_values
from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Check, Finding, Measurement, Run, Verdict
from pytest_perfgate.stats import median, median_interval

T = TypeVar("T")

#: Worst first; a merged case keeps the worst it has.
_SEVERITY = (
    Verdict.FAILED_TO_MEASURE,
    Verdict.OVER_BUDGET,
    Verdict.REGRESSED,
    Verdict.INCOMPARABLE,
    Verdict.INCONCLUSIVE,
    Verdict.NO_BASELINE,
    Verdict.PASS,
    Verdict.IMPROVED,
    Verdict.MISSING,
)


def merge_runs(runs: Sequence[Run], names: Sequence[str] = ()) -> Run:
    """Merge runs into one, so that the differences between fresh processes are measured and not assumed.

    Values are the medians of the processes.  No case is judged anew: each keeps the worst verdict it got, with its
    reason and its change, and a limit that was broken once stays broken.

    Args:
        runs: At least two, of the same code, machine, Python and profile, in any order.
        names: What to call each of them in messages; ``run 1`` and so on without.

    Returns:
        One run with the samples and processes of all.

    Raises:
        UsageError: There is only one, one is given twice or measured nothing, or they do not belong together.
    """
    _refuse_unmergeable(runs, names or [f"run {number}" for number, _ in enumerate(runs, start=1)])
    gathered: defaultdict[str, list[Finding]] = defaultdict(list)
    for run in runs:
        for finding in run.findings:
            gathered[finding.case.id].append(finding)
    codes = _unique(_code(run) for run in runs)
    notes = [f"merged from {len(runs)} runs"]
    if len(codes) > 1:
        notes.append(f"the merged runs are of different code ({', '.join(codes)}): their differences count as noise")
    return replace(
        runs[0],
        findings=tuple(_merge_findings(findings, len(runs)) for findings in gathered.values()),
        commit=runs[0].commit if len(codes) == 1 else None,
        settings=_merge_settings([run.settings for run in runs]),
        started=min(run.started for run in runs),
        duration_s=sum(run.duration_s for run in runs),
        notes=(*notes, *_unique(note for run in runs for note in run.notes)),
        failures=_unique(failure for run in runs for failure in run.failures),
    )


def _refuse_unmergeable(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Raise a UsageError unless *runs* are several different runs with numbers of one machine, Python and profile."""
    if len(runs) < 2:  # noqa: PLR2004  # one is merged already
        raise UsageError(f"merging takes at least two runs; {len(runs)} given")
    empty = [name for name, run in zip(names, runs, strict=True) if not run.measured]
    if empty:
        raise UsageError(f"nothing was measured in {', '.join(empty)}: leave out what has no numbers")
    seen: dict[object, int] = {}
    for number, (name, run) in enumerate(zip(names, runs, strict=True)):
        then, now = differing_facts(runs[0], run.machine, run.python, run.profile)
        if then:
            raise UsageError(f"{names[0]} was measured on {then}, {name} on {now}: merge runs of one kind only")
        samples = tuple((finding.case.id, finding.measurement.samples) for finding in run.findings)
        same = seen.setdefault((run.started, samples), number)
        if same != number:
            raise UsageError(f"{names[same]} and {name} are the same run (started {run.started}): give it once")


def _merge_findings(findings: Sequence[Finding], total: int) -> Finding:
    """Merge what several runs found of one case."""
    worst = min(findings, key=_badness)
    measured = [finding.measurement for finding in findings if finding.measurement.value is not None]
    if not measured:
        return worst
    same = sum(finding.verdict is worst.verdict for finding in findings)
    reason = worst.reason if same == total else f"in {same} of {total} runs: {worst.reason}"
    warnings = [warning for finding in findings for warning in finding.warnings]
    merged = merge_measurements(measured)
    if len(measured) < total:
        warnings.append(f"measured in {len(measured)} of {total} merged runs")
    return replace(
        worst,
        measurement=replace(merged, warnings=_unique(warnings)),
        reason=reason,
        checks=_merge_checks(findings, merged),
        warnings=_unique(warnings),
    )


def _badness(finding: Finding) -> tuple[int, float]:
    tightest = finding.tightest
    return _SEVERITY.index(finding.verdict), -(tightest.closeness if tightest else 0.0)


def merge_measurements(measured: Sequence[Measurement]) -> Measurement:
    """Merge the measurements of one case, all of which have a value.

    Args:
        measured: At least one.

    Returns:
        One measurement with the samples and processes of all.

    Raises:
        UsageError: They mean different things.
    """
    first = measured[0]
    for other in measured[1:]:
        if meaning(other) != meaning(first):
            one, another = (", ".join(meaning(side)) for side in (first, other))
            raise UsageError(f"{first.case.id} means different things in the runs to merge: {one}; {another}")
    processes = tuple(value for one in measured for value in process_values(one))
    return replace(
        first,
        value=median(processes),
        interval=median_interval(processes) or _span(measured),
        samples=tuple(value for one in measured for value in one.samples),
        processes=processes,
        extra=merged_calibration(measured, _merge_extra([one.extra for one in measured])),
        doubt=next((one.doubt for one in measured if one.doubt), None),
    )


def _span(measured: Sequence[Measurement]) -> tuple[float, float]:
    """Enclose every value and interval: too few processes for an interval of their own."""
    ends = [end for one in measured for end in (*(one.interval or ()), *process_values(one))]
    return min(ends), max(ends)


def _merge_extra(extras: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Take the median of facts that are numbers everywhere, and any other fact from the first run that has it."""
    merged: dict[str, Any] = {}
    for key in _unique(key for extra in extras for key in extra):
        values = [extra[key] for extra in extras if key in extra]
        numbers = [x for x in values if isinstance(x, int | float) and not isinstance(x, bool)]
        varied = len(numbers) == len(values) and any(x != values[0] for x in values)
        merged[key] = median(numbers) if varied else values[0]
    return merged


def _merge_checks(findings: Sequence[Finding], merged: Measurement) -> tuple[Check, ...]:
    """Keep, of each limit, the check that came out worst; one that every headline kept is kept by the merged one."""
    checks: defaultdict[str, list[tuple[Check, Measurement]]] = defaultdict(list)
    for finding in findings:
        for check in finding.checks:
            checks[check.expression].append((check, finding.measurement))
    return tuple(_merge_check(same, merged) for same in checks.values())


def _merge_check(same: Sequence[tuple[Check, Measurement]], merged: Measurement) -> Check:
    worst = max((check for check, _ in same), key=lambda check: (not check.holds, check.closeness))
    of_headline = all(check.observed == one.value and check.unit == one.unit for check, one in same)
    observed = [check.observed for check, _ in same if check.holds and check.observed is not None]
    if merged.value is None or not of_headline or len(observed) < len(same):
        return worst
    # The median of values that all keep a limit keeps it too; a report shows limit and value together.
    return replace(worst, observed=merged.value) if min(observed) <= merged.value <= max(observed) else worst


def _merge_settings(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Keep what was in force in every run; strict when any of them was."""
    first = settings[0]
    same = {key: value for key, value in first.items() if all(key in s and s[key] == value for s in settings)}
    if any("strict" in one for one in settings):
        same["strict"] = any(one.get("strict") for one in settings)
    return same


def _code(run: Run) -> str:
    """Name the code that was measured, as far as the run knows."""
    commit = run.commit or {}
    return str(commit.get("id") or "unknown commit") + (" with changes" if commit.get("dirty") else "")


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
