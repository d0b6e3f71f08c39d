"""Tests that replace or freeze the clock, and numbers that cannot be: a budget is judged on the real time, or fails."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from pytest_perfgate.gate import judge_test
from pytest_perfgate.model import Better, Case, Measurement, Verdict
from pytest_perfgate.plugin import transport

FROZEN = """
    import time
    import freezegun

    @pytest.fixture
    def frozen():
        with freezegun.freeze_time("2020-02-02"):
            yield

    @pytest.mark.budget(ns=1)
    def test_frozen(frozen): pass

    @pytest.mark.budget(ns=1, rounds=2)
    def test_replaced(monkeypatch):
        monkeypatch.setattr(time, "perf_counter_ns", lambda: 0)
        monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
        monkeypatch.setattr(time, "monotonic", lambda: 0.0)

    @pytest.mark.budget(ns=1)
    def test_measured(perf, frozen): perf(sum, [1, 2, 3])

    @pytest.mark.budget(s=100)
    def test_good(): pass
"""

ODD = """
    from pytest_perfgate.plugin import call_phase

    @pytest.mark.budget(s=100)
    def test_odd(monkeypatch):
        monkeypatch.setattr(call_phase, "PERF_COUNTER", lambda: 0)

    @pytest.mark.budget(s=100)
    def test_good(): pass
"""


def test_a_test_that_stops_the_clock_does_not_stop_that_of_its_budget(project, setting):
    project.test(FROZEN)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    assert run.verdicts == {
        "test_frozen#call": "over-budget",
        "test_replaced#call": "over-budget",
        "test_measured#perf": "over-budget",
        "test_good#call": "pass",
    }


def test_a_time_that_cannot_be_fails_its_test_and_no_other(project, setting):
    project.test(ODD)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    assert run.verdicts == {"test_odd#call": "failed-to-measure", "test_good#call": "pass"}
    assert "a clock went backwards" in run.cases["test_odd#call"]["reason"]


def test_a_finding_that_cannot_be_unpacked_is_one_that_failed_to_measure():
    finding = judge_test(
        "test_it.py::test_odd",
        None,
        [Measurement(case=Case("test_it.py::test_odd", "call"), unit="s", better=Better.LOWER, value=1.0)],
        baseline=None,
        tolerance=0.05,
    )[0]
    odd = [
        replace(finding, measurement=replace(finding.measurement, value=number)) for number in (-1.0, float("nan"), 1.0)
    ]
    report = SimpleNamespace()
    transport.attach(report, odd)
    found = transport.detach(report)
    assert [one.case for one in found] == [finding.case] * 3
    assert [one.verdict is Verdict.FAILED_TO_MEASURE for one in found] == [True, True, False]
    assert "a time should not be negative" in found[0].reason
