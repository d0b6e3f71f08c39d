"""What the C library keeps for threads, and what a peak makes of it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.gate import judge_test
from pytest_perfgate.measure import arenas
from pytest_perfgate.metrics.memory import PeakMeter
from pytest_perfgate.model import Case, Verdict

PEAK = Case("t", "memory.peak")
MIB = 2**20
TOLD = """<malloc version="1">
<heap nr="0"><sizes></sizes><total type="fast" count="0" size="0"/><total type="rest" count="1" size="9000"/></heap>
<heap nr="1">
<sizes>
  <size from="33" to="33" total="66" count="2"/>
  <unsorted from="65" to="65" total="1000" count="1"/>
</sizes>
<total type="fast" count="2" size="66"/>
<total type="rest" count="2" size="1500"/>
<system type="current" size="135168"/>
</heap>
<heap nr="2"><sizes></sizes><total type="fast" count="0" size="0"/><total type="rest" count="1" size="70"/></heap>
<total type="rest" count="4" size="10636"/>
</malloc>"""


def test_the_free_ends_of_all_arenas_but_the_main_one_are_summed_up():
    assert arenas.ends_of_arenas(TOLD) == 500 + 70


@pytest.mark.parametrize("problem", [OSError, AttributeError])
def test_where_nothing_tells_nothing_is_kept(monkeypatch, problem):
    def fails():
        raise problem

    monkeypatch.setattr(arenas, "_malloc_info", fails)
    assert arenas.kept_for_threads() == 0
    monkeypatch.setattr(arenas, "_malloc_info", lambda: "<malloc")
    assert arenas.kept_for_threads() == 0


def peak(monkeypatch, kept_bytes):
    monkeypatch.setattr(arenas, "kept_for_threads", lambda: kept_bytes)
    meter = PeakMeter(PEAK)
    meter.start()
    block = bytearray(8 * MIB)
    del block
    return meter.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the resident set's peak is read on Linux")
@pytest.mark.parametrize(
    ("kept_bytes", "limit_mb", "expected"),
    [
        (0, 20, Verdict.PASS),
        (4 * MIB, 20, Verdict.PASS),
        (40 * MIB, 20, Verdict.INCONCLUSIVE),
        (40 * MIB, 4, Verdict.OVER_BUDGET),
    ],
)
def test_a_peak_that_free_memory_may_hide_passes_only_with_room_for_it(monkeypatch, kept_bytes, limit_mb, expected):
    measured = peak(monkeypatch, kept_bytes)
    (finding,) = judge_test("t", parse_marker((), {"mb": limit_mb}).budget, [measured])
    assert finding.verdict is expected
    assert any("kept for threads before" in warning for warning in measured.warnings) is (kept_bytes > 0)


def test_what_a_thread_has_freed_is_seen():
    try:
        arenas._malloc_info()
    except (OSError, AttributeError, TypeError):
        pytest.skip("not glibc")
    if os.environ.get("MALLOC_ARENA_MAX"):
        pytest.skip("threads have no arenas of their own")
    large = bytearray(20 * MIB)  # from now on the C library gives less back by itself
    del large
    worked, done = threading.Event(), threading.Event()

    def work():
        blocks = [bytearray(b"x") * 20_000 for _ in range(1000)]
        del blocks
        worked.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    worked.wait()
    try:
        assert arenas.kept_for_threads() >= 8 * MIB
    finally:
        done.set()
        thread.join()
