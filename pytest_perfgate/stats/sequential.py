"""Evidence that may be looked at after every value: e-values of a centre and the interval that follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_perfgate.stats.values import check_probability, finite

#: How the stake is laid out: from which distance on a value counts fully (a natural logarithm, so 0.012 is 1.2 %), what
#: part of the stake one value can lose, and the share of the stake.  Fixed, because a bet must not know what is to
#: come; chosen for rounds that differ by 0.8 to 4 %.  No bet loses all: one outlier costs five rounds, not the case.
BETS = ((0.004, 0.96, 0.36), (0.012, 0.96, 0.34), (0.03, 0.6, 0.30))
#: Ends of an interval are found to within a ten-thousandth of a percent.
_RESOLUTION = 1e-6
#: Further than this from all values nothing changes any more: every bet counts fully.
_FAR = 20 * max(scale for scale, _, _ in BETS)


def e_value(values: Sequence[float], threshold: float) -> float:
    """Weigh the evidence that the centre of *values* lies above *threshold*.

    A stake of 1 is bet, value by value, on the next one lying above the threshold.  Such a bet is fair or worse when
    the value is, given those before it, symmetric around a centre of at most the threshold, whatever its spread and
    tails.  So the chance that the stake ever grows to K, however often one looks and whenever one stops, is at most
    1 / K.  E-values of independent runs may be multiplied.

    Args:
        values: Logarithms of ratios; their order does not matter.
        threshold: Logarithm of a ratio.

    Returns:
        What the stake has grown to, >= 0; 1.0 without values.  No value that rises ever lowers it.

    Raises:
        ValueError: One of the values is not finite.

    Source:
        Ville, "Étude critique de la notion de collectif" (1939), for the bound; Ramdas, Grünwald, Vovk & Shafer,
        "Game-Theoretic Statistics and Safe Anytime-Valid Inference", Statistical Science 38 (2023) 576-601, for
        testing by betting; de la Peña, "A General Class of Exponential Inequalities for Martingales and Ratios",
        Annals of Probability 27 (1999) 537-564, for symmetric increments.  A bet of 1 + c tanh(y) is fair because
        tanh is odd; c < 1 and the mixture are ours.
    """
    return _grown(finite(values, "an e-value", least=0), threshold)


def e_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Enclose the centre of *values* with *confidence*, at all looks together.

    It is what the values so far do not speak against, not the intersection with earlier intervals, which could be
    empty; either covers at every look at once, and this one does not depend on the order of the values.

    Args:
        values: Logarithms of ratios; their order does not matter.
        confidence: In (0, 1).

    Returns:
        The lowest and the highest threshold against which neither :func:`e_value` nor its mirror image has reached
        2 / (1 - confidence); infinite as long as so few values cannot reach that (see :func:`least_values`).

    Raises:
        ValueError: One of the values is not finite, or *confidence* is not in (0, 1).

    Source:
        Howard, Ramdas, McAuliffe & Sekhon, "Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences", Annals
        of Statistics 49 (2021) 1055-1080: a confidence sequence is what a sequential test does not reject.
    """
    check_probability(confidence, "a confidence")
    numbers = finite(values, "an interval", least=0)
    limit = 2 / (1 - confidence)
    if len(numbers) < least_values(limit):
        return -math.inf, math.inf
    low = _lower_end(numbers, limit)
    high = -_lower_end([-x for x in numbers], limit)
    # Values so skewed that their middle and their mean contradict each other speak against everything between.
    return min(low, high), max(low, high)


def least_values(evidence: float) -> int:
    """Return how many values it takes at least for :func:`e_value` to reach *evidence* (> 0)."""
    n = 0
    while sum(share * (1 + boldness) ** n for _, boldness, share in BETS) < evidence:
        n += 1
    return n


def _grown(numbers: Sequence[float], threshold: float) -> float:
    """Return what the whole stake grows to."""
    tanh = math.tanh
    total = 0.0
    for scale, boldness, share in BETS:
        stake = share
        for x in numbers:
            stake *= 1 + boldness * tanh((x - threshold) / scale)
        total += stake
    return total


def _lower_end(numbers: Sequence[float], limit: float) -> float:
    """Find by bisection the threshold at which the evidence for a centre above it falls to *limit*."""
    low, high = min(numbers) - _FAR, max(numbers)
    while high - low > max(_RESOLUTION, 1e-12 * abs(low)):
        middle = (low + high) / 2
        if _grown(numbers, middle) >= limit:
            low = middle
        else:
            high = middle
    return low
