"""Intervals around a median and around the difference of two means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pytest_perfgate.stats.describe import mean, stddev
from pytest_perfgate.stats.distributions import LARGE_DF, beta_quantile, student_quantile
from pytest_perfgate.stats.values import check_probability, finite


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean, how uncertain it is, and how well that uncertainty is known."""

    mean: float
    variance: float
    """Variance of the mean (the squared standard error), >= 0."""
    df: float
    """Degrees of freedom behind *variance*, > 0; ``math.inf`` when it is known."""


def median_interval(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Enclose the median of what *values* were drawn from, whatever their distribution.

    The interval runs between two order statistics at equal ranks from either end, the innermost
    pair that encloses the true median with at least *confidence*; ties make it more conservative.

    Args:
        values: Independent draws, any order.
        confidence: In (0, 1).

    Returns:
        Lower and upper end in the unit of *values*, or None when even their whole range does not
        reach *confidence* (fewer than 6 values at 0.95, fewer than 8 at 0.99).

    Raises:
        ValueError: A value is not finite, or *confidence* is not in (0, 1).

    Source:
        Thompson, "On Confidence Ranges for the Median", Annals of Mathematical Statistics 7 (1936)
        122-128; David & Nagaraja, "Order Statistics", 3rd ed. (2003), section 7.1; Conover,
        "Practical Nonparametric Statistics", 3rd ed. (1999), section 3.2.
    """
    check_probability(confidence, "a confidence")
    numbers = sorted(finite(values, "a median interval", least=0))
    rank = _sign_test_rank(len(numbers), confidence)
    return (numbers[rank - 1], numbers[-rank]) if rank else None


@lru_cache(maxsize=1024)
def proportion_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Enclose the probability of something that happened *count* times out of *total*.

    Args:
        count: How often it happened, >= 0.
        total: How often it could have, > 0.
        confidence: In (0, 1).  Where it never or always happened the whole of it is on one side (the rule of three).

    Returns:
        Lower and upper end, in [0, 1].

    Raises:
        ValueError: *count* is not between 0 and *total*, or *total* is not positive.

    Source:
        Clopper & Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934) 404-413.
    """
    if not 0 <= count <= total or total < 1:
        raise ValueError(f"{count} out of {total} is no proportion")
    check_probability(confidence, "a confidence")
    outside = (1 - confidence) if count in (0, total) else (1 - confidence) / 2
    low = beta_quantile(outside, count, total - count + 1) if count else 0.0
    high = beta_quantile(1 - outside, count + 1, total - count) if count < total else 1.0
    return low, high


def _sign_test_rank(n: int, confidence: float) -> int:
    """Find the largest k with P(k <= B <= n - k) >= confidence, B ~ Binomial(n, 1/2); 0 for none.

    Weights are taken relative to the largest one and added from the centre outwards, so nothing
    underflows and a million values cost a few thousand steps.
    """
    weight, window = 1.0, []
    total = 0.0
    for k in range(n // 2, -1, -1):
        total += weight if 2 * k == n else 2 * weight
        window.append((k, total))
        if weight < 1e-18 * total:  # what is left cannot be seen in a float
            break
        weight *= k / (n - k + 1)
    return next((k for k, covered in window if covered >= confidence * total), 0)


def estimate_mean(values: Iterable[float]) -> MeanEstimate:
    """Estimate a mean and how uncertain it is from independent draws.

    Args:
        values: At least two, any order.

    Returns:
        Mean, variance of the mean and degrees of freedom n - 1.

    Raises:
        TooFewValuesError: Fewer than two: their spread cannot be seen.
        ValueError: One of them is not finite.
    """
    numbers = finite(values, "the uncertainty of a mean", least=2)
    return MeanEstimate(mean(numbers), stddev(numbers) ** 2 / len(numbers), len(numbers) - 1.0)


def difference_interval(base: MeanEstimate, head: MeanEstimate, confidence: float) -> tuple[float, float]:
    """Enclose the difference *head* - *base* of two means whose variances may differ.

    Args:
        base: The first mean.
        head: The second mean, in the same unit.
        confidence: In (0, 1), two-sided.

    Returns:
        Lower and upper end; both equal the difference when neither side has any variance.

    Raises:
        ValueError: *confidence* is not in (0, 1).

    Source:
        Welch, "The generalization of 'Student's' problem when several different population
        variances are involved", Biometrika 34 (1947) 28-35; Satterthwaite, "An Approximate
        Distribution of Estimates of Variance Components", Biometrics Bulletin 2 (1946) 110-114.
    """
    check_probability(confidence, "a confidence")
    difference, variance = head.mean - base.mean, base.variance + head.variance
    if variance == 0:
        return difference, difference
    # Shares of the variance, not the variances: their squares could underflow.
    doubt = (base.variance / variance) ** 2 / base.df + (head.variance / variance) ** 2 / head.df
    df = 1 / doubt if doubt else math.inf
    # Rounding down is on the safe side and lets the quantile be remembered.
    df = math.floor(df * 100) / 100 if df < LARGE_DF else math.inf
    reach = student_quantile((1 + confidence) / 2, df or 0.01) * math.sqrt(variance)
    return difference - reach, difference + reach


def welch_interval(base: Iterable[float], head: Iterable[float], confidence: float) -> tuple[float, float]:
    """Enclose the difference of the means of *head* and *base* from independent draws of both.

    Args:
        base: At least two values, any order.
        head: At least two values in the same unit, any order.
        confidence: In (0, 1), two-sided.

    Returns:
        Lower and upper end of mean(head) - mean(base).

    Raises:
        TooFewValuesError: A side has fewer than two values.
        ValueError: A value is not finite, or *confidence* is not in (0, 1).

    Source:
        As :func:`difference_interval`.
    """
    return difference_interval(estimate_mean(base), estimate_mean(head), confidence)
