"""Quantiles of the normal and of Student's t distribution."""

from __future__ import annotations

import math
from functools import lru_cache

from pytest_perfgate.stats.values import check_probability

#: Degrees of freedom; from here on the expansion of Student's quantile is exact to the last digits of a float.
LARGE_DF = 10_000.0
_SQRT2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
#: Half a unit in the last place of 1.0: further terms change nothing.
_PRECISION = 1e-16


def normal_quantile(p: float) -> float:
    """Invert the standard normal distribution function.

    Args:
        p: In (0, 1).

    Returns:
        The value that a standard normal variable stays under with probability *p*.

    Raises:
        ValueError: *p* is not in (0, 1).

    Source:
        Start: Abramowitz & Stegun, "Handbook of Mathematical Functions" (1964), 26.2.23 (error
        below 4.5e-4); refined by Halley's method on :func:`math.erfc`.
    """
    check_probability(p, "a probability")
    if p == 0.5:  # noqa: PLR2004  # the centre
        return 0.0
    tail = min(p, 1 - p)
    t = math.sqrt(-2 * math.log(tail))
    z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    for _ in range(3):
        step = (math.erfc(z / _SQRT2) / 2 - tail) * _SQRT_2PI * math.exp(z * z / 2)
        z += step / (1 + z * step / 2)
    return z if p > 0.5 else -z  # noqa: PLR2004


@lru_cache(maxsize=4096)
def student_quantile(p: float, df: float) -> float:
    """Invert Student's t distribution function.

    Args:
        p: In (0, 1).
        df: Degrees of freedom, > 0, not necessarily whole; ``math.inf`` means normal.

    Returns:
        The value that a t-distributed variable stays under with probability *p*; relative error
        below 1e-9 for df from 1 up.

    Raises:
        ValueError: *p* is not in (0, 1), or *df* is not positive.

    Source:
        Tail probability by the incomplete beta function, Abramowitz & Stegun 26.7.1 with the
        continued fraction DLMF 8.17.22, inverted by Newton steps inside a shrinking bracket; for df
        above 10,000 the expansion Abramowitz & Stegun 26.7.5.
    """
    check_probability(p, "a probability")
    if math.isnan(df) or df <= 0:
        raise ValueError(f"degrees of freedom are positive, not {df!r}")
    if p == 0.5:  # noqa: PLR2004  # the centre
        return 0.0
    if df > LARGE_DF:
        return _student_quantile_expansion(normal_quantile(p), df)
    quantile = _solve_student_tail(min(p, 1 - p), df)
    return quantile if p > 0.5 else -quantile  # noqa: PLR2004


def _student_quantile_expansion(z: float, df: float) -> float:
    """Expand Student's quantile around the normal one (Abramowitz & Stegun 26.7.5)."""
    square, small = z * z, 1 / df
    first = (square + 1) / 4
    second = ((5 * square + 16) * square + 3) / 96
    third = (((3 * square + 19) * square + 17) * square - 15) / 384
    return z * (1 + small * (first + small * (second + small * third)))


def _solve_student_tail(tail: float, df: float) -> float:
    """Find t > 0 with P(T > t) = tail, for tail < 1/2."""
    scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    low, high = 0.0, 1.0
    while _student_tail(high, df) > tail:
        low, high = high, high * 2
    t = (low + high) / 2
    for _ in range(200):  # pragma: no branch  # converges in about 6 steps; bisection alone would in 60
        difference = _student_tail(t, df) - tail
        low, high = (t, high) if difference > 0 else (low, t)
        density = math.exp(scale - (df + 1) / 2 * math.log1p(t * t / df))
        # Newton on the logarithm of the tail: nearly straight where the tail itself is flat.
        value = difference + tail
        following = t + math.log(value / tail) * value / density if value > 0 and density else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - t) <= 1e-14 * t:  # the last digits of a float
            return following
        t = following
    return t


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return the quantile of a beta distribution.

    Args:
        p: In (0, 1).
        a: First shape parameter, > 0.
        b: Second shape parameter, > 0.

    Returns:
        x in (0, 1) with I_x(a, b) = p, to about 12 digits.

    Source:
        Bisection on the regularised incomplete beta function (DLMF 8.17); checked against SciPy.
    """
    check_probability(p, "a probability")
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if _incomplete_beta(a, b, middle, 1 - middle) < p:
            low = middle
        else:
            high = middle
        if high - low <= _PRECISION * high:
            break
    return (low + high) / 2


def _student_tail(t: float, df: float) -> float:
    """Return P(T > t) for t >= 0."""
    square = t * t
    x, y = df / (df + square), square / (df + square)
    return _incomplete_beta(df / 2, 0.5, x, y) / 2


def _incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b); y is 1 - x, unrounded."""
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(y))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, y) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction DLMF 8.17.22 by the modified Lentz method."""
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    result = d
    for m in range(1, 1000):  # pragma: no branch  # needs about sqrt(max(a, b)) steps, 70 at the largest df
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            result *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return result
