"""How often a stored comparison errs, by seeded simulation of runs whose true difference is known.

Each process of a run draws its own deviation: normal, heavy-tailed (Student's t with 3 degrees of freedom) or skewed
(exponential), each of the given standard deviation on the logarithmic scale.  Its 20 rounds agree within 1 %, so that
nothing inside a process warns of what lies between processes.  The tolerance is 5 %, the confidence 99 %.

Share of "regressed", by ``worst_false_alarms`` and ``rates`` below with 40,000 (true change: 10,000) comparisons per
cell, the least favourable of the three noises:

=============================  =======  =======  =======  =======
deviation between runs            1 %      3 %      5 %     10 %
=============================  =======  =======  =======  =======
no change, 1 run and 1 run     0.000 %  0.040 %  0.170 %  2.268 %
no change, 10 runs and 1 run   0.000 %  0.035 %  0.453 %  2.120 %
no change, 2 runs and 2 runs   0.000 %  0.000 %  0.003 %  0.088 %
no change, 5 runs and 5 runs   0.000 %  0.000 %  0.003 %  0.045 %
+30 %, 1 run and 1 run           0.0 %    8.2 %   17.9 %   30.7 %
+100 %, 1 run and 1 run        100.0 %  100.0 %   99.9 %   99.0 %
+10 %, 5 runs and 5 runs        96.2 %   22.8 %    7.0 %    1.9 %
+30 %, 5 runs and 5 runs       100.0 %   99.0 %   94.3 %   47.1 %
=============================  =======  =======  =======  =======

A single run raises next to no false alarm up to the noise published for hosted runners (2.66 %), at the price of seeing
only slowdowns of more than a third; the rest is inconclusive.  What false alarms it has at 10 % are the price of
judging one process at all: an outlier and a regression look the same once.

With calibrated values the machine's own deviation (here 15 %, as on a busy virtual machine) is divided out, and what is
left is the case's own (1.5, 2.5 and 4.5 %: about the span in benchmarks/README.md).  Share of
"regressed", calibrated and, of the same processes, in seconds, by ``calibrated_rates`` with 10,000 (true change: 2,000)
comparisons per cell, the least favourable of the three noises:

=============================  ===============  ===============  ===============
deviation of the case itself        1.5 %            2.5 %            4.5 %
=============================  ===============  ===============  ===============
no change, 1 run and 1 run      0.00 / 7.63 %    0.03 / 7.23 %    0.15 / 7.89 %
no change, 5 runs and 5 runs    0.00 / 0.12 %    0.00 / 0.11 %    0.00 / 0.10 %
+30 %, 1 run and 1 run           1.4 / 38.1 %     5.5 / 37.6 %    14.9 / 38.8 %
+50 %, 1 run and 1 run          99.8 / 65.8 %    99.0 / 65.3 %    93.0 / 67.3 %
+10 %, 5 runs and 5 runs        82.0 /  0.8 %    34.5 /  0.8 %     9.2 /  0.7 %
+15 %, 5 runs and 5 runs        98.5 /  3.0 %    90.0 /  3.2 %    43.3 /  2.2 %
+30 %, 5 runs and 5 runs        99.8 / 18.8 %    99.6 / 17.4 %    96.4 / 15.6 %
=============================  ===============  ===============  ===============
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from builders import make_measurement

from pytest_perfgate.compare import compare_measurements
from pytest_perfgate.judge import judge_change
from pytest_perfgate.model import Verdict

NOISES = ("normal", "heavy", "skewed")
ROUNDS = tuple(1 + 0.0005 * i for i in range(-10, 10))


def draw(rng, noise, deviation):
    """Draw the logarithm of one process's factor."""
    if noise == "normal":
        return rng.gauss(0, deviation)
    if noise == "heavy":
        chi_square = sum(rng.gauss(0, 1) ** 2 for _ in range(3))
        return rng.gauss(0, 1) / (chi_square / 3) ** 0.5 * deviation / 3**0.5
    return (rng.expovariate(1) - 1) * deviation


def measure(rng, noise, deviation, processes, factor):
    """Measure a true value of 1 ms times *factor* in several processes."""
    found = [0.001 * factor * 2.718281828459045 ** draw(rng, noise, deviation) for _ in range(processes)]
    middle = sorted(found)[processes // 2]
    return make_measurement(
        value=middle, processes=tuple(found), samples=tuple(found[0] * one for one in ROUNDS), interval=None
    )


def rates(noise, deviation, *, base, head, factor=1.0, trials):
    """Return the share of each verdict over *trials* comparisons of fresh runs."""
    rng = random.Random(f"{noise} {deviation} {base} {head} {factor}")
    counts = dict.fromkeys(Verdict, 0)
    for _ in range(trials):
        sides = measure(rng, noise, deviation, base, 1.0), measure(rng, noise, deviation, head, factor)
        counts[judge_change(compare_measurements(*sides, tolerance=0.05, against="base").change)] += 1
    return {verdict: count / trials for verdict, count in counts.items()}


def measure_calibrated(rng, noise, own, machine, processes, factor):
    """Measure as :func:`measure`, with calibration, on a machine that is faster or slower in every process."""
    ratios = [50.0 * factor * 2.718281828459045 ** draw(rng, noise, own) for _ in range(processes)]
    seconds = [20e-6 * ratio * 2.718281828459045 ** draw(rng, noise, machine) for ratio in ratios]
    extra = {
        "calibration": 1,
        "calibrated_processes": ratios,
        "calibrated_samples": [ratios[0] * one for one in ROUNDS],
    }
    rounds = tuple(seconds[0] * one for one in ROUNDS)
    middle = sorted(seconds)[processes // 2]
    return make_measurement(value=middle, processes=tuple(seconds), samples=rounds, interval=None, extra=extra)


def calibrated_rates(noise, own, *, runs, factor=1.0, trials, machine=0.15):
    """Return the share of "regressed" among calibrated and among plain comparisons of the same processes."""
    rng = random.Random(f"{noise} {own} {runs} {factor}")
    counts = [0, 0]
    for _ in range(trials):
        sides = [measure_calibrated(rng, noise, own, machine, runs, by) for by in (1.0, factor)]
        plain = [replace(side, extra={}) for side in sides]
        for place, (base, head) in enumerate((sides, plain)):
            found = compare_measurements(base, head, tolerance=0.05, against="base").change
            counts[place] += judge_change(found) is Verdict.REGRESSED
    return counts[0] / trials, counts[1] / trials


def worst_false_alarms(deviation, *, base, head, trials):
    """Return the false "regressed" rate of the worst noise."""
    return max(rates(noise, deviation, base=base, head=head, trials=trials)[Verdict.REGRESSED] for noise in NOISES)


@pytest.mark.parametrize(("deviation", "at_most"), [(0.01, 0.0005), (0.03, 0.002), (0.05, 0.005), (0.10, 0.04)])
def test_one_run_against_one_run_rarely_raises_a_false_alarm(deviation, at_most):
    assert worst_false_alarms(deviation, base=1, head=1, trials=2500) <= at_most


@pytest.mark.parametrize("deviation", [0.01, 0.05, 0.10])
@pytest.mark.parametrize(("base", "head"), [(2, 2), (5, 5)])
def test_several_runs_on_each_side_raise_next_to_none_whatever_the_noise(base, head, deviation):
    assert worst_false_alarms(deviation, base=base, head=head, trials=1200) <= 0.003


def test_one_run_against_many_is_no_worse_than_one_against_one():
    assert worst_false_alarms(0.03, base=10, head=1, trials=1500) <= 0.003


@pytest.mark.parametrize("noise", NOISES)
def test_one_run_against_one_run_tells_nothing_of_a_change_as_small_as_the_tolerance(noise):
    found = rates(noise, 0.0266, base=1, head=1, factor=1.05, trials=800)
    assert found[Verdict.INCONCLUSIVE] >= 0.98


@pytest.mark.parametrize("noise", NOISES)
def test_a_doubling_is_seen_by_single_runs(noise):
    assert rates(noise, 0.03, base=1, head=1, factor=2.0, trials=800)[Verdict.REGRESSED] >= 0.995


@pytest.mark.parametrize("noise", NOISES)
def test_a_third_more_is_seen_by_five_runs_and_seldom_by_one(noise):
    assert rates(noise, 0.03, base=5, head=5, factor=1.3, trials=800)[Verdict.REGRESSED] >= 0.97
    assert rates(noise, 0.03, base=1, head=1, factor=1.3, trials=800)[Verdict.REGRESSED] <= 0.25


def test_five_quiet_runs_settle_both_ways():
    assert rates("normal", 0.01, base=5, head=5, trials=800)[Verdict.PASS] >= 0.98
    assert rates("normal", 0.01, base=5, head=5, factor=1.1, trials=800)[Verdict.REGRESSED] >= 0.98


def test_the_number_of_runs_that_the_doubt_asks_for_most_likely_settles_it():
    rng = random.Random(1)
    single = measure(rng, "normal", 0.0, 1, 1.0)
    doubt = compare_measurements(single, single, tolerance=0.05, against="base").change.doubt
    wanted = int(doubt.partition("at least ")[2].partition(" ")[0])
    found = rates("normal", 0.0266, base=wanted, head=wanted, trials=800)
    assert found[Verdict.PASS] >= 0.75
    assert rates("normal", 0.0266, base=wanted // 2, head=wanted // 2, trials=800)[Verdict.PASS] <= 0.5


@pytest.mark.parametrize("own", [0.015, 0.025, 0.045])
@pytest.mark.parametrize(("runs", "at_most"), [(1, 0.006), (5, 0.003)])
def test_calibrated_values_raise_next_to_no_false_alarm_whatever_the_machine_does(own, runs, at_most):
    assert max(calibrated_rates(noise, own, runs=runs, trials=1000)[0] for noise in NOISES) <= at_most


@pytest.mark.parametrize("noise", NOISES)
def test_five_calibrated_runs_find_what_plain_ones_cannot(noise):
    calibrated, plain = calibrated_rates(noise, 0.025, runs=5, factor=1.3, trials=500)
    assert calibrated >= 0.97
    assert plain <= 0.35
