"""How far a series has moved from its beginning to its end, however it got there; whether it trends is next door."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_perfgate.stats.describe import mean, median, percentile
from pytest_perfgate.stats.distributions import student_quantile
from pytest_perfgate.stats.values import check_probability, finite

#: Values that :func:`level_shift` takes at least: three at each end make a line and something left over.
FEWEST_LEVELS = 12
#: The ends: a quarter of the series each.
_END = 4
#: A line's own end is twice as uncertain as its middle: variance 4 s^2 / n instead of s^2 / n.
_AT_THE_EDGE = 4.0
#: 5th to 95th percentile of a normal distribution, in standard deviations.  A few spikes beyond them count for nothing.
_MOST_OF_IT, _WIDTH = (5.0, 95.0), 3.2897
#: A spike among so many neighbours on either side does not bend a curve.
_NEAR = 2
#: So few independent values are left, at worst, that no smaller number of degrees of freedom would say more.
_LEAST_DF = 2.0


@dataclass(frozen=True, slots=True)
class Shift:
    """Two levels and how well their difference is known."""

    start: float
    """Level at the first value, in the unit of the series."""
    end: float
    """Level at the last one."""
    reach: float
    """Half the interval of their difference."""

    @property
    def moved(self) -> float:
        """From the first level to the last."""
        return self.end - self.start


def level_shift(values: Sequence[float], confidence: float = 0.95) -> Shift:
    """Estimate how far *values* have moved, from a line through either end and not from two single values.

    Spikes are taken out by running medians of five.  Then each quarter at an end is fitted with a line, which is read
    at its outer edge: right for a steady rise, for one that has come to an end, and for a step anywhere in the middle
    half.  What comes and goes within the series (a sawtooth, a wandering working set) is noise, whose correlation is
    allowed for: the variance is that of what the best monotone curve leaves over, or of what the lines leave over if
    that is more.

    Args:
        values: At least :data:`FEWEST_LEVELS`, in the order they came, evenly spaced.
        confidence: Of the interval, in (0, 1), two-sided.

    Returns:
        Both levels and half the width of the interval of their difference, in the unit of *values*.

    Raises:
        TooFewValuesError: There are fewer.
        ValueError: One of them is not finite, or *confidence* is not in (0, 1).

    Source:
        Running medians: Tukey, "Exploratory Data Analysis" (1977), chapter 7; monotone curve: :func:`isotonic`;
        effective number of values: :func:`correlation_length`; variance of a line at its edge: that of least squares.
    """
    check_probability(confidence, "a confidence")
    numbers = finite(values, "a shift of levels", least=FEWEST_LEVELS)
    size = len(numbers) // _END
    calm = _without_spikes(numbers)
    first, last = _Line.through(calm[:size], numbers[:size]), _Line.through(calm[-size:], numbers[-size:])
    overall = _left_over(calm, numbers)
    variance, length = 0.0, 1.0
    for line in (first, last):
        parts = [_spread(line.residuals) ** 2 * size / (size - 2), _spread(overall) ** 2]
        lengths = [min(correlation_length(rest), size / 2) for rest in (line.residuals, overall)]
        variance += _AT_THE_EDGE * max(part * each for part, each in zip(parts, lengths, strict=True)) / size
        length = max(length, *lengths)
    freedom = max(_LEAST_DF, 2 * size / length - 4)
    reach = student_quantile((1 + confidence) / 2, freedom) * math.sqrt(variance)
    return Shift(first.at(0), last.at(size - 1), reach)


def isotonic(values: Sequence[float]) -> list[float]:
    """Fit the curve that never falls and is closest to *values* in least squares.

    Args:
        values: At least one, in the order they came.

    Returns:
        As many fitted values.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite.

    Source:
        The pool-adjacent-violators algorithm: Ayer, Brunk, Ewing, Reid & Silverman, "An Empirical Distribution Function
        for Sampling with Incomplete Information", Annals of Mathematical Statistics 26 (1955) 641-647.
    """
    blocks: list[tuple[float, int]] = []
    for number in finite(values, "a monotone curve"):
        level, count = number, 1
        while blocks and blocks[-1][0] >= level:
            before, many = blocks.pop()
            level = (before * many + level * count) / (many + count)
            count += many
        blocks.append((level, count))
    return [level for level, count in blocks for _ in range(count)]


def correlation_length(values: Sequence[float]) -> float:
    """Estimate how many successive values say as much as one independent one.

    Args:
        values: At least two, in the order they came, without a trend.

    Returns:
        At least 1, which is what independent values, and equal ones, come to.

    Raises:
        TooFewValuesError: Fewer than two.
        ValueError: One of them is not finite.

    Source:
        Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7 (1992) 473-483, section 3.3: the sum of
        autocorrelations for as long as those of two successive lags add up to something positive.
    """
    numbers = finite(values, "a correlation length", least=2)
    centre = math.fsum(numbers) / len(numbers)
    off = [number - centre for number in numbers]
    power = math.fsum(x * x for x in off)
    if power <= 0:
        return 1.0
    length = -1.0
    for lag in range(0, len(off) - 1, 2):
        both = sum(math.fsum(a * b for a, b in zip(off, off[later:], strict=False)) / power for later in (lag, lag + 1))
        if both <= 0:
            break
        length += 2 * both
    return max(1.0, length)


@dataclass(frozen=True, slots=True)
class _Line:
    intercept: float
    slope: float
    residuals: tuple[float, ...]

    @classmethod
    def through(cls, calm: Sequence[float], numbers: Sequence[float]) -> _Line:
        centre, middle = mean(calm), (len(calm) - 1) / 2
        products = math.fsum((place - middle) * (level - centre) for place, level in enumerate(calm))
        slope = products / math.fsum((place - middle) ** 2 for place in range(len(calm)))
        intercept = centre - slope * middle
        rest = tuple(number - intercept - slope * place for place, number in enumerate(numbers))
        return cls(intercept, slope, rest)

    def at(self, place: float) -> float:
        return self.intercept + self.slope * place


def _without_spikes(numbers: Sequence[float]) -> list[float]:
    """Take running medians, of three next to the ends; either end itself goes on like its neighbours if it is far off.

    A straight line stays as it is.
    """
    last = len(numbers) - 1
    calm = list(numbers)
    for place in range(1, last):
        near = min(_NEAR, place, last - place)
        calm[place] = median(numbers[place - near : place + near + 1])
    for end, one, two in ((0, 1, 2), (last, last - 1, last - 2)):
        calm[end] = median((numbers[end], calm[one], 3 * calm[one] - 2 * calm[two]))
    return calm


def _left_over(calm: Sequence[float], numbers: Sequence[float]) -> list[float]:
    """Take the better of the rising and the falling monotone curve through *calm* away from *numbers*."""
    rising = isotonic(calm)
    falling = [-level for level in isotonic([-number for number in calm])]
    rests = ([number - level for number, level in zip(numbers, curve, strict=True)] for curve in (rising, falling))
    return min(rests, key=lambda rest: math.fsum(x * x for x in rest))


def _spread(rest: Sequence[float]) -> float:
    """Estimate a standard deviation that a spike here and there does not move."""
    low, high = (percentile(rest, p) for p in _MOST_OF_IT)
    return (high - low) / _WIDTH
