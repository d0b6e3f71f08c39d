"""How much two runs of the same code differ, and the interval that follows for head / base; no verdicts.

The unit of inference is the fresh process, never the round: rounds within one process share its memory layout, its
hash seed and whatever else the machine was doing, and agree with each other far better than two processes do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_perfgate import units
from pytest_perfgate.model import Measurement
from pytest_perfgate.stats import MeanEstimate, difference_interval, mean, normal_quantile, stddev

_TIMED_UNITS = frozenset({units.SECONDS, units.PER_SECOND})
_COUNTED_UNITS = frozenset({units.COUNT, units.BYTES})

#: Growth per call below this is none: less than one small object in sixteen calls.
_PER_CALL_RESOLUTION = {units.BYTES_PER_CALL: 1.0, units.BLOCKS_PER_CALL: 0.0625}

#: The resident set grows by whole arenas, and by pages that somebody else left or took.
_RESIDENT_RESOLUTION = 512 * 1024.0

#: How well an assumed deviation is known, in degrees of freedom: with 4, the true one is up to 2.4 times as large.
_ASSUMED_DF = 4.0

#: Interquartile range of a normal distribution, in standard deviations.
_IQR_PER_SD = 1.349

#: Standard error of a median over that of a mean, for a normal distribution: sqrt(pi / 2).
_MEDIAN_PENALTY = 1.2533

#: A value read this often without a difference counts as one that does not vary.
_REPEATED = 2


@dataclass(frozen=True, slots=True)
class Noise:
    """Relative standard deviation of one case between runs of the same code on one machine."""

    typical: float
    """For plans: what to expect."""
    assumed: float
    """For verdicts: taken where a side is a single process, so that its deviation cannot be seen."""
    least: float
    """Believed even where a few processes happen to agree better."""


#: 2.66 % is the coefficient of variation between 100 runs on GitHub-hosted runners that CodSpeed published ("Benchmarks
#: in CI: Escaping the Cloud Chaos", 2025); half as much again is assumed, because single suites scatter by more.
TIMED = Noise(typical=0.0266, assumed=0.04, least=0.01)

#: One call on the clock has no median to shed a cache miss or a context switch.
TIMED_ONCE = Noise(typical=0.0667, assumed=0.10, least=0.01)

#: Ratios to the calibration scattered by 1.2 to 3.9 % between processes on a busy machine where the seconds of plain
#: processes scattered by 3 to 25 % (benchmarks/README.md).  So no less is assumed of them than of seconds; the
#: difference is that the assumption holds.
CALIBRATED = Noise(typical=0.025, assumed=0.04, least=0.01)

#: Bytes and counts that do vary do so by pages, caches and hash order, not by what else the machine does.
COUNTED = Noise(typical=0.0033, assumed=0.005, least=0.001)


@dataclass(frozen=True, slots=True)
class LogRatio:
    """The logarithm of head / base with its interval."""

    estimate: float
    low: float
    high: float
    planning_variance: float
    """Variance to expect of the difference of one process on each side, for planning more of them."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison, on the logarithmic scale."""

    estimate: MeanEstimate
    shown: float
    """Variance that its own numbers show, of the rounds where there is one process: never less is believed."""
    expected: float
    """Variance to expect of one more process."""


@dataclass(frozen=True, slots=True)
class _Spread:
    """Standard deviation of the logarithm between processes and how well it is known."""

    sd: float
    df: float


def noise_of(base: Measurement, head: Measurement) -> Noise:
    """Choose what to assume of a case from its unit, how often it was timed, and how finely it can be told."""
    noise = TIMED
    if base.unit in _COUNTED_UNITS:
        noise = COUNTED
    elif base.unit in _TIMED_UNITS and min(base.rounds, head.rounds) < _REPEATED:
        noise = TIMED_ONCE
    coarse = max(resolution(base), resolution(head)) / 2
    if not coarse:
        return noise
    relative = coarse / min(*process_values(base), *process_values(head))
    return Noise(math.hypot(noise.typical, relative), math.hypot(noise.assumed, relative), noise.least)


def resolution(measurement: Measurement) -> float:
    """Return what two readings of the same thing may differ by, in the unit of the measurement; 0 for times."""
    if measurement.unit == units.BYTES and measurement.extra.get("method") == "resident set":
        return _RESIDENT_RESOLUTION
    if measurement.interval is not None and measurement.extra.get("judged_by") == "interval":
        return (measurement.interval[1] - measurement.interval[0]) / 2
    return _PER_CALL_RESOLUTION.get(measurement.unit, 0.0)


def is_exact(base: Measurement, head: Measurement) -> bool:
    """Tell whether the case does not vary, so that its values can be compared exactly.

    Never true of times.  A count is taken at its word.  Bytes must have been read at least twice on each side without
    a difference, numbers of the user's own in at least two processes on each side; a number that is equal on both
    sides to the last bit was not measured with noise either.
    """
    if base.unit in _TIMED_UNITS:
        return False
    base_values, head_values = ({*side.samples, *side.processes, side.value} for side in (base, head))
    if len(base_values) > 1 or len(head_values) > 1:
        return False
    if base_values == head_values or base.unit == units.COUNT:
        return True
    if base.unit in _COUNTED_UNITS or base.unit in _PER_CALL_RESOLUTION:
        return all(max(side.rounds, len(side.processes)) >= _REPEATED for side in (base, head))
    return all(len(side.processes) >= _REPEATED for side in (base, head))


def process_values(measurement: Measurement) -> tuple[float, ...]:
    """Return one value for each fresh process behind a measurement that has a value."""
    if measurement.processes:
        return measurement.processes
    return () if measurement.value is None else (measurement.value,)


def log_ratio(base: Measurement, head: Measurement, confidence: float, noise: Noise) -> LogRatio:
    """Estimate the logarithm of head / base with an interval that allows for differences between runs.

    Where both sides have several processes, their scatter is measured and the interval is Welch's.  The scatter behind
    a single process cannot be seen; the largest of three is taken: what *noise* assumes (with few degrees of
    freedom, because it is not known well), what the other side measured, and the scatter of the rounds.

    Args:
        base: Its process values are positive.
        head: Likewise, of the same case and unit.
        confidence: In (0, 1), two-sided.
        noise: Of the case, see :func:`noise_of`.

    Returns:
        Estimate and interval on the logarithmic scale; swapping the sides mirrors them.
    """
    base_side, head_side = _side(base, head, noise), _side(head, base, noise)
    low, high = difference_interval(base_side.estimate, head_side.estimate, confidence)
    shown = normal_quantile((1 + confidence) / 2) * math.sqrt(base_side.shown + head_side.shown)
    reach = max((high - low) / 2, shown)
    difference = head_side.estimate.mean - base_side.estimate.mean
    return LogRatio(difference, difference - reach, difference + reach, base_side.expected + head_side.expected)


def rounds_sd(measurement: Measurement) -> float:
    """Estimate the standard deviation of the logarithm of the rounds from their middle half, which outliers spare."""
    if measurement.rounds < _REPEATED:
        return 0.0
    ordered = sorted(measurement.samples)
    # The outer one of two order statistics: few rounds look rather too scattered than too calm.
    outer = (len(ordered) - 1) // 4
    return math.log(ordered[-1 - outer] / ordered[outer]) / _IQR_PER_SD


def _side(own: Measurement, other: Measurement, noise: Noise) -> _Side:
    """Estimate one side, with the help of the other where it is a single process."""
    logs = [math.log(value) for value in process_values(own)]
    spread = _measured_spread(logs, noise)
    if spread is not None:
        variance = spread.sd**2 / len(logs)
        return _Side(MeanEstimate(mean(logs), variance, spread.df), variance, spread.sd**2)
    spread = _assumed_spread([math.log(value) for value in process_values(other)], noise)
    estimate = MeanEstimate(logs[0], spread.sd**2, spread.df)
    return _Side(estimate, rounds_sd(own) ** 2, _typical_variance(own, noise))


def _measured_spread(logs: list[float], noise: Noise) -> _Spread | None:
    if len(logs) < 2:  # noqa: PLR2004  # a scatter needs two
        return None
    return _Spread(max(stddev(logs), noise.least), len(logs) - 1.0)


def _assumed_spread(other_logs: list[float], noise: Noise) -> _Spread:
    """Assume for a single process the larger of what is assumed in general and what the other side shows."""
    other = _measured_spread(other_logs, noise)
    if other is None:
        # One unknown deviation stands behind both sides: Welch's formula adds these up to _ASSUMED_DF.
        return _Spread(noise.assumed, _ASSUMED_DF / 2)
    if other.sd > noise.assumed:
        return _Spread(other.sd, max(other.df, _ASSUMED_DF))
    return _Spread(noise.assumed, _ASSUMED_DF)


def _typical_variance(measurement: Measurement, noise: Noise) -> float:
    """Expect of a process what is typical, and what its rounds leave uncertain of their median."""
    within = _MEDIAN_PENALTY * rounds_sd(measurement) / math.sqrt(max(1, measurement.rounds))
    return noise.typical**2 + within**2
