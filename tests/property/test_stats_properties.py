"""What holds of the statistics whatever the values are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate import stats

numbers = st.floats(-1e9, 1e9, allow_nan=False)
samples = st.lists(numbers, min_size=1, max_size=40)
longer = st.lists(numbers, min_size=3, max_size=40)
powers_of_two = st.integers(-20, 20).map(lambda exponent: 2.0**exponent)
probabilities = st.floats(1e-6, 1 - 1e-6)

SYMMETRIC = [
    stats.median,
    stats.mean,
    stats.stddev,
    stats.mad,
    stats.median_interval,
    lambda values: stats.percentile(values, 90),
]


@pytest.mark.parametrize("statistic", SYMMETRIC)
@given(values=samples, data=st.data())
def test_the_order_of_values_does_not_matter(statistic, values, data):
    assert statistic(data.draw(st.permutations(values))) == statistic(values)


@pytest.mark.parametrize("statistic", [one for one in SYMMETRIC if one is not stats.median_interval])
@given(values=samples, factor=powers_of_two)
def test_scaling_values_scales_the_statistic(statistic, values, factor):
    # Powers of two scale floats exactly.
    assert statistic([x * factor for x in values]) == pytest.approx(statistic(values) * factor, rel=1e-12, abs=1e-12)


@given(values=samples)
def test_centres_and_percentiles_lie_within_the_values(values):
    for centre in (stats.median(values), stats.percentile(values, 37)):
        assert min(values) <= centre <= max(values)
    assert min(values) - 1e-6 <= stats.mean(values) <= max(values) + 1e-6


@given(values=samples, ps=st.tuples(st.floats(0, 100), st.floats(0, 100)))
def test_a_higher_percentile_is_never_lower(values, ps):
    low, high = sorted(ps)
    assert stats.percentile(values, low) <= stats.percentile(values, high)


@given(values=samples)
def test_the_50th_percentile_is_the_median(values):
    assert stats.percentile(values, 50) == pytest.approx(stats.median(values), rel=1e-12, abs=1e-6)


@given(values=samples, position=st.integers(0, 39), more=st.floats(0, 1e9))
def test_raising_a_value_never_lowers_median_or_interval(values, position, more):
    raised = list(values)
    raised[position % len(values)] += more
    assert stats.median(raised) >= stats.median(values)
    before, after = stats.median_interval(values), stats.median_interval(raised)
    assert (before is None) == (after is None)
    if before and after:
        assert after[0] >= before[0]
        assert after[1] >= before[1]


@given(values=samples, confidences=st.tuples(probabilities, probabilities))
def test_more_confidence_never_narrows_the_median_interval(values, confidences):
    low, high = sorted(confidences)
    narrow, wide = stats.median_interval(values, low), stats.median_interval(values, high)
    if wide is not None:
        assert narrow is not None
        assert wide[0] <= narrow[0] <= stats.median(values) <= narrow[1] <= wide[1]


@given(p=probabilities, df=st.floats(1, 1e5))
def test_students_quantile_is_odd_and_wider_than_the_normal_one(p, df):
    quantile = stats.student_quantile(p, df)
    assert quantile == pytest.approx(-stats.student_quantile(1 - p, df), rel=1e-6, abs=1e-9)
    assert abs(quantile) >= abs(stats.normal_quantile(p)) * (1 - 1e-9)


@given(ps=st.tuples(probabilities, probabilities), df=st.floats(1, 1e5))
def test_students_quantile_rises_with_the_probability(ps, df):
    low, high = sorted(ps)
    assert stats.student_quantile(low, df) <= stats.student_quantile(high, df) + 1e-9


@given(
    base=st.lists(numbers, min_size=2, max_size=20),
    head=st.lists(numbers, min_size=2, max_size=20),
    confidence=st.floats(0.5, 0.999),
)
def test_swapping_the_sides_mirrors_welchs_interval(base, head, confidence):
    low, high = stats.welch_interval(base, head, confidence)
    mirrored = stats.welch_interval(head, base, confidence)
    assert (-high, -low) == (pytest.approx(mirrored[0], abs=1e-6), pytest.approx(mirrored[1], abs=1e-6))
    assert low <= stats.mean(head) - stats.mean(base) <= high


@given(values=longer, factor=powers_of_two, shift=st.integers(-1000, 1000))
def test_a_trend_does_not_depend_on_unit_or_origin(values, factor, shift):
    whole = [float(round(x)) for x in values]  # so that shifting is exact
    moved = [x * factor + shift * factor for x in whole]
    assert stats.mann_kendall(moved) == stats.mann_kendall(whole)
    assert stats.theil_sen(moved) == pytest.approx(stats.theil_sen(whole) * factor, rel=1e-12, abs=1e-12)


@given(values=longer)
def test_reversing_turns_a_trend_around(values):
    assert stats.theil_sen(values[::-1]) == pytest.approx(-stats.theil_sen(values))
    up, down = stats.mann_kendall(values), stats.mann_kendall(values[::-1])
    assert 0 <= up <= 1
    assert up + down >= 1 - 1e-12
    assert math.isfinite(up)
