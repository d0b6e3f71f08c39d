"""Reading the clock, and the loop between two readings."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import re
import time
from pathlib import Path

import freezegun
import pytest
from fakes import FakeClock

from pytest_perfgate.measure import clock as clocks
from pytest_perfgate.measure.calls import loop_arguments, timed_loop
from pytest_perfgate.measure.clock import PERF_COUNTER, resolution_ns


def test_the_resolution_is_the_smallest_step_between_readings():
    assert resolution_ns(FakeClock(tick_ns=7)) == 7
    steps = itertools.cycle([9, 4, 30])
    clock = FakeClock()
    clock.now_ns = 0

    def uneven():
        clock.now_ns += next(steps)
        return clock.now_ns

    assert resolution_ns(uneven) == 4


def test_a_clock_that_moves_in_leaps_has_the_resolution_of_its_leaps():
    reads = itertools.count()
    assert resolution_ns(lambda: next(reads) // 50 * 15_000) == 15_000


def test_a_clock_that_stands_still_is_not_looked_at_for_ever():
    reads = []
    assert resolution_ns(lambda: reads.append(1) or 5) == 1
    assert len(reads) < 1000


def test_the_ordinary_clock_is_monotonic_and_fine():
    assert time.perf_counter_ns() <= PERF_COUNTER() <= time.perf_counter_ns()
    assert 1 <= resolution_ns() < 1_000_000


def test_replacing_the_clocks_of_the_time_module_changes_none_of_ours(monkeypatch):
    names = ("perf_counter_ns", "perf_counter", "monotonic", "process_time_ns", "thread_time_ns")
    for name in names:
        monkeypatch.setattr(time, name, lambda: -1)
    with freezegun.freeze_time("2020-02-02"):
        ours = [clocks.PERF_COUNTER, clocks.PERF_COUNTER_S, clocks.MONOTONIC_S, clocks.PROCESS_TIME, clocks.THREAD_TIME]
        reads = [read() for read in ours]
    assert min(reads) > 0


def test_nothing_that_measures_reads_a_clock_of_the_time_module():
    """The programs of other processes (the spawner's, and those kept as text) have no test that could replace it."""
    package = Path(clocks.__file__).parent.parent
    elsewhere = {"clock.py", "imports.py", "spinning.py", "program.py"}
    files = [file for room in ("measure", "plugin", "paired") for file in (package / room).rglob("*.py")]
    readers = [
        file.name
        for file in files
        if "trials" not in file.parts
        and file.name not in elsewhere
        and re.search(r"(?<!`)time\.(perf_counter|monotonic|process_time|thread_time)", file.read_text("utf-8"))
    ]
    assert len(files) > 50  # it looked
    assert readers == []


SHAPES = {
    "none": ((), {}),
    "one": ((1,), {}),
    "positional and keyword": ((1, 2), {"key": 3}),
    "names of the loop's own": ((1,), {"_clock": 2, "_kept": 3, "_target": 4, "_a0": 5}),
    "no name": ((), {"not-a-name": 1}),
    "a reserved word": ((), {"class": 1}),
    "not assignable": ((), {"__debug__": 1}),
    "normalised by the compiler": ((), {"\ufb01": 1}),
    "many": (tuple(range(40)), {}),
    "many keywords": ((), {f"k{n}": n for n in range(300)}),
}


@pytest.mark.parametrize(("args", "kwargs"), list(SHAPES.values()), ids=list(SHAPES))
@pytest.mark.parametrize("awaited", [False, True], ids=["called", "awaited"])
def test_the_loop_calls_with_these_arguments_this_often_between_two_readings(args, kwargs, awaited):
    calls, clock, kept = [], FakeClock(tick_ns=3), ["before"]

    def target(*got, **named):
        assert kept == []
        calls.append((got, named))
        return len(calls)

    async def awaited_target(*got, **named):
        return target(*got, **named)

    loop = timed_loop(len(args), tuple(kwargs), awaited=awaited)
    elapsed = loop(iter([None] * 4), clock, kept, awaited_target if awaited else target, *loop_arguments(args, kwargs))
    if awaited:
        elapsed = asyncio.run(elapsed)
    assert calls == [(args, kwargs)] * 5
    assert (elapsed, clock.reads, kept) == (3, 2, [5])


def test_what_was_measured_before_does_not_share_code_with_what_is_measured_next():
    first, second = (timed_loop(1, (), awaited=False) for _ in range(2))
    assert first.__code__ is not second.__code__
    assert first.__code__ == second.__code__


def test_freeing_the_last_result_is_timed_as_freeing_the_others_is():
    clock, kept = FakeClock(tick_ns=0), []

    class Slow:
        def __del__(self):
            clock.now_ns += 100

    loop = timed_loop(0, (), awaited=False)
    loop(iter(()), clock, kept, Slow)
    assert loop(iter(()), clock, kept, Slow) == 100
    assert loop(iter([None]), clock, kept, Slow) == 200


def test_an_awaited_loop_is_a_coroutine_function():
    assert inspect.iscoroutinefunction(timed_loop(0, (), awaited=True))
