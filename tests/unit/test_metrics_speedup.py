"""``speedup``: figures on fake clocks; real pools only for order, errors and what is left of them."""

import asyncio
import functools
import gc
import json
import math
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import pools
from pytest_perfgate.measure.outcomes import check_same
from pytest_perfgate.measure.pairs import paired_orders
from pytest_perfgate.measure.parallel import Clocks, check_workers, run_chunk, split
from pytest_perfgate.measure.scaling import amdahl_fraction, gil_is_enabled, hindrance, serial_fraction
from pytest_perfgate.metrics.speedup import (
    measure_speedup,
    measure_speedup_of,
    run_parallel_of_once,
    run_parallel_once,
)
from pytest_perfgate.model import Better, Case, Plan

CASE = Case("tests/test_pool.py::test_scaling", "speedup")
ALL_BACKENDS = ["thread", "process", "asyncio"]
MS = 1_000_000
GIVEN_UP = r"did not finish within 0\.05 s"


@pytest.fixture(autouse=True, scope="module")
def small_heap():
    """Hide what this suite has imported from the collector, which runs before every pass and would look at it all."""
    gc.freeze()
    yield
    gc.unfreeze()


class FakeTime:
    """Clocks that stand still but for the work; a share of it is spent on a core."""

    def __init__(self, cpu_share=1.0):
        self.wall_ns = self.cpu_ns = 0
        self.cpu_share = cpu_share
        self.clocks = Clocks(wall_ns=lambda: self.wall_ns, cpu_ns=lambda: self.cpu_ns)

    def spend(self, duration_ms):
        self.wall_ns += round(duration_ms * MS)
        self.cpu_ns += round(duration_ms * MS * self.cpu_share)


class FakeWork:
    """A serial and a parallel function that take prepared times, the last of them for ever."""

    def __init__(self, serial_ms, parallel_ms, cpu_share=1.0):
        self.time = FakeTime(cpu_share)
        self.left = {"serial": list(serial_ms), "parallel": list(parallel_ms)}
        self.order = []

    def _do(self, kind):
        left = self.left[kind]
        self.order.append(kind)
        self.time.spend(left.pop(0) if len(left) > 1 else left[0])
        return "done"

    def measure(self, plan=None, **options):
        options = {"workers": 4, "capacity": 8, **options}
        return measure_speedup_of(
            plan or Plan(),
            CASE,
            lambda: self._do("serial"),
            lambda: self._do("parallel"),
            clocks=self.time.clocks,
            **options,
        )


def measured(serial_ms=100.0, parallel_ms=40.0, *, cpu_share=1.0, **options):
    return FakeWork([serial_ms], [parallel_ms], cpu_share).measure(**options)[1]


class Ticking(FakeTime):
    """Clocks that move 10 ms at each look: enough work for any task."""

    def __init__(self):
        super().__init__()
        self.clocks = Clocks(wall_ns=self._tick, cpu_ns=lambda: self.wall_ns)

    def _tick(self):
        self.wall_ns += 10 * MS
        return self.wall_ns


def measured_in_pool(task, items, **options):
    options = {"workers": 2, "repeats": 1, "warmup": 0, **options}
    return measure_speedup(Plan(), CASE, task, items, clocks=Ticking().clocks, **options)


def fitting(backend, function):
    """Make *function* async where the backend wants it."""
    if backend != "asyncio":
        return function

    async def awaited(item):
        await asyncio.sleep(0)
        return function(item)

    return awaited


# --- figures


def test_the_value_is_the_median_of_paired_ratios():
    # The machine slows down between the pairs: the ratio of the medians would be 200 / 30.
    work = FakeWork([100, 200, 400], [50, 20, 30])
    result, measurement = work.measure(repeats=3, warmup=0)
    assert result == "done"
    assert sorted(measurement.samples) == pytest.approx([2, 10, 400 / 30])
    assert measurement.value == pytest.approx(10)
    assert measurement.processes == (measurement.value,)
    assert (measurement.unit, measurement.better, measurement.show_as) == ("ratio", Better.HIGHER, "×")
    assert measurement.statistic == "median"
    assert measurement.extra["serial_s"] == pytest.approx(0.2)
    assert measurement.extra["parallel_s"] == pytest.approx(0.03)
    assert json.loads(json.dumps(measurement.extra, allow_nan=False)) == measurement.extra


def test_the_warm_up_pair_is_thrown_away():
    measurement = FakeWork([900, 100], [100, 50]).measure(repeats=3)[1]
    assert measurement.samples == (2, 2, 2)


def test_every_two_pairs_hold_both_orders():
    work = FakeWork([100], [50])
    work.measure(repeats=20, warmup=0)
    firsts = work.order[::2]
    assert {frozenset(firsts[i : i + 2]) for i in range(0, 20, 2)} == {frozenset(["serial", "parallel"])}
    assert len({tuple(firsts[i : i + 2]) for i in range(0, 20, 2)}) == 2, "which comes first is drawn anew"


def test_orders_are_those_of_the_seed():
    def first(seed):
        orders = paired_orders(seed)
        return [next(orders) for _ in range(40)]

    assert first("a") == first("a")
    assert first("a") != first("b")
    state = random.getstate()
    first("c")
    assert random.getstate() == state, "the user's own random numbers are not touched"


@pytest.mark.parametrize(
    ("serial_ms", "options", "pairs"),
    [
        (10, {}, 9),
        (1000, {}, 3),
        (60_000, {}, 3),
        (60_000, {"repeats": 5}, 5),
        (10, {"repeats": 1}, 1),
        (10, {"plan": Plan(rounds=4)}, 4),
        (10, {"plan": Plan(rounds=4), "repeats": 2}, 2),
    ],
)
def test_pairs_go_on_until_there_are_enough(serial_ms, options, pairs):
    assert measured(serial_ms, serial_ms / 2, **options).rounds == pairs


def test_nine_pairs_have_an_interval_and_three_have_none():
    assert measured(10, 5).interval == (2, 2)
    assert measured(1000, 500).interval is None


def test_work_too_small_to_measure_is_refused():
    with pytest.raises(CannotMeasureError, match=r"too little work \(2\.1 ms\).*give more items"):
        measured(2.1, 1)
    assert measured(5, 2).value == 2.5


def test_a_parallel_pass_that_a_coarse_clock_cannot_see_divides_nothing_by_zero():
    assert math.isfinite(measured(100, 0, check=False).value)


@pytest.mark.parametrize(
    ("cpu_share", "capacity", "ceiling", "kind", "against"),
    [
        (1.0, 8, 4, "cpu-bound", "min(workers, cores)"),
        (1.0, 2, 2, "cpu-bound", "min(workers, cores)"),
        (1.0, 1.5, 1.5, "cpu-bound", "min(workers, cores)"),
        (0.95, 2, 2, "cpu-bound", "min(workers, cores)"),
        (0.8, 2, 2.5, "mixed", "min(workers, cores / cpu_share)"),
        (0.4, 2, None, "mixed", "workers"),
        (0.1, 1, None, "io-bound", "workers"),
    ],
)
def test_the_ceiling_follows_from_cores_and_the_share_of_work_that_needs_them(
    cpu_share, capacity, ceiling, kind, against
):
    measurement = measured(100, 80, cpu_share=cpu_share, capacity=capacity)
    assert measurement.ceiling == (None if ceiling is None else pytest.approx(ceiling))
    extra = measurement.extra
    assert (extra["kind"], extra["efficiency_against"], extra["capacity"]) == (kind, against, capacity)
    assert extra["efficiency"] == pytest.approx(1.25 / (ceiling or 4))
    assert extra["cpu_share"] == pytest.approx(cpu_share)


def test_the_least_disturbed_serial_window_tells_what_kind_of_work_it_is():
    work = FakeWork([100], [50])
    shares = iter([0.3, 1.0, 0.5])
    do = work._do

    def disturbed(kind):
        if kind == "serial":
            work.time.cpu_share = next(shares)
        return do(kind)

    work._do = disturbed
    assert work.measure(repeats=3, warmup=0)[1].extra["kind"] == "cpu-bound"


def test_cores_are_counted_where_the_caller_does_not_tell(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert measured(capacity=None).extra["capacity"] == 3


@given(fraction=st.floats(0, 1), workers=st.integers(2, 64))
def test_the_serial_fraction_of_amdahls_law_is_found_again(fraction, workers):
    speedup = 1 / (fraction + (1 - fraction) / workers)
    assert serial_fraction(speedup, workers) == pytest.approx(fraction, abs=1e-9)


def test_a_serial_fraction_is_neither_negative_nor_made_up():
    assert serial_fraction(4.1, 4) == 0
    assert serial_fraction(0.9, 1) is None
    assert "serial_fraction" not in measured(capacity=1).extra


# --- cutting work into chunks


@given(items=st.integers(1, 300), workers=st.integers(2, 9))
def test_chunks_hold_every_item_once_in_order_and_share_fairly(items, workers):
    chunks = split(range(items), workers)
    assert [item for _, chunk in chunks for item in chunk] == list(range(items))
    assert all(chunk[0] == start for start, chunk in chunks)
    lengths = [len(chunk) for _, chunk in chunks]
    assert max(lengths) - min(lengths) <= 1
    assert lengths == sorted(lengths, reverse=True)
    assert len(chunks) <= 4 * workers
    loads = [0] * workers
    for length in lengths:  # items of equal weight: whoever is done first takes the next chunk
        loads[loads.index(min(loads))] += length
    assert max(loads) == math.ceil(items / workers)


# --- real pools: results


@pytest.mark.parametrize("backend", ALL_BACKENDS)
def test_results_come_in_the_order_of_the_items(backend):
    items = list(range(-20, 3))
    results, measurement = measured_in_pool(fitting(backend, abs), iter(items), backend=backend)
    assert results == [abs(item) for item in items]
    assert measurement.extra["backend"] == backend
    assert measurement.extra["items"] == 23
    assert measurement.extra["workers"] == 2
    assert run_parallel_once(fitting(backend, abs), iter(items), backend=backend) == results


def test_all_threads_work_at_the_same_time():
    everyone = threading.Barrier(3)
    results = run_parallel_once(lambda _: everyone.wait(10), range(3), workers=3)
    assert sorted(results) == [0, 1, 2]


def test_all_processes_exist_before_the_first_pass():
    work = pools.Work(task=abs, items=[1, 2, 3], workers=3)
    before = len(multiprocessing.active_children())
    with pools.open_passes(work, "process") as passes:
        assert len(multiprocessing.active_children()) - before == 3
        assert passes.startup_s > 0
        assert passes.serial() == passes.parallel() == [1, 2, 3]
    assert len(multiprocessing.active_children()) == before


def test_asyncio_has_as_many_items_under_way_as_workers():
    under_way, most = 0, []

    async def task(item):
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        under_way -= 1
        return item

    work = pools.Work(task=task, items=list(range(10)), workers=3)
    with pools.open_passes(work, "asyncio") as passes:
        assert passes.serial() == list(range(10))
        assert max(most) == 1
        assert passes.parallel() == list(range(10))
        assert max(most) == 3


def test_functions_may_be_async():
    async def one():
        await asyncio.sleep(0)
        return [1]

    result, _ = measure_speedup_of(Plan(), CASE, lambda: [1], one, repeats=1, clocks=Ticking().clocks)
    assert result == [1]
    assert run_parallel_of_once(lambda: [1], one) == [1]


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_workers_are_gone_afterwards(backend):
    threads, children = set(threading.enumerate()), multiprocessing.active_children()
    measured_in_pool(math.factorial, [1, 2, 3, 4], backend=backend)
    with pytest.raises(ValueError, match="not defined for negative"):
        measured_in_pool(math.factorial, [1, -2, 3, 4], backend=backend)
    assert set(threading.enumerate()) <= threads
    assert multiprocessing.active_children() == children


# --- real pools: what goes wrong


@pytest.mark.parametrize("backend", ALL_BACKENDS)
def test_a_task_that_raises_raises_here_with_the_item(backend):
    task = fitting(backend, math.factorial)
    for call in (measured_in_pool, lambda *args, **options: run_parallel_once(*args, workers=2, **options)):
        with pytest.raises(ValueError, match="not defined for negative") as caught:
            call(task, [5, 4, 3, -2, 1], backend=backend)
        assert caught.value.__notes__ == ["raised by the task for item 3: -2"]


def test_an_exception_that_cannot_be_sent_home_is_told_in_words():
    class Stubborn(Exception):  # noqa: N818  # any exception of a user's
        def __init__(self, one, two):
            super().__init__(one)

    def task(item):
        raise Stubborn(item, item)

    with pytest.raises(CannotMeasureError, match=r"the task raised .*Stubborn: 7 \(.*item 4: 7\)"):
        pools._run_chunk_elsewhere(task, 4, [7])


def test_a_worker_that_dies_is_told():
    with pytest.raises(CannotMeasureError, match="a worker died"):
        run_parallel_once(os._exit, [3, 3], workers=2, backend="process")
    for child in multiprocessing.active_children():  # they are told to end, and may take a moment
        child.join(30)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("task", "items", "message"),
    [
        (lambda item: item, [1, 2], r"the task, <function <lambda>.*top level of a module"),
        (abs, [1, 2, threading.Lock()], r"item 2, <unlocked _thread.lock.*use plain data"),
        (memoryview, [b"a", b"b"], "a result could not be sent back.*memoryview"),
    ],
)
def test_what_cannot_be_sent_to_or_from_a_process_is_named(task, items, message):
    with pytest.raises(CannotMeasureError, match=message):
        run_parallel_once(task, items, workers=2, backend="process")


def test_threads_that_hang_are_given_up():
    release = threading.Event()
    work = pools.Work(task=lambda _: release.wait(60), items=[1, 2], workers=2, timeout_s=0.05)
    try:
        with pytest.raises(CannotMeasureError, match=GIVEN_UP), pools.open_passes(work, "thread") as passes:
            passes.parallel()
    finally:
        release.set()


def test_a_thread_that_hangs_beside_one_that_raises_is_not_waited_for_for_ever():
    release = threading.Event()
    work = pools.Work(
        task=lambda item: release.wait(60) if item else 1 // item, items=[0, 1], workers=2, timeout_s=0.05
    )
    try:
        with pytest.raises(ZeroDivisionError), pools.open_passes(work, "thread") as passes:
            passes.parallel()
        assert any(thread.name.startswith("perfgate_") for thread in threading.enumerate()), "it hangs still"
    finally:
        release.set()


HANGS_FOR_EVER = """
import threading
from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import pools

work = pools.Work(task=lambda _: threading.Event().wait(), items=[1, 2], workers=2, timeout_s=0.05)
try:
    with pools.open_passes(work, "thread") as passes:
        passes.parallel()
except CannotMeasureError:
    print("given up")
"""


def test_the_interpreter_does_not_wait_for_threads_that_were_given_up():
    command = [sys.executable, "-c", HANGS_FOR_EVER]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")


def test_processes_that_hang_are_given_up_without_a_word_from_the_pool_itself(monkeypatch):
    failed, before = [], set(threading.enumerate())
    monkeypatch.setattr(threading, "excepthook", lambda told: failed.append(told.exc_value))
    terminate = multiprocessing.process.BaseProcess.terminate

    def terminate_and_let_the_pool_see(process):
        terminate(process)
        for thread in set(threading.enumerate()) - before - {threading.current_thread()}:
            if threading.current_thread() is threading.main_thread() and "Manager" in type(thread).__name__:
                thread.join()

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "terminate", terminate_and_let_the_pool_see)
    work = pools.Work(task=time.sleep, items=[600] * 8, workers=2, timeout_s=0.05)
    with pytest.raises(CannotMeasureError, match=GIVEN_UP), pools.open_passes(work, "process") as passes:
        passes.parallel()
    assert failed == []


def test_threads_that_cannot_be_had_are_a_matter_of_the_machine(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(CannotMeasureError, match="gives no workers: can't start new thread"):
        run_parallel_once(abs, [1, 2], workers=2, backend="thread")


def test_coroutines_that_hang_are_given_up():

    async def never(_):
        await asyncio.Event().wait()

    work = pools.Work(task=never, items=[1, 2], workers=2, timeout_s=0.05)
    with pytest.raises(CannotMeasureError, match=GIVEN_UP), pools.open_passes(work, "asyncio") as passes:
        passes.parallel()


def test_processes_that_hang_are_ended():
    work = pools.Work(task=time.sleep, items=[60, 60], workers=2, timeout_s=0.05)
    with pytest.raises(CannotMeasureError, match=GIVEN_UP), pools.open_passes(work, "process") as passes:
        passes.parallel()
    assert not multiprocessing.active_children()


def test_a_timeout_of_the_tasks_own_is_not_taken_for_ours():
    async def task(item):
        raise TimeoutError(item)

    for backend, one in (("asyncio", task), ("thread", lambda item: (_ for _ in ()).throw(TimeoutError(item)))):
        with pytest.raises(TimeoutError) as caught:
            run_parallel_once(one, [1, 2], workers=2, backend=backend)
        assert "item" in caught.value.__notes__[0]


# --- several numbers of workers


def test_several_numbers_of_workers_give_a_curve_and_the_value_of_the_largest():
    results, measurement = measured_in_pool(str, range(8), workers=[4, 2, 2], capacity=8)
    assert results == [str(item) for item in range(8)]
    assert [count for count, _ in measurement.extra["curve"]] == [2, 4]
    assert measurement.extra["workers"] == 4
    assert measurement.value == measurement.extra["curve"][-1][1]
    assert 0 <= measurement.extra["amdahl_fraction"] <= 1


def test_one_number_of_workers_has_no_curve():
    measurement = measured_in_pool(str, range(8), workers=4)[1]
    assert "curve" not in measurement.extra
    assert "amdahl_fraction" not in measurement.extra


@pytest.mark.parametrize(
    ("workers", "said"),
    [([], "asks for no workers"), ([2, 1], "workers=1"), ("24", "workers='24'"), ([2, 99], "99 workers for 8 items")],
)
def test_numbers_of_workers_that_cannot_be_meant(workers, said):
    with pytest.raises(UsageError, match=said):
        measured_in_pool(str, range(8), workers=workers)
    with pytest.raises(UsageError, match=said):
        run_parallel_once(str, range(8), workers=workers)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 1.0])
def test_amdahls_law_is_fitted_to_a_curve(fraction):
    curve = {float(n): 1 / (fraction + (1 - fraction) / n) for n in (1, 2, 3, 4, 8)}
    assert amdahl_fraction(curve) == pytest.approx(fraction, abs=1e-9)
    assert amdahl_fraction({1.0: 1.0, 4.0: 3.0}) is None
    assert amdahl_fraction({2.0: 2.2, 4.0: 4.4}) == 0


# --- what keeps threads from being faster


HELD = {"speedup": 0.99, "workers": 4, "able": 4.0, "cpu_share": 1.0, "busy_cores": 1.02, "cpu_growth": 1.03}


def test_a_held_gil_is_named(monkeypatch):
    assert hindrance(**HELD) == (
        "0.99× with 4 threads: the GIL is held; on-CPU time is that of 1.0 cores, so one thread ran at a time"
    )
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert "a lock is held" in hindrance(**HELD)


def test_threads_that_wait_for_each_other_are_named():
    said = hindrance(**{**HELD, "busy_cores": 3.6, "cpu_growth": 3.7})
    assert said.endswith("the threads ran at a time and took 3.7 times the CPU time: they wait for each other")


@pytest.mark.parametrize(
    "facts",
    [{"speedup": 1.9}, {"able": 1.0}, {"cpu_share": 0.4}, {"busy_cores": 2.0, "cpu_growth": 1.0}],
    ids=["fast", "one core", "waiting", "unknown"],
)
def test_without_a_hindrance_nothing_is_said(facts):
    assert not hindrance(**{**HELD, **facts})


def count_down(item):
    total = 0
    for number in range(item):
        total += number
    return total


@pytest.mark.skipif(not gil_is_enabled(), reason="several threads run at a time")
@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: "ab")(0)) < 2, reason="one core")
def test_the_gil_is_found_in_real_threads():
    _, measurement = measure_speedup(Plan(), CASE, count_down, [200_000] * 4, workers=2, repeats=3, capacity=2)
    assert measurement.extra["gil"] is True
    assert measurement.extra["busy_cores"] < 1.25


# --- equal outcomes


def test_a_parallel_pass_that_leaves_work_out_is_no_speedup():
    with pytest.raises(CannotMeasureError, match="the result of item 1 differs: serial 2, parallel None"):
        measure_speedup_of(Plan(), CASE, lambda: [1, 2, 3], lambda: [1, None, 3], clocks=Ticking().clocks)
    with pytest.raises(CannotMeasureError, match="gave 2 results, the serial one 3"):
        measure_speedup_of(Plan(), CASE, lambda: [1, 2, 3], lambda: [1, 2], clocks=Ticking().clocks)
    with pytest.raises(CannotMeasureError, match=r"the outcome differs.*check=False"):
        measure_speedup_of(Plan(), CASE, lambda: 6, lambda: 3, clocks=Ticking().clocks)


def test_more_than_the_workers_can_give_is_no_speedup_of_the_same_work():
    with pytest.raises(CannotMeasureError, match=r"^7\.94× with 2 workers is more than .*check=False$"):
        measured(79.4, 10, workers=2, cpu_share=0.01)
    vouched = measured(79.4, 10, workers=2, cpu_share=0.01, check=False)
    assert [one for one in vouched.warnings if one.startswith("7.94× with 2 workers")]
    assert measured(22, 10, workers=2, cpu_share=0.01).warnings == (), "the caches of two cores hold more than one's"


def test_more_than_the_workers_can_give_is_refused_only_where_it_is_certain():
    work = FakeWork([79.4], [10, 10, 50], cpu_share=0.01)
    assert work.measure(workers=2, repeats=3, warmup=0)[1].value == pytest.approx(7.94), "one of three pairs says else"


@pytest.mark.parametrize(
    ("outcome", "is_warned"), [(None, True), ([None, None], True), ([], False), ([None, 1], False)]
)
def test_functions_that_return_only_none_are_warned_of(outcome, is_warned):
    _, found = measure_speedup_of(Plan(), CASE, lambda: outcome, lambda: outcome, clocks=Ticking().clocks)
    assert any("return only None" in one for one in found.warnings) is is_warned


def test_outcomes_may_differ_where_the_user_says_so():
    counter = iter(range(1000))
    options = {"check": False, "repeats": 2, "clocks": Ticking().clocks}
    result, _ = measure_speedup_of(Plan(), CASE, lambda: next(counter), lambda: next(counter), **options)
    assert result in (4, 5)


class OnlyIdentity:
    def __init__(self, number):
        self.number = number


class Refuses:
    def __eq__(self, other):
        raise TypeError("no")

    __hash__ = None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ([1, "a"], [1, "a"]),
        (math.nan, float("nan")),
        ([{"a": math.nan}], [{"a": float("nan")}]),
        (np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3)),
        ([np.array([1.0, np.nan])], [np.array([1.0, np.nan])]),
        (np.array([]), np.array([])),
        ([OnlyIdentity(3)], [OnlyIdentity(3)]),
        ([Refuses()], [Refuses()]),
        (None, None),
    ],
)
def test_outcomes_that_are_the_same(one, other):
    check_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        ([1], (2,)),
        (np.arange(3), np.arange(3) + 1),
        (np.arange(3), np.arange(4)),
        (np.array([]), np.array([1.0])),
        (np.zeros(3), 0),
        ([np.array([])], [np.array([1.0])]),
        ([OnlyIdentity(3)], [OnlyIdentity(4)]),
        ([Refuses()], [3]),
        ([threading.Lock()], [threading.Lock()]),
        ("abc", None),
    ],
)
def test_outcomes_that_differ(one, other):
    with pytest.raises(CannotMeasureError, match="differs"):
        check_same(one, other)


# --- mistakes in the call


@pytest.mark.parametrize("workers", [1, 0, -3, 2.0, "4", None, True])
def test_fewer_than_two_workers_are_refused(workers):
    for call in (
        lambda: check_workers(workers),
        lambda: run_parallel_once(abs, [1, 2, 3], workers=workers),
        lambda: run_parallel_of_once(list, list, workers=workers),
        lambda: measure_speedup_of(Plan(), CASE, list, list, workers=workers),
    ):
        with pytest.raises(UsageError, match="at least 2"):
            call()


def test_more_workers_than_items_are_refused():
    check_workers(3, 3)
    with pytest.raises(UsageError, match="4 workers for 3 items: no more than 3 could work"):
        measured_in_pool(abs, [1, 2, 3], workers=4)


@pytest.mark.parametrize(("items", "message"), [([], "no items"), (iter([]), "no items"), (5, "cannot be iterated")])
def test_items_that_are_none_are_refused(items, message):
    with pytest.raises(UsageError, match=message):
        run_parallel_once(abs, items, workers=2)


@pytest.mark.parametrize(
    ("backend", "message"),
    [("threads", "did you mean 'thread'"), ("proces", "did you mean 'process'"), ("gpu", "there are 'thread'")],
)
def test_an_unknown_backend_is_refused_with_the_intended_word(backend, message):
    with pytest.raises(UsageError, match=message):
        run_parallel_once(abs, [1, 2], workers=2, backend=backend)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="has interpreters")
def test_interpreters_name_the_python_they_need():
    with pytest.raises(UsageError, match=r"needs Python 3\.14 or newer"):
        run_parallel_once(abs, [1, 2], workers=2, backend="interpreter")


@pytest.mark.skipif(sys.version_info < (3, 14), reason="has no interpreters")
def test_interpreters_give_results_in_order():
    assert run_parallel_once(abs, [-1, -2, 3], workers=2, backend="interpreter") == [1, 2, 3]


async def awaitable(item):
    return item


class Awaitable:
    async def __call__(self, item):
        return item


@pytest.mark.parametrize(
    ("task", "backend", "message"),
    [
        (awaitable, "thread", "use backend='asyncio'"),
        (Awaitable(), "process", "use backend='asyncio'"),
        (abs, "asyncio", "needs an async task"),
        (5, "thread", "cannot be called"),
        (lambda item: awaitable(item), "thread", "returned a coroutine.*async function"),  # noqa: PLW0108  # the point
        (lambda item: (one for one in [item]), "thread", "returned a generator.*list"),
    ],
)
def test_a_task_whose_work_would_not_be_done_is_refused(task, backend, message):
    for call in (measured_in_pool, run_parallel_once):
        with pytest.raises(UsageError, match=message):
            call(task, [1, 2], workers=2, backend=backend)


def test_a_class_whose_instances_are_awaited_is_called_and_not_awaited():
    assert isinstance(run_parallel_of_once(Awaitable, Awaitable, workers=2), Awaitable)


def test_a_function_whose_work_would_not_be_done_is_refused():
    with pytest.raises(UsageError, match="the parallel pass returned a map"):
        measure_speedup_of(Plan(), CASE, lambda: [1], lambda: map(abs, [1]), clocks=Ticking().clocks)
    with pytest.raises(UsageError, match="the serial function is 5"):
        measure_speedup_of(Plan(), CASE, 5, list)


def test_inside_a_running_loop_asyncio_is_refused():
    async def test():
        run_parallel_once(awaitable, [1, 2], workers=2, backend="asyncio")

    with pytest.raises(UsageError, match="an event loop is running"):
        asyncio.run(test())


@pytest.mark.parametrize("options", [{"repeats": 0}, {"repeats": 1.5}, {"warmup": -1}, {"repeats": True}])
def test_numbers_of_pairs_that_cannot_be_meant_are_refused(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        measured(**options)


def test_long_items_are_shortened_in_the_note():
    with pytest.raises(TypeError) as caught:
        run_chunk(abs, 5, ["x" * 1000])
    note = caught.value.__notes__[0]
    assert note.startswith("raised by the task for item 5: 'xxx")
    assert len(note) < 120


def test_the_target_is_named():
    assert measured_in_pool(abs, [1, 2])[1].extra["target"] == "abs"
    partial = functools.partial(math.pow, 2)
    assert measured_in_pool(partial, [1, 2])[1].extra["target"] == "pow"
    assert measured_in_pool(types.MethodType(pow, 2), [1, 2])[1].extra["target"] == "pow"
