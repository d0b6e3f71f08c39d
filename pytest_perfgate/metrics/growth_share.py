"""Metric ``memory.growth.share``: by how much of what it holds a process grows over so many calls, or so much time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.attribution import Attribution, attribute
from pytest_perfgate.measure.batches import Batch, batches, check_count
from pytest_perfgate.measure.course import Course, follow_calls, follow_time
from pytest_perfgate.measure.pace import seconds_of_a_call
from pytest_perfgate.measure.surroundings import memory_watchers
from pytest_perfgate.measure.targets import check_callable, finished, laziness
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.stats import Shift, level_shift
from pytest_perfgate.units import BYTES, RATIO, SECONDS, format_value, parse_as

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

GROWTH_SHARE = Metric(
    "memory.growth.share",
    RATIO,
    Better.LOWER,
    "share by which the process grows over a stated number of calls, or time",
    show_as="%",
)

_FRONT = "memory.growth"
#: Fewer looks at the memory than this tell no growth from chance: six at either end.
FEWEST_LOOKS = 24
#: The system counts memory in pages, some kernels in batches of them; what is less is not told from nothing.
_COARSE_BYTES = 256 * 1024
#: A block of the interpreter's is at least this large.
_SMALLEST_BLOCK_BYTES = 16
#: From this share on somebody will ask where it comes from.
_WORTH_ASKING = 0.01
#: Calls to find that out: enough rounds for a slope, in each as many as tracing can afford, and all of them together
#: no more than a tenth of those made before: each leaves something behind.
_TRACED_ROUNDS, _MOST_TRACED_CALLS, _TRACED_S, _SLOWER = 5, 200, 2.0, 15
_FEWER = 10


def measure_growth_share(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    iterations: int | None = None,
    duration: str | float | None = None,
) -> tuple[Any, Measurement]:
    """Measure the share by which this process grows while a function is called over and over again.

    Args:
        plan: Its ``timeout_s`` is the patience with the calls between two looks at the memory; how long all of it takes
            is what the caller states.
        case: What the measurement is of.
        target: A function or an async function; the latter is awaited on one event loop of our own.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        iterations: Calls over which memory may grow, at least :data:`FEWEST_LOOKS`; before them a twentieth as many
            warm up.
        duration: Time instead of calls, such as ``"5 min"``, or seconds.

    Returns:
        What the last call returned, and the measurement: (end - start) / start with its interval, the memory at every
        look in ``extra["memory_over_time"]``, and where it comes from in ``extra["where"]`` if it clearly grew.

    Raises:
        CannotMeasureError: The system tells no memory, the target is not callable, hangs, or gives a coroutine.
        UsageError: *iterations* or *duration* cannot be meant.
        BaseException: Whatever *target* raises.
    """
    __tracebackhide__ = True
    follow = _following(iterations, duration, plan.timeout_s)
    check_callable(target, _FRONT)
    with batches(target, args, kwargs or {}) as batch:
        with given_up_after(plan.timeout_s):
            finished(batch(1), target, _FRONT)
        course = follow(batch)
        shift = _larger_shift(course, _shift(course))
        found = None
        with given_up_after(plan.timeout_s):
            if shift is not None and shift.moved - shift.reach > _WORTH_ASKING * shift.start:
                found = _attributed(batch, course.calls[-1])
            result = batch(1)
    measurement = _measurement(case, course, shift, found)
    return result, replace(measurement, warnings=(*laziness(result), *measurement.warnings))


def _following(iterations: int | None, duration: str | float | None, timeout_s: float) -> Callable[[Batch], Course]:
    """Check how long to go on."""
    if (iterations is None) is (duration is None):
        raise UsageError(f"{_FRONT}: give iterations= or duration=, one of them")
    if iterations is not None:
        check_count(_FRONT, "iterations", iterations)
        if iterations < FEWEST_LOOKS:
            raise UsageError(
                f"{_FRONT}: iterations={iterations!r}: growth over fewer than {FEWEST_LOOKS} calls is not told from "
                f"chance"
            )
        count = iterations
        return lambda batch: follow_calls(batch, count, timeout_s=timeout_s)
    seconds = _seconds(duration)
    return lambda batch: follow_time(batch, seconds, timeout_s=timeout_s)


def _seconds(duration: object) -> float:
    example = 'duration="5 min"'
    if isinstance(duration, str):
        try:
            seconds = parse_as(duration, SECONDS, example=example)
        except ValueError as problem:
            raise UsageError(f"{_FRONT}: duration={problem}") from None
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration)
    else:
        raise UsageError(f"{_FRONT}: duration={duration!r}: give seconds, or a time with its unit such as {example}")
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{_FRONT}: duration={duration!r}: give a time above 0, such as {example}")
    return seconds


def _shift(course: Course) -> Shift | None:
    """Estimate how far memory has moved, no closer than the system counts it; None of too few looks."""
    if len(course.held_bytes) <= FEWEST_LOOKS:
        return None
    shift = level_shift(course.held_bytes)
    return replace(shift, reach=max(shift.reach, _COARSE_BYTES)) if shift.start > 0 else None


def _larger_shift(course: Course, shift: Shift | None) -> Shift | None:
    """Put the growth of what is in use in the C heap in the place of *shift* where it is clearly more.

    Memory that was free when it began is used without adding to what the process holds.
    """
    if shift is None or not course.heap_bytes:
        return shift
    used = level_shift(course.heap_bytes)
    reach = max(used.reach, _COARSE_BYTES)
    return Shift(shift.start, shift.start + used.moved, reach) if _is_more(used.moved - reach, shift) else shift


def _hidden_share(course: Course, shift: Shift | None) -> float:
    """Return the share by which blocks became more where *shift* is too small for them, as for heap; 0 elsewhere."""
    if shift is None or not course.blocks:
        return 0.0
    blocks = level_shift(course.blocks)
    least = blocks.moved - blocks.reach
    return blocks.moved / blocks.start if _is_more(least * _SMALLEST_BLOCK_BYTES, shift) else 0.0


def _is_more(least_bytes: float, shift: Shift) -> bool:
    return least_bytes > max(0.0, shift.moved + shift.reach)


def _attributed(batch: Batch, made: int) -> Attribution | None:
    """Find where memory comes from that stays behind, as far as there is time to."""
    rounds = _TRACED_ROUNDS + 1
    once_s = seconds_of_a_call(batch, _TRACED_S / _SLOWER / rounds)
    affordable = int(_TRACED_S / once_s / _SLOWER / rounds)
    calls = min(_MOST_TRACED_CALLS, max(1, made // _FEWER // rounds), affordable)
    return attribute(lambda: _drop(batch(calls)), calls_per_round=calls, rounds=_TRACED_ROUNDS) if calls else None


def _drop(_: object) -> None:
    """Keep no result."""


def _measurement(case: Case, course: Course, shift: Shift | None, found: Attribution | None) -> Measurement:
    # In whole bytes: a line through equal values ends some billionths off.
    start, end = (round(shift.start), round(shift.end)) if shift else (course.held_bytes[0], course.held_bytes[-1])
    value = end / start - 1 if start > 0 else 0.0
    calls = course.calls[-1]
    extra: dict[str, Any] = {
        "judged_by": "interval",
        "calls": calls,
        "lasted_s": course.seconds[-1],
        "start_bytes": start,
        "end_bytes": end,
        "grown_bytes_per_call": (end - start) / calls if calls else 0.0,
        "memory_over_time": {
            "kind": course.kind,
            "calls": list(course.calls),
            "seconds": [round(moment, 6) for moment in course.seconds],
            "bytes": list(course.held_bytes),
            "blocks": list(course.blocks),
        },
    }
    if shift and course.blocks and (blocks := level_shift(course.blocks)).start > 0:
        extra["blocks_growth"] = blocks.moved / blocks.start
    if found is not None:
        extra |= {"where": list(found.places), "types": list(found.types)}
    reach = shift.reach / shift.start if shift else 0.0
    hidden = _hidden_share(course, shift)
    warnings = tuple(_remarks(course, shift, hidden))
    return replace(
        GROWTH_SHARE.one_value(case, value, extra, doubt=_doubt(course, shift), warnings=warnings),
        interval=(value - reach, max(value + reach, hidden)) if shift else None,
        show_as=GROWTH_SHARE.show_as,
    )


def _doubt(course: Course, shift: Shift | None) -> str | None:
    if shift is None:
        return (
            f"only {len(course.calls) - 1} looks at the memory in {course.seconds[-1]:.3g} s, and {FEWEST_LOOKS} are "
            f"needed to tell growth from chance: give it more time"
        )
    watching = memory_watchers()
    if watching and shift.moved > shift.reach:
        return f"memory grew while {' and '.join(watching)} was active, which keeps memory of its own: run without"
    return None


def _remarks(course: Course, shift: Shift | None, hidden: float) -> Iterator[str]:
    if course.kind == "resident set":
        yield "the unique set cannot be read here: pages shared with other processes are counted as well"
    first = "memory that was free before is used first"
    resident = _shift(course)
    if shift is not None and resident is not None and shift != resident:
        grown, held = format_value(shift.moved, BYTES), format_value(max(0.0, resident.moved), BYTES)
        yield f"the C heap in use grew by {grown}, the {course.kind} by {held} only: {first}, and the larger counts"
    if hidden:
        yield (
            f"the interpreter's memory blocks became {format_value(hidden, RATIO, show_as='%')} more while the "
            f"{course.kind} hardly grew: {first}, so growth may be as much"
        )
