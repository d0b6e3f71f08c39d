"""E-values and their intervals against brute force, NumPy and figures worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pytest_perfgate import stats


def reference(values, threshold):
    """Compute the e-value with NumPy, from logarithms."""
    total = 0.0
    for scale, boldness, share in stats.BETS:
        total += share * np.exp(np.log1p(boldness * np.tanh((np.asarray(values) - threshold) / scale)).sum())
    return total


def test_nothing_seen_leaves_the_stake_as_it_was():
    assert stats.e_value([], 0.02) == pytest.approx(1)
    assert sum(share for _, _, share in stats.BETS) == pytest.approx(1)


def test_a_value_at_the_threshold_is_no_evidence():
    assert stats.e_value([0.02] * 10, 0.02) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_e_values_agree_with_numpy(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_t(3, 40) * 0.01
    for threshold in (-0.05, 0.0, 0.004, 0.05):
        assert stats.e_value(values.tolist(), threshold) == pytest.approx(reference(values, threshold), rel=1e-9)


@pytest.mark.parametrize("distances", [(0.001, 0.02, 0.3), (0.01, 0.01, 0.01, 0.05, 0.002)])
def test_over_all_signs_of_symmetric_values_a_bet_is_exactly_fair(distances):
    signs = itertools.product((-1, 1), repeat=len(distances))
    grown = [stats.e_value([s * d for s, d in zip(one, distances, strict=True)], 0.0) for one in signs]
    assert sum(grown) / len(grown) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("evidence", [1.0, 20.0, 200.0, 5000.0, 1e6])
def test_the_least_number_of_values_is_what_certain_wins_take(evidence):
    n = stats.least_values(evidence)
    assert stats.e_value([10.0] * n, 0.0) >= evidence
    assert n == 0 or stats.e_value([10.0] * (n - 1), 0.0) < evidence


def test_one_outlier_costs_a_few_values_and_not_the_case():
    clean = [0.05] * 20
    assert stats.e_value([*clean[1:], -0.3], 0.0) > 1000
    assert stats.e_value(clean[:14], 0.0) < stats.e_value([*clean, -0.3], 0.0)


def test_the_interval_is_where_the_evidence_reaches_its_limit():
    values = np.random.default_rng(3).normal(0.03, 0.02, 30).tolist()
    low, high = stats.e_interval(values, 0.99)
    assert stats.e_value(values, low) == pytest.approx(200, rel=0.01)
    assert stats.e_value([-x for x in values], -high) == pytest.approx(200, rel=0.01)
    grid = np.linspace(-0.1, 0.2, 3001)
    kept = [t for t in grid if stats.e_value(values, t) < 200 and stats.e_value([-x for x in values], -t) < 200]
    assert low == pytest.approx(kept[0], abs=2e-4)
    assert high == pytest.approx(kept[-1], abs=2e-4)


@pytest.mark.parametrize(("confidence", "least"), [(0.90, 5), (0.99, 9), (0.999, 12)])
def test_an_interval_is_unbounded_until_there_are_enough_values(confidence, least):
    assert stats.e_interval([0.01] * (least - 1), confidence) == (-math.inf, math.inf)
    low, high = stats.e_interval([0.01] * least, confidence)
    assert -1 < low < 0.01 < high < 1


def test_the_interval_of_values_whose_middle_and_mean_contradict_each_other_is_not_empty():
    values = [0.001] * 45 + [-0.2] * 15
    low, high = stats.e_interval(values, 0.90)
    assert low <= high


def test_huge_values_and_many_of_them_are_survived():
    assert stats.e_value([1e300, -1e300], 0.0) < 1
    assert stats.e_value([1.0] * 5000, 0.0) == math.inf
    low, high = stats.e_interval([1e6] * 30, 0.99)
    assert low <= 1e6 <= high


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_values_that_are_not_finite_are_refused(odd):
    with pytest.raises(ValueError, match="finite"):
        stats.e_value([0.0, odd], 0.0)
    with pytest.raises(ValueError, match="finite"):
        stats.e_interval([0.0, odd], 0.9)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, math.nan])
def test_a_confidence_lies_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="confidence"):
        stats.e_interval([0.0], confidence)
