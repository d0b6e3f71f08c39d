"""Which verdict follows from the rounds of a paired comparison, after each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_perfgate import stats
from pytest_perfgate.model import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPolicy:
    """What a paired comparison may get wrong, and how much it may spend."""

    tolerance: float
    """Relative, 0.05 for 5 %, > 0."""
    cases: int = 1
    """How many cases the chance of a false "regressed" is shared by, >= 1."""
    alpha: float = 0.01
    """Highest chance that any case of a run without relevant changes is called regressed."""
    beta: float = 0.05
    """Highest chance that one case that is worse by the tolerance passes."""
    rounds: int = 40
    """Most rounds of one case, unless its share of *alpha* needs more."""

    @property
    def limit(self) -> float:
        """Logarithm of the largest ratio within the tolerance."""
        return math.log1p(self.tolerance)

    @property
    def evidence(self) -> float:
        """E-value against "no relevant change" that a case needs to be called regressed."""
        return self.cases / self.alpha

    @property
    def most_rounds(self) -> int:
        """Rounds after which the last word is spoken; enough for a regression to be called one."""
        return max(self.rounds, 2 * stats.least_values(self.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a case stands after some rounds."""

    verdict: Verdict | None
    """``REGRESSED``, ``PASS``, ``IMPROVED`` or ``INCONCLUSIVE``; None: it needs another round."""
    estimate: float
    """Logarithm of the ratio, worse is positive."""
    interval: tuple[float, float]
    """Of the logarithm of the ratio, at *confidence*; finite."""
    confidence: float
    """In (0, 1); of all looks at the interval together."""
    doubt: str = ""
    """When inconclusive: why, and what would settle it."""


#: Share of the tolerance that counts as no relevant change: 1.5 % of 5 %.
_IRRELEVANT = 0.3
_LEAST_ROUNDS = 5
_CLEARLY_BEYOND = 4.0
#: Ends of an interval that so few rounds cannot bound: a thousandfold either way.
_UNBOUNDED = math.log(1000)
_CONFIDENCE = 0.99
_CONTAMINATED = 0.001


def stand(rounds: Sequence[float], policy: SequentialPolicy, *, last: bool = False) -> Standing:
    """Say where a case stands after *rounds*.

    Args:
        rounds: log(head / base) of each fresh pair of processes, signed so that worse is positive; at least one.
        policy: What it is held against.
        last: Whether there will be no further round (time is up).

    Returns:
        The verdict, or None for another round, with estimate and interval.

    Raises:
        TooFewValuesError: There are no rounds.
        ValueError: One of them is not finite.
    """
    estimate = stats.median(rounds)
    last = last or len(rounds) >= policy.most_rounds
    verdict = _verdict(rounds, policy, estimate, last=last)
    confidence = 1 - 2 * policy.beta if verdict is Verdict.PASS else _CONFIDENCE
    if len(rounds) < stats.least_values(2 / (1 - confidence)):
        confidence = 1 - 2 * policy.beta
    low, high = stats.e_interval(rounds, confidence)
    return Standing(
        verdict=verdict,
        estimate=estimate,
        interval=(max(low, -_UNBOUNDED), min(high, _UNBOUNDED)),
        confidence=confidence,
        doubt="" if verdict is not Verdict.INCONCLUSIVE else "more rounds or a quieter machine would settle it",
    )


def _verdict(rounds: Sequence[float], policy: SequentialPolicy, estimate: float, *, last: bool) -> Verdict | None:
    limit = policy.limit
    if len(rounds) >= _LEAST_ROUNDS:
        proven = estimate > limit and stats.e_value(rounds, _IRRELEVANT * limit) >= policy.evidence
        if proven and (last or stats.e_value(rounds, limit) >= _CLEARLY_BEYOND):
            return Verdict.REGRESSED
        mirrored = [-x for x in rounds]
        if estimate < limit and stats.e_value(mirrored, -limit) >= 1 / policy.beta:
            return Verdict.IMPROVED if stats.e_value(mirrored, limit) >= 1 / policy.beta else Verdict.PASS
    return Verdict.INCONCLUSIVE if last else None


def null_control(rounds: Sequence[float], tolerance: float) -> str:
    """Say why a run whose base was compared with itself must not be believed, or return an empty string."""
    evidence = max(stats.e_value(rounds, 0.0), stats.e_value([-x for x in rounds], 0.0)) / 2
    spread = stats.MAD_TO_SD * stats.mad(rounds)
    if evidence >= 1 / _CONTAMINATED or spread > tolerance:
        return f"base against base differs by {math.expm1(stats.median(rounds)) * 100:+.1f} %"
    return ""
