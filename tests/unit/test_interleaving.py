"""Calibration between the rounds: its order, its processors, and when it means nothing."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import subprocess
import sys
import threading
import time

import pytest
from fakes import FakeClock

from pytest_perfgate.measure import calibration, pinning
from pytest_perfgate.measure.interleaving import (
    LONGEST_BLOCK_NS,
    ROUNDS_PER_PROCESSOR,
    Interleaved,
    _Spent,
)
from pytest_perfgate.measure.pinning import Processors
from pytest_perfgate.measure.runqueue import run_queue
from pytest_perfgate.metrics import timing
from pytest_perfgate.model import Case, Plan

CASE = Case("test_it.py::test_it", "perf")
needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system binds no threads")


class Machine:
    """A made-up machine: the calibration takes *unit_ns* per unit, and everything that happens is written down."""

    def __init__(self, *, allowed=(2, 5, 7), unit_ns=10_000, busy=1.0, others=0.0, queued=0.0, refuses=False):
        self.clock, self.log = FakeClock(tick_ns=0), []
        self.unit_ns, self.busy, self.others, self.refuses = unit_ns, busy, others, refuses
        self.queued = queued
        self.units = []
        self.processors = Processors(read=lambda: allowed, bind=self._bind)
        self.between = Interleaved(
            self.clock,
            self.processors,
            thread_ns=lambda: round(self.clock.now_ns * self.busy),
            process_ns=lambda: round(self.clock.now_ns * (self.busy + self.others)),
            queued_ns=lambda: round(self.clock.now_ns * self.queued),
            block=self._block,
        )

    def _bind(self, processors):
        if self.refuses:
            raise OSError("not here")
        self.log.append(processors)

    def _block(self, units, _clock):
        self.log.append("calibration")
        self.units.append(units)
        self.clock.now_ns += units * self.unit_ns
        return units * self.unit_ns

    def rounds(self, count, *, round_ns=500_000, iterations=10):
        def run(_):
            self.log.append("round")
            self.clock.now_ns += round_ns
            return round_ns

        run = self.between.around(run)
        for _ in range(count):
            run(iterations)
        return self.between.facts(count)


def test_blocks_and_rounds_take_turns_in_coming_first():
    machine = Machine(allowed=())
    machine.rounds(4)
    assert machine.log[:3] == ["calibration", "calibration", "round"]  # the very first finds out how long a unit takes
    assert machine.log[3:] == ["round", "calibration", "calibration", "round", "round", "calibration"]


def test_a_block_lasts_as_long_as_a_round_but_a_millisecond_at_most():
    for round_ns, expected_ns in ((200_000, 200_000), (50_000_000, LONGEST_BLOCK_NS), (1, 10_000)):
        machine = Machine()
        machine.rounds(10, round_ns=round_ns)
        assert machine.units[-1] * machine.unit_ns == expected_ns


def test_the_ratio_is_the_median_of_rounds_over_their_neighbouring_blocks():
    facts = Machine(unit_ns=10_000).rounds(5, round_ns=500_000, iterations=10)
    assert facts["calibrated"] == 5.0
    assert facts["calibrated_samples"] == [5.0] * 5
    assert facts["calibrated_processes"] == [5.0]
    assert facts["calibration_s"] == 10e-6
    assert facts["calibration"] == 1


def test_only_the_rounds_that_count_are_counted():
    machine = Machine()
    machine.rounds(3, round_ns=900_000)
    machine.rounds(4, round_ns=500_000)
    assert machine.between.facts(4)["calibrated_samples"] == [5.0] * 4
    assert len(machine.between.facts(6)["calibrated_samples"]) == 6


def test_a_slower_machine_changes_the_seconds_and_not_the_ratio():
    fast, slow = Machine(unit_ns=10_000), Machine(unit_ns=30_000)
    assert fast.rounds(20, round_ns=400_000)["calibrated"] == slow.rounds(20, round_ns=1_200_000)["calibrated"]


def test_every_dozen_rounds_go_to_another_processor_until_all_were_used():
    machine = Machine(allowed=(2, 5, 7))
    facts = machine.rounds(5 * ROUNDS_PER_PROCESSOR)
    bound = [entry for entry in machine.log if isinstance(entry, tuple)]
    assert len(bound) == 4  # the first dozen decides whether binding is safe at all
    assert sorted(bound[:3]) == [(2,), (5,), (7,)]
    assert facts["calibration_pinned"] is True
    first = machine.log.index(bound[0])
    assert machine.log[:first].count("round") == ROUNDS_PER_PROCESSOR
    assert machine.log[first + 1 : first + 4] == ["calibration", "calibration", "round"]  # one settles, one counts


def test_one_processor_is_bound_once():
    machine = Machine(allowed=(3,))
    machine.rounds(50)
    assert [entry for entry in machine.log if isinstance(entry, tuple)] == [(3,)]


@pytest.mark.parametrize("how", [{"allowed": ()}, {"refuses": True}])
def test_where_nothing_can_be_bound_the_blocks_run_all_the_same(how):
    facts = Machine(**how).rounds(50)
    assert facts["calibrated"] == 5.0
    assert facts["calibration_pinned"] is False


@pytest.mark.parametrize(
    ("how", "why"), [({"others": 0.2}, "other threads or processes work for it"), ({"busy": 0.7}, "it waits")]
)
def test_what_uses_other_threads_or_waits_is_neither_bound_nor_calibrated(how, why):
    machine = Machine(**how)
    facts = machine.rounds(50)
    assert facts.keys() == {"uncalibrated"}
    assert why in facts["uncalibrated"]
    assert not any(isinstance(entry, tuple) for entry in machine.log)
    assert machine.log[-10:] == ["round"] * 10, "blocks of no use went on"


def test_a_target_that_starts_using_others_later_is_let_go_again():
    machine = Machine(allowed=(2, 5))
    machine.rounds(20)
    machine.others = 0.5
    machine.clock.now_ns *= 2
    assert "uncalibrated" in machine.rounds(30)
    assert machine.log.count((2, 5)) == 1
    assert not machine.processors.is_bound


def test_time_that_a_neighbour_took_is_not_counted():
    """Half of the wall time goes to somebody else: a round of 5 ms is hit, and so it is said of it."""
    machine = Machine(unit_ns=10_000, busy=0.5, queued=0.5)
    assert machine.rounds(20, round_ns=500_000)["calibrated"] == 5.0
    hit = _Spent(wall_ns=5_000_000, thread_ns=2_400_000, process_ns=2_400_000, queued_ns=2_500_000)
    assert hit.undisturbed(4_950_000) == 2_450_000
    assert hit.idle_share == 0.04


def test_no_less_is_left_than_what_the_thread_has_worked_for():
    late = _Spent(wall_ns=2_000_000, thread_ns=990_000, process_ns=990_000, queued_ns=1_000_000)
    assert late.undisturbed(1_000_000) == 990_000
    set_up = _Spent(wall_ns=2_000_000, thread_ns=1_900_000, process_ns=1_900_000, queued_ns=50_000)
    assert set_up.undisturbed(20_000) == 20_000  # most of it was outside the clock


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps this account")
def test_the_run_queue_never_runs_backwards():
    with run_queue() as queued_ns:
        looks = [queued_ns() for _ in range(100)]
    assert looks == sorted(looks)
    assert looks[0] >= 0


@pytest.mark.parametrize("content", [None, "", "12\n", "one two three\n"])
def test_where_the_kernel_keeps_no_such_account_nothing_was_waited_for(content, tmp_path, monkeypatch):
    file = tmp_path / "schedstat"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr("pytest_perfgate.measure.runqueue._PATH", str(file))
    with run_queue() as queued_ns:
        assert queued_ns() == 0


def test_a_clock_too_coarse_for_a_block_calibrates_nothing():
    assert Machine(unit_ns=0).rounds(10) == {"uncalibrated": "the clock is too coarse"}


def test_awaited_rounds_are_treated_alike():
    machine = Machine(allowed=())

    async def run(_):
        machine.log.append("round")
        machine.clock.now_ns += 500_000
        return 500_000

    async def rounds():
        around = machine.between.around_awaited(run)
        for _ in range(4):
            await around(10)

    asyncio.run(rounds())
    assert machine.log[1:] == ["calibration", "round", "round", "calibration"] * 2
    assert machine.between.facts(4)["calibrated"] == 5.0


# -- on this machine


def test_the_workload_is_the_one_of_its_number():
    """Whoever changes the workload gives it a new number; stored ratios to the old one do not compare."""
    source = inspect.getsource(calibration).partition("_NUMBERS = ")[2].partition("def run_calibration")[0]
    assert calibration.CALIBRATION == 1
    assert hashlib.sha256(source.encode()).hexdigest()[:12] == "b10c1f51671e"
    assert calibration.calibration_unit() == 26675
    clock = FakeClock(tick_ns=5)
    assert calibration.run_calibration(3, clock) == 5


@needs_affinity
@pytest.mark.parametrize("problem", [None, ValueError, KeyboardInterrupt])
def test_the_processors_are_as_they_were_whatever_happens(problem):
    before, seen = os.sched_getaffinity(0), []

    def target():
        seen.append(len(os.sched_getaffinity(0)))
        sum(range(2000))
        if problem and len(seen) > 40:
            raise problem

    plan = Plan(rounds=60, iterations=1, warmup=0, calibrated=True)
    if problem:
        with pytest.raises(problem):
            timing.measure_call(plan, CASE, target)
    else:
        timing.measure_call(plan, CASE, target)
    assert os.sched_getaffinity(0) == before
    assert seen[0] == len(before)
    assert 1 in seen


@needs_affinity
def test_threads_and_processes_started_meanwhile_may_use_every_processor_afterwards():
    before, release, started = os.sched_getaffinity(0), threading.Event(), []

    def target():
        sum(range(2000))
        if len(os.sched_getaffinity(0)) == 1 and not started:
            thread = threading.Thread(target=release.wait, daemon=True)
            thread.start()
            sleeper = [sys.executable, "-c", "input()"]
            started.extend((thread, subprocess.Popen(sleeper, stdin=subprocess.PIPE)))

    try:
        timing.measure_call(Plan(rounds=60, iterations=1, warmup=0, calibrated=True), CASE, target)
        if started:  # a machine of one processor binds to what it had
            assert os.sched_getaffinity(started[0].native_id) == before
            assert os.sched_getaffinity(started[1].pid) == before
    finally:
        release.set()
        for process in started[1:]:
            process.communicate(b"\n")


@needs_affinity
def test_another_thread_than_the_main_one_is_never_bound():
    found = []
    thread = threading.Thread(target=lambda: found.append(pinning.Processors().allowed))
    thread.start()
    thread.join()
    assert found == [()]


def test_a_plan_that_does_not_ask_for_it_pays_nothing(monkeypatch):
    def forbidden(*_):
        raise AssertionError("calibrated all the same")

    monkeypatch.setattr(pinning, "_bind", forbidden)
    monkeypatch.setattr("pytest_perfgate.measure.interleaving.Interleaved.__init__", forbidden)
    _, measured = timing.measure_call(Plan(rounds=3, iterations=1), CASE, time.monotonic)
    assert not any("calibra" in fact for fact in measured.extra)


def test_a_real_measurement_carries_one_ratio_for_each_round():
    _, measured = timing.measure_call(Plan(rounds=7, calibrated=True), CASE, sorted, (list(range(50)),))
    assert len(measured.extra["calibrated_samples"]) == 7
    assert measured.extra["calibrated"] > 0


def test_a_real_coroutine_carries_them_as_well():
    async def target():
        return sum(range(1000))

    _, measured = timing.measure_call_in_loop(Plan(rounds=7, calibrated=True), CASE, target)
    assert len(measured.extra["calibrated_samples"]) == 7


def test_a_target_that_sleeps_is_not_calibrated():
    plan = Plan(rounds=5, iterations=1, warmup=0, calibrated=True)
    _, measured = timing.measure_call(plan, CASE, time.sleep, (0.001,))
    assert "it waits" in measured.extra["uncalibrated"]
