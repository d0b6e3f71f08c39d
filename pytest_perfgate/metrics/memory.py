"""Metrics ``memory.growth`` and ``memory.peak``: what each call leaves behind, and what a block needs at its peak."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import memory
from pytest_perfgate.measure.batches import batches, check_count
from pytest_perfgate.measure.growth import Growth
from pytest_perfgate.measure.leak import Examination, examine
from pytest_perfgate.measure.peak import Peak
from pytest_perfgate.measure.resources import WORDS
from pytest_perfgate.measure.surroundings import memory_watchers
from pytest_perfgate.measure.targets import check_callable, finished, laziness
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.units import BYTES, BYTES_PER_CALL, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

GROWTH = Metric("memory.growth", BYTES_PER_CALL, Better.LOWER, "memory that each call leaves behind")
PEAK = Metric("memory.peak", BYTES, Better.LOWER, "memory that a block adds at its peak")

_FRONT = "memory.growth"
#: An entry of a cache is seldom more blocks than these: a key, a value with what it holds, a link.
_BLOCKS_OF_AN_ENTRY = 8
#: Peaks below it are made of a few pages, and some kernels count pages in batches.
_COARSE_PEAK_BYTES = 1024**2


def measure_growth(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    calls: int | None = None,
    warmup: int | None = None,
) -> tuple[Any, Measurement]:
    """Measure what each call of a function leaves behind.

    Three things are watched: blocks of the interpreter, the C heap, and, when both are flat and tracing is affordable,
    the bytes that tracemalloc sees, which show an object that grows in place.

    Args:
        plan: Its time limits count; 8 to 16 calls are made whatever they take.
        case: What the measurement is of.
        target: A function or an async function; the latter is awaited on one event loop of our own.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        calls: Calls per round; chosen when None.  A leak in every n-th call is found when about n / 20 or more.
        warmup: Rounds before anything is looked at, at least 1; chosen when None.

    Returns:
        What the last call returned, and the measurement in bytes per call: exactly 0 for a clean function, the rate
        for a leak with where it comes from in ``extra["where"]``, and a doubt when it grew without being steady.

    Raises:
        CannotMeasureError: Nothing can be read here, the target is not callable, hangs, or gives a coroutine.
        UsageError: *calls* or *warmup* cannot be meant.
        BaseException: Whatever *target* raises.
    """
    __tracebackhide__ = True
    check_count(_FRONT, "calls", calls)
    check_count(_FRONT, "warmup", warmup)
    check_callable(target, _FRONT)
    live = memory.channels()
    if not live:
        raise CannotMeasureError("this interpreter tells neither its memory blocks nor its heap, so growth is not seen")
    with batches(target, args, kwargs or {}) as batch, given_up_after(plan.timeout_s):
        finished(batch(1), target, _FRONT)
        found = examine(batch, live, calls=calls, warmup=warmup, max_time_s=plan.max_time_s)
        result = batch(1)
    return result, _growth_measurement(case, found, laziness(result))


def _growth_measurement(case: Case, found: Examination, warnings: tuple[str, ...]) -> Measurement:
    growth = found.growth
    value = 0.0 if growth.verdict == "clean" else found.bytes_per_call
    extra: dict[str, Any] = {
        "verdict": growth.verdict,
        "calls": growth.calls,
        "windows": growth.windows,
        "channels": list(found.channels),
        "blocks_per_call": _tidy(growth.rates.get("blocks", 0.0)),
        **found.resources,
    }
    if growth.verdict != "clean":
        extra |= {"where": list(found.where), "curve": list(growth.curve), "grew": growth.channel}
        extra |= {"types": list(found.types)}
    return GROWTH.one_value(
        case,
        value,
        extra,
        doubt=_doubt(found),
        warnings=(*warnings, *_remarks(growth), *_unseen(found.channels), *_left_open(found)),
    )


def _left_open(found: Examination) -> Iterator[str]:
    """Name the resources that calls leave open, which memory hardly shows."""
    for name, count in found.resources.items():
        if count:
            word = WORDS[name]
            plural = f"{word}es" if word.endswith("s") else f"{word}s"
            yield (
                f"{found.calls_per_round} calls leave {count} {word if count == 1 else plural} behind, round after "
                f'round; limit it with budget("{name} < 1")'
            )


def _tidy(rate: float) -> float | int:
    """Write what is a whole number, within the noise of other blocks, as one."""
    return round(rate) if abs(rate - round(rate)) < 0.005 and rate >= 1 else round(rate, 4)  # noqa: PLR2004  # half a %


def _doubt(found: Examination) -> str | None:
    growth = found.growth
    if growth.verdict == "clean" and "heap" not in found.channels and tracemalloc.is_tracing():
        # Nothing that grows without a block more was looked for: not even tracing of our own was possible.
        return "tracemalloc is on, so growth of the heap cannot be told: run without it"
    if growth.verdict == "growing":
        return (
            f"memory grew over {growth.calls} calls without being shown to go on (a cache that fills?): fill the cache "
            f"before, call with inputs that repeat, or give it more calls with --perfgate-max-time"
        )
    watching = memory_watchers()
    if growth.verdict == "leak" and watching:
        active = "were" if len(watching) > 1 else "was"
        return f"memory grew while {' and '.join(watching)} {active} active and allocated as well: run without"
    return None


def _remarks(growth: Growth) -> Iterator[str]:
    """Name what else it may be; nothing to say of a clean function."""
    rate = growth.rates.get("blocks", 0.0)
    if growth.verdict == "leak" and growth.channel == "blocks" and rate <= _BLOCKS_OF_AN_ENTRY:
        yield (
            f"a leak, or a cache that is still filling: the function was called {growth.calls:,} times; if that does "
            f"not fill it, fill it first, or give more calls="
        )
    others = threading.active_count() - 1
    if growth.verdict != "clean" and others:
        yield f"{others} other thread{'s' * (others != 1)} ran meanwhile and may have allocated"


def _unseen(channels: Collection[str]) -> Iterator[str]:
    """Name what could not be watched."""
    if "blocks" not in channels:
        because = " (PYTHONMALLOC)" if os.environ.get("PYTHONMALLOC") else ""
        yield f"the interpreter does not count its memory blocks here{because}: only the C heap was watched"
    if "heap" not in channels and not tracemalloc.is_tracing():  # that is a doubt, not a remark
        yield "the C heap cannot be read here: what extension modules allocate by themselves was not seen"


class PeakMeter:
    """Measures the memory that a block adds at its peak, native memory and other threads included where Linux tells.

    Args:
        case: What the measurement is of.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._peak = Peak()

    def start(self) -> None:
        """Begin the block."""
        self._peak.start()

    def stop(self) -> Measurement:
        """End the block and return its measurement in bytes."""
        self._peak.stop()
        value = float(self._peak.added_bytes)
        extra: dict[str, Any] = {"method": self._peak.method}
        if self._peak.sees_the_process:
            extra["peak_rss_bytes"] = self._peak.highest_bytes
        measurement = PEAK.one_value(self.case, value, extra, warnings=tuple(self._remarks(value)))
        uncounted = self._peak.uncounted_bytes
        if uncounted < _COARSE_PEAK_BYTES:
            return measurement
        extra |= {"judged_by": "interval", "uncounted_bytes": uncounted}
        return replace(measurement, extra=extra, interval=(value, value + uncounted))

    def _remarks(self, value: float) -> Iterator[str]:
        if not self._peak.sees_the_process:
            yield "the peak of the resident set cannot be read here; memory outside the interpreter was not seen"
        elif value < _COARSE_PEAK_BYTES:
            yield "the peak is below 1 MiB, where the system counts too coarsely to tell more than its size"
        if self._peak.uncounted_bytes >= _COARSE_PEAK_BYTES:
            free = format_value(self._peak.uncounted_bytes, BYTES)
            yield (
                f"free memory of {free} was kept for threads before and is used by them first, so the peak may be up "
                f"to {free} too small; MALLOC_ARENA_MAX=1 in the environment avoids that"
            )
