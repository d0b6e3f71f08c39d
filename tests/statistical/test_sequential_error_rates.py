"""How often the sequential verdict errs, by seeded simulation of rounds whose true change is known.

The simulation is NumPy's own version of the rule, ``benchmarks/decision/simulation.py``, held here against the
package's; ``benchmarks/decision/operating_characteristics.py`` prints the full table from far more cases.  Bounds
leave room for changes of the rule, not for chance: the seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from simulation import BETS, IMPROVED, INCONCLUSIVE, ODD, PASS, REGRESSED, SOUND, Rule, decide

from pytest_perfgate import stats
from pytest_perfgate.judge import SequentialPolicy, null_control, stand

VERDICTS = ("pass", "improved", "regressed", "inconclusive")
UNSKEWED = {**SOUND, "uneven spread": ODD["uneven spread"]}
SKEWED = ("exponential", "exponential, mirrored", "lognormal")


def simulated(noise, deviation, change, trials, *, seed=1, **rule):
    """Decide *trials* cases with the true relative *change*."""
    chosen = Rule(**rule)
    drawn = noise(np.random.default_rng(seed), (trials, chosen.rounds), deviation)
    return decide(math.log1p(change) + drawn, chosen, math.log1p(change))


@pytest.mark.parametrize("cases", [1, 50])
@pytest.mark.parametrize(("name", "change"), [("normal", 0.05), ("t2.2", -0.06), ("t3, 2 % at ±30 %", 0.07)])
def test_the_simulation_is_the_rule_of_the_package(name, change, cases):
    drawn = math.log1p(change) + SOUND[name](np.random.default_rng(7), (60, 60), 0.02)
    found = decide(drawn, Rule(cases=cases), math.log1p(change))
    policy = SequentialPolicy(tolerance=0.05, cases=cases)
    for i, rounds in enumerate(drawn.tolist()):
        n = next(n for n in range(1, 61) if stand(rounds[:n], policy).verdict is not None)
        standing = stand(rounds[:n], policy)
        assert (n, standing.verdict.value) == (found.rounds[i], VERDICTS[found.verdict[i]])
        low, high = standing.interval
        assert found.covers[i] == (low - 1e-6 <= math.log1p(change) <= high + 1e-6)


def test_the_simulation_bets_as_the_package_does():
    assert BETS.tolist() == [list(bet) for bet in stats.BETS]


@pytest.mark.parametrize("deviation", [0.008, 0.016, 0.025, 0.04])
@pytest.mark.parametrize("noise", SOUND)
def test_unchanged_code_never_fails_and_passes_quickly(noise, deviation):
    found = simulated(SOUND[noise], deviation, 0.0, 20_000, cases=1)
    assert found.share(REGRESSED) == 0
    assert found.share(INCONCLUSIVE) <= 0.001
    assert np.median(found.rounds) <= (5 if deviation < 0.02 else 7)


@pytest.mark.parametrize("cases", [1, 50])
@pytest.mark.parametrize(("change", "most"), [(0.02, 0.0005), (0.03, 0.001), (0.04, 0.008)])
@pytest.mark.parametrize("deviation", [0.008, 0.016, 0.025])
def test_changes_within_the_tolerance_rarely_fail(change, most, deviation, cases):
    for noise in UNSKEWED.values():
        assert simulated(noise, deviation, change, 3000, cases=cases).share(REGRESSED) <= most


@pytest.mark.parametrize(("cases", "most_rounds"), [(1, 18), (50, 23), (500, 27)])
@pytest.mark.parametrize(("change", "least"), [(0.06, 0.985), (0.075, 0.999), (0.10, 1.0)])
def test_changes_beyond_the_tolerance_fail(change, least, cases, most_rounds):
    for noise in UNSKEWED.values():
        found = simulated(noise, 0.016, change, 2000, cases=cases)
        assert found.share(REGRESSED) >= least
        assert change < 0.07 or np.quantile(found.rounds, 0.95) <= most_rounds


def test_noise_turns_into_rounds_and_doubt_and_not_into_false_verdicts():
    found = simulated(SOUND["normal"], 0.04, 0.05, 4000)
    assert found.share(INCONCLUSIVE) >= 0.7
    assert simulated(SOUND["normal"], 0.10, 0.0, 4000).share(REGRESSED) == 0
    assert simulated(SOUND["normal"], 0.10, 0.0, 4000).share(INCONCLUSIVE) >= 0.02


def test_improvements_are_seen_and_not_invented():
    assert simulated(SOUND["t3"], 0.016, -0.075, 4000).share(IMPROVED) >= 0.995
    assert simulated(SOUND["t3"], 0.016, 0.0, 20_000).share(IMPROVED) == 0


@pytest.mark.parametrize("tolerance", [0.03, 0.10, 0.50])
def test_other_tolerances_are_honoured_likewise(tolerance):
    noise = SOUND["t3"]
    assert simulated(noise, 0.008, 0.4 * tolerance, 4000, tolerance=tolerance).share(REGRESSED) == 0
    assert simulated(noise, 0.008, 0.75 * tolerance, 4000, tolerance=tolerance).share(REGRESSED) <= 0.002
    assert simulated(noise, 0.008, 1.5 * tolerance, 4000, tolerance=tolerance).share(REGRESSED) >= 0.995


@pytest.mark.parametrize("noise", UNSKEWED)
def test_an_e_value_keeps_its_promise_at_the_threshold_itself(noise):
    """However many of 200 looks are taken, a stake of 1 grows to K with a chance of at most 1 / K."""
    drawn = UNSKEWED[noise](np.random.default_rng(3), (5000, 200), 0.016)
    total = np.zeros(drawn.shape)
    for scale, boldness, share in BETS:
        total += share * np.exp(np.cumsum(np.log1p(boldness * np.tanh(drawn / scale)), axis=1))
    highest = total.max(axis=1)
    for wanted in (20, 100):
        assert np.mean(highest >= wanted) <= 1 / wanted
    assert stats.e_value((drawn[0] + 0.02).tolist(), 0.02) == pytest.approx(total[0, -1], rel=1e-6)


@pytest.mark.parametrize("change", [0.0, 0.03, 0.05, 0.06, 0.10])
@pytest.mark.parametrize("deviation", [0.008, 0.016, 0.04])
def test_the_reported_interval_covers_as_often_as_it_says(change, deviation):
    """90 % with a pass, 99 % otherwise, looking after every round and stopping at the verdict."""
    for noise in UNSKEWED.values():
        found = simulated(noise, deviation, change, 3000)
        missed = ~found.covers
        assert np.mean(missed & (found.verdict == PASS)) <= 0.05
        assert np.mean(missed & (found.verdict != PASS)) <= 0.005


@pytest.mark.parametrize("noise", SKEWED)
def test_skewed_rounds_are_covered_except_right_at_the_tolerance(noise):
    """The interval encloses a centre of symmetry; of skewed rounds it covers the median all the same, unless the
    change is the tolerance itself and takes so many rounds that their mean outweighs it."""
    for change in (0.0, 0.03, 0.075, 0.10):
        found = simulated(ODD[noise], 0.016, change, 3000)
        missed = ~found.covers
        assert np.mean(missed & (found.verdict == PASS)) <= 0.05
        assert np.mean(missed & (found.verdict != PASS)) <= 0.005


def test_dependent_rounds_fail_no_unchanged_code():
    for noise in ("autocorrelation 0.5", "random walk"):
        assert simulated(ODD[noise], 0.016, 0.0, 10_000).share(REGRESSED) == 0


@pytest.mark.parametrize("noise", SOUND)
def test_a_sound_null_control_is_silent(noise):
    drawn = SOUND[noise](np.random.default_rng(5), (1000, 14), 0.016).tolist()
    assert sum(bool(null_control(rounds[:n], 0.05)) for rounds in drawn for n in (5, 14)) <= 3


def test_a_biased_null_control_speaks_up():
    drawn = SOUND["normal"](np.random.default_rng(5), (300, 20), 0.016) + 0.05
    assert sum(bool(null_control(rounds, 0.05)) for rounds in drawn.tolist()) >= 280


@pytest.mark.parametrize(("change", "n"), [(0.0, 3), (0.03, 8), (0.06, 8), (0.075, 12), (0.10, 5)])
def test_a_doubt_announces_about_as_many_rounds_as_it_takes(change, n):
    drawn = math.log1p(change) + SOUND["t3"](np.random.default_rng(11), (80, 100), 0.016)
    policy = SequentialPolicy(tolerance=0.05, cases=50, rounds=100)
    ratios = []
    for rounds in drawn.tolist():
        doubt = stand(rounds[:n], policy, last=True).doubt
        if "more process pair" in doubt:
            taken = next(k for k in range(n, 101) if stand(rounds[:k], policy).verdict is not None)
            ratios.append((taken - n) / int(doubt.split()[1]))
    assert len(ratios) >= 15
    assert np.median(ratios) == pytest.approx(1, abs=0.35)
