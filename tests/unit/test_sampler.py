"""The schedule of a measurement, driven with made-up times."""

from __future__ import annotations

import pytest
from fakes import FakeClock

from pytest_perfgate.measure.calls import loop_arguments, timed_loop
from pytest_perfgate.measure.clock import resolution_ns
from pytest_perfgate.measure.sampler import FEWEST_ROUNDS, MOST_ROUNDS, SHORTEST_ROUND_NS, drive, schedule
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
    assert sample.first_ns == call_ns


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
    sample, _ = run(Plan(max_time_s=3), 1_000 * MS)
    assert 1 <= len(sample.values_ns) < 5
    assert "max-time" in sample.warnings[0]


@pytest.mark.parametrize(
    ("plan", "rounds"),
    [
        (Plan(rounds=3, iterations=7, warmup=0), [7, 7, 7]),
        (Plan(rounds=2, iterations=7, warmup=2), [7, 7, 7, 7]),
        (Plan(rounds=2, warmup=0), [1, 1]),
        (Plan(rounds=2, iterations=5), [5, 5, 5]),
    ],
)
def test_what_the_plan_fixes_is_kept_exactly(plan, rounds):
    sample, ran = run(plan, 10)
    assert ran == rounds
    assert len(sample.values_ns) == plan.rounds


def test_fixed_rounds_are_kept_whatever_they_take():
    sample, _ = run(Plan(rounds=5, iterations=1, warmup=0, max_time_s=0.001), 1_000 * MS)
    assert len(sample.values_ns) == 5


def test_the_resolution_is_the_smallest_step():
    assert resolution_ns(FakeClock(tick_ns=7)) == 7
    assert resolution_ns(lambda: 5) == 1


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((1, 2), {"key": 3}),
        ((), {"not-a-name": 1}),
        ((), {"class": 1}),
        (tuple(range(40)), {}),
    ],
)
def test_the_loop_calls_with_these_arguments_this_often(args, kwargs):
    calls = []

    def target(*got, **named):
        calls.append((got, named))
        return len(calls)

    loop = timed_loop(len(args), tuple(kwargs), awaited=False)
    elapsed, result = loop(iter([None] * 4), FakeClock(tick_ns=3), target, *loop_arguments(args, kwargs))
    assert calls == [(args, kwargs)] * 5
    assert (elapsed, result) == (3, 5)
