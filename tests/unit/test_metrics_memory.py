"""Growth and peak, on functions that leak and functions that do not."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import gc
import itertools
import json
import logging
import random
import re
import sys
import threading
import time
import tracemalloc
from unittest import mock

import pytest
from fakes import FakeClock

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import attribution, growth, leak, pace
from pytest_perfgate.measure import memory as held
from pytest_perfgate.measure.growth import SHORT_WINDOW, detect_growth
from pytest_perfgate.metrics.memory import PeakMeter, measure_growth
from pytest_perfgate.model import Case, Plan

GROWTH, PEAK = Case("t", "memory.growth"), Case("t", "memory.peak")

pytestmark = pytest.mark.skipif(not held.channels(), reason="this interpreter does not tell what it holds")


def grow(levels, **how):
    """Run the detector on a channel that shows these values, one after each round."""
    values = itertools.chain(levels, itertools.repeat(0))
    state = {"level": 0}

    def run():
        state["level"] = next(values)

    how = {"calls_per_round": 10, "warmup": 3} | how
    with mock.patch.object(growth, "_settle"):  # made-up values need no collection, which would look at all of pytest
        return detect_growth(run, {"blocks": lambda: state["level"]}, **how)


def test_a_flat_line_is_clean_after_one_window():
    found = grow(itertools.repeat(7))
    assert (found.verdict, found.windows, found.calls) == ("clean", 1, (3 + 1 + 10) * 10)


def test_steady_growth_is_a_leak_with_its_rate():
    found = grow(itertools.count(0, 10))
    assert found.verdict == "leak"
    assert found.per_call == pytest.approx(1.0)


def test_growth_every_few_rounds_is_a_leak():
    found = grow(n // 3 for n in itertools.count())
    assert found.verdict == "leak"
    assert found.per_call == pytest.approx(1 / 30, rel=0.2)


def test_a_cache_that_fills_and_stops_is_no_leak():
    assert grow(min(n, 20) for n in itertools.count()).verdict == "clean"


def test_growth_that_slows_down_is_left_open_or_clean_but_never_a_leak():
    assert grow(int(100 * n**0.3) for n in itertools.count()).verdict != "leak"


def test_slow_targets_are_judged_by_a_short_first_window():
    found = grow(itertools.count(), calls_per_round=1, warmup=1, first_window=SHORT_WINDOW)
    assert (found.verdict, found.per_call, found.windows, found.calls) == ("leak", 1.0, 2, 1 + 6 + 11)


def test_a_table_that_grows_by_a_few_blocks_and_stops_is_no_leak():
    assert grow(min(n // 8, 7) for n in itertools.count()).verdict == "clean"


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_what_wanders_is_never_a_leak(seed, memory):
    chance = random.Random(seed)
    level = itertools.accumulate(itertools.repeat(0), lambda now, _: memory * now + chance.gauss(0, 50), initial=0.0)
    assert grow(int(value) for value in level).verdict != "leak"


@pytest.mark.parametrize("seed", range(10))
def test_a_leak_within_noise_is_found(seed):
    chance = random.Random(seed)
    found = grow(int(20 * n + chance.gauss(0, 50)) for n in itertools.count())
    assert found.verdict == "leak"
    assert found.per_call == pytest.approx(2.0, rel=0.2)


def test_time_that_is_up_ends_after_the_second_window():
    found = grow((int(100 * n**0.3) for n in itertools.count()), is_late=lambda: True)
    assert (found.verdict, found.windows) == ("growing", 2)
    assert found.curve[0] == 0 < found.curve[-1]


def test_up_and_down_is_clean():
    assert grow(itertools.cycle([5, 9, 4, 8, 6, 7])).verdict == "clean"


kept: list[object] = []
holder = bytearray()


def every(n):
    count = itertools.count(1)

    def leak():
        if next(count) % n == 0:
            kept.append(object())

    return leak


LEAKS = {
    "every call": lambda: kept.append(object()),
    "every 5th call": every(5),
    "every 20th call": every(20),
    "a dict that grows": lambda seen={}: seen.setdefault(object(), 1),  # the leak
    "a cycle that is kept": lambda: kept.append([kept]),
    "a class": lambda: kept.append(type("Leaked", (), {})),
}


@pytest.mark.parametrize("target", list(LEAKS.values()), ids=list(LEAKS))
def test_a_leak_is_found(target):
    try:
        _, measured = measure_growth(Plan(max_time_s=20), GROWTH, target)
    finally:
        kept.clear()
    assert measured.extra["verdict"] == "leak"
    assert measured.value > 0
    assert measured.doubt is None


def test_the_place_of_a_leak_is_named_with_its_rate():
    def leak():
        kept.append(bytes(1000))

    try:
        _, measured = measure_growth(Plan(max_time_s=20), GROWTH, leak)
    finally:
        kept.clear()
    assert "test_metrics_memory.py" in measured.extra["where"][0]
    assert "kept.append(bytes(1000))" in measured.extra["where"][0]
    assert measured.value == pytest.approx(1033, rel=0.1)
    assert measured.extra["blocks_per_call"] == pytest.approx(1, abs=0.05)
    assert measured.extra["types"] == []  # bytes are none of the collector's, and what we look with is not the target's


def test_the_types_of_what_is_kept_are_named():
    try:
        _, measured = measure_growth(Plan(max_time_s=20), GROWTH, lambda: kept.append([[]]))
    finally:
        kept.clear()
    assert measured.extra["types"] == ["2 list per call"]


@functools.lru_cache(maxsize=64)
def cached(n):
    return str(n)


numbers = itertools.count()
window: collections.deque[object] = collections.deque(maxlen=50)


def run_a_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


CLEAN = {
    "nothing": lambda: None,
    "json": lambda: json.loads('{"a": [1, 2, 3]}'),
    "re": lambda: re.compile("a+b").match("aab"),
    "a bounded cache": lambda: cached(next(numbers)),
    "a bounded window": lambda: window.append(object()),
    "logging": lambda: logging.getLogger("perfgate-test").debug("x"),
    "a cycle": lambda: [].append(itertools.cycle([object()])),
    "a thread": run_a_thread,
    "exec": lambda: exec("x = 1", {}),
    "a dynamic class": lambda: type("Passing", (), {}),
}


@pytest.mark.parametrize("target", list(CLEAN.values()), ids=list(CLEAN))
def test_a_clean_function_grows_by_exactly_nothing(target):
    _, measured = measure_growth(Plan(max_time_s=20), GROWTH, target)
    assert measured.value == 0.0, measured.extra
    assert measured.extra["verdict"] in ("clean", "growing")


def test_an_object_that_grows_in_place_is_a_leak():
    grown = bytearray()
    _, measured = measure_growth(Plan(max_time_s=20), GROWTH, lambda: grown.extend(b"x" * 64), calls=20)
    assert measured.extra["verdict"] == "leak"
    assert measured.value == pytest.approx(64, rel=0.3)


@pytest.mark.parametrize("size", [300, 5000])
def test_a_full_cache_whose_entries_are_replaced_is_clean(size):
    numbers = itertools.count()
    cache = collections.deque((bytes(600) for _ in range(size)), maxlen=size)
    _, measurement = measure_growth(Plan(), GROWTH, lambda: cache.append(bytes(600 + next(numbers) % 2)))
    assert measurement.extra["verdict"] == "clean"
    assert measurement.value == 0


def slide(values):
    values.append(time.monotonic())
    del values[0]


WINDOWS = {
    "a deque of times": (lambda values: values.append(time.monotonic()), time.monotonic),
    "a deque of objects": (lambda values: values.append(object()), object),
    "a list": (slide, time.monotonic),
}


@pytest.mark.parametrize(("use", "make"), list(WINDOWS.values()), ids=list(WINDOWS))
def test_a_full_window_of_small_objects_is_clean(use, make):
    """Tracing one takes more of the C heap than it does itself."""
    full = [make() for _ in range(1000)]
    values = full if use is slide else collections.deque(full, maxlen=1000)
    _, measurement = measure_growth(Plan(), GROWTH, lambda: use(values))
    assert (measurement.extra["verdict"], measurement.value) == ("clean", 0)
    assert len(values) == 1000


def test_without_a_heap_to_look_at_a_full_window_is_a_doubt_at_most_and_one_object_that_grows_a_leak(monkeypatch):
    monkeypatch.setattr(held, "channels", lambda: {"blocks": sys.getallocatedblocks})
    values, grown = collections.deque((object() for _ in range(1000)), maxlen=1000), bytearray()
    _, full = measure_growth(Plan(), GROWTH, lambda: values.append(object()))
    _, leaking = measure_growth(Plan(), GROWTH, lambda: grown.extend(b"x" * 64), calls=20)
    assert full.extra["verdict"] == "clean" or full.doubt is not None
    assert leaking.extra["verdict"] == "leak"


def test_growth_that_tracing_shows_is_real_when_the_heap_grows_in_both_further_runs():
    levels = iter([0, 100, 200, 0, 1000, 1000, 0, 0, 0])
    told = [leak._grows_untraced(lambda: None, lambda: next(levels), 200.0) for _ in range(3)]
    assert told == [True, False, False]


def test_what_grows_without_going_on_is_a_doubt():
    some: list[object] = []

    def target():
        if len(some) < 75:
            some.append(object())

    found = [measure_growth(Plan(max_time_s=0), GROWTH, target, calls=5)[1] for _ in range(2)]
    assert found[0].extra["verdict"] == "growing"
    assert "a cache that fills" in found[0].doubt
    assert found[1].extra["verdict"] == "clean"
    assert found[1].doubt is None


def test_a_large_cache_that_fills_is_named_as_what_it_may_be_and_more_calls_show_it():
    def fill(calls):
        numbers = itertools.count()
        large = functools.lru_cache(maxsize=2000)(str)
        return measure_growth(Plan(max_time_s=20), GROWTH, lambda: large(next(numbers)), calls=calls)[1]

    few, enough = fill(20), fill(2000 // 25)
    assert few.extra["verdict"] == "leak"
    assert f"a cache that is still filling: the function was called {few.extra['calls']} times" in few.warnings[0]
    assert enough.extra["verdict"] == "clean"
    assert enough.warnings == ()


def test_what_keeps_more_than_an_entry_in_each_call_is_not_taken_for_a_cache():
    try:
        _, measured = measure_growth(Plan(max_time_s=20), GROWTH, lambda: kept.extend([] for _ in range(20)), calls=20)
    finally:
        kept.clear()
    assert measured.extra["verdict"] == "leak"
    assert not any("cache" in warning for warning in measured.warnings)


def test_a_slow_function_is_called_a_few_times_only(monkeypatch):
    numbers = itertools.count(1)
    monkeypatch.setattr(leak, "_effort", lambda batch, calls, warmup, limit: leak._Effort(1, 1, SHORT_WINDOW, 0.0))
    monkeypatch.setattr(leak, "_TRACED_S", 0.0)
    result, measured = measure_growth(Plan(), GROWTH, lambda: next(numbers))
    assert measured.extra["calls"] == 1 + 1 + SHORT_WINDOW
    assert result == 1 + 7 + 1 + 1
    assert "traced" not in measured.extra["channels"]


def test_calls_per_round_follow_from_what_a_call_takes(monkeypatch):
    clock = FakeClock(tick_ns=0)
    monkeypatch.setattr(leak, "PERF_COUNTER_S", lambda: clock.now_ns / 1e9)
    monkeypatch.setattr(pace, "PERF_COUNTER_S", lambda: clock.now_ns / 1e9)
    monkeypatch.setattr(pace, "run_queue", lambda: contextlib.nullcontext(lambda: 0))

    def effort(call_s, calls=None, warmup=None):
        return leak._effort(clock.work(int(call_s * 1e9)), calls, warmup, 4.0)

    assert (effort(1e-6).calls, effort(1e-6).warmup, effort(1e-6).first_window) == (1792, 3, 10)
    assert effort(1e-9).calls == 3584
    assert (effort(0.001).calls, effort(0.01).calls, effort(0.05).calls) == (28, 10, 2)
    assert (effort(0.5).calls, effort(0.5).warmup, effort(0.5).first_window) == (1, 1, SHORT_WINDOW)
    assert (effort(0.5, calls=7, warmup=2).calls, effort(0.5, calls=7, warmup=2).warmup) == (7, 2)


def test_a_call_that_was_interrupted_does_not_pass_for_a_slow_one(monkeypatch):
    clock = FakeClock(tick_ns=0)
    waited = itertools.accumulate(itertools.cycle([0, 40_000_000]))  # each call waits for 40 ms
    times = iter([60_000_000, 70_000_000, 1000])
    monkeypatch.setattr(leak, "PERF_COUNTER_S", lambda: clock.now_ns / 1e9)
    monkeypatch.setattr(pace, "PERF_COUNTER_S", lambda: clock.now_ns / 1e9)
    monkeypatch.setattr(pace, "run_queue", lambda: contextlib.nullcontext(lambda: next(waited)))

    def batch(_calls):
        clock.now_ns += next(times) + 40_000_000

    assert pace.seconds_of_a_call(batch, 0.001) == pytest.approx(1e-6)
    times = iter([200_000_000, 300_000_000, 250_000_000])
    assert pace.seconds_of_a_call(batch, 0.001) == pytest.approx(0.2)
    times = iter([700_000_000])
    assert pace.seconds_of_a_call(batch, 0.001) == pytest.approx(0.7)


@pytest.mark.filterwarnings("error")
def test_a_coroutine_that_nobody_awaits_is_refused():
    async def fetch(url):
        return url

    with pytest.raises(CannotMeasureError, match=r"memory.growth\(fetch, url\)"):
        measure_growth(Plan(), GROWTH, lambda: fetch("url"))
    gc.collect()


def test_a_generator_that_nobody_consumes_is_warned_of():
    def lazy():
        yield 1

    _, measured = measure_growth(Plan(), GROWTH, lazy)
    assert "consume it in the target" in measured.warnings[0]


def test_what_a_call_leaves_is_told_without_the_list_that_holds_it():
    """A list of thousands that is moved while traced would otherwise count as new, all of it."""
    held = [object() for _ in range(100_000)]
    _, measured = measure_growth(Plan(max_time_s=20), GROWTH, lambda: held.append(bytes(1000)))
    assert measured.value == pytest.approx(1033, rel=0.05)


def test_of_what_grows_in_bytes_a_few_blocks_of_another_line_are_not_to_blame(monkeypatch):
    """Two blocks that the interpreter adds once to speed up a function, beside a buffer that is moved to grow."""
    frames = [("speed.py", 1), ("leak.py", 2)]
    monkeypatch.setattr(attribution, "_place", lambda traceback: traceback)
    moved = [
        mock.Mock(traceback=frames[0], count_diff=2, size_diff=400),
        mock.Mock(traceback=frames[1], count_diff=1, size_diff=90_000),
    ]
    after = mock.Mock(**{"compare_to.return_value": moved})
    assert [one.filename for one in attribution._blamed(mock.Mock(), after, 10)] == ["leak.py", "speed.py"]
    assert [one.filename for one in attribution._blamed(mock.Mock(), after, 1)] == ["speed.py", "leak.py"]


def test_what_somebody_froze_stays_frozen():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        measure_growth(Plan(), GROWTH, lambda: None)
        assert gc.get_freeze_count() == frozen > 0
    finally:
        gc.unfreeze()


def test_tracing_is_over_afterwards_and_left_alone_when_it_is_somebody_elses():
    measure_growth(Plan(), GROWTH, lambda: None)
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        _, measured = measure_growth(Plan(), GROWTH, lambda: None)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert measured.extra["channels"] == ["blocks"]


def test_a_clean_verdict_without_a_look_at_the_heap_is_a_doubt_while_somebody_traces():
    grown = bytearray()
    tracemalloc.start()
    try:
        _, measured = measure_growth(Plan(), GROWTH, grown.extend, (b"x" * 64,))
    finally:
        tracemalloc.stop()
    assert measured.extra["verdict"] == "clean"
    assert measured.doubt == "tracemalloc is on, so growth of the heap cannot be told: run without it"


def test_a_clean_verdict_where_no_heap_can_be_read_is_a_pass_with_a_warning(monkeypatch):
    monkeypatch.setattr(held, "channels", lambda: {"blocks": sys.getallocatedblocks})
    _, measured = measure_growth(Plan(), GROWTH, lambda: None)
    assert measured.doubt is None
    assert any("C heap cannot be read here" in warning for warning in measured.warnings)


def test_a_debugger_makes_growth_doubtful_and_leaves_a_clean_function_clean():
    def tracer(*_):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        _, leaked = measure_growth(Plan(max_time_s=20), GROWTH, lambda: kept.append(object()))
        _, clean = measure_growth(Plan(), GROWTH, lambda: None)
    finally:
        sys.settrace(before)
        kept.clear()
    assert "run without" in leaked.doubt
    assert clean.value == 0
    assert clean.doubt is None


def test_other_threads_are_named_when_memory_grew():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    others = threading.active_count() - 1  # plugins of this suite may have some of their own
    try:
        _, measured = measure_growth(Plan(max_time_s=20), GROWTH, lambda: kept.append(object()))
    finally:
        done.set()
        thread.join()
        kept.clear()
    assert any(f"{others} other thread" in warning for warning in measured.warnings)


def test_the_heap_is_read_without_psutils_help_on_glibc():
    read = held._glibc_heap()
    if read is None:
        pytest.skip("not glibc 2.33 or newer")
    before = read()
    block = bytearray(10_000_000)
    assert read() - before >= 10_000_000
    del block
    assert read() - before < 1_000_000


def test_an_async_function_runs_on_one_loop():
    loops = set()

    async def target():
        loops.add(id(asyncio.get_running_loop()))
        return 7

    result, measured = measure_growth(Plan(), GROWTH, target, calls=20)
    assert result == 7
    assert len(loops) == 1
    assert measured.value == 0.0


def test_the_collector_is_as_it_was():
    frozen = gc.get_freeze_count()
    assert gc.isenabled()
    measure_growth(Plan(), GROWTH, lambda: None)
    with pytest.raises(ZeroDivisionError):
        measure_growth(Plan(), GROWTH, lambda: 1 / 0)
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


@pytest.mark.parametrize("how", [{"calls": 0}, {"calls": True}, {"warmup": 0}, {"calls": 2.5}])
def test_counts_that_cannot_be_meant_are_refused(how):
    with pytest.raises(UsageError):
        measure_growth(Plan(), GROWTH, lambda: None, **how)


def test_what_is_not_callable_is_refused():
    with pytest.raises(CannotMeasureError, match="not callable"):
        measure_growth(Plan(), GROWTH, 3)


linux = pytest.mark.skipif(sys.platform != "linux", reason="the resident set's peak is read on Linux")


@linux
@pytest.mark.parametrize("megabytes", [8, 64])
def test_the_peak_of_a_block_is_what_it_added(megabytes):
    meter = PeakMeter(PEAK)
    meter.start()
    block = bytearray(megabytes * 1024**2)
    del block
    measured = meter.stop()
    assert measured.extra["method"] == "resident set"
    assert measured.value == pytest.approx(megabytes * 1024**2, rel=0.05)


@linux
def test_a_block_within_a_block_does_not_hide_the_outer_peak():
    outer, inner = PeakMeter(PEAK), PeakMeter(PEAK)
    outer.start()
    first = bytearray(32 * 1024**2)
    del first
    inner.start()
    small = inner.stop()
    measured = outer.stop()
    assert measured.value >= 30 * 1024**2
    assert small.value < 8 * 1024**2


@linux
def test_an_inner_peak_counts_for_the_outer_block_too():
    outer, inner = PeakMeter(PEAK), PeakMeter(PEAK)
    outer.start()
    inner.start()
    block = bytearray(32 * 1024**2)
    del block
    assert inner.stop().value >= 30 * 1024**2
    measured = outer.stop()
    assert measured.value >= 30 * 1024**2
    assert measured.extra["peak_rss_bytes"] > measured.value


@linux
def test_blocks_that_overlap_do_not_disturb_each_other():
    first, second = PeakMeter(PEAK), PeakMeter(PEAK)
    first.start()
    second.start()
    early = first.stop()
    block = bytearray(32 * 1024**2)
    del block
    assert early.value < 8 * 1024**2
    assert second.stop().value >= 30 * 1024**2


@linux
def test_a_small_peak_is_said_to_be_coarse():
    meter = PeakMeter(PEAK)
    meter.start()
    measured = meter.stop()
    assert 0 <= measured.value < 1024**2
    assert "1 MiB" in measured.warnings[0]


def test_a_kernel_that_does_not_reset_the_peak_is_noticed(monkeypatch, tmp_path):
    status = tmp_path / "status"
    status.write_text("VmHWM:\t  900000 kB\nVmRSS:\t  30000 kB\n")
    monkeypatch.setattr(held, "_STATUS", status)
    monkeypatch.setattr(held, "_CLEAR_REFS", tmp_path / "clear_refs")
    assert not held.reset_peak()
    status.write_text("VmHWM:\t  30000 kB\nVmRSS:\t  30000 kB\n")
    assert held.reset_peak()
    assert (held.peak_bytes(), held.resident_bytes()) == (30_720_000, 30_720_000)
    status.write_text("Name:\tpython\n")
    assert not held.reset_peak()


def test_traced_blocks_nest_and_leave_no_tracing_behind(monkeypatch):
    monkeypatch.setattr(held, "reset_peak", lambda: False)
    outer, inner = PeakMeter(PEAK), PeakMeter(PEAK)
    outer.start()
    block = bytearray(8 * 1024**2)
    del block
    inner.start()
    small = bytearray(1024**2)
    del small
    first = outer.stop()  # before the inner one
    assert tracemalloc.is_tracing()
    second = inner.stop()
    assert not tracemalloc.is_tracing()
    assert first.value == pytest.approx(8 * 1024**2, rel=0.05)
    assert second.value == pytest.approx(1024**2, rel=0.05)
    assert "not seen" in second.warnings[0]


def test_without_the_systems_help_the_interpreter_is_asked(monkeypatch):
    monkeypatch.setattr(held, "reset_peak", lambda: False)
    meter = PeakMeter(PEAK)
    meter.start()
    block = bytearray(8 * 1024**2)
    del block
    measured = meter.stop()
    assert measured.extra["method"] == "tracemalloc"
    assert measured.value == pytest.approx(8 * 1024**2, rel=0.05)
