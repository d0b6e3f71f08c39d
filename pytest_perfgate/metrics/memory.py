"""Metrics ``memory.growth`` and ``memory.peak``: what each call leaves behind, and what a block needs at its peak."""

from __future__ import annotations

import contextlib
import gc
import itertools
import linecache
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import memory as held
from pytest_perfgate.measure.growth import Growth, detect_growth
from pytest_perfgate.measure.loops import is_coroutine_function, private_loop
from pytest_perfgate.measure.surroundings import disturbances
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.units import BYTES, BYTES_PER_CALL

GROWTH = Metric("memory.growth", BYTES_PER_CALL, Better.LOWER, "memory that each call leaves behind")
PEAK = Metric("memory.peak", BYTES, Better.LOWER, "memory that a block adds at its peak")

#: Calls per round to begin with; more until a round takes a millisecond, so that collecting is not all that happens.
_FEWEST_CALLS, _MOST_CALLS = 20, 2000
_SHORTEST_ROUND_S = 0.001
#: Calls under tracemalloc: for growth in place, which no count of blocks shows, and for where a leak comes from.
_TRACED_CALLS, _TRACED_WINDOWS = 100, 4
#: The slowest window of a leak grows at least at this share of the fastest.
_STEADY = 0.5
_TRACED_LIMIT_S = 1.0
_PLACES = 5
#: Below this per call, traced growth in place is the tracer's own.
_LEAST_TRACED_BYTES = 1.0


def measure_growth(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    calls: int | None = None,
    warmup: int = 3,
) -> tuple[Any, Measurement]:
    """Measure what each call of a function leaves behind.

    Args:
        plan: Its time limits count.
        case: What the measurement is of.
        target: A function or an async function; the latter is awaited on one event loop of our own.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        calls: Calls per round; chosen when None.
        warmup: Rounds before anything is looked at, at least 1.

    Returns:
        What the first call returned, and the measurement in bytes per call: exactly 0 for a clean function, the rate
        for a leak with where it comes from in ``extra["where"]``, and a doubt when it grew without being steady.

    Raises:
        CannotMeasureError: Nothing can be read here, the target is not callable or hangs.
        UsageError: *calls* or *warmup* cannot be meant.
    """
    _check_count("calls", calls, least=1)
    _check_count("warmup", warmup, least=1)
    if not callable(target):
        raise CannotMeasureError(f"the target is {type(target).__name__}, which is not callable: pass the function")
    live = held.channels()
    if not live:
        raise CannotMeasureError("this interpreter tells neither its memory blocks nor its heap, so growth is not seen")
    began = time.perf_counter()

    def is_late() -> bool:
        return time.perf_counter() - began > plan.max_time_s

    with _caller(target, args, kwargs or {}) as call, given_up_after(plan.timeout_s):
        result = call()
        per_round = calls or _calls_per_round(call)
        run = _rounds(call, per_round)
        with held.collected():
            growth = detect_growth(run, live, calls_per_round=per_round, warmup=warmup, is_late=is_late)
            traced: tuple[float, list[str]] = (0.0, [])
            if growth.verdict == "leak" or _is_cheap(call):
                traced = _traced_growth(call)
    return result, _growth_measurement(case, growth, *traced, sorted(live))


def _check_count(name: str, value: object, *, least: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise UsageError(f"memory.growth: {name}={value!r}: give a whole number of at least {least}")


@contextlib.contextmanager
def _caller(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Callable[[], Any]]:
    """Give a function without arguments that calls, or awaits, the target once."""
    if not is_coroutine_function(target):
        yield lambda: target(*args, **kwargs)
        return
    with private_loop() as loop:
        # One loop for all calls: a new one for each would be a workload of its own.
        yield lambda: loop.run_until_complete(target(*args, **kwargs))


def _calls_per_round(call: Callable[[], Any]) -> int:
    calls = _FEWEST_CALLS
    began = time.perf_counter()
    call()
    once_s = time.perf_counter() - began
    while calls * once_s < _SHORTEST_ROUND_S and calls < _MOST_CALLS:
        calls *= 2
    return calls


def _rounds(call: Callable[[], Any], calls: int) -> Callable[[], None]:
    places = [None] * calls

    def run() -> None:
        for _ in places:  # a list, not a range: its iterator makes no numbers
            call()

    return run


def _is_cheap(call: Callable[[], Any]) -> bool:
    """Tell whether calls under the tracer, some twenty times slower, are quickly made."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 20 * _TRACED_CALLS * (_TRACED_WINDOWS + 1) < _TRACED_LIMIT_S


def _traced_growth(call: Callable[[], Any]) -> tuple[float, list[str]]:
    """Measure bytes per call under tracemalloc.

    Returns:
        Bytes per call, 0 unless every window grows by about the same, and ``file:line`` of what grew most with how
        much per call.
    """
    with held.traced(frames=1) as mine:
        if not mine:
            return 0.0, []
        before = tracemalloc.take_snapshot()
        levels = []
        for _ in range(_TRACED_WINDOWS + 1):  # the first is not counted: it takes in the snapshot
            for _ in range(_TRACED_CALLS):
                call()
            gc.collect()
            levels.append(tracemalloc.get_traced_memory()[0])
        after = tracemalloc.take_snapshot()
    rates = [(later - earlier) / _TRACED_CALLS for earlier, later in itertools.pairwise(levels)]
    grown = [one for one in after.compare_to(before, "lineno") if one.count_diff > 0 or one.size_diff > 0]
    grown.sort(key=lambda one: (one.count_diff, one.size_diff), reverse=True)
    where = [_place(one) for one in grown if not _is_ours(one.traceback[0].filename)][:_PLACES]
    is_steady = min(rates) >= _LEAST_TRACED_BYTES and min(rates) >= _STEADY * max(rates)
    return (sum(rates) / len(rates) if is_steady else 0.0), where


def _is_ours(filename: str) -> bool:
    folder = str(Path(__file__).resolve().parent.parent)
    return filename.startswith((folder, tracemalloc.__file__, "<frozen"))


def _place(one: tracemalloc.StatisticDiff) -> str:
    frame = one.traceback[0]
    source = linecache.getline(frame.filename, frame.lineno).strip()
    per_call = one.size_diff / (_TRACED_CALLS * (_TRACED_WINDOWS + 1))
    return f"{frame.filename}:{frame.lineno} +{per_call:.0f} B/call" + (f"  {source}" if source else "")


def _growth_measurement(
    case: Case, growth: Growth, traced_bytes: float, where: list[str], live: list[str]
) -> Measurement:
    extra: dict[str, Any] = {"verdict": growth.verdict, "calls": growth.calls, "channels": live}
    value, doubt = 0.0, None
    if growth.verdict == "leak":
        value = max(traced_bytes, growth.per_call if growth.channel == "heap" else 0.0) or growth.per_call
        extra["where"] = where
        extra["blocks_per_call"] = round(growth.per_call, 4) if growth.channel == "blocks" else 0.0
        extra["curve"] = list(growth.curve)
    elif growth.verdict == "growing":
        doubt = (
            f"it grew over {growth.calls} calls, but not steadily: a cache that fills, or an allocator at work; "
            "call it with inputs that repeat, or give calls="
        )
        extra["curve"] = list(growth.curve)
    else:
        extra["blocks_per_call"] = 0.0
        if traced_bytes and where:
            value = traced_bytes
            extra |= {"verdict": "leak", "where": where, "blocks_per_call": 0.0}
    return Measurement(
        case=case,
        unit=BYTES_PER_CALL,
        statistic="value",
        value=value,
        samples=(value,),
        processes=(value,),
        extra=extra,
        doubt=doubt,
        warnings=disturbances(),
    )


class PeakMeter:
    """Measures the memory that a block adds at its peak.

    On Linux that is the peak of the resident set, native memory included; elsewhere the peak of what the interpreter
    allocates, as tracemalloc counts it.  ``extra["method"]`` says which.

    Args:
        case: What the measurement is of.
    """

    _open: list[PeakMeter] = []  # noqa: RUF012  # shared on purpose: the system keeps one peak per process

    def __init__(self, case: Case) -> None:
        self.case = case
        self._method = ""
        self._before = 0
        self._highest = 0

    def start(self) -> None:
        """Begin the block.

        Raises:
            CannotMeasureError: Neither the system nor the interpreter can tell.
        """
        for outer in self._open:  # beginning a new peak forgets the one so far
            outer._look()  # noqa: SLF001  # one of us
        held.trim()
        if held.reset_peak():
            self._method = "resident set"
            self._before = held.resident_bytes()
        else:
            self._method = "tracemalloc"
            if tracemalloc.is_tracing():
                raise CannotMeasureError("somebody traces allocations already, so the peak of a block is not seen")
            tracemalloc.start()
            self._before = tracemalloc.get_traced_memory()[0]
        self._highest = self._before
        self._open.append(self)

    def stop(self) -> Measurement:
        """End the block and return its measurement in bytes."""
        self._look()
        self._open.remove(self)
        for outer in self._open:
            outer._highest = max(outer._highest, self._highest)  # noqa: SLF001  # one of us
        if self._method == "tracemalloc":
            tracemalloc.stop()
        value = float(max(0, self._highest - self._before))
        return Measurement(
            case=self.case,
            unit=BYTES,
            statistic="value",
            value=value,
            samples=(value,),
            processes=(value,),
            extra={"method": self._method, "peak_rss_bytes": self._highest if self._method != "tracemalloc" else None},
            warnings=() if sys.platform == "linux" else ("memory outside the interpreter was not seen",),
        )

    def _look(self) -> None:
        seen = held.peak_bytes() if self._method == "resident set" else tracemalloc.get_traced_memory()[1]
        self._highest = max(self._highest, seen)
