"""Where a paired comparison stands after some rounds, and what the null control says."""

from __future__ import annotations

import math

import pytest

from pytest_perfgate.errors import TooFewValuesError
from pytest_perfgate.judge import SequentialPolicy, null_control, stand, stands_out
from pytest_perfgate.judge.sequential import UNBOUNDED
from pytest_perfgate.model import Verdict

POLICY = SequentialPolicy(tolerance=0.05, cases=50)
#: Scatter of about 1 %, with median 0.
SCATTER = (0.002, -0.009, 0.012, 0.0, -0.004, 0.007, -0.014, 0.005, -0.002, 0.016, -0.007, 0.003, 0.009, -0.011)


def rounds(change, n, scatter=1.0):
    """Make up *n* rounds around a true relative change."""
    return [math.log1p(change) + scatter * SCATTER[i % len(SCATTER)] for i in range(n)]


def decided(change, policy=POLICY, scatter=1.0):
    """Look after every round; return the standing that decides and how many rounds it took."""
    for n in range(1, policy.most_rounds + 1):
        standing = stand(rounds(change, n, scatter), policy)
        if standing.verdict is not None:
            return standing, n
    raise AssertionError("the last word was never spoken")


@pytest.mark.parametrize(
    ("change", "verdict", "most"),
    [
        (0.0, Verdict.PASS, 6),
        (0.02, Verdict.PASS, 7),
        (0.08, Verdict.REGRESSED, 15),
        (1.0, Verdict.REGRESSED, 14),
        (-0.03, Verdict.PASS, 6),
        (-0.08, Verdict.IMPROVED, 10),
        (-0.5, Verdict.IMPROVED, 9),
    ],
)
def test_clear_changes_are_settled_in_few_rounds(change, verdict, most):
    standing, taken = decided(change)
    assert standing.verdict is verdict
    assert taken <= most
    assert math.expm1(standing.estimate) == pytest.approx(change, abs=0.01)
    assert standing.doubt == ""


def test_a_change_near_the_tolerance_takes_more_rounds():
    assert decided(0.06, scatter=2)[1] > decided(0.10, scatter=2)[1]
    assert decided(0.04)[1] > decided(0.02)[1]


@pytest.mark.parametrize("n", [1, 4])
def test_fewer_than_five_rounds_never_decide(n):
    for change in (0.0, 10.0, -0.9):
        standing = stand(rounds(change, n), POLICY)
        assert standing.verdict is None
        last = stand(rounds(change, n), POLICY, last=True)
        assert last.verdict is Verdict.INCONCLUSIVE
        assert "would settle it" in last.doubt
        assert last.interval == (-UNBOUNDED, UNBOUNDED)
        assert last.confidence == pytest.approx(0.90)


@pytest.mark.parametrize(("cases", "least"), [(1, 9), (10, 11), (50, 14), (500, 17), (5000, 21)])
def test_a_regression_takes_as_many_rounds_as_its_share_of_alpha_asks_for(cases, least):
    policy = SequentialPolicy(tolerance=0.05, cases=cases)
    assert policy.least_rounds == least
    assert decided(0.5, policy)[1] == least
    assert stand(rounds(0.5, least - 1), policy, last=True).verdict is Verdict.INCONCLUSIVE


def test_a_regression_stays_attainable_however_small_its_share_of_alpha():
    policy = SequentialPolicy(tolerance=0.05, cases=10**9, alpha=1e-6)
    assert policy.most_rounds >= 2 * policy.least_rounds > policy.rounds
    assert decided(0.5, policy)[0].verdict is Verdict.REGRESSED


def test_few_rounds_are_not_exceeded():
    policy = SequentialPolicy(tolerance=0.05, cases=1, rounds=18)
    assert policy.most_rounds == 18
    assert stand(rounds(0.05, 18), policy).verdict is Verdict.INCONCLUSIVE


def test_the_interval_of_a_pass_lies_below_the_tolerance():
    standing, _ = decided(0.03)
    assert standing.confidence == pytest.approx(0.90)
    assert standing.interval[1] < POLICY.limit


@pytest.mark.parametrize("change", [0.08, -0.08])
def test_the_interval_of_a_change_excludes_what_is_not_relevant(change):
    standing, _ = decided(change)
    assert standing.confidence == 0.99
    assert min(abs(end) for end in standing.interval) > 0.4 * POLICY.limit


def test_evidence_alone_is_no_regression_below_the_tolerance():
    standing = stand(rounds(0.035, 60, scatter=0.3), POLICY)
    assert standing.interval[0] > 0.4 * POLICY.limit
    assert standing.verdict is Verdict.PASS


@pytest.mark.parametrize("tolerance", [0.005, 0.03, 0.10, 0.50, 3.0])
def test_the_verdict_scales_with_the_tolerance(tolerance):
    policy = SequentialPolicy(tolerance=tolerance, cases=10)
    scatter = min(1.0, tolerance * 20)
    assert decided(0.0, policy, scatter)[0].verdict is Verdict.PASS
    assert decided(tolerance * 2, policy, scatter)[0].verdict is Verdict.REGRESSED
    assert decided(1 / (1 + tolerance * 2) - 1, policy, scatter)[0].verdict is Verdict.IMPROVED


def test_a_tolerance_of_a_tenth_of_a_percent_takes_more_rounds_and_little_noise():
    policy = SequentialPolicy(tolerance=0.001)
    passed, taken = decided(0.0, policy, scatter=0.02)
    assert (passed.verdict, taken > 10) == (Verdict.PASS, True)
    assert decided(0.002, policy, scatter=0.02)[0].verdict is Verdict.REGRESSED


def test_a_tolerance_below_the_noise_ends_in_doubt_and_not_in_a_verdict():
    standing, taken = decided(0.0, SequentialPolicy(tolerance=0.001), scatter=3)
    assert (standing.verdict, taken) == (Verdict.INCONCLUSIVE, 60)
    assert "quieter machine" in standing.doubt


def test_rounds_without_any_scatter_are_judged():
    for change, verdict in ((0.0, Verdict.PASS), (0.2, Verdict.REGRESSED), (-0.2, Verdict.IMPROVED)):
        assert decided(change, scatter=0.0)[0].verdict is verdict
    assert stand([math.log1p(0.05)] * 60, POLICY).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rounds(0.08, 10), "about 4 more process pairs would settle it"),
        (rounds(0.05, 12), "too close to the tolerance"),
        (rounds(0.03, 20, scatter=20), "only a quieter machine would settle it"),
        ([0.03, 0.03, 0.12] * 15, "too close to the tolerance"),  # memory layouts of two speeds
    ],
)
def test_a_doubt_says_what_would_settle_it(given, said):
    standing = stand(given, POLICY, last=True)
    assert standing.verdict is Verdict.INCONCLUSIVE
    assert said in standing.doubt


def test_the_last_word_is_spoken_when_the_rounds_are_used_up():
    policy = SequentialPolicy(tolerance=0.05)
    given = rounds(0.05, policy.most_rounds, scatter=3)
    assert stand(given[:-1], policy).verdict is None
    assert stand(given, policy).verdict is Verdict.INCONCLUSIVE


def test_rounds_must_be_there_and_finite():
    with pytest.raises(TooFewValuesError):
        stand([], POLICY)
    with pytest.raises(ValueError, match="finite"):
        stand([0.0, math.nan], POLICY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": 0.0},
        {"tolerance": -0.1},
        {"tolerance": math.inf},
        {"cases": 0},
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"beta": 0.5},
        {"beta": 0.0},
    ],
)
def test_a_policy_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="not"):
        SequentialPolicy(**{"tolerance": 0.05, **wrong})


def test_a_sound_null_control_says_nothing():
    assert null_control([], 0.05) == ""
    for n in (1, 5, 30):
        assert null_control(rounds(0.0, n), 0.05) == ""


@pytest.mark.parametrize(
    ("change", "control", "expected"),
    [
        (1.2, rounds(0.0, 8, scatter=9), True),
        (0.2, rounds(0.0, 8, scatter=15), False),
        (-0.6, rounds(0.0, 8, scatter=9), True),
        (0.2, rounds(0.3, 20, scatter=0.0), False),
        (0.5, rounds(0.1, 20, scatter=0.0), True),
    ],
)
def test_only_changes_beyond_what_base_shows_against_itself_stand_out(change, control, expected):
    standing, _ = decided(change)
    assert standing.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)
    assert stands_out(standing, control, 0.05) is expected


@pytest.mark.parametrize("change", [0.03, -0.03])
def test_a_null_control_that_moves_says_by_how_much(change):
    said = null_control(rounds(change, 20, scatter=0.0), 0.05)
    assert f"differs by {change * 100:+.1f} %" in said
    assert "20 process pairs" in said


def test_a_null_control_that_scatters_too_much_says_so():
    said = null_control(rounds(0.0, 8, scatter=15), 0.05)
    assert "scatters by" in said
    assert "tolerance of 5 %" in said
