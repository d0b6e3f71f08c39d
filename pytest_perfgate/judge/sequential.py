"""Which verdict follows from the rounds of a paired comparison, after each of them.

A round is one number: the logarithm of head / base from one fresh pair of processes, worse being positive.  The limit
is the logarithm of the largest ratio within the tolerance.

* **Regressed**: the estimate lies beyond the limit, the evidence that the change is relevant at all (larger than 40 %
  of the limit) has reached cases / alpha, and the evidence does not speak against a change beyond the limit; before
  the 20th round it must speak for it.
* **Improved**: the mirror image, with the evidence that a 99 % interval asks for.
* **Pass**: the evidence against a change of the limit or more has reached 1 / beta.  What looks improved gets up to 20
  rounds to become so.

So the chance that a run in which nothing became slower by more than 40 % of the tolerance fails at all is at most
alpha, and the chance that a case which is slower by the tolerance passes is at most beta, however many looks it takes;
what happens between and beyond is in ``benchmarks/decision``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_perfgate import stats
from pytest_perfgate.model import Verdict
from pytest_perfgate.words import counted

#: Share of the limit up to which a change is not relevant: 2 % of 5 %.
IRRELEVANT = 0.4
#: Of the interval of everything but a pass, whose confidence is 1 - 2 beta.
CONFIDENCE = 0.99
#: Fewer rounds never decide: five is also what 1 / beta = 20 takes.
LEAST_ROUNDS = 5
#: From here on the estimate is good enough to be taken at its word.
SETTLED = 20
#: Evidence for "beyond the limit" that takes the place of those rounds.
_CLEARLY = 4.0
#: Ends of an interval that so few rounds cannot bound: a thousandfold either way.
UNBOUNDED = math.log(1000)
#: False alarms of the null control; so rare that none shows among the hundreds of runs of a test suite.
_CONTAMINATED = 1e-5
#: Base against base: a spread of this many times the limit leaves nothing to decide with.
_WIDE = 1.5
#: A stake that is nearly lost comes back sooner than its logarithm says: other bets of the mixture take over.
_LOST = 0.1
#: What is not settled by this many rounds more is not worth waiting for.
_PATIENCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPolicy:
    """What a paired comparison may get wrong, and how much it may spend."""

    tolerance: float
    """Relative, 0.05 for 5 %, > 0."""
    cases: int = 1
    """How many cases *alpha* is shared by, >= 1: all those of the run that are compared."""
    alpha: float = 0.01
    """Highest chance that a run without any relevant change has a regressed case."""
    beta: float = 0.05
    """Highest chance that one case which is worse by the tolerance passes; below 0.5."""
    rounds: int = 60
    """Most rounds of one case; more if its share of *alpha* needs them."""

    def __post_init__(self) -> None:
        if not (self.tolerance > 0 and math.isfinite(self.tolerance)):
            raise ValueError(f"a tolerance is positive, not {self.tolerance!r}")
        if self.cases < 1:
            raise ValueError(f"there is at least one case, not {self.cases!r}")
        if not (0 < self.alpha < 1 and 0 < self.beta < 0.5):  # noqa: PLR2004  # a coin is no test
            raise ValueError(f"alpha lies in (0, 1) and beta in (0, 0.5), not {self.alpha!r} and {self.beta!r}")

    @property
    def limit(self) -> float:
        """Logarithm of the largest ratio within the tolerance."""
        return math.log1p(self.tolerance)

    @property
    def evidence(self) -> float:
        """E-value against "no relevant change" that it takes to be called regressed."""
        return max(self.cases / self.alpha, _evidence_of(CONFIDENCE))

    @property
    def least_rounds(self) -> int:
        """Rounds that a regression takes at least."""
        return max(LEAST_ROUNDS, stats.least_values(self.evidence))

    @property
    def most_rounds(self) -> int:
        """Rounds after which the last word is spoken; twice what a regression takes at least."""
        return max(self.rounds, 2 * self.least_rounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a case stands after some rounds."""

    verdict: Verdict | None
    """``REGRESSED``, ``PASS``, ``IMPROVED`` or ``INCONCLUSIVE``; None: it needs another round."""
    estimate: float
    """Logarithm of the ratio, worse is positive: the median of the rounds."""
    interval: tuple[float, float]
    """Of the logarithm of the ratio, at *confidence*; encloses the estimate and is finite: what so few rounds cannot
    bound ends at :data:`UNBOUNDED`."""
    confidence: float
    """Of the interval, at all looks together."""
    doubt: str = ""
    """When inconclusive: why, and what would settle it."""
    missing: int = 0
    """When inconclusive: about how many more rounds would settle it; 0 when no number worth waiting for would."""


def stand(rounds: Sequence[float], policy: SequentialPolicy, *, last: bool = False) -> Standing:
    """Say where a case stands after *rounds*.

    Args:
        rounds: log(head / base) of each fresh pair of processes, worse being positive; at least one.
        policy: What they are held against.
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
    confidence, interval = _interval(rounds, policy, estimate, verdict)
    doubt, missing = _doubt(rounds, policy, estimate) if verdict is Verdict.INCONCLUSIVE else ("", 0)
    return Standing(
        verdict=verdict,
        estimate=estimate,
        interval=interval,
        confidence=confidence,
        doubt=doubt,
        missing=missing,
    )


def null_control(rounds: Sequence[float], tolerance: float) -> str:
    """Say why a run in which base was compared with itself must not be believed.

    Args:
        rounds: log(base / base) of each fresh pair of processes.
        tolerance: Relative, that of the run.

    Returns:
        One sentence, or an empty string when nothing speaks against the run.  A sound run gets a sentence with a
        chance of at most 0.00001, however often it is looked at, and somewhat more when its rounds are few and wide.
    """
    if not rounds:
        return ""
    estimate = stats.median(rounds)
    if (stats.e_value(rounds, 0.0) + stats.e_value(_mirrored(rounds), 0.0)) / 2 >= 1 / _CONTAMINATED:
        moved = f"{math.expm1(estimate) * 100:+.1f} %"
        return f"base against itself differs by {moved} in {len(rounds)} process pairs: the run is biased"
    spread = stats.MAD_TO_SD * stats.mad(rounds)
    if len(rounds) >= LEAST_ROUNDS and spread > _WIDE * math.log1p(tolerance):
        return (
            f"base against itself scatters by {_percent(spread)} from one process pair to the next, too much "
            f"for a tolerance of {tolerance * 100:g} %"
        )
    return ""


def stands_out(standing: Standing, control: Sequence[float], tolerance: float) -> bool:
    """Tell whether a change is so large that what base shows against itself cannot be it.

    Args:
        standing: Of a case that regressed or improved.
        control: log(base / base) of each fresh pair of processes, of a run that :func:`null_control` speaks against.
        tolerance: Relative, that of the case.

    Returns:
        Whether the whole interval lies beyond the tolerance, the move of base and twice its scatter together.
    """
    low, high = standing.interval
    shown = abs(stats.median(control)) + 2 * stats.MAD_TO_SD * stats.mad(control)
    return max(low, -high) > math.log1p(tolerance) + shown


def _verdict(rounds: Sequence[float], policy: SequentialPolicy, estimate: float, *, last: bool) -> Verdict | None:
    if len(rounds) >= LEAST_ROUNDS:
        mirrored = _mirrored(rounds)
        if _is_beyond(rounds, estimate, policy.limit, policy.evidence):
            return Verdict.REGRESSED
        if _is_beyond(mirrored, -estimate, policy.limit, _evidence_of(CONFIDENCE)):
            return Verdict.IMPROVED
        looks_improved = estimate < -policy.limit and len(rounds) < SETTLED and not last
        is_within = estimate < policy.limit and stats.e_value(mirrored, -policy.limit) >= 1 / policy.beta
        if is_within and not looks_improved:
            return Verdict.PASS
    return Verdict.INCONCLUSIVE if last else None


def _is_beyond(rounds: Sequence[float], estimate: float, limit: float, evidence: float) -> bool:
    """Tell whether rounds show a change upwards that is relevant and lies beyond *limit*."""
    if estimate <= limit or stats.e_value(rounds, IRRELEVANT * limit) < evidence:
        return False
    return stats.e_value(rounds, limit) >= (1.0 if len(rounds) >= SETTLED else _CLEARLY)


def _interval(
    rounds: Sequence[float], policy: SequentialPolicy, estimate: float, verdict: Verdict | None
) -> tuple[float, tuple[float, float]]:
    """Choose a confidence and return it with its interval; that of a pass lies below the limit."""
    weaker = 1 - 2 * policy.beta
    is_bounded = len(rounds) >= stats.least_values(_evidence_of(CONFIDENCE))
    confidence = CONFIDENCE if is_bounded and verdict is not Verdict.PASS else weaker
    low, high = stats.e_interval(rounds, confidence)
    return confidence, (max(min(low, estimate), -UNBOUNDED), min(max(high, estimate), UNBOUNDED))


def _doubt(rounds: Sequence[float], policy: SequentialPolicy, estimate: float) -> tuple[str, int]:
    """Say what would settle an inconclusive case, and about how many rounds more; 0 when they would not."""
    spread = stats.MAD_TO_SD * stats.mad(rounds) if len(rounds) > 1 else policy.limit
    if estimate > policy.limit:
        relevant = _rounds_to(policy.evidence, rounds, IRRELEVANT * policy.limit, spread)
        beyond = _rounds_to(_CLEARLY if len(rounds) < SETTLED else 1.0, rounds, policy.limit, spread)
        more = max(relevant, beyond, policy.least_rounds - len(rounds))
    else:
        more = max(LEAST_ROUNDS - len(rounds), _rounds_to(1 / policy.beta, _mirrored(rounds), -policy.limit, spread))
    if more <= _PATIENCE:
        count = max(1, math.ceil(more))
        return f"about {counted(count, 'more process pair')} would settle it", count
    if spread > policy.limit:
        return f"the process pairs scatter by {_percent(spread)}: only a quieter machine would settle it", 0
    return "the change is too close to the tolerance to tell on which side it lies", 0


def _rounds_to(evidence: float, rounds: Sequence[float], threshold: float, spread: float) -> float:
    """Estimate how many rounds more it takes to reach *evidence* if they go on like this.

    The logarithm of what a well-chosen bet is worth grows by half the squared ratio of distance to spread per round,
    up to what a sure win pays.
    """
    surely = math.log1p(max(boldness for _, boldness, _ in stats.BETS))
    distance = stats.median(rounds) - threshold
    # Beyond twice the spread nothing is gained, and a spread of nearly nothing cannot be divided by.
    growth = surely if distance > 2 * spread else min(surely, (distance / (spread or 1)) ** 2 / 2)
    found = math.log(max(stats.e_value(rounds, threshold), _LOST))
    if len(rounds) >= SETTLED:  # rounds of two kinds, as memory layouts make them, gain less than their spread says
        growth = min(growth, found / len(rounds))
    missing = math.log(evidence) - found
    return missing / growth if distance > 0 and growth > 0 else math.inf


def _evidence_of(confidence: float) -> float:
    """Return the e-value that takes a threshold out of a two-sided interval."""
    return 2 / (1 - confidence)


def _mirrored(rounds: Sequence[float]) -> list[float]:
    return [-x for x in rounds]


def _percent(logarithm: float) -> str:
    return f"{math.expm1(logarithm) * 100:.1f} %"
