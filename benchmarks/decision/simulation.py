"""The sequential verdict on many simulated cases at once: NumPy's version of ``pytest_perfgate.judge.stand``.

Written apart from the package, which has no NumPy; ``tests/statistical`` holds one against the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PASS, IMPROVED, REGRESSED, INCONCLUSIVE = range(4)

#: Scale, boldness and share of each bet, as documented in pytest_perfgate.stats.sequential.
BETS = np.array([(0.004, 0.96, 0.36), (0.012, 0.96, 0.34), (0.03, 0.6, 0.30)])


@dataclass(frozen=True)
class Rule:
    """The policy of ``stand``."""

    tolerance: float = 0.05
    cases: int = 50
    alpha: float = 0.01
    beta: float = 0.05
    rounds: int = 60
    irrelevant: float = 0.4
    confidence: float = 0.99
    least: int = 5
    settled: int = 20
    clearly: float = 4.0


@dataclass(frozen=True)
class Outcomes:
    """What was said of each case; arrays of one length."""

    verdict: np.ndarray
    rounds: np.ndarray
    covers: np.ndarray
    """Whether the interval reported encloses the true change."""

    def share(self, verdict):
        """Return how large a part of the cases got *verdict*."""
        return float(np.mean(self.verdict == verdict))


class Stakes:
    """The stakes on every case against one threshold, on the side of *sign*."""

    def __init__(self, threshold, sign, cases):
        self.threshold, self.sign = threshold, sign
        self.stakes = np.tile(BETS[:, 2], (cases, 1))

    def bet(self, values):
        """Multiply the stakes by what *values* (one per case) pay."""
        distance = (self.sign * (values - self.threshold))[:, None]
        self.stakes *= 1 + BETS[:, 1] * np.tanh(distance / BETS[:, 0])

    @property
    def evidence(self):
        """The e-value of every case."""
        return self.stakes.sum(axis=1)

    def keep(self, mask):
        """Go on with the cases of *mask* only."""
        self.stakes = self.stakes[mask]


def decide(rounds, rule, true_change=0.0):
    """Look after every round of every case and stop where ``stand`` does.

    Args:
        rounds: Array of cases x rounds: log(head / base), worse positive.
        rule: The policy.
        true_change: Logarithm of the true ratio, for the coverage.

    Returns:
        Outcomes.
    """
    limit, least = math.log1p(rule.tolerance), 2 / (1 - rule.confidence)
    relevant = max(rule.cases / rule.alpha, least)
    count = len(rounds)
    most = max(rule.rounds, 2 * max(rule.least, least_rounds(relevant)))
    rounds = rounds[:, :most]
    verdict, taken, covers = np.full(count, INCONCLUSIVE), np.full(count, rounds.shape[1]), np.ones(count, dtype=bool)
    alive = np.arange(count)
    thresholds = {
        "relevant": (rule.irrelevant * limit, 1),
        "beyond": (limit, 1),
        "below": (limit, -1),
        "better": (-rule.irrelevant * limit, -1),
        "far better": (-limit, -1),
        "true+": (true_change, 1),
        "true-": (true_change, -1),
    }
    stakes = {name: Stakes(threshold, sign, count) for name, (threshold, sign) in thresholds.items()}
    for n in range(1, rounds.shape[1] + 1):
        for stake in stakes.values():
            stake.bet(rounds[alive, n - 1])
        if n < rule.least:
            continue
        evidence = {name: stake.evidence for name, stake in stakes.items()}
        estimate = np.median(rounds[alive, :n], axis=1)
        enough = rule.clearly if n < rule.settled else 1.0
        worse = (estimate > limit) & (evidence["relevant"] >= relevant) & (evidence["beyond"] >= enough)
        better = (estimate < -limit) & (evidence["better"] >= least) & (evidence["far better"] >= enough)
        within = (estimate < limit) & (evidence["below"] >= 1 / rule.beta)
        waiting = (estimate < -limit) & (n < rule.settled) & (n < rounds.shape[1])
        said = np.select([worse, better, within & ~waiting], [REGRESSED, IMPROVED, PASS], INCONCLUSIVE)
        done = (said != INCONCLUSIVE) | (n == rounds.shape[1])
        verdict[alive[done]], taken[alive[done]] = said[done], n
        against = np.maximum(evidence["true+"], evidence["true-"])
        is_weaker = (said == PASS) | (n < least_rounds(least))
        covers[alive[done]] = (against < np.where(is_weaker, 1 / rule.beta, least))[done]
        alive = alive[~done]
        for stake in stakes.values():
            stake.keep(~done)
        if not len(alive):
            break
    return Outcomes(verdict, taken, covers)


def least_rounds(evidence):
    n = 0
    while (BETS[:, 2] * (1 + BETS[:, 1]) ** n).sum() < evidence:
        n += 1
    return n


# -- noise: arrays of cases x rounds with median 0


def normal(rng, size, deviation):
    return rng.standard_normal(size) * deviation


def heavy(rng, size, deviation):
    """Student's t with 3 degrees of freedom, of the given standard deviation."""
    return rng.standard_t(3, size) / math.sqrt(3) * deviation


def very_heavy(rng, size, deviation):
    """Student's t with 2.2 degrees of freedom; 68 % of the values lie within the deviation."""
    return rng.standard_t(2.2, size) / 1.3213 * deviation


def outliers(rng, size, deviation):
    """As heavy; 2 % of the rounds are off by 30 % either way."""
    odd = rng.random(size) < 0.02
    return np.where(odd, rng.choice([-0.3, 0.3], size), heavy(rng, size, deviation))


def uneven(rng, size, deviation):
    """Normal, each round with its own deviation between a third and three times the usual."""
    factor = np.exp(rng.uniform(-math.log(3), math.log(3), size))
    return rng.standard_normal(size) * factor / 1.36 * deviation


def skewed_up(rng, size, deviation):
    """Exponential around its median: a long tail of slow heads."""
    return (rng.exponential(size=size) - math.log(2)) * deviation


def skewed_down(rng, size, deviation):
    return -skewed_up(rng, size, deviation)


def lognormal(rng, size, deviation):
    """Lognormal with shape 0.8, around its median."""
    return (np.exp(0.8 * rng.standard_normal(size)) - 1) / 1.305 * deviation


def sticky(rng, size, deviation):
    """Each round half of the one before (autocorrelation 0.5)."""
    fresh = rng.standard_normal(size)
    values = np.empty(size)
    values[:, 0] = fresh[:, 0]
    for i in range(1, size[1]):
        values[:, i] = 0.5 * values[:, i - 1] + math.sqrt(0.75) * fresh[:, i]
    return values * deviation


def drifting(rng, size, deviation):
    """Normal plus a random walk that moves by a fifth of the deviation per round."""
    walk = np.cumsum(0.2 * rng.standard_normal(size), axis=1)
    return (rng.standard_normal(size) + walk) * deviation


SOUND = {"normal": normal, "t3": heavy, "t2.2": very_heavy, "t3, 2 % at ±30 %": outliers}
ODD = {
    "uneven spread": uneven,
    "exponential": skewed_up,
    "exponential, mirrored": skewed_down,
    "lognormal": lognormal,
    "autocorrelation 0.5": sticky,
    "random walk": drifting,
}
