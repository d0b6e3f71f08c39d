"""The schedule of a measurement, driven with made-up times."""

from __future__ import annotations

import pytest
from fakes import FakeClock

from pytest_perfgate.measure.sampler import (
    FEWEST_ROUNDS,
    MOST_ITERATIONS,
    MOST_ROUNDS,
    SETTLED_NS,
    SHORTEST_ROUND_NS,
    WARMUP_NS,
    drive,
    schedule,
)
from pytest_perfgate.model import Plan

MS = 1_000_000


def run(plan, call_ns, *, tick_ns=1, noise=lambda call: 0):
    """Drive a schedule whose calls take *call_ns*; return the sample and the iterations of each round."""
    clock, rounds = FakeClock(), []

    def one_round(iterations):
        rounds.append(iterations)
        elapsed = iterations * call_ns + noise(len(rounds))
        clock.now_ns += elapsed
        return elapsed

    return drive(schedule(plan, clock=clock, tick_ns=tick_ns), one_round), rounds


@pytest.mark.parametrize("call_ns", [20, 100, 10_000, 900_000])
def test_a_round_is_made_long_enough_and_the_value_is_per_iteration(call_ns):
    sample, rounds = run(Plan(), call_ns)
    assert sample.iterations * call_ns >= SHORTEST_ROUND_NS
    assert sample.iterations * call_ns < 3 * SHORTEST_ROUND_NS
    assert set(sample.values_ns) == {call_ns}
    assert rounds[0] == 1


def test_calibration_grows_tenfold_at_most_until_a_round_is_long_enough():
    sample, rounds = run(Plan(rounds=1), 100)
    assert rounds[:6] == [1, 10, 100, 1000, 10_000, 10_000]
    assert sample.iterations == 10_000
    assert run(Plan(rounds=1), 300_000)[1][:3] == [1, 4, 4]


def test_a_slow_first_call_does_not_make_rounds_too_short():
    sample, rounds = run(Plan(rounds=1), 100, noise=lambda call: 900_000 if call == 1 else 0)
    assert sample.iterations * 100 >= SHORTEST_ROUND_NS
    assert rounds[0] == 1


def test_a_target_that_becomes_faster_while_warming_up_gets_more_iterations():
    sample, _ = run(Plan(rounds=1), 1000, noise=lambda call: 20 * MS if call < 3 else 0)
    assert sample.iterations * 1000 >= SHORTEST_ROUND_NS


def test_warm_up_goes_on_for_its_time_and_counts_what_calibration_took():
    sample, rounds = run(Plan(rounds=3), 2 * MS)
    assert rounds == [1] * (WARMUP_NS // (2 * MS) + 3)
    assert len(sample.values_ns) == 3


def test_calibration_ends_on_a_clock_that_stands_still():
    ran = []
    sample = drive(schedule(Plan(rounds=2, warmup=1), clock=lambda: 0, tick_ns=1), lambda n: ran.append(n) or 0)
    assert sample.iterations == MOST_ITERATIONS
    assert sample.values_ns == (0.0, 0.0)


def test_a_coarse_clock_makes_rounds_longer():
    sample, _ = run(Plan(), 1000, tick_ns=15_600)
    assert sample.iterations * 1000 >= 1000 * 15_600


@pytest.mark.parametrize("call_ns", [2 * MS, 50 * MS])
def test_a_slow_call_is_a_round_of_its_own(call_ns):
    sample, rounds = run(Plan(max_time_s=3), call_ns)
    assert sample.iterations == 1
    assert set(rounds) == {1}
    assert len(sample.values_ns) >= FEWEST_ROUNDS


def test_steady_rounds_stop_early_and_noisy_ones_go_on():
    steady, _ = run(Plan(max_time_s=100), 1000)
    noisy, _ = run(Plan(max_time_s=100), 1000, noise=lambda call: (call * 7919 % 13) * MS)
    assert len(steady.values_ns) < MOST_ROUNDS
    assert len(noisy.values_ns) == MOST_ROUNDS


def test_steady_rounds_stop_as_soon_as_enough_was_measured():
    sample, _ = run(Plan(max_time_s=100), 2 * MS)
    assert len(sample.values_ns) == SETTLED_NS // (2 * MS)


def test_the_fewest_rounds_are_run_even_when_fewer_would_settle():
    sample, _ = run(Plan(max_time_s=100), 40 * MS)
    assert len(sample.values_ns) == FEWEST_ROUNDS


def test_the_time_limit_counts_warm_up_and_never_starts_a_round_too_many():
    sample, rounds = run(Plan(max_time_s=1), 40 * MS)
    assert sum(rounds) * 40 * MS <= 1000 * MS
    assert len(sample.values_ns) >= FEWEST_ROUNDS


def test_a_call_longer_than_half_the_limit_is_the_only_round_and_said():
    sample, rounds = run(Plan(max_time_s=3), 2_000 * MS)
    assert rounds == [1]
    assert sample.values_ns == (2_000 * MS,)
    assert "max-time" in sample.warnings[0]


def test_few_rounds_are_said():
    sample, rounds = run(Plan(max_time_s=3), 900 * MS)
    assert rounds == [1, 1, 1]
    assert len(sample.values_ns) == 2
    assert sample.warnings == ("only 2 rounds of 900 ms fit into 3 s; raise --perfgate-max-time for a closer look",)


def test_what_is_outside_the_rounds_counts_against_the_time_limit():
    clock = FakeClock(tick_ns=0)

    def one_round(iterations):
        clock.now_ns += 500 * MS  # of setup
        return iterations * 10 * MS

    sample = drive(schedule(Plan(iterations=1, max_time_s=3), clock=clock, tick_ns=1), one_round)
    assert clock.now_ns <= 3_500 * MS
    assert len(sample.values_ns) == 5


@pytest.mark.parametrize(
    ("plan", "rounds"),
    [
        (Plan(rounds=3, iterations=7, warmup=0), [7, 7, 7]),
        (Plan(rounds=2, iterations=7, warmup=2), [7, 7, 7, 7]),
        (Plan(rounds=2, iterations=5), [5, 5, 5]),
        (Plan(rounds=2, warmup=3), [1, 1, 1, 1, 1]),
        (Plan(rounds=2, warmup=0), [1, 1]),
    ],
)
def test_what_the_plan_fixes_is_kept_exactly(plan, rounds):
    sample, ran = run(plan, 2 * MS)
    assert ran == rounds
    assert len(sample.values_ns) == plan.rounds


def test_without_warm_up_only_the_rounds_that_calibrate_are_thrown_away():
    sample, ran = run(Plan(rounds=2, warmup=0), 100)
    assert sample.iterations * 100 >= SHORTEST_ROUND_NS
    assert len(ran) == 5 + 2


@pytest.mark.parametrize("problem", [StopIteration("mine"), GeneratorExit(), KeyboardInterrupt(), ValueError()])
def test_whatever_a_round_raises_comes_out_of_the_drive(problem):
    def one_round(iterations):
        raise problem

    with pytest.raises(type(problem)) as caught:
        drive(schedule(Plan(), clock=FakeClock(), tick_ns=1), one_round)
    assert caught.value is problem


def test_fixed_rounds_are_kept_whatever_they_take():
    sample, _ = run(Plan(rounds=5, iterations=1, warmup=0, max_time_s=0.001), 1_000 * MS)
    assert len(sample.values_ns) == 5
