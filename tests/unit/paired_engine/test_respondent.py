"""The worker's end: it announces, runs what it is told, and hands over what is asked for."""

from __future__ import annotations

import signal
from collections import deque

import pytest
from fakes import FakeClock

from pytest_perfgate.measure.sampler import drive
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.paired.respondent import Respondent

CASE = Case("t", "perf", "parse")


class Told:
    """A line on which everything to be heard was said beforehand."""

    def __init__(self, *messages) -> None:
        self.messages = deque(messages)
        self.said = []

    def say(self, **message):
        self.said.append(message)

    def hear(self):
        return self.messages.popleft()


def block(iterations, rounds=1):
    return {"do": "block", "iterations": iterations, "rounds": rounds}


@pytest.fixture
def answer():
    """Answer for a target of 100 ns per call that is on a processor for half of it, in one of two threads."""

    def answered(*messages, plan=None):
        line, clock, ran = Told(*messages), FakeClock(tick_ns=0), []

        def run(iterations):
            ran.append(iterations)
            clock.now_ns += 100 * iterations
            return 100 * iterations

        respondent = Respondent(line, cpu_clock=lambda: clock.now_ns // 2, process_clock=lambda: clock.now_ns)
        planner = respondent.planner(CASE)
        sample = drive(planner(plan or Plan(), clock=clock, tick_ns=1), run)
        assert not line.messages
        return sample, line.said, ran, respondent

    return answered


def test_a_case_is_announced_with_what_is_fixed_about_it(answer):
    _, said, _, _ = answer({"do": "end"}, plan=Plan(rounds=3, iterations=5, warmup=0))
    assert said == [
        {
            "say": "case",
            "kind": "blocks",
            "metric": "perf",
            "name": "parse",
            "iterations": 5,
            "rounds": 3,
            "warmup": 0,
            "tick_ns": 1,
        }
    ]


def test_blocks_are_run_as_told_and_their_times_told(answer):
    sample, said, ran, _ = answer(block(10), block(4, 3), {"do": "end"})
    assert ran == [10, 4, 4, 4]
    assert said[1:] == [
        {"say": "took", "ns": 1000, "cpu_ns": 500, "process_ns": 1000},
        {"say": "took", "ns": 1200, "cpu_ns": 600, "process_ns": 1200},
    ]
    assert sample.values_ns == (100.0, 100.0)
    assert sample.iterations == 4


def test_a_case_that_is_not_wanted_calls_its_target_once_for_the_test_goes_on_with_what_it_returns(answer):
    sample, said, ran, respondent = answer({"do": "end"})
    assert ran == [1]
    assert len(sample.values_ns) == 1
    respondent.hand_over(CASE, lambda: pytest.fail("not asked for"))
    assert len(said) == 1


@pytest.mark.parametrize("before", [[], [block(3)]], ids=["at once", "after blocks"])
def test_alone_a_case_is_measured_as_if_nobody_compared_and_handed_over(answer, before):
    sample, said, ran, respondent = answer(*before, {"do": "alone"}, plan=Plan(rounds=4, iterations=2, warmup=1))
    assert ran == [3] * len(before) + [2] * 5
    assert sample.values_ns == (100.0,) * 4
    respondent.hand_over(CASE, lambda: {"value": 1})
    respondent.hand_over(CASE, lambda: {"value": 2})
    assert said[-1] == {"say": "value", "measurement": {"value": 1}}
    assert sum(message["say"] == "value" for message in said) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
def test_waiting_for_the_other_side_does_not_count_against_a_time_limit():
    class Slow(Told):
        def hear(self):
            self.left = signal.getitimer(signal.ITIMER_REAL)
            return super().hear()

    line = Slow({"do": "end"})
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the time is up"))
    signal.setitimer(signal.ITIMER_REAL, 1000.0, 5.0)
    try:
        Respondent(line).wait_for_turn(CASE)
        assert line.left == (0.0, 0.0)
        left_s, interval_s = signal.getitimer(signal.ITIMER_REAL)
        assert 900.0 < left_s <= 1000.0
        assert interval_s == 5.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("do", "handed_over"), [("measure", 1), ("end", 0)])
def test_a_number_waits_for_its_turn_and_is_handed_over_if_asked_for(do, handed_over):
    line = Told({"do": do})
    respondent = Respondent(line)
    respondent.wait_for_turn(CASE)
    respondent.hand_over(CASE, lambda: {"value": 3})
    assert line.said[0] == {"say": "case", "kind": "value", "metric": "perf", "name": "parse"}
    assert len(line.said) == 1 + handed_over
