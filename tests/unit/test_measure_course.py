"""Memory over time: when it is looked at, and what is taken down."""

from __future__ import annotations

import gc

import psutil
import pytest

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import course, memory
from pytest_perfgate.measure.course import LOOKS, follow_calls, follow_time

MIB = 2**20


class Process:
    """A process that is called, takes time and holds memory, all of it made up."""

    def __init__(self, monkeypatch, *, per_call=0, call_s=0.001):
        self.calls, self.batches = 0, []
        self._per_call, self._call_s, self._now_s = per_call, call_s, 0.0
        monkeypatch.setattr(memory, "process_memory", lambda: ("unique set", self.held))
        monkeypatch.setattr(memory, "channels", lambda: {"blocks": lambda: 1000 + self.calls})
        monkeypatch.setattr(course.gc, "collect", lambda: 0)  # made-up memory needs no collection

    def held(self):
        return 100 * MIB + self.calls * self._per_call

    def clock(self):
        return self._now_s

    def __call__(self, calls):
        self.batches.append(calls)
        self.calls += calls
        self._now_s += calls * self._call_s


@pytest.mark.parametrize(("iterations", "looks"), [(24, 24), (100, 100), (120, 120), (1000, 120), (12_345, 120)])
def test_calls_are_spread_over_the_looks(monkeypatch, iterations, looks):
    process = Process(monkeypatch, per_call=100)
    found = follow_calls(process, iterations, clock=process.clock)
    warmup = max(3, iterations // 20)
    assert process.calls == iterations + warmup
    assert len(found.calls) == looks + 1
    assert (found.calls[0], found.calls[-1]) == (0, iterations)
    steps = [later - earlier for earlier, later in zip(found.calls, found.calls[1:], strict=False)]
    assert max(steps) - min(steps) <= 1
    assert found.held_bytes == tuple(100 * MIB + (calls + warmup) * 100 for calls in found.calls)
    assert found.blocks == tuple(1000 + warmup + calls for calls in found.calls)
    assert found.seconds[0] == 0
    assert found.seconds[-1] == pytest.approx(iterations * 0.001)


@pytest.mark.parametrize("call_s", [1e-7, 1e-5, 0.001, 0.01])
def test_time_is_spread_over_the_looks(monkeypatch, call_s):
    process = Process(monkeypatch, call_s=call_s)
    found = follow_time(process, 3.0, clock=process.clock)
    assert len(found.calls) == LOOKS + 1
    assert found.seconds[-1] == pytest.approx(3.0, abs=2 * call_s + 0.001)
    assert found.seconds[60] == pytest.approx(1.5, abs=0.03)


def test_slow_calls_are_looked_at_as_often_as_they_end(monkeypatch):
    process = Process(monkeypatch, call_s=0.5)
    found = follow_time(process, 10.0, clock=process.clock)
    assert len(found.calls) == 21
    assert set(process.batches) == {1}


def test_calls_that_become_slower_do_not_run_away(monkeypatch):
    """The first call takes a microsecond, the others a second: nobody calls a million of them for that."""
    process = Process(monkeypatch, call_s=1e-6)

    def called(calls):
        process(calls)
        process._call_s = 1.0

    found = follow_time(called, 60.0, clock=process.clock)
    assert found.seconds[-1] < 70


def test_a_process_that_tells_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "process_memory", lambda: None)
    with pytest.raises(CannotMeasureError, match="how much memory"):
        follow_calls(lambda _: None, 100)


def test_free_memory_is_given_back_before_the_first_call(monkeypatch):
    done = []
    monkeypatch.setattr(memory, "trim", lambda: done.append("trim"))
    follow_calls(lambda _: done.append("call"), 24)
    assert done[:2] == ["trim", "call"]
    assert done.count("trim") == 1


def test_the_heap_in_use_is_taken_down_where_it_can_be_read(monkeypatch):
    monkeypatch.setattr(memory, "channels", lambda: {"heap": lambda: 7})
    found = follow_calls(lambda _: None, 24)
    assert (found.heap_bytes, found.blocks) == ((7,) * 25, ())


def test_the_collector_goes_on_meanwhile():
    states = []
    follow_calls(lambda _: states.append(gc.isenabled()), 24)
    assert set(states) == {True}
    assert gc.get_freeze_count() < 10_000


def test_blocks_are_left_out_where_nobody_counts_them(monkeypatch):
    process = Process(monkeypatch)
    monkeypatch.setattr(memory, "channels", dict)
    assert follow_calls(process, 24, clock=process.clock).blocks == ()


def test_this_process_holds_something():
    kind, read = memory.process_memory()
    assert kind in ("unique set", "resident set")
    before = read()
    block = bytearray(32 * MIB)
    assert read() - before >= 30 * MIB
    del block


def test_the_resident_set_stands_in_for_the_unique_set(monkeypatch):
    def denied(_self):
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil.Process, "memory_full_info", denied, raising=False)
    monkeypatch.setattr(psutil.Process, "memory_footprint", denied, raising=False)
    kind, read = memory.process_memory()
    assert kind == "resident set"
    assert read() > MIB
    monkeypatch.setattr(psutil.Process, "memory_info", denied)
    assert memory.process_memory() is None
