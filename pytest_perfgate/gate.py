"""Budgets, comparison and judge put together, for one test and for a whole run; pure, like its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from pytest_perfgate import budgets
from pytest_perfgate.compare import (
    Unmatched,
    advice,
    compare_measurements,
    incomparable_reason,
    measurements_of,
    new_comparison,
    own_tolerance,
    unmatched,
)
from pytest_perfgate.judge import judge
from pytest_perfgate.model import (
    Budget,
    Case,
    Check,
    Comparison,
    Finding,
    Machine,
    Measurement,
    Outcome,
    Policy,
    Python,
    Run,
    Verdict,
)

#: What notes and failures about a comparison begin with, so that a new comparison can replace them.
_COMPARED_WITH = "compared with "
_NOTHING_COMPARED = "nothing could be compared"


class Compared(Protocol):
    """Whatever knows how a case compares: a stored run, or a paired comparison."""

    def compare(self, head: Measurement, *, tolerance: float) -> Comparison:
        """Say what is known of one case."""


class Baseline:
    """A stored run to compare with, indexed once so that each case costs the same however many there are.

    Args:
        run: The stored run.
        against: What to call it in messages: its file or commit.
        machine: Where this run is measured.
        python: What it is measured with.
        profile: Name of the profile in force.
    """

    def __init__(self, run: Run, *, against: str, machine: Machine, python: Python, profile: str) -> None:
        self.run, self.against = run, against
        self._machine, self._python = machine, python
        #: Why nothing in it can be compared with this run, one sentence; empty when it can.
        self.incomparable = incomparable_reason(run, machine, python, profile)
        self.measurements = measurements_of(run)

    def compare(self, head: Measurement, *, tolerance: float) -> Comparison:
        """Say what the stored run says about one case.

        Args:
            head: Measured in this run.
            tolerance: The run's; the test's own is stronger.
        """
        base = self.measurements.get(head.case.id)
        if self.incomparable:
            said = advice(self.run, self._machine, self._python, base, head)
            return Comparison(verdict=Verdict.INCOMPARABLE, reason=self.incomparable + said)
        if base is None:
            return new_comparison(self.against)
        return compare_measurements(base, head, tolerance=own_tolerance(head, tolerance), against=self.against)


def judge_test(
    test: str,
    budget: Budget | None,
    measurements: Sequence[Measurement],
    *,
    baseline: Compared | None = None,
    tolerance: float = 0.05,
) -> tuple[Finding, ...]:
    """Judge everything that one test measured, and what it should have measured.

    Args:
        test: Node id.
        budget: What its markers ask; None for nothing.
        measurements: In the order measured; those that failed included.
        baseline: To compare with, or None.
        tolerance: The run's; the test's own is stronger.

    Returns:
        One finding per measurement, and one more when limits speak of something that was not measured.
    """
    checked = budgets.check(budget or Budget(), measurements)
    findings = [
        judge(
            measurement,
            checked.by_case.get(measurement.case, ()),
            baseline.compare(measurement, tolerance=tolerance) if baseline else None,
        )
        for measurement in measurements
    ]
    if checked.unmeasured:
        taken = {measurement.case for measurement in measurements}
        findings.append(_unmeasured(test, budget or Budget(), checked.unmeasured, taken))
    return tuple(findings)


def _unmeasured(test: str, budget: Budget, checks: Sequence[Check], taken: set[Case]) -> Finding:
    """Make one finding of the limits that nothing was measured for, under the metric that they miss if it is one."""
    metrics = {_metric_of(check, budget) for check in checks}
    metric, _, name = (metrics.pop() if len(metrics) == 1 else "budget").partition(":")
    case = Case(test, metric, name)
    if case in taken:
        case = Case(test, "budget")
    error = "; ".join(check.reason for check in checks)
    return judge(Measurement(case=case, unit=checks[0].unit, error=error), checks)


def _metric_of(check: Check, budget: Budget) -> str:
    wanted = (check.limit, check.unit, check.operator)
    found = (limit.metric for limit in budget.limits if (limit.value, limit.unit, limit.operator) == wanted)
    return next(found, None) or "budget"


def complete_run(run: Run, baseline: Baseline, *, expected: Callable[[Case], bool] = lambda _: True) -> Run:
    """Add what only the whole run can show of a comparison: missing and renamed cases, notes and reasons to fail.

    Args:
        run: Its findings are already compared with *baseline*.
        baseline: The same as that of the findings.
        expected: Whether this run was meant to measure a case of the baseline; a part of a suite misses only its own.

    Returns:
        The run with a finding for every missing case.
    """
    if baseline.incomparable:
        return replace(run, notes=_added(run.notes, f"{_COMPARED_WITH}{baseline.against}: {baseline.incomparable}"))
    here = [finding.measurement for finding in run.findings]
    alone = unmatched(baseline.run, here, expected=expected)
    said = alone.comparisons(baseline.against)
    renamed = set(alone.renames.values())
    findings = [
        replace(finding, reason=judge(finding.measurement, finding.checks, said[finding.case.id]).reason)
        if finding.verdict is Verdict.NO_BASELINE and finding.case.id in renamed
        else finding
        for finding in run.findings
    ]
    findings += [judge(_not_measured(old, said[old.case.id]), (), said[old.case.id]) for old in alone.missing]
    return replace(
        run,
        findings=tuple(findings),
        notes=_added(run.notes, *_notes(run, alone, baseline)),
        failures=_added(run.failures, *_failures(here, baseline, expected)),
    )


def regate(run: Run, baseline: Run | None, *, against: str, tolerance: float, strict: bool) -> Run:
    """Judge a stored run again: its limits as they were held then, its changes against another stored run.

    Args:
        run: The run to judge.
        baseline: To compare with; None keeps the verdicts that *run* already has.
        against: What to call *baseline* in messages.
        tolerance: For every case whose test set none of its own.
        strict: Whether missing, inconclusive and incomparable results fail as well.

    Returns:
        The run with new verdicts, notes and reasons to fail; what could not be measured, and a limit that was
        broken, stay so.
    """
    settings = {**run.settings, "strict": strict}
    if baseline is None:
        return replace(run, settings=settings)
    index = Baseline(baseline, against=against, machine=run.machine, python=run.python, profile=run.profile)
    findings = (finding for finding in run.findings if finding.verdict is not Verdict.MISSING)
    regated = replace(
        run,
        findings=tuple(_judged_again(finding, index, tolerance) for finding in findings),
        settings={**settings, "max_regression": tolerance, "baseline": against},
        notes=tuple(note for note in run.notes if not note.startswith(_COMPARED_WITH)),
        failures=tuple(failure for failure in run.failures if not failure.startswith(_NOTHING_COMPARED)),
    )
    return complete_run(regated, index)


def exit_status(run: Run) -> int:
    """Return what a command that gates *run* exits with.

    Returns:
        0 it passed or is inconclusive, 1 it failed, 2 it could not be judged: nothing was measured, or nothing of it
        is comparable with the baseline.
    """
    if run.outcome is Outcome.ERROR:
        return 2
    policy = Policy(strict=bool(run.settings.get("strict", False)))
    other_failures = [failure for failure in run.failures if not failure.startswith(_NOTHING_COMPARED)]
    if other_failures or any(policy.fails(finding.verdict) for finding in run.findings):
        return 1
    measured = {finding.verdict for finding in run.findings if finding.measurement.value is not None}
    return 2 if run.failures or measured == {Verdict.INCOMPARABLE} else 0


def _judged_again(finding: Finding, baseline: Baseline, tolerance: float) -> Finding:
    """Judge the change of a finding anew; what else it says may only become worse."""
    if finding.verdict is Verdict.FAILED_TO_MEASURE:
        return replace(finding, change=None)
    measurement = finding.measurement
    judged = judge(measurement, finding.checks, baseline.compare(measurement, tolerance=tolerance))
    if finding.verdict is Verdict.OVER_BUDGET and judged.verdict is not Verdict.OVER_BUDGET:
        return replace(finding, change=judged.change)  # one of several merged runs, or a plugin, said so
    return replace(judged, warnings=_added(judged.warnings, *finding.warnings))


def _not_measured(old: Measurement, said: Comparison) -> Measurement:
    """Stand in for a case of the baseline that this run did not measure."""
    return Measurement(
        case=old.case,
        unit=old.unit,
        better=old.better,
        statistic=old.statistic,
        show_as=old.show_as,
        extra={key: value for key, value in old.extra.items() if key == "target"},
        error=said.reason,
    )


def _notes(run: Run, alone: Unmatched, baseline: Baseline) -> Iterator[str]:
    """Count what was not compared."""
    incomparable = sum(finding.verdict is Verdict.INCOMPARABLE for finding in run.findings)
    counts = {
        "missing here": len(alone.missing),
        "new": len(alone.new),
        "renamed by the looks of it": len(alone.renames),
        "incomparable": incomparable,
    }
    said = [f"{count} {what}" for what, count in counts.items() if count]
    if said:
        yield f"{_COMPARED_WITH}{baseline.against}: {', '.join(said)}"
    if run.started == baseline.run.started and _samples(run) == _samples(baseline.run):
        yield f"{_COMPARED_WITH}{baseline.against}: it is this very run, so the comparison says nothing"
    failing = sum(Policy().fails(finding.verdict) for finding in baseline.run.findings)
    if failing:
        yield f"{_COMPARED_WITH}{baseline.against}: {_cases(failing)} of it failed when it was recorded"


def _samples(run: Run) -> dict[str, tuple[float, ...]]:
    return {case_id: measurement.samples for case_id, measurement in measurements_of(run).items()}


def _failures(here: Iterable[Measurement], baseline: Baseline, expected: Callable[[Case], bool]) -> Iterator[str]:
    """Fail a comparison in which not one case met its counterpart."""
    stored = [measurement for measurement in baseline.measurements.values() if measurement.value is not None]
    wanted = [measurement.case.id for measurement in stored if expected(measurement.case)]
    ids = {measurement.case.id for measurement in here}
    if not stored:
        yield f"{_NOTHING_COMPARED}: {baseline.against} holds no measured case; record it again"
    elif wanted and ids.isdisjoint(wanted):
        yield (
            f"{_NOTHING_COMPARED}: none of the {_cases(len(wanted))} of {baseline.against} is in this run; "
            "check that it is the baseline of this suite, or record a new one"
        )


def _cases(count: int) -> str:
    return f"{count} case" + ("" if count == 1 else "s")


def _added(texts: Iterable[str], *more: str) -> tuple[str, ...]:
    """Append what is not there yet."""
    return tuple(dict.fromkeys((*texts, *more)))
