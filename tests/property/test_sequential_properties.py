"""What holds of the sequential verdict whatever the rounds are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate import stats
from pytest_perfgate.judge import SequentialPolicy, null_control, stand
from pytest_perfgate.model import Verdict

RANK = {Verdict.IMPROVED: 0, Verdict.PASS: 1, Verdict.INCONCLUSIVE: 2, Verdict.REGRESSED: 3}

#: Mostly small, as rounds are, and sometimes far out.
values = st.floats(-0.12, 0.12) | st.floats(-0.02, 0.02) | st.floats(-3, 3)
some_rounds = st.lists(values, min_size=1, max_size=40)
centred = st.tuples(st.floats(-0.2, 0.2), st.lists(st.floats(-0.02, 0.02), min_size=5, max_size=40)).map(
    lambda drawn: [drawn[0] + x for x in drawn[1]]
)
rounds = some_rounds | centred
policies = st.builds(
    SequentialPolicy, tolerance=st.floats(0.001, 0.6), cases=st.integers(1, 2000), rounds=st.integers(5, 60)
)
thresholds = st.floats(-0.5, 0.5)


@given(values=rounds, threshold=thresholds, data=st.data())
def test_the_order_of_rounds_does_not_matter(values, threshold, data):
    shuffled = data.draw(st.permutations(values))
    assert stats.e_value(shuffled, threshold) == pytest.approx(stats.e_value(values, threshold), rel=1e-9)


@given(values=rounds, threshold=thresholds, factor=st.integers(-6, 6).map(lambda e: 2.0**e))
def test_an_e_value_is_a_matter_of_proportions(values, threshold, factor):
    """Scaling values, threshold and what counts as large changes nothing."""
    scaled = 0.0
    for scale, boldness, share in stats.BETS:
        stake = share
        for x in values:
            stake *= 1 + boldness * math.tanh((x * factor - threshold * factor) / (scale * factor))
        scaled += stake
    assert scaled == pytest.approx(stats.e_value(values, threshold), rel=1e-9)


@given(values=rounds, threshold=thresholds, shift=st.floats(-1, 1))
def test_moving_rounds_and_threshold_alike_changes_nothing(values, threshold, shift):
    moved = stats.e_value([x + shift for x in values], threshold + shift)
    assert moved == pytest.approx(stats.e_value(values, threshold), rel=1e-6, abs=1e-12)


@given(values=rounds, thresholds=st.tuples(thresholds, thresholds))
def test_a_higher_threshold_is_harder_to_exceed(values, thresholds):
    low, high = sorted(thresholds)
    assert stats.e_value(values, high) <= stats.e_value(values, low) * (1 + 1e-12)


@given(values=rounds, confidence=st.sampled_from([0.5, 0.9, 0.99, 0.9999]))
def test_mirrored_rounds_mirror_the_interval(values, confidence):
    low, high = stats.e_interval(values, confidence)
    mirrored = stats.e_interval([-x for x in values], confidence)
    assert mirrored == pytest.approx((-high, -low), abs=3e-6)


@given(values=rounds, confidences=st.tuples(st.floats(0.01, 0.9999), st.floats(0.01, 0.9999)))
def test_more_confidence_takes_a_wider_interval(values, confidences):
    lower, higher = sorted(confidences)
    narrow, wide = stats.e_interval(values, lower), stats.e_interval(values, higher)
    if stats.e_value(values, narrow[0] - 1e-5) >= 2 / (1 - lower):  # an interval that was not turned round
        assert wide[0] <= narrow[0] + 3e-6
        assert wide[1] >= narrow[1] - 3e-6


@given(values=rounds, policy=policies, raises=st.lists(st.floats(0, 1) | st.just(0.0), min_size=40, max_size=40))
def test_worse_rounds_never_get_a_better_verdict(values, policy, raises):
    worse = [x + raised for x, raised in zip(values, raises, strict=False)]
    before, after = (stand(one, policy, last=True).verdict for one in (values, worse))
    assert RANK[after] >= RANK[before]


@given(values=rounds, policy=policies)
def test_a_regression_seen_from_the_other_side_is_an_improvement(values, policy):
    mirrored = [-x for x in values]
    if stand(values, policy, last=True).verdict is Verdict.REGRESSED:
        assert stand(mirrored, policy, last=True).verdict is Verdict.IMPROVED


@given(values=rounds, policy=policies, more=st.integers(0, 5000))
def test_more_cases_never_turn_anything_into_a_regression(values, policy, more):
    wider = SequentialPolicy(tolerance=policy.tolerance, cases=policy.cases + more, rounds=policy.rounds)
    before, after = (stand(values, one, last=True).verdict for one in (policy, wider))
    assert after is before or (before, after) == (Verdict.REGRESSED, Verdict.INCONCLUSIVE)


@given(values=rounds, policy=policies, last=st.booleans())
def test_a_standing_is_whole(values, policy, last):
    standing = stand(values, policy, last=last)
    low, high = standing.interval
    assert low <= standing.estimate <= high
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert 0 < standing.confidence < 1
    assert bool(standing.doubt) == (standing.verdict is Verdict.INCONCLUSIVE)
    assert standing.verdict is not None or not (last or len(values) >= policy.most_rounds)
    if standing.verdict is Verdict.PASS:
        assert high <= policy.limit + 1e-5
    if standing.verdict is Verdict.REGRESSED:
        assert standing.estimate > policy.limit
        assert low > 0.4 * policy.limit - 1e-5


@given(values=rounds, policy=policies)
def test_being_last_only_adds_words_where_there_were_none(values, policy):
    now, last = stand(values, policy), stand(values, policy, last=True)
    if now.verdict is not None:
        assert now.verdict is last.verdict


@given(values=some_rounds, tolerance=st.floats(0.001, 1))
def test_the_null_control_does_not_care_which_base_came_first(values, tolerance):
    assert bool(null_control(values, tolerance)) == bool(null_control([-x for x in values], tolerance))
