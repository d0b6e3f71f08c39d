"""Pure functions on sequences of floats, each with its source; no opinion on what is good or bad.

Every function takes finite values in any unit, refuses NaN and infinity with a ValueError and too few values with a
TooFewValuesError, and never changes what it is given.
"""

from __future__ import annotations

from pytest_perfgate.stats.describe import MAD_TO_SD, mad, mean, median, percentile, stddev
from pytest_perfgate.stats.distributions import normal_quantile, student_quantile
from pytest_perfgate.stats.intervals import (
    MeanEstimate,
    difference_interval,
    estimate_mean,
    median_interval,
    proportion_interval,
    welch_interval,
)
from pytest_perfgate.stats.sequential import BETS, e_interval, e_value, least_values
from pytest_perfgate.stats.trends import mann_kendall, theil_sen

__all__ = [
    "BETS",
    "MAD_TO_SD",
    "MeanEstimate",
    "difference_interval",
    "e_interval",
    "e_value",
    "estimate_mean",
    "least_values",
    "mad",
    "mann_kendall",
    "mean",
    "median",
    "median_interval",
    "normal_quantile",
    "percentile",
    "proportion_interval",
    "stddev",
    "student_quantile",
    "theil_sen",
    "welch_interval",
]
