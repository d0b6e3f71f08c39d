"""What the report of a run says once the job has ended: never a pass where the job is red."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import make_change, make_finding, make_measurement, make_run

from pytest_perfgate.ci.plan import Plan
from pytest_perfgate.ci.settling import Settled
from pytest_perfgate.ci.verdict import told
from pytest_perfgate.model import Outcome, Verdict
from pytest_perfgate.reports import github, markdown

CACHE = Plan(compare="cache", baseline="/b.json", cache_prefix="p-", working_directory="/w", report_dir="/r")


def run_of(verdict, **fields):
    finding = make_finding(make_measurement("t.py::t"), verdict, "why", change=make_change(1.0))
    return make_run(finding, **{"settings": {"strict": False}, "notes": (), "failures": (), **fields})


@pytest.mark.parametrize(
    ("status", "policy"), [("no-baseline", "fail"), ("tests-failed", "pass"), ("error", "pass"), ("nonsense", "pass")]
)
def test_a_run_that_passed_by_itself_fails_with_the_job_and_says_why(status, policy):
    run = told(
        replace(CACHE, missing_baseline=policy),
        Settled(status=status, sentence="the reason", exit_code=0),
        run_of(Verdict.PASS),
    )
    assert run.outcome is Outcome.FAIL
    assert run.failures == ("the reason",)


def test_that_nothing_was_compared_is_told_where_it_is_accepted():
    run = told(CACHE, Settled(status="no-baseline", sentence="nothing was", exit_code=0), run_of(Verdict.PASS))
    assert (run.outcome, run.notes, run.failures) == (Outcome.PASS, ("nothing was",), ())
    assert markdown.render(run).startswith("## ⚠️ perfgate: nothing was compared; budgets pass\n")
    assert "perfgate: pass" not in github.render(run)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("pass", Verdict.PASS), ("inconclusive", Verdict.INCONCLUSIVE), ("fail", Verdict.REGRESSED)],
)
def test_a_run_that_says_it_by_itself_stays_as_it_is(status, verdict):
    run = run_of(verdict)
    assert told(CACHE, Settled(status=status, sentence="x", exit_code=0), run) == run
