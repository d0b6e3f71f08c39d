"""Whether the job fails: the policies of the user held against what a run came to; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pytest_perfgate.ci.plan import BASE, Plan
from pytest_perfgate.ci.settling import ERROR, FAIL, INCONCLUSIVE, NO_BASELINE, PASS, TESTS_FAILED, Settled
from pytest_perfgate.model import Outcome, Run

_FAILED, _COULD_NOT_JUDGE = 1, 2
_TOLERATED = "tolerated by fail-on-regression: false"


class Conclusion(NamedTuple):
    """How the job ends."""

    exit_status: int
    """0, 1 failed, 2 could not judge."""
    level: str
    """Of the annotation: ``error``, ``warning`` or ``notice``."""
    line: str


def conclude(plan: Plan, settled: Settled) -> Conclusion:  # noqa: PLR0911  # one for each status
    """Hold the policies against what a run came to.

    Args:
        plan: Holds the policies.
        settled: What the run came to.
    """
    said = settled.sentence
    if settled.status == PASS:
        return Conclusion(0, "notice", f"perfgate: passed ({said})")
    if settled.status == INCONCLUSIVE:
        return Conclusion(0, "warning", f"perfgate: inconclusive ({said}); with strict: true this fails")
    if settled.status == NO_BASELINE:
        return _without_baseline(plan, said)
    if is_tolerated(plan, settled):
        return Conclusion(0, "warning", f"perfgate: {said}; {_TOLERATED}")
    if settled.status == FAIL:
        return Conclusion(_FAILED, "error", f"perfgate: FAILED: {said}")
    if settled.status == TESTS_FAILED:
        return Conclusion(_FAILED, "error", f"perfgate: tests failed: {said}; no performance verdict failed")
    word = "could not judge" if settled.status == ERROR else f"unknown status {settled.status!r}"
    return Conclusion(_COULD_NOT_JUDGE, "error", f"perfgate: {word}: {said}")


def is_tolerated(plan: Plan, settled: Settled) -> bool:
    """Tell whether the report says fail and the job does not."""
    return settled.status == FAIL and settled.nothing_but_regressions and not plan.fail_on_regression


def told(plan: Plan, settled: Settled, run: Run) -> Run:
    """Let the report of a run say how the job ends: a comment, perhaps made elsewhere, has nothing but the report.

    Args:
        plan: Holds the policies.
        settled: What the run came to.
        run: As pytest stored it; it knows neither failed tests nor what was to be compared.

    Returns:
        The run, which fails where the job does, and remarks what was accepted: regressions, or no comparison.
    """
    if conclude(plan, settled).exit_status:
        decided = run.outcome in (Outcome.FAIL, Outcome.ERROR)
        return run if decided else replace(run, failures=(*run.failures, settled.sentence))
    if is_tolerated(plan, settled):
        return replace(run, notes=(*run.notes, f"{settled.sentence}; {_TOLERATED}"))
    if settled.status == NO_BASELINE:
        return replace(run, notes=(*run.notes, settled.sentence), settings={**run.settings, "comparison": "none"})
    return run


def _without_baseline(plan: Plan, said: str) -> Conclusion:
    """Nothing compared is a pass only where somebody said so."""
    if plan.missing_baseline == "fail" or plan.compare == BASE:
        # Nobody compared it, but without a first baseline every later run would fail as well.
        stored = "; its tests and budgets passed, so it is stored: the next run compares with it"
        return Conclusion(_FAILED, "error", f"perfgate: FAILED: {said}{stored if plan.records else ''}")
    more = "; this run becomes the baseline" if plan.records else ""
    if plan.missing_baseline == "pass":
        return Conclusion(0, "notice", f"perfgate: {said}{more}; accepted by missing-baseline: pass")
    return Conclusion(0, "warning", f"perfgate: {said}{more}; budgets were judged")
