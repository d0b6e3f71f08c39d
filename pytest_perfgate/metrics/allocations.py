"""Metrics ``memory.allocations`` and ``memory.per_object``: what a call, and one object, take from the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.allocations import trace_calls, trace_objects
from pytest_perfgate.measure.batches import batches, check_count
from pytest_perfgate.measure.targets import check_callable, finished, is_async
from pytest_perfgate.measure.timeout import given_up_after
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.stats import median
from pytest_perfgate.units import BYTES, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

ALLOCATIONS = Metric(
    "memory.allocations", BYTES, Better.LOWER, "memory that a call allocates in the interpreter, at its most"
)
PER_OBJECT = Metric("memory.per_object", BYTES, Better.LOWER, "memory of one object, with all that it holds alone")

#: Objects that are made: enough for what they share to vanish in the figure.
DEFAULT_OBJECTS = 10_000
#: Calls that are looked at, after some that fill caches; the same function allocates the same every time.
_ROUNDS, _WARMUP = 5, 2
#: Shares of what objects took that count as coming back, or not: their common bookkeeping is not theirs.
_NOTHING = 0.01
#: Looking allocates some numbers of its own, 60 to 170 bytes, which have to vanish in a share of that size.
_FEWEST_BYTES = 16 * 1024


def measure_allocations(
    plan: Plan,
    case: Case,
    target: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
) -> tuple[Any, Measurement]:
    """Measure the most that a call has allocated at once, as ``tracemalloc`` counts it.

    The same code gives the same number on every machine with the same Python. What extension modules allocate by
    themselves is not in it.

    Args:
        plan: Its ``timeout_s`` counts.
        case: What the measurement is of.
        target: A function or an async function; called eight times.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    Returns:
        What the last call returned, and the measurement in bytes; ``extra["kept_bytes"]`` is what was still allocated
        when the result of a call had been dropped.

    Raises:
        CannotMeasureError: The target is not callable or hangs, or somebody traces allocations already.
        BaseException: Whatever *target* raises.
    """
    __tracebackhide__ = True
    check_callable(target, "memory.allocations")
    idle = _nothing_async if is_async(target) else _nothing
    with batches(target, args, kwargs or {}) as batch, batches(idle, (), {}) as rest, given_up_after(plan.timeout_s):
        finished(batch(1), target, "memory.allocations")
        batch(_WARMUP - 1)
        seen = trace_calls(lambda: batch(1), lambda: rest(1), _ROUNDS)
        result = batch(1)
    peaks = [float(one.peak_bytes) for one in seen]
    return result, Measurement(
        case=case,
        unit=BYTES,
        statistic="median",
        value=median(peaks),
        samples=tuple(peaks),
        processes=(median(peaks),),
        extra={"kept_bytes": min(one.kept_bytes for one in seen)},
    )


def _nothing() -> None:
    """Allocate nothing."""


async def _nothing_async() -> None:
    """Likewise."""


def measure_per_object(
    plan: Plan, case: Case, make: Callable[[], Any], *, n: int = DEFAULT_OBJECTS
) -> tuple[Any, Measurement]:
    """Measure what one object takes, and what of it comes back when nobody refers to it any more.

    Args:
        plan: Its ``timeout_s`` counts.
        case: What the measurement is of.
        make: Makes one object; called once more before, so that what all share is there.
        n: How many are alive at once, at least 1.

    Returns:
        One more object, and the measurement in bytes. In ``extra``, shares of the memory: ``recovered_by_refcount`` at
        once, ``recovered_by_collector`` in a collection (objects in cycles), ``kept`` neither; none of them for objects
        that take too little for that.

    Raises:
        CannotMeasureError: *make* is not callable, async or hangs, or somebody traces allocations already.
        UsageError: *n* cannot be meant.
        BaseException: Whatever *make* raises.
    """
    __tracebackhide__ = True
    check_callable(make, "memory.per_object")
    if is_async(make):
        raise CannotMeasureError("memory.per_object takes a plain function that makes one object, not an async one")
    if n is None:  # never an omission here
        raise UsageError("memory.per_object: n=None: give a whole number of at least 1")
    check_count("memory.per_object", "n", n)
    with given_up_after(plan.timeout_s):
        finished(make(), make, "memory.per_object")
        found = trace_objects(make, n)
        result = make()
    value = max(0, found.made_bytes) / n
    extra: dict[str, Any] = {"objects": n}
    if found.made_bytes < max(_FEWEST_BYTES, n):
        warnings: tuple[str, ...] = (_no_shares(found.made_bytes, n),)
    else:
        kept = max(0.0, found.kept_bytes / found.made_bytes)
        waiting = max(0.0, found.without_collector_bytes / found.made_bytes)
        extra |= {
            "recovered_by_refcount": 1 - waiting,
            "recovered_by_collector": max(0.0, waiting - kept),
            "kept": kept,
        }
        warnings = _remarks(waiting, kept)
    return result, PER_OBJECT.one_value(case, value, extra, warnings=warnings)


def _no_shares(made_bytes: int, count: int) -> str:
    """Say why nothing is told of what comes back."""
    made = format_value(max(0, made_bytes), BYTES)
    if made_bytes < count:
        return f"{count:,} objects took {made}: they are one and the same, so there is no share of them that comes back"
    return f"what comes back is not told: {made} are too little to tell shares of; make more objects, with a larger n="


def _remarks(waiting: float, kept: float) -> tuple[str, ...]:
    """Say what does not come back by itself."""
    found = []
    if waiting - kept > _NOTHING:
        found.append(f"{waiting - kept:.0%} of the memory waits for the garbage collector: the objects are in cycles")
    if kept > _NOTHING:
        found.append(f"{kept:.0%} of the memory is kept after a collection: something still refers to the objects")
    return tuple(found)
