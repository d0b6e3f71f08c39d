"""Numbers that describe a sample: centre, spread, percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pytest_perfgate.stats.values import finite, middle

#: Median absolute deviation times this estimates a normal standard deviation: 1 / Phi^-1(3/4).
MAD_TO_SD = 1.482602218505602


def median(values: Iterable[float]) -> float:
    """Take the middle value, or the mean of the two middle ones.

    Args:
        values: At least one, any order.

    Returns:
        The median, in the unit of *values*.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite.
    """
    return middle(sorted(finite(values, "a median")))


def mean(values: Iterable[float]) -> float:
    """Average *values* (at least one) without accumulating rounding errors.

    Args:
        values: At least one, any order.

    Returns:
        The arithmetic mean, in the unit of *values*.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite.
    """
    numbers = finite(values, "a mean")
    return math.fsum(numbers) / len(numbers)


def stddev(values: Iterable[float]) -> float:
    """Estimate the standard deviation of what *values* were drawn from (divisor n - 1).

    Args:
        values: At least one, any order.

    Returns:
        The standard deviation in the unit of *values*; 0.0 for a single value.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite.
    """
    numbers = finite(values, "a standard deviation")
    if len(numbers) == 1:
        return 0.0
    centre = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in numbers) / (len(numbers) - 1))


def mad(values: Iterable[float]) -> float:
    """Take the median absolute deviation from the median, unscaled; see :data:`MAD_TO_SD`.

    Args:
        values: At least one, any order.

    Returns:
        The deviation in the unit of *values*; half of the values lie within it around the median.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite.
    """
    numbers = sorted(finite(values, "a median absolute deviation"))
    centre = middle(numbers)
    return middle(sorted(abs(x - centre) for x in numbers))


def percentile(values: Iterable[float], p: float) -> float:
    """Interpolate linearly between the two order statistics around the *p*-th percentile.

    Args:
        values: At least one, any order.
        p: From 0 (the minimum) to 100 (the maximum).

    Returns:
        The percentile in the unit of *values*; within their range, never falling as *p* grows.

    Raises:
        TooFewValuesError: There are none.
        ValueError: One of them is not finite, or *p* is outside 0 to 100.

    Source:
        Definition 7 of Hyndman & Fan, "Sample Quantiles in Statistical Packages", The American
        Statistician 50 (1996) 361-365; NumPy's ``method="linear"``.
    """
    numbers = sorted(finite(values, "a percentile"))
    if not 0 <= p <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"a percentile lies between 0 and 100, not {p!r}")
    position = (len(numbers) - 1) * (p / 100)
    index = min(math.floor(position), len(numbers) - 1)
    low, high = numbers[index], numbers[min(index + 1, len(numbers) - 1)]
    part = position - index
    # From the nearer end, so that rounding can neither leave the bracket nor break the order.
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)  # noqa: PLR2004
