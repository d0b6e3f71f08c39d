"""Timing on a clock that only the target moves."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import signal
import sys
import threading
import tracemalloc

import pytest
from fakes import FakeClock

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import timeout
from pytest_perfgate.measure.surroundings import disturbances, memory_watchers, watchers
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


async def agen(n=1):
    yield n


def _never_runs():
    loop = asyncio.new_event_loop()
    loop.close()
    return loop


REFUSED = {
    "coroutine": (lambda: double(1), "perf(fetch, url)"),
    "not callable": (3, "not callable"),
    "async generator function": (agen, "async generator"),
    "async generator": (lambda: agen(2), "consumes it"),
    "future": (lambda: asyncio.Future(loop=_never_runs()), "perf(fetch, url)"),
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


@pytest.mark.filterwarnings("error")
def test_a_coroutine_instead_of_a_function_is_refused_and_put_away():
    with pytest.raises(CannotMeasureError, match=r"perf\(fetch, url\), not perf\(fetch\(url\)\)"):
        timing.call_once(double(1), (), {})
    gc.collect()


@pytest.mark.filterwarnings("error")
def test_a_coroutine_is_refused_at_the_first_call_of_many():
    calls = []

    def target():
        calls.append(1)
        return double(1)

    with pytest.raises(CannotMeasureError, match="nobody awaited"):
        timing.measure_call(Plan(rounds=1, iterations=100), CASE, target)
    gc.collect()
    assert calls == [1]


def test_a_class_with_an_async_call_is_not_awaited_itself():
    assert not timing.is_async(Callable)
    assert timing.is_async(functools.partial(functools.partial(Callable()), 1))
    assert not timing.is_async(len)
    result, _ = timing.measure_call(QUICK, CASE, Callable)
    assert isinstance(result, Callable)


@pytest.mark.parametrize("problem", [StopIteration("mine"), GeneratorExit(), SystemExit(3), KeyboardInterrupt()])
def test_whatever_the_target_raises_comes_out_unchanged(problem):
    def target():
        raise problem

    with pytest.raises(type(problem)) as caught:
        timing.measure_call(Plan(), CASE, target)
    assert caught.value is problem
    assert gc.isenabled()


def test_an_exception_in_the_middle_of_awaiting_comes_out_with_the_call_and_everything_as_it_was():
    calls, had_timer = [], signal.getitimer(signal.ITIMER_REAL)[0] > 0

    async def target():
        calls.append(1)
        await asyncio.sleep(0)
        if len(calls) == 4:
            raise ValueError("fourth")

    with pytest.raises(ValueError, match="fourth") as caught:
        timing.measure_call_in_loop(Plan(rounds=9, iterations=1, warmup=0), CASE, target)
    assert "raised by call 4" in caught.value.__notes__[0]
    assert gc.isenabled()
    assert (signal.getitimer(signal.ITIMER_REAL)[0] > 0) is had_timer


def test_other_work_on_the_loop_goes_on_between_rounds():
    seen = []

    async def test():
        ticker = asyncio.ensure_future(tick())
        await timing.measure_call_async(Plan(rounds=5, iterations=1, warmup=0), CASE, never_waits)
        ticker.cancel()

    async def tick():
        while True:
            seen.append(1)
            await asyncio.sleep(0)

    async def never_waits():
        return 1

    asyncio.run(test())
    assert len(seen) >= 5


def test_setup_and_teardown_of_an_async_function_may_be_async():
    seen = []

    async def setup():
        await asyncio.sleep(0)
        return (3,), {}

    async def teardown(n):
        await asyncio.sleep(0)
        seen.append(n)

    result, _ = timing.measure_call_in_loop(Plan(rounds=2, warmup=0), CASE, double, setup=setup, teardown=teardown)
    assert (result, seen) == (6, [3, 3])


def test_an_async_setup_of_an_ordinary_function_is_refused():
    with pytest.raises(CannotMeasureError, match="setup"):
        timing.measure_call(Plan(rounds=1), CASE, len, ("abc",), setup=lambda: double(1))


def test_teardown_runs_when_the_target_fails():
    seen = []
    with pytest.raises(ZeroDivisionError):
        timing.measure_call(Plan(rounds=1), CASE, lambda: 1 / 0, teardown=lambda: seen.append(1))
    assert seen == [1]


def test_with_setup_each_round_has_one_iteration_and_fresh_arguments():
    given = []

    def setup():
        given.append([])
        return (given[-1], 1), {}

    _, measured = timing.measure_call(Plan(rounds=3, warmup=1), CASE, list.append, setup=setup)
    assert measured.iterations == 1
    assert given == [[1]] * 4


def test_a_running_loop_is_not_entered_twice():
    async def test():
        timing.measure_call_in_loop(QUICK, CASE, double, args=(1,))

    with pytest.raises(CannotMeasureError, match="await perf"):
        asyncio.run(test())


def test_a_private_loop_leaves_the_current_loop_alone():
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    try:
        timing.measure_call_in_loop(QUICK, CASE, double, args=(1,))
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_rounds_too_short_for_the_clock_are_said():
    clock = FakeClock(tick_ns=50)
    _, measured = timing.measure_call(Plan(rounds=9, iterations=1, warmup=0), CASE, clock.work(100), clock=clock)
    assert any("too short" in warning for warning in measured.warnings)


def test_young_garbage_is_collected_between_rounds_while_the_collector_is_off():
    def target():
        for _ in range(60_000):
            cycle = []
            cycle.append(cycle)
        return gc.get_count()[0]

    left, _ = timing.measure_call(Plan(rounds=3, iterations=1, warmup=0), CASE, target)
    assert left < 100_000


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
def test_a_target_that_swallows_every_exception_is_given_up_at_the_first_alarm():
    rounds = []

    def swallow():
        for _ in range(3):
            rounds.append(1)
            with contextlib.suppress(Exception):
                threading.Event().wait(60)

    with pytest.raises(TargetHangsError, match="did not return within 20 ms"), given_up_after(0.02):
        swallow()
    assert rounds == [1]


@pytest.fixture
def alarms():
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    yield heard
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def hang_with_a_timer(*times_s):
    signal.setitimer(signal.ITIMER_REAL, *times_s)
    threading.Event().wait(60)


@needs_timers
def test_an_alarm_before_the_limit_is_for_the_handler_that_was_there(alarms):
    with given_up_after(1000):
        signal.raise_signal(signal.SIGALRM)
        assert alarms == [1]
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@needs_timers
def test_after_an_alarm_of_the_targets_own_timer_the_limit_holds_again(alarms):
    with pytest.raises(TargetHangsError), given_up_after(0.2):
        hang_with_a_timer(1e-3)
    assert alarms == [1]


@needs_timers
def test_a_timer_of_the_targets_that_repeats_goes_on_and_the_limit_holds(alarms):
    with pytest.raises(TargetHangsError), given_up_after(0.2):
        hang_with_a_timer(0.01, 0.01)
    assert len(alarms) > 1


@needs_timers
def test_a_handler_and_a_timer_that_the_target_leaves_behind_stay(alarms):
    def of_the_target(*_):
        return None

    with given_up_after(1000):
        signal.signal(signal.SIGALRM, of_the_target)
        signal.setitimer(signal.ITIMER_REAL, 2000)
    assert signal.getsignal(signal.SIGALRM) is of_the_target
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0


@needs_timers
def test_a_target_that_catches_the_interruption_is_interrupted_again(monkeypatch):
    monkeypatch.setattr(timeout, "_AGAIN_S", 0.02)
    caught = []

    def swallow():
        with contextlib.suppress(BaseException):
            threading.Event().wait(60)
        caught.append(1)
        threading.Event().wait(60)

    with pytest.raises(TargetHangsError), given_up_after(0.02):
        swallow()
    assert caught == [1]


def test_an_await_that_hangs_is_cancelled_and_the_loop_lives_on():
    cleaned = []

    async def hang():
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(1)

    async def test():
        with pytest.raises(TargetHangsError, match="did not return within 50 ms"):
            await timing.measure_call_async(Plan(timeout_s=0.05), CASE, hang)
        await asyncio.sleep(0)
        return "alive"

    assert asyncio.run(test()) == "alive"
    assert cleaned == [1]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_cancellation_of_somebody_elses_stays_one():
    async def test():
        task = asyncio.ensure_future(timing.measure_call_async(Plan(), CASE, asyncio.Event().wait))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(test())
    assert gc.isenabled()


@needs_timers
def test_an_async_function_that_blocks_the_loop_is_interrupted(monkeypatch):
    monkeypatch.setattr(timeout, "_GRACE_S", 0.01)

    async def block():
        threading.Event().wait(60)

    with pytest.raises(TargetHangsError):
        timing.measure_call_in_loop(Plan(timeout_s=0.05), CASE, block)


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
        found, watching = disturbances(), memory_watchers()
    finally:
        sys.settrace(before)
    assert any(f"a trace function ({__name__.partition('.')[0]}) is watching" in one for one in found)
    assert any("a trace function" in one for one in watching)


def test_what_keeps_memory_of_its_own_is_named():
    assert memory_watchers() == tuple(watchers())
    tracemalloc.start()
    try:
        assert "tracemalloc" in memory_watchers()
    finally:
        tracemalloc.stop()


def test_memray_is_named_while_it_tracks(tmp_path):
    memray = pytest.importorskip("memray")
    tracker = memray.Tracker(tmp_path / "memory.bin")
    with tracker:
        during = memory_watchers()
    assert "memray" in during
    assert "memray" not in memory_watchers()


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring is new in 3.12")
def test_tools_that_monitor_are_named():
    tool = next(number for number in range(6) if sys.monitoring.get_tool(number) is None)
    sys.monitoring.use_tool_id(tool, "looker")
    try:
        assert not any("looker" in one for one in disturbances())  # it watches nothing yet
        sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
        assert any("looker" in one for one in disturbances())
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)


def test_asyncios_debug_mode_is_named():
    async def look():
        return disturbances()

    assert any("asyncio" in one for one in asyncio.run(look(), debug=True))
    assert not any("asyncio" in one for one in asyncio.run(look(), debug=False))
