"""Evidence that may be looked at after every value: e-values of a centre and the interval that follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_perfgate.stats.values import check_probability, finite

#: Scales on which a deviation counts as large, in units of natural logarithm (0.01 is 1 %), each with its share of the
#: stake: what is known of the spread beforehand is that rounds of a quiet machine differ by about one percent.
SCALES = ((0.002, 0.15), (0.005, 0.2), (0.01, 0.25), (0.02, 0.25), (0.05, 0.15))
#: Share of its stake that a bet can lose on one value.  Below 1, so that one outlier costs a few rounds, not the case.
BOLDNESS = 0.9


def e_value(values: Sequence[float], threshold: float) -> float:
    """Weigh the evidence that the centre of *values* lies above *threshold*.

    The stake of 1 is bet, value by value, on the next one lying above; each bet is fair or worse as long as every
    value is, given those before it, symmetric around a centre of at most *threshold*, whatever its spread or tails.
    So the chance that the stake ever grows to K, however often one looks, is at most 1 / K.

    Args:
        values: Logarithms of ratios, in the order they came; the order does not matter.
        threshold: Logarithm of a ratio.

    Returns:
        What the stake has grown to, >= 0; 1.0 without values.

    Raises:
        ValueError: A value is not finite.

    Source:
        Betting with bounded odd functions: de la Peña, "A General Class of Exponential Inequalities for Martingales
        and Ratios", Annals of Probability 27 (1999) 537-564 (symmetric increments); Ramdas, Grünwald, Vovk & Shafer,
        "Game-Theoretic Statistics and Safe Anytime-Valid Inference", Statistical Science 38 (2023) 576-601; the bound
        is Ville's inequality (1939).
    """
    return _grown([x - threshold for x in finite(values, "an e-value", least=0)])


def e_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Enclose the centre of *values* with *confidence*, at every look at once.

    Args:
        values: Logarithms of ratios, in the order they came.
        confidence: In (0, 1).

    Returns:
        The thresholds that neither :func:`e_value` nor its mirror image speak against by 2 / (1 - confidence);
        infinite as long as that is more than so few values can reach (see :func:`least_values`).

    Raises:
        ValueError: A value is not finite, or *confidence* is not in (0, 1).

    Source:
        Howard, Ramdas, McAuliffe & Sekhon, "Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences", Annals
        of Statistics 49 (2021) 1055-1080: a confidence sequence is what sequential tests do not reject.
    """
    check_probability(confidence, "a confidence")
    numbers = finite(values, "an interval", least=0)
    limit = 2 / (1 - confidence)
    if len(numbers) < least_values(limit):
        return -math.inf, math.inf
    low = _lower_end(numbers, limit)
    high = -_lower_end([-x for x in numbers], limit)
    return min(low, high), max(low, high)


def least_values(evidence: float) -> int:
    """Return how many values it takes at least for :func:`e_value` to reach *evidence* (> 0)."""
    return max(0, math.ceil(math.log(evidence) / math.log1p(BOLDNESS) - 1e-9))


def _grown(distances: Sequence[float]) -> float:
    """Return what the stake grows to, shared out over the scales."""
    tanh = math.tanh
    grown = 0.0
    for scale, share in SCALES:
        stake = share
        for distance in distances:
            stake *= 1 + BOLDNESS * tanh(distance / scale)
        grown += stake
    return grown


def _lower_end(numbers: Sequence[float], limit: float) -> float:
    """Find the threshold at which the evidence for a centre above it falls to *limit*."""
    low, high = min(numbers) - SCALES[-1][0], max(numbers)
    while _grown([x - low for x in numbers]) < limit:
        step = high - low
        low -= step
        if step > 1e3:  # noqa: PLR2004  # more than any ratio of times
            return -math.inf
    while high - low > 1e-6:  # noqa: PLR2004  # a ten-thousandth of a percent
        middle = (low + high) / 2
        if _grown([x - middle for x in numbers]) >= limit:
            low = middle
        else:
            high = middle
    return low
