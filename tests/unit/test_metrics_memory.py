"""Growth and peak, on functions that leak and functions that do not."""

from __future__ import annotations

import asyncio
import collections
import functools
import gc
import itertools
import json
import logging
import re
import sys
import threading

import pytest

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import memory as held
from pytest_perfgate.measure.growth import detect_growth
from pytest_perfgate.metrics.memory import PeakMeter, measure_growth
from pytest_perfgate.model import Case, Plan

GROWTH, PEAK = Case("t", "memory.growth"), Case("t", "memory.peak")

pytestmark = pytest.mark.skipif(not held.channels(), reason="this interpreter does not tell what it holds")


def grow(levels):
    """Run the detector on a channel that shows these values, one after each round."""
    values = itertools.chain(levels, itertools.repeat(0))
    state = {"level": 0}

    def run():
        state["level"] = next(values)

    return detect_growth(run, {"blocks": lambda: state["level"]}, calls_per_round=10, warmup=3)


def test_a_flat_line_is_clean_after_one_window():
    growth = grow(itertools.repeat(7))
    assert (growth.verdict, growth.windows, growth.calls) == ("clean", 1, (3 + 1 + 10) * 10)


def test_steady_growth_is_a_leak_with_its_rate():
    growth = grow(itertools.count(0, 10))
    assert growth.verdict == "leak"
    assert growth.per_call == pytest.approx(1.0)


def test_growth_every_few_rounds_is_a_leak():
    growth = grow(n // 3 for n in itertools.count())
    assert growth.verdict == "leak"
    assert growth.per_call == pytest.approx(1 / 30, rel=0.2)


def test_a_cache_that_fills_and_stops_is_no_leak():
    assert grow(min(n, 20) for n in itertools.count()).verdict == "clean"


def test_growth_that_slows_down_is_left_open_or_clean_but_never_a_leak():
    assert grow(int(100 * n**0.3) for n in itertools.count()).verdict != "leak"


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


@functools.lru_cache(maxsize=64)
def cached(n):
    return str(n)


numbers = itertools.count()
window: collections.deque[object] = collections.deque(maxlen=50)

CLEAN = {
    "nothing": lambda: None,
    "json": lambda: json.loads('{"a": [1, 2, 3]}'),
    "re": lambda: re.compile("a+b").match("aab"),
    "a bounded cache": lambda: cached(next(numbers)),
    "a bounded window": lambda: window.append(object()),
    "logging": lambda: logging.getLogger("perfgate-test").debug("x"),
    "a cycle": lambda: [].append(itertools.cycle([object()])),
    "a thread": lambda: (lambda t: (t.start(), t.join()))(threading.Thread(target=int)),
    "exec": lambda: exec("x = 1", {}),
    "a dynamic class": lambda: type("Passing", (), {}),
}


@pytest.mark.parametrize("target", list(CLEAN.values()), ids=list(CLEAN))
def test_a_clean_function_grows_by_exactly_nothing(target):
    _, measured = measure_growth(Plan(max_time_s=20), GROWTH, target)
    assert measured.value == 0.0, measured.extra
    assert measured.extra["verdict"] in ("clean", "growing")


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


def test_without_the_systems_help_the_interpreter_is_asked(monkeypatch):
    monkeypatch.setattr(held, "reset_peak", lambda: False)
    meter = PeakMeter(PEAK)
    meter.start()
    block = bytearray(8 * 1024**2)
    del block
    measured = meter.stop()
    assert measured.extra["method"] == "tracemalloc"
    assert measured.value == pytest.approx(8 * 1024**2, rel=0.05)
