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
from pytest_perfgate.stats.levels import FEWEST_LEVELS, Shift, correlation_length, isotonic, level_shift
from pytest_perfgate.stats.sequential import BETS, e_interval, e_value, least_values
from pytest_perfgate.stats.trends import mann_kendall, theil_sen

__all__ = [
    "BETS",
    "FEWEST_LEVELS",
    "MAD_TO_SD",
    "MeanEstimate",
    "Shift",
    "correlation_length",
    "difference_interval",
    "e_interval",
    "e_value",
    "estimate_mean",
    "isotonic",
    "least_values",
    "level_shift",
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
