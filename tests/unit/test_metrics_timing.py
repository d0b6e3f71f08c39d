"""Timing on a clock that only the target moves."""

from __future__ import annotations

import asyncio
import functools
import gc
import signal
import sys
import threading

import pytest
from fakes import FakeClock

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.surroundings import disturbances
from pytest_perfgate.measure.timeout import TargetHangsError, given_up_after
from pytest_perfgate.metrics import timing
from pytest_perfgate.model import Case, Plan

CASE = Case("test_it.py::test_it", "perf")
QUICK = Plan(rounds=3, iterations=2, warmup=0)


def test_setup_and_teardown_are_outside_the_clock_and_hand_over_arguments():
    clock, seen = FakeClock(tick_ns=0), []

    def target(n, *, scale):
        seen.append(n * scale)
        clock.now_ns += 400

    def setup():
        clock.now_ns += 10**9
        return (3,), {"scale": 2}

    def teardown(n, *, scale):
        clock.now_ns += 10**9
        seen.append((n, scale))

    plan = Plan(rounds=2, iterations=1, warmup=1)
    _, measured = timing.measure_call(plan, CASE, target, setup=setup, teardown=teardown, clock=clock)
    assert measured.samples == (400e-9, 400e-9)
    assert seen == [6, (3, 2)] * 3


def test_the_last_result_is_returned_and_only_that_is_kept_alive():
    alive = []

    class Thing:
        def __init__(self):
            alive.append(self)

        def __del__(self):
            pass

    def target():
        alive.clear()
        return Thing()

    result, _ = timing.measure_call(QUICK, CASE, target)
    assert alive == [result]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("problem", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_the_collector_is_off_while_measuring_and_as_it_was_afterwards(enabled, problem):
    states = []

    def target():
        states.append(gc.isenabled())
        if problem:
            raise problem

    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        if problem:
            with pytest.raises(problem):
                timing.measure_call(QUICK, CASE, target)
        else:
            timing.measure_call(QUICK, CASE, target)
        assert set(states) == {False}
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_the_targets_exception_is_its_own_and_names_the_call():
    calls = []

    def target():
        calls.append(1)
        if len(calls) == 5:
            raise ValueError("fifth")

    with pytest.raises(ValueError, match="fifth") as caught:
        timing.measure_call(Plan(rounds=9, iterations=2, warmup=0), CASE, target)
    if sys.version_info >= (3, 11):
        assert "calls 5 to 6" in caught.value.__notes__[0]


async def double(n):
    await asyncio.sleep(0)
    return 2 * n


class Callable:
    async def __call__(self, n):
        return 2 * n

    async def method(self, n):
        return 2 * n


@pytest.mark.parametrize("target", [double, functools.partial(double), Callable(), Callable().method])
def test_whatever_has_to_be_awaited_is_awaited(target):
    assert timing.is_async(target)
    result, measured = timing.measure_call_in_loop(QUICK, CASE, target, args=(4,))
    assert result == 8
    assert measured.rounds == 3
    assert timing.call_in_loop_once(target, (4,), {}) == 8


def test_an_async_function_is_timed_per_await():
    clock = FakeClock(tick_ns=0)

    async def target():
        clock.now_ns += 10_000_000
        await asyncio.sleep(0)

    _, measured = timing.measure_call_in_loop(Plan(max_time_s=1), CASE, target, clock=clock)
    assert measured.value == 0.01
    assert measured.iterations == 1


async def agen():
    yield 1


REFUSED = {
    "coroutine": (lambda: double(1), "perf(fetch, url)"),
    "not callable": (3, "not callable"),
    "async generator function": (agen, "async generator"),
    "async generator": (lambda: agen(), "perf(fetch, url)"),
}


@pytest.mark.parametrize(("target", "word"), list(REFUSED.values()), ids=list(REFUSED))
@pytest.mark.filterwarnings("error")
def test_what_would_time_nothing_is_refused_with_the_remedy(target, word):
    for attempt in (
        lambda: timing.measure_call(Plan(), CASE, target),
        lambda: timing.call_once(target, (), {}),
    ):
        with pytest.raises(CannotMeasureError) as caught:
            attempt()
        assert word in str(caught.value)
    gc.collect()  # would warn that a coroutine was never awaited


def test_a_generator_is_measured_with_a_warning():
    _, measured = timing.measure_call(QUICK, CASE, lambda: (n for n in range(3)))
    assert any("generator" in warning for warning in measured.warnings)


@pytest.mark.parametrize(
    "how",
    [
        {"rounds": 0},
        {"rounds": 2.5},
        {"iterations": True},
        {"warmup": -1},
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(how):
    with pytest.raises(UsageError):
        timing.measure_call(Plan(**how), CASE, len, ("abc",))


def test_setup_with_several_iterations_is_refused():
    with pytest.raises(UsageError, match="iterations=1"):
        timing.measure_call(Plan(rounds=1, iterations=2), CASE, len, setup=lambda: None)
    with pytest.raises(UsageError, match=r"\(args, kwargs\)"):
        timing.measure_call(Plan(rounds=1, iterations=1), CASE, len, setup=lambda: 3)


def test_the_measurement_holds_what_the_reports_show():
    clock = FakeClock(tick_ns=0)
    times = iter([5, 1, 2, 3, 4, 100])
    _, measured = timing.measure_call(
        Plan(rounds=5, iterations=1, warmup=1),
        CASE,
        lambda: setattr(clock, "now_ns", clock.now_ns + next(times)),
        clock=clock,
    )
    assert measured.samples == tuple(n / 1e9 for n in (1, 2, 3, 4, 100))
    assert measured.value == 3e-9
    assert measured.processes == (3e-9,)
    assert measured.extra["first_call_s"] == 5e-9
    assert measured.extra["min_s"] == 1e-9
    assert any("noisy" in warning for warning in measured.warnings)


def test_a_call_phase_is_measured_from_its_repetitions():
    measured = timing.phase_measurement(CASE, [3.0, 1.0, 2.0])
    assert (measured.value, measured.rounds, measured.iterations) == (2.0, 3, 1)


needs_timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")


@needs_timers
def test_a_target_that_hangs_is_given_up_and_the_timer_is_gone():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TargetHangsError, match="did not return within 50 ms"), given_up_after(0.05):
        threading.Event().wait(60)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before


@needs_timers
def test_a_timer_of_somebody_else_is_left_alone():
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with given_up_after(2000):
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_outside_the_main_thread_nothing_is_interrupted():
    done = []

    def work():
        with given_up_after(0.001):
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]


def test_tracers_are_named():
    before = sys.gettrace()

    def tracer(*_):
        return None

    sys.settrace(tracer)
    try:
        found = disturbances()
    finally:
        sys.settrace(before)
    assert any("trace function" in one for one in found)
