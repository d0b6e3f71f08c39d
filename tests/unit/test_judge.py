"""The verdict on one case and the sentence that goes with it."""

from __future__ import annotations

import itertools

import pytest
from builders import make_change, make_check, make_measurement

from pytest_perfgate.judge import judge, judge_change
from pytest_perfgate.model import Better, Comparison, Operator, Verdict

TEST = "tests/test_a.py::test_parse"


def measured(value=0.312, metric="perf", **fields):
    return make_measurement(TEST, metric, value=value, **fields)


def within(**fields):
    return make_check(0.4, 0.312, **fields)


def over(limit=0.3, observed=0.312, **fields):
    return make_check(limit, observed, reason=f"median {observed * 1000:g} ms > {limit * 1000:g} ms", **fields)


def unmeasured():
    return make_check(0.4, None, reason='"cpu <= 400ms" limits something this test did not measure')


def undecidable():
    return make_check(
        3.0,
        1.9,
        expression="speedup >= 3",
        unit="ratio",
        operator=Operator.GE,
        holds=False,
        reason="speedup 1.9 < 3",
        undecidable="this machine can give at most 2: 2 cores for 4 workers",
    )


def forbidden():
    return make_check(
        None,
        None,
        expression="forbid numpy",
        operator=None,
        unit="",
        holds=False,
        reason="imports numpy, which the budget forbids",
    )


def says(verdict, reason="because"):
    return Comparison(verdict=verdict, reason=reason)


def moved(ratio, width=0.01, **fields):
    return Comparison(change=make_change(ratio, interval=(ratio - width, ratio + width), **fields))


# -- which verdict


@pytest.mark.parametrize(
    ("measurement", "checks", "comparison", "verdict"),
    [
        (measured(), (), None, Verdict.PASS),
        (measured(), (within(),), None, Verdict.PASS),
        (measured(), (within(), over()), None, Verdict.OVER_BUDGET),
        (measured(), (forbidden(),), None, Verdict.OVER_BUDGET),
        (measured(), (unmeasured(),), None, Verdict.FAILED_TO_MEASURE),
        (measured(), (over(), unmeasured()), None, Verdict.OVER_BUDGET),
        (measured(), (undecidable(),), None, Verdict.INCONCLUSIVE),
        (measured(), (undecidable(), over()), None, Verdict.OVER_BUDGET),
        (measured(None), (), None, Verdict.FAILED_TO_MEASURE),
        (measured(None), (over(),), moved(2.0), Verdict.FAILED_TO_MEASURE),
        (measured(None), (), says(Verdict.MISSING), Verdict.MISSING),
        (measured(doubt="throttled"), (), None, Verdict.INCONCLUSIVE),
        (measured(doubt="throttled"), (over(),), moved(2.0), Verdict.INCONCLUSIVE),
        (measured(doubt="throttled"), (unmeasured(),), None, Verdict.FAILED_TO_MEASURE),
        (measured(), (), moved(2.0), Verdict.REGRESSED),
        (measured(), (over(),), moved(2.0), Verdict.OVER_BUDGET),
        (measured(), (unmeasured(),), moved(2.0), Verdict.FAILED_TO_MEASURE),
        (measured(), (undecidable(),), moved(2.0), Verdict.REGRESSED),
        (measured(), (undecidable(),), moved(1.05), Verdict.INCONCLUSIVE),
        (measured(), (within(),), moved(1.05), Verdict.INCONCLUSIVE),
        (measured(), (within(),), moved(1.0), Verdict.PASS),
        (measured(), (within(),), moved(0.5), Verdict.IMPROVED),
        (measured(), (over(),), moved(0.5), Verdict.OVER_BUDGET),
        *(
            (measured(), (within(),), says(verdict), verdict)
            for verdict in (
                Verdict.NO_BASELINE,
                Verdict.INCOMPARABLE,
                Verdict.INCONCLUSIVE,
                Verdict.REGRESSED,
                Verdict.IMPROVED,
            )
        ),
        (measured(), (over(),), says(Verdict.INCOMPARABLE), Verdict.OVER_BUDGET),
        (measured(), (), Comparison(), Verdict.PASS),
    ],
)
def test_the_first_verdict_that_applies_is_given_with_a_reason(measurement, checks, comparison, verdict):
    finding = judge(measurement, checks, comparison)
    assert finding.verdict is verdict
    assert finding.reason.strip()
    assert finding.checks == checks
    assert finding.change is (comparison.change if comparison else None)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.051, 1.2, Verdict.REGRESSED),
        (1.05, 1.2, Verdict.INCONCLUSIVE),
        (0.9, 1.051, Verdict.INCONCLUSIVE),
        (0.5, 1.2, Verdict.INCONCLUSIVE),
        (0.9, 1.05, Verdict.PASS),
        (1.05, 1.05, Verdict.PASS),
        (0.96, 1.0, Verdict.PASS),
        (0.9, 0.953, Verdict.PASS),
        (0.9, 0.952, Verdict.IMPROVED),
        (0.952, 0.952, Verdict.IMPROVED),
    ],
)
def test_a_change_is_judged_by_its_whole_interval(low, high, verdict):
    change = make_change((low * high) ** 0.5, interval=(low, high), tolerance=0.05)
    assert judge_change(change) is verdict
    # A higher number is worse by as much as its reciprocal is.
    mirrored = make_change(1 / change.ratio, interval=(1 / high, 1 / low), tolerance=0.05, better=Better.HIGHER)
    assert judge_change(mirrored) is verdict


def test_exactly_the_tolerance_is_within_it_whatever_floats_make_of_it():
    ratio = 105 / 100
    assert ratio - 1 > 0.05
    assert judge_change(make_change(ratio, interval=(ratio, ratio), tolerance=0.05)) is Verdict.PASS


def test_without_tolerance_any_proven_worsening_regresses_and_none_passes():
    assert judge_change(make_change(1.001, interval=(1.0005, 1.002), tolerance=0.0)) is Verdict.REGRESSED
    assert judge_change(make_change(1.0, interval=(1.0, 1.0), tolerance=0.0)) is Verdict.PASS
    assert judge_change(make_change(0.999, interval=(0.998, 0.9995), tolerance=0.0)) is Verdict.IMPROVED


# -- what it says


def reason(measurement, checks=(), comparison=None):
    return judge(measurement, checks, comparison).reason


def test_over_budget_says_what_against_which_limit_on_which_evidence():
    command = measured(
        0.412,
        "startup.command",
        extra={"target": "app --version"},
        samples=(0.412,) * 20,
        interval=(0.405, 0.421),
    )
    assert reason(command, (over(0.4, 0.412, profile="ci"),)) == (
        'startup of "app --version" is over budget: median 412 ms > 400 ms '
        "(profile ci, 20 rounds, 95 % interval 405\N{EN DASH}421 ms)"
    )


def test_over_budget_without_evidence_has_no_parentheses():
    single = measured(0.412, samples=(0.412,), interval=None)
    assert reason(single, (over(0.4, 0.412),)) == "test_parse is over budget: median 412 ms > 400 ms"


def test_every_broken_limit_is_named_the_worst_first():
    said = reason(measured(interval=None, samples=()), (within(), over(0.3), over(0.1)))
    assert said == "test_parse is over budget: median 312 ms > 100 ms; also median 312 ms > 300 ms"


def test_evidence_names_merged_processes_and_writes_units_of_an_interval_that_spans_them():
    merged = measured(1.2, samples=(1.0, 1.4), interval=(0.98, 1.4), processes=(1.0, 1.4))
    assert reason(merged, (over(1.0, 1.2),)).endswith("(2 rounds, 2 processes, 95 % interval 980 ms \N{EN DASH} 1.4 s)")


def test_an_interval_that_the_check_itself_mentions_is_not_said_twice():
    check = make_check(0.3, 0.312, reason="median 312 ms > 300 ms; its 95 % interval 290 to 330 ms includes the limit")
    assert reason(measured(), (check,)).count("interval") == 1


def test_a_check_without_words_of_its_own_is_put_into_words():
    assert "median 312 ms, not median <= 300ms" in reason(measured(), (make_check(0.3, 0.312),))


def test_a_forbidden_module_is_over_budget_in_its_own_words():
    assert "is over budget: imports numpy, which the budget forbids" in reason(measured(), (forbidden(),))


def test_regressed_says_how_much_with_which_certainty_against_what():
    change = make_change(1.082, interval=(1.061, 1.104), confidence=0.999, against="3f2c1ab", processes=10)
    assert reason(measured(), (), Comparison(change=change)) == (
        "test_parse regressed: +8.2 % (99.9 % interval +6.1 … +10.4 %, tolerance 5 %) against 3f2c1ab, 10 processes"
    )


def test_a_paired_change_counts_its_pairs():
    change = make_change(1.082, interval=(1.061, 1.104), processes=16, pairs=640)
    assert reason(measured(), (), Comparison(change=change)).endswith("against base.json, 8 process pairs, 640 pairs")


def test_an_exact_change_says_so():
    change = make_change(13 / 12, interval=(13 / 12, 13 / 12))
    assert "regressed: +8.3 % (exact, tolerance 5 %) against" in reason(measured(), (), Comparison(change=change))


def test_a_fall_of_what_should_be_high_keeps_its_sign():
    pool = measured(2.0, "speedup", unit="ratio", better=Better.HIGHER, show_as="x")
    change = make_change(0.8, interval=(0.78, 0.82), better=Better.HIGHER)
    assert reason(pool, (), Comparison(change=change)).startswith(
        "speedup of test_parse regressed: -20.0 % (99 % interval -22.0 … -18.0 %, tolerance 5 %)"
    )


def test_a_small_tolerance_is_written_with_more_digits():
    change = make_change(1.0123, interval=(1.0111, 1.0135), tolerance=0.002)
    assert "+1.23 % (99 % interval +1.11 … +1.35 %, tolerance 0.2 %)" in reason(
        measured(), (), Comparison(change=change)
    )


def test_over_budget_and_regressed_says_both():
    said = reason(measured(), (over(),), moved(2.0))
    assert said.startswith("test_parse is over budget: ")
    assert "; test_parse regressed: +100.0 %" in said


def test_inconclusive_says_what_the_interval_includes_and_what_would_settle_it():
    change = make_change(1.04, interval=(0.99, 1.09), doubt="about 12 more runs of each would settle it")
    assert reason(measured(), (), Comparison(change=change)) == (
        "test_parse inconclusive: the 99 % interval -1.0 … +9.0 % against base.json includes the tolerance of 5 %; "
        "about 12 more runs of each would settle it"
    )


def test_an_interval_without_bounds_is_not_written_out():
    change = make_change(1.04, interval=(0.001, 1000.0), doubt="so", pairs=6, processes=4, confidence=0.9)
    assert reason(measured(), (), Comparison(change=change)) == (
        "test_parse inconclusive: 2 process pairs, 6 pairs are too few to bound the change against base.json; so"
    )


def test_a_comparison_without_a_change_says_why_and_how_the_limits_stand():
    assert reason(measured(), (within(),), says(Verdict.NO_BASELINE, "base.json does not have it")) == (
        "test_parse has no baseline: base.json does not have it; median 312 ms <= 400 ms, 78 % of the budget"
    )
    assert reason(measured(), (), says(Verdict.INCOMPARABLE, "other CPU")) == "test_parse incomparable: other CPU"
    assert reason(measured(), (), says(Verdict.REGRESSED, "from 0 B to 3 B")) == "test_parse regressed: from 0 B to 3 B"
    assert reason(measured(None), (), says(Verdict.MISSING, "gone")) == "test_parse is missing: gone"


def test_improved_says_how_much():
    assert reason(measured(), (), moved(0.5)).startswith("test_parse improved: -50.0 % (99 % interval -51.0 … -49.0 %")


def test_a_pass_says_how_far_inside_its_tightest_limit_it_is():
    assert reason(measured(), (within(),)) == "median 312 ms <= 400 ms, 78 % of the budget"
    assert reason(measured(), (make_check(4.0, 0.312), within())) == (
        "median 312 ms <= 400 ms, 78 % of the budget (and 1 more)"
    )
    assert reason(measured(0.001), (make_check(0.4, 0.001),)).endswith("under 1 % of the budget")


def test_a_pass_of_a_lower_limit_or_a_ban_names_no_share():
    pool = make_check(2.5, 3.1, expression="speedup >= 2.5", unit="ratio", operator=Operator.GE, holds=True)
    assert reason(measured(3.1, "speedup", unit="ratio", show_as="x"), (pool,)) == "speedup 3.1x >= 2.5x"
    ban = make_check(None, None, expression="forbid numpy", operator=None, holds=True)
    assert reason(measured(), (ban,)) == "forbid numpy holds"


def test_percentages_are_written_as_such():
    rate = measured(0.93, "cache_hit_rate", unit="ratio", statistic="value", better=Better.HIGHER)
    check = make_check(0.85, 0.93, expression="cache_hit_rate > 85%", unit="ratio", operator=Operator.GT, holds=True)
    assert reason(rate, (check,)) == "cache_hit_rate 93 % > 85 %"


def test_a_pass_without_a_limit_says_the_number_and_that_there_is_none():
    assert reason(measured()) == "median 312 ms, no limit set"
    assert reason(measured(12.0, "queries", unit="count", statistic="value")) == "queries 12, no limit set"


def test_a_pass_says_how_the_change_came_out():
    change = make_change(1.01, interval=(1.0, 1.02))
    assert reason(measured(), (), Comparison(change=change)) == (
        "median 312 ms; +1.0 % (99 % interval +0.0 … +2.0 %, tolerance 5 %) against base.json, 2 processes"
    )


def test_what_could_not_be_measured_says_why():
    assert reason(measured(None, error="it hung")) == "test_parse could not be measured: it hung"
    assert reason(measured(), (unmeasured(),)) == (
        'test_parse failed to measure what its budget limits: "cpu <= 400ms" limits something this test did not measure'
    )


def test_what_this_machine_cannot_tell_says_so():
    assert reason(measured(1.9, "speedup", unit="ratio"), (undecidable(),)) == (
        "speedup of test_parse inconclusive: speedup 1.9 < 3, but this machine can give at most 2: "
        "2 cores for 4 workers"
    )
    assert reason(measured(doubt="it throttled")) == "test_parse inconclusive: it throttled"


@pytest.mark.parametrize(
    ("test", "metric", "name", "target", "subject"),
    [
        ("tests/test_a.py::TestX::test_b[a::b]", "perf", "", None, "test_b[a::b]"),
        ("tests/test_a.py::test_b", "call", "", None, "test_b"),
        ("tests/test_a.py::test_b", "perf", "parse", None, "test_b (parse)"),
        ("tests/test_a.py::test_b", "perf", "parse", "ignored", "test_b (parse)"),
        ("tests/test_a.py::test_b", "startup.command", "", "app -h", 'startup of "app -h"'),
        ("tests/test_a.py::test_b", "startup.command", "", 3, "startup command of test_b"),
        ("tests/test_a.py::test_b", "memory.growth", "big", None, "memory growth of test_b (big)"),
        ("tests/test_a.py::test_b", "cache_hit_rate", "", None, "cache_hit_rate of test_b"),
        ("parse_json", "perf", "", None, "parse_json"),
    ],
)
def test_the_subject_is_what_a_person_would_call_it(test, metric, name, target, subject):
    measurement = make_measurement(test, metric, name=name, value=None, extra={"target": target}, error="x")
    assert reason(measurement) == f"{subject} could not be measured: x"


# -- remarks


def test_remarks_of_limits_that_hold_become_warnings_after_those_of_the_measurement():
    close = within(reason="median 312 ms keeps to 400 ms, but its interval includes the limit")
    finding = judge(measured(warnings=("the clock is coarse",)), (close, over(), close))
    assert finding.warnings == ("the clock is coarse", close.reason)


def test_every_combination_has_one_verdict_and_a_reason():
    measurements = (measured(), measured(None), measured(doubt="x"))
    checks = ((), (within(),), (over(),), (unmeasured(),), (undecidable(),), (forbidden(),))
    comparisons = (None, *(says(verdict) for verdict in Verdict if verdict is not Verdict.PASS), moved(1), moved(2))
    allowed = {Verdict.NO_BASELINE, Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE, Verdict.REGRESSED, Verdict.IMPROVED}
    for measurement, some, comparison in itertools.product(measurements, checks, comparisons):
        if comparison and comparison.verdict and comparison.verdict not in allowed | {Verdict.MISSING}:
            continue  # compare never says these
        finding = judge(measurement, some, comparison)
        assert finding.verdict in Verdict
        assert finding.reason
        assert "None" not in finding.reason


@pytest.mark.parametrize(("ratio", "said"), [(1.05, "includes the tolerance"), (0.5, "improved: ")])
def test_a_limit_in_doubt_does_not_silence_the_comparison(ratio, said):
    finding = judge(measured(), (undecidable(),), moved(ratio))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "2 cores for 4 workers" in finding.reason
    assert said in finding.reason
