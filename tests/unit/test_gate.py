"""Budgets, comparison and judge put together for one test and for a whole run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    empty_run,
    every_verdict_run,
    make_check,
    make_finding,
    make_machine,
    make_measurement,
    make_python,
    make_run,
)

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.gate import Baseline, complete_run, exit_status, judge_test, regate
from pytest_perfgate.model import Outcome, Verdict

TEST = "tests/test_a.py::test_parse"


def measured(metric="perf", value=0.1, *, test=TEST, **fields):
    return make_measurement(test, metric, value=value, **fields)


def counted(value, test=TEST, **fields):
    return make_measurement(test, "queries", value=value, unit="count", samples=(value,), interval=None, **fields)


def run_of(*measurements, **fields):
    return make_run(*(make_finding(one) for one in measurements), **fields)


def baseline_of(*measurements, **fields):
    return Baseline(
        run_of(*measurements, **fields),
        against="base.json",
        machine=make_machine(),
        python=make_python(),
        profile="standard",
    )


def budget(*args, **kwargs):
    return parse_marker(args, kwargs).budget


# -- one test


def test_each_measurement_gets_a_finding_with_the_limits_that_speak_of_it():
    findings = judge_test(TEST, budget(ms=50), [measured(), counted(3.0)])
    assert [finding.verdict for finding in findings] == [Verdict.OVER_BUDGET, Verdict.PASS]
    assert [len(finding.checks) for finding in findings] == [1, 0]


def test_a_test_without_a_budget_passes_with_its_number():
    (finding,) = judge_test(TEST, None, [measured()])
    assert finding.verdict is Verdict.PASS
    assert finding.checks == ()
    assert judge_test(TEST, None, []) == ()


def test_a_limit_on_what_was_not_measured_is_a_finding_of_its_own():
    findings = judge_test(TEST, budget("cache_hit_rate > 85%", ms=400), [measured()])
    assert [finding.case.metric for finding in findings] == ["perf", "cache_hit_rate"]
    extra = findings[1]
    assert extra.verdict is Verdict.FAILED_TO_MEASURE
    assert extra.measurement.value is None
    assert "limits something this test did not measure" in extra.reason
    assert [check.observed for check in extra.checks] == [None]


def test_limits_on_a_test_that_measured_nothing_become_one_finding():
    (finding,) = judge_test(TEST, budget(ms=400, mb=64), [])
    assert finding.case.metric == "budget"
    assert len(finding.checks) == 2
    assert finding.reason.count("limits something") == 2


def test_a_limit_that_misses_its_values_does_not_take_the_place_of_the_case():
    single = measured(samples=(0.1,), interval=None)
    findings = judge_test(TEST, budget("perf stddev < 5ms"), [single])
    assert [finding.case.metric for finding in findings] == ["perf", "budget"]
    assert findings[1].verdict is Verdict.FAILED_TO_MEASURE


def test_a_measurement_that_failed_is_the_only_thing_said_of_its_limits():
    findings = judge_test(TEST, budget(ms=400), [measured(value=None, error="it hung")])
    assert [(finding.verdict, finding.case.metric) for finding in findings] == [(Verdict.FAILED_TO_MEASURE, "perf")]


def test_each_measurement_is_compared_with_its_own_case():
    baseline = baseline_of(counted(12.0), measured())
    findings = judge_test(TEST, None, [counted(13.0), measured(metric="call")], baseline=baseline)
    assert [finding.verdict for finding in findings] == [Verdict.REGRESSED, Verdict.NO_BASELINE]
    assert findings[0].change.against == "base.json"


def test_the_tolerance_of_the_test_is_stronger_than_that_of_the_run():
    baseline = baseline_of(counted(12.0))
    tolerant = counted(13.0, extra={"max_regression": 0.1})
    for tolerance in (0.01, 0.5):
        (finding,) = judge_test(TEST, None, [tolerant], baseline=baseline, tolerance=tolerance)
        assert (finding.verdict, finding.change.tolerance) == (Verdict.PASS, 0.1)
    (finding,) = judge_test(TEST, None, [counted(13.0)], baseline=baseline, tolerance=0.09)
    assert finding.verdict is Verdict.PASS


def test_a_baseline_of_another_machine_is_incomparable_and_says_why():
    baseline = baseline_of(counted(12.0), machine=make_machine(cpu="Other"))
    (finding,) = judge_test(TEST, None, [counted(13.0)], baseline=baseline)
    assert finding.verdict is Verdict.INCOMPARABLE
    assert "Other, 4 cores; this is Example CPU 3000, 4 cores" in finding.reason
    assert baseline.incomparable in finding.reason


# -- the whole run, live


def completed(run, baseline, **options):
    return complete_run(run, baseline, **options)


def verdicts(run):
    return {finding.case.test.rpartition("::")[2]: finding.verdict for finding in run.findings}


def test_missing_cases_are_added_and_counted():
    baseline = baseline_of(counted(1.0), counted(1.0, "tests/test_a.py::test_gone", extra={"target": "app"}))
    run = completed(run_of(counted(1.0)), baseline)
    assert verdicts(run) == {"test_parse": Verdict.PASS, "test_gone": Verdict.MISSING}
    gone = run.findings[-1]
    assert gone.reason.startswith('queries of "app" is missing: base.json has it (1), this run did not measure it')
    assert gone.measurement.value is None
    assert (gone.measurement.unit, gone.measurement.samples) == ("count", ())
    assert run.notes == ("compared with base.json: 1 missing here",)
    assert run.failures == ()
    assert run.outcome is Outcome.INCONCLUSIVE


def test_a_renamed_case_says_so_on_both_sides_and_keeps_its_warnings():
    baseline = baseline_of(counted(1.0), counted(1.0, "tests/test_a.py::test_render"))
    new = make_finding(
        counted(1.0, "tests/test_b.py::test_render"), Verdict.NO_BASELINE, "new", warnings=("a plugin's remark",)
    )
    run = completed(make_run(make_finding(counted(1.0)), new), baseline)
    assert "looks renamed from tests/test_a.py::test_render#queries" in run.findings[1].reason
    assert run.findings[1].warnings == ("a plugin's remark",)
    assert "looks renamed to tests/test_b.py::test_render#queries" in run.findings[2].reason
    assert run.notes == ("compared with base.json: 1 missing here, 1 new, 1 renamed by the looks of it",)


def test_a_case_over_its_budget_keeps_its_reason_when_it_is_renamed():
    new = make_finding(counted(9.0, "tests/test_b.py::test_render"), Verdict.OVER_BUDGET, "over")
    run = completed(make_run(new), baseline_of(counted(1.0, "tests/test_a.py::test_render")))
    assert run.findings[0].reason == "over"


def test_a_comparison_that_compared_nothing_fails():
    run = completed(run_of(counted(1.0)), baseline_of(counted(1.0, "tests/test_a.py::other"), counted(2.0, "a::b")))
    (failure,) = run.failures
    assert failure == (
        "nothing could be compared: none of the 2 cases of base.json is in this run; "
        "check that it is the baseline of this suite, or record a new one"
    )
    assert run.outcome is Outcome.FAIL


def test_an_empty_baseline_fails():
    run = completed(run_of(counted(1.0)), baseline_of(measured(value=None)))
    assert run.failures == ("nothing could be compared: base.json holds no measured case; record it again",)


def test_a_part_of_the_suite_misses_only_its_own():
    baseline = baseline_of(counted(1.0, "tests/test_b.py::test_b"), counted(1.0, "tests/test_a.py::test_gone"))
    run = completed(run_of(counted(1.0)), baseline, expected=lambda case: False)
    assert verdicts(run) == {"test_parse": Verdict.PASS}
    assert run.failures == ()
    run = completed(run_of(counted(1.0)), baseline, expected=lambda case: "test_a.py" in case.test)
    assert verdicts(run) == {"test_parse": Verdict.PASS, "test_gone": Verdict.MISSING}
    assert "none of the 1 case of base.json" in run.failures[0]


def test_a_case_that_failed_here_met_its_counterpart_all_the_same():
    failed = make_finding(measured(value=None), Verdict.FAILED_TO_MEASURE)
    run = completed(make_run(failed, make_finding(counted(1.0))), baseline_of(measured()))
    assert run.failures == ()
    assert Verdict.MISSING not in verdicts(run).values()


def test_an_incomparable_baseline_misses_nothing_and_is_noted():
    baseline = baseline_of(counted(1.0, "a::gone"), profile="ci")
    run = completed(run_of(counted(1.0)), baseline)
    assert len(run.findings) == 1
    assert run.failures == ()
    assert run.notes == (f"compared with base.json: {baseline.incomparable}",)


def test_a_baseline_that_had_failed_itself_is_noted():
    stored = make_run(make_finding(counted(1.0), Verdict.OVER_BUDGET))
    baseline = Baseline(stored, against="base.json", machine=make_machine(), python=make_python(), profile="standard")
    run = completed(run_of(counted(1.0), started="later"), baseline)
    assert run.notes == ("compared with base.json: 1 case of it failed when it was recorded",)


def test_a_run_compared_with_itself_is_noted():
    same = run_of(counted(1.0))
    assert regated(same, same).notes == (
        "compared with base.json: it is this very run, so the comparison says nothing",
    )
    assert regated(same, replace(same, started="earlier")).notes == ()


# -- a stored run


def regated(run, baseline, *, tolerance=0.05, strict=False):
    return regate(run, baseline, against="base.json", tolerance=tolerance, strict=strict)


def test_without_a_baseline_the_stored_verdicts_stand():
    run = every_verdict_run()
    again = regated(run, None)
    assert again.findings == run.findings
    assert exit_status(again) == 1


def test_strict_is_a_matter_of_the_gate_not_of_the_recording():
    unsure = make_run(make_finding(measured(), Verdict.INCONCLUSIVE))
    assert exit_status(regated(unsure, None)) == 0
    assert exit_status(regated(unsure, None, strict=True)) == 1
    recorded = replace(unsure, settings={"strict": True})
    assert exit_status(regated(recorded, None)) == 0


def test_changes_are_judged_against_the_baseline_given():
    run = regated(run_of(counted(13.0), measured(test="a::test_new")), run_of(counted(12.0)))
    assert verdicts(run) == {"test_parse": Verdict.REGRESSED, "test_new": Verdict.NO_BASELINE}
    assert exit_status(run) == 1
    assert run.settings["baseline"] == "base.json"
    assert run.settings["max_regression"] == 0.05
    assert verdicts(regated(run, run_of(counted(12.0)), tolerance=0.1))["test_parse"] is Verdict.PASS


def test_judging_again_replaces_everything_an_earlier_comparison_said():
    run = run_of(counted(12.0))
    wrong = regated(run, run_of(counted(12.0, "a::other"), started="earlier"))
    assert wrong.failures
    assert wrong.notes
    right = regated(wrong, run_of(counted(12.0), started="earlier"))
    assert right == regated(run, run_of(counted(12.0), started="earlier"))
    assert (right.failures, right.notes, len(right.findings)) == ((), (), 1)


def test_notes_and_failures_of_the_session_itself_stay():
    run = run_of(counted(12.0), notes=("no profile matched",), failures=("a worker crashed",))
    again = regated(run, run_of(counted(12.0), started="earlier"))
    assert again.notes == ("no profile matched",)
    assert again.failures == ("a worker crashed",)


def test_a_broken_limit_stays_broken_and_is_joined_by_the_regression():
    over = make_finding(counted(13.0), Verdict.OVER_BUDGET, checks=(make_check(10.0, 13.0, unit="count"),))
    run = regated(make_run(over), run_of(counted(12.0)))
    (finding,) = run.findings
    assert finding.verdict is Verdict.OVER_BUDGET
    assert "regressed: +8.3 %" in finding.reason
    assert finding.change.tolerance == 0.05


def test_a_verdict_that_came_from_elsewhere_is_never_softened():
    merged = make_finding(counted(12.0), Verdict.OVER_BUDGET, "in 1 of 3 runs: over")
    (finding,) = regated(make_run(merged), run_of(counted(12.0))).findings
    assert (finding.verdict, finding.reason) == (Verdict.OVER_BUDGET, "in 1 of 3 runs: over")
    assert finding.change.ratio == 1.0
    failed = make_finding(counted(12.0), Verdict.FAILED_TO_MEASURE, "in 1 of 3 runs: it hung")
    (finding,) = regated(make_run(failed), run_of(counted(12.0))).findings
    assert (finding.verdict, finding.reason) == (Verdict.FAILED_TO_MEASURE, "in 1 of 3 runs: it hung")


def test_remarks_of_plugins_survive_another_judgement_once():
    remarked = make_finding(counted(12.0), warnings=("a remark",))
    once = regated(make_run(remarked), run_of(counted(12.0)))
    assert regated(once, run_of(counted(12.0))).findings[0].warnings == ("a remark",)


def test_a_stored_tolerance_of_a_test_is_honoured():
    run = run_of(counted(13.0, extra={"max_regression": 0.1}))
    assert verdicts(regated(run, run_of(counted(12.0)), tolerance=0.01)) == {"test_parse": Verdict.PASS}


def test_the_order_of_cases_changes_no_verdict():
    cases = [counted(10.0 + i, f"a::test_{i}") for i in range(6)]
    base = run_of(*(counted(11.0, f"a::test_{i}") for i in range(6)))
    forwards = regated(run_of(*cases), base)
    backwards = regated(run_of(*cases[::-1]), replace(base, findings=base.findings[::-1]))
    assert verdicts(forwards) == verdicts(backwards)
    assert set(verdicts(forwards).values()) == {Verdict.IMPROVED, Verdict.PASS, Verdict.REGRESSED}


# -- exit status


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (make_run(make_finding()), 0),
        (make_run(make_finding(verdict=Verdict.IMPROVED), make_finding(verdict=Verdict.NO_BASELINE)), 0),
        (make_run(make_finding(verdict=Verdict.INCONCLUSIVE)), 0),
        (make_run(make_finding(verdict=Verdict.INCOMPARABLE)), 2),
        (make_run(make_finding(verdict=Verdict.INCOMPARABLE), make_finding()), 0),
        (make_run(make_finding(verdict=Verdict.INCOMPARABLE), settings={"strict": True}), 1),
        (make_run(make_finding(verdict=Verdict.INCOMPARABLE), make_finding(verdict=Verdict.OVER_BUDGET)), 1),
        (make_run(make_finding(verdict=Verdict.REGRESSED)), 1),
        (make_run(make_finding(), failures=("nothing could be compared",)), 2),
        (make_run(make_finding(), failures=("nothing could be compared", "a worker crashed")), 1),
        (make_run(), 2),
        (empty_run(), 2),
        (every_verdict_run(), 1),
    ],
)
def test_the_exit_status_is_0_passed_1_failed_2_could_not_judge(run, status):
    assert exit_status(run) == status


def test_a_baseline_of_another_machine_cannot_be_judged():
    run = regated(run_of(counted(12.0)), run_of(counted(12.0), machine=make_machine(cpu="Other")))
    assert exit_status(run) == 2
