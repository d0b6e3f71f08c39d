"""Statistics against independent references: SciPy, NumPy, brute force, published tables."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from pytest_perfgate import stats
from pytest_perfgate.errors import TooFewValuesError

SAMPLES = [
    [3.0],
    [1.0, 2.0],
    [5.0, 1.0, 4.0],
    [2.0, 2.0, 2.0, 9.0],
    [1e-9, 3e-9, 2e-9, 1e-6],
    [-4.0, 0.0, 7.5, 1e12, 3.0, 3.0],
    list(np.random.default_rng(7).lognormal(size=101)),
]


@pytest.mark.parametrize("values", SAMPLES, ids=len)
def test_descriptions_agree_with_numpy_and_scipy(values):
    assert stats.median(values) == pytest.approx(np.median(values), rel=1e-15)
    assert stats.mean(values) == pytest.approx(np.mean(values), rel=1e-12)
    assert stats.mad(values) == pytest.approx(scipy.stats.median_abs_deviation(values), rel=1e-12)
    if len(values) > 1:
        assert stats.stddev(values) == pytest.approx(np.std(values, ddof=1), rel=1e-12)


@pytest.mark.parametrize("values", SAMPLES, ids=len)
@pytest.mark.parametrize("p", [0, 0.1, 5, 25, 33.3, 50, 75, 95, 99.9, 100])
def test_percentiles_agree_with_numpys_linear_method(values, p):
    assert stats.percentile(values, p) == pytest.approx(np.percentile(values, p), rel=1e-12)


def test_a_percentile_keeps_its_digits_next_to_the_larger_value():
    values, p = [-1e16, 1.0], 99.99999999999999
    assert stats.percentile(values, p) == pytest.approx(np.percentile(values, p), rel=1e-9)


def test_a_single_value_has_no_deviation():
    assert stats.stddev([4.2]) == 0.0
    assert stats.mad([4.2]) == 0.0


def test_the_mean_does_not_accumulate_rounding_errors():
    assert stats.mean([0.1] * 10) == 0.1
    assert stats.mean([1e16, 1.0, -1e16]) == pytest.approx(1 / 3, rel=1e-15)


def test_the_deviation_of_large_close_numbers_is_not_lost_to_cancellation():
    assert stats.stddev([1e9 + 1, 1e9 + 2, 1e9 + 3]) == 1.0


@pytest.mark.parametrize("function", [stats.median, stats.mean, stats.stddev, stats.mad])
def test_no_values_are_too_few(function):
    with pytest.raises(TooFewValuesError, match="at least 1"):
        function([])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "function",
    [
        stats.median,
        stats.mean,
        stats.stddev,
        stats.mad,
        stats.median_interval,
        stats.mann_kendall,
        stats.theil_sen,
        stats.estimate_mean,
        lambda values: stats.percentile(values, 50),
    ],
)
def test_what_is_not_finite_is_refused(function, bad):
    with pytest.raises(ValueError, match="finite"):
        function([1.0, bad, 2.0, 3.0])


@pytest.mark.parametrize("p", [-0.1, 100.1, math.nan])
def test_a_percentile_beyond_0_to_100_is_refused(p):
    with pytest.raises(ValueError, match="between 0 and 100"):
        stats.percentile([1.0, 2.0], p)


def test_values_may_come_from_an_iterator_and_are_left_alone():
    values = [3.0, 1.0, 2.0]
    assert stats.median(iter(values)) == 2.0
    stats.mad(values)
    stats.median_interval(values)
    assert values == [3.0, 1.0, 2.0]


# -- distributions


@pytest.mark.parametrize("p", [1e-300, 1e-20, 1e-9, 0.001, 0.025, 0.3, 0.4999, 0.5, 0.6, 0.975, 0.9995, 1 - 1e-13])
def test_the_normal_quantile_agrees_with_scipy(p):
    assert stats.normal_quantile(p) == pytest.approx(scipy.stats.norm.ppf(p), rel=1e-12, abs=1e-15)


def test_students_quantile_agrees_with_scipy_to_eight_digits():
    degrees = [*range(1, 1001), 1.01, 1.5, 2.7, math.pi, 17.3, 333.3, 999.9, 9_999.5]
    tails = [1e-9, 1e-4, 0.0005, 0.005, 0.025, 0.1, 0.4, 0.6, 0.95, 0.975, 0.995, 0.9995]
    expected = scipy.stats.t.ppf(np.array(tails)[:, None], np.array(degrees, dtype=float))
    for p, row in zip(tails, expected, strict=True):
        for df, value in zip(degrees, row, strict=True):
            assert stats.student_quantile(p, df) == pytest.approx(value, rel=1e-8), (p, df)


@pytest.mark.parametrize("df", [10_001, 1e5, 1e8, 1e300])
@pytest.mark.parametrize("p", [1e-6, 0.005, 0.3, 0.975])
def test_students_quantile_has_no_seam_where_the_method_changes(p, df):
    assert stats.student_quantile(p, df) == pytest.approx(scipy.stats.t.ppf(p, min(df, 1e10)), rel=1e-8)


def test_endless_degrees_of_freedom_are_the_normal_distribution():
    assert stats.student_quantile(0.975, math.inf) == stats.normal_quantile(0.975)


@pytest.mark.parametrize("df", [0.1, 0.5, 0.9])
def test_students_quantile_works_below_one_degree_of_freedom(df):
    assert stats.student_quantile(0.975, df) == pytest.approx(scipy.stats.t.ppf(0.975, df), rel=1e-8)


def test_students_quantile_has_its_published_values():
    # One degree of freedom is Cauchy's distribution: tan(pi (p - 1/2)).  Two have a closed form as well.
    assert stats.student_quantile(0.975, 1) == pytest.approx(math.tan(math.pi * 0.475), rel=1e-12)
    assert stats.student_quantile(0.995, 2) == pytest.approx(0.99 * math.sqrt(2 / (1 - 0.99**2)), rel=1e-12)


@pytest.mark.parametrize("p", [0, 1, -1, 2, math.nan])
def test_a_probability_outside_0_to_1_is_refused(p):
    for call in (
        lambda: stats.normal_quantile(p),
        lambda: stats.student_quantile(p, 5),
        lambda: stats.median_interval([1.0] * 10, p),
        lambda: stats.welch_interval([1.0, 2.0], [1.0, 2.0], p),
    ):
        with pytest.raises(ValueError, match="between 0 and 1"):
            call()


@pytest.mark.parametrize("df", [0, -1, math.nan])
def test_degrees_of_freedom_must_be_positive(df):
    with pytest.raises(ValueError, match="positive"):
        stats.student_quantile(0.9, df)


# -- intervals


def exact_rank(n, confidence):
    """Find by exact integer arithmetic the largest k whose order statistics enclose the median often enough."""
    best = 0
    for k in range(1, n // 2 + 1):
        covered = sum(math.comb(n, i) for i in range(k, n - k + 1))
        if covered >= confidence * 2**n:
            best = k
    return best


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_the_median_interval_is_the_innermost_pair_that_covers_exactly_enough(confidence):
    for n in [*range(1, 60), 100, 201, 400]:
        rank = exact_rank(n, confidence)
        expected = (float(rank), float(n + 1 - rank)) if rank else None
        assert stats.median_interval([float(i) for i in range(1, n + 1)], confidence) == expected, n


def test_the_median_interval_agrees_with_scipys_sign_test_interval():
    values = list(np.random.default_rng(3).normal(size=37))
    reference = scipy.stats.quantile_test(values).confidence_interval(0.95)
    low, high = stats.median_interval(values)
    assert (low, high) == (pytest.approx(reference.low), pytest.approx(reference.high))


def test_fewer_than_six_values_have_no_95_percent_interval():
    assert stats.median_interval([]) is None
    assert stats.median_interval([1.0] * 5) is None
    assert stats.median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == (1.0, 6.0)
    assert stats.median_interval([1.0] * 7, 0.99) is None
    assert stats.median_interval([1.0] * 8, 0.99) == (1.0, 1.0)


def test_the_interval_of_a_million_values_has_the_rank_of_the_normal_approximation():
    n = 1_000_000
    low, high = stats.median_interval(range(1, n + 1))
    assert low == pytest.approx(n / 2 - 1.96 * math.sqrt(n) / 2, abs=2)
    assert low + high == n + 1


WELCH = [
    ([1.0, 2.0, 4.0], [3.0, 3.5, 9.0, 2.0]),
    ([10.0, 10.1], [10.0, 10.3]),
    (list(np.random.default_rng(1).normal(5, 1, 30)), list(np.random.default_rng(2).normal(6, 9, 12))),
]


@pytest.mark.parametrize(("base", "head"), WELCH)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_welchs_interval_agrees_with_scipy_and_errs_on_the_wide_side(base, head, confidence):
    reference = scipy.stats.ttest_ind(head, base, equal_var=False).confidence_interval(confidence)
    low, high = stats.welch_interval(base, head, confidence)
    middle = (reference.low + reference.high) / 2
    assert (low + high) / 2 == pytest.approx(middle, rel=1e-9)
    assert low <= reference.low + 1e-12
    assert high - low == pytest.approx(reference.high - reference.low, rel=0.05)


def test_values_without_any_scatter_have_an_interval_without_width():
    assert stats.welch_interval([2.0, 2.0], [3.0, 3.0], 0.99) == (1.0, 1.0)


def test_a_known_variance_gives_the_normal_interval():
    known = stats.MeanEstimate(0.0, 1.0, math.inf)
    low, high = stats.difference_interval(known, stats.MeanEstimate(5.0, 3.0, math.inf), 0.95)
    assert (low, high) == (pytest.approx(5 - 2 * 1.959963984540054), pytest.approx(5 + 2 * 1.959963984540054))


def test_welchs_interval_survives_variances_whose_squares_underflow():
    low, high = stats.welch_interval([1e-160, 2e-160], [1e-160, 2e-160], 0.95)
    assert low < 0 < high


def test_one_value_shows_no_scatter():
    with pytest.raises(TooFewValuesError, match="at least 2"):
        stats.welch_interval([1.0], [1.0, 2.0], 0.95)


# -- trends


def brute_force_kendall(values):
    """Count rises minus falls over all pairs, and the share of all orders with at least as many."""

    def score(order):
        return sum((b > a) - (b < a) for a, b in itertools.combinations(order, 2))

    observed = score(values)
    scores = [score(order) for order in itertools.permutations(values)]
    return sum(one >= observed for one in scores) / len(scores)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [2, 1, 4, 3, 6, 5, 8, 7],
        [5, 3, 8, 1, 2, 7, 6, 4],
        [8, 7, 6, 5, 4, 3, 2, 1],
        [1, 1, 2, 2, 2, 3, 1, 3],
        [0, 0, 0, 0, 0, 0, 0, 5],
    ],
)
def test_mann_kendall_is_close_to_the_share_of_all_orders(values):
    assert stats.mann_kendall(values) == pytest.approx(brute_force_kendall(values), abs=0.05)


def test_mann_kendall_has_the_formula_of_kendall_with_ties_and_continuity():
    # S = 8 by hand; var = (6*5*17 - 2*1*9) / 18 with one pair of ties; z = (8 - 1) / sqrt(var).
    values = [1, 2, 2, 3, 5, 4]
    variance = (6 * 5 * 17 - 2 * 1 * 9) / 18
    rises = 14 - 2  # 15 pairs: 1 tied, 1 falls, 13 rise
    assert stats.mann_kendall(values) == pytest.approx(scipy.stats.norm.sf((rises - 1) / math.sqrt(variance)))


def test_mann_kendall_tells_up_from_down():
    rising = [float(i) for i in range(20)]
    assert stats.mann_kendall(rising) < 1e-6
    assert stats.mann_kendall(rising[::-1]) > 1 - 1e-6


def test_equal_values_have_no_trend():
    assert stats.mann_kendall([7.0] * 12) == 1.0
    assert stats.theil_sen([7.0] * 12) == 0.0


def test_mann_kendall_raises_false_alarms_as_often_as_it_says():
    rng = np.random.default_rng(11)
    alarms = sum(stats.mann_kendall(rng.normal(size=20)) < 0.05 for _ in range(2000))
    assert 60 <= alarms <= 130  # 5 % of 2000, the continuity correction a little below


def test_theil_sen_agrees_with_scipy():
    rng = np.random.default_rng(5)
    for n in (2, 3, 10, 41):
        values = list(rng.normal(size=n).cumsum())
        assert stats.theil_sen(values) == pytest.approx(scipy.stats.theilslopes(values)[0], rel=1e-12)


def test_theil_sen_is_not_moved_by_an_outlier():
    values = [2.0 * i for i in range(12)]
    values[5] = 1e9
    assert stats.theil_sen(values) == 2.0


def test_a_trend_takes_three_values_and_a_slope_two():
    with pytest.raises(TooFewValuesError, match="at least 3"):
        stats.mann_kendall([1.0, 2.0])
    with pytest.raises(TooFewValuesError, match="at least 2"):
        stats.theil_sen([1.0])


def test_the_slow_statistics_module_is_not_imported():
    code = "import sys, pytest_perfgate.stats; sys.exit('statistics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("count", "total"), [(0, 1), (0, 300), (1, 1), (300, 300), (1, 20), (7, 20), (113, 5000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_proportions_are_enclosed_as_scipy_encloses_them(count, total, confidence):
    sides = 1 if count in (0, total) else 2
    outside = (1 - confidence) / sides
    low = scipy.stats.beta.ppf(outside, count, total - count + 1) if count else 0.0
    high = scipy.stats.beta.ppf(1 - outside, count + 1, total - count) if count < total else 1.0
    assert stats.proportion_interval(count, total, confidence) == pytest.approx((low, high), rel=1e-9)


def test_no_proportion_of_nothing():
    for count, total in ((0, 0), (2, 1), (-1, 3)):
        with pytest.raises(ValueError, match="is no proportion"):
            stats.proportion_interval(count, total)
