"""What calls and objects take from the interpreter's allocators: exact, and blind to what extensions allocate."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import memory

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """What one call took."""

    peak_bytes: int
    """Most that was allocated at once."""
    kept_bytes: int
    """Still allocated when its result had been dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What a number of objects took together."""

    made_bytes: int
    without_collector_bytes: int
    """Still allocated when nobody referred to them any more."""
    kept_bytes: int
    """Still allocated after a collection."""


def trace_calls(call: Callable[[], object], idle: Callable[[], object], rounds: int) -> list[Allocated]:
    """Call so many times and see what each call allocates.

    Args:
        call: Called once in each round; what it returns is dropped.
        idle: The same without what is looked at; what it allocates is taken away.
        rounds: How often.

    Raises:
        CannotMeasureError: Somebody traces allocations already.
        BaseException: Whatever *call* raises.
    """
    with _tracing():
        ballast = bytearray(4096)  # numbers below 257 are not allocated, so that our own books would cost less at first
        _trace_call(idle)
        own = _trace_call(idle)
        seen = [_less(_trace_call(call), own) for _ in range(rounds)]
        del ballast
        return seen


def trace_objects(make: Callable[[], object], count: int) -> Population:
    """Make so many objects, drop them, and see what comes back when.

    Args:
        make: Makes one.
        count: How many are alive at once.

    Raises:
        CannotMeasureError: Somebody traces allocations already.
        BaseException: Whatever *make* raises.
    """
    kept: list[object] = [None] * count
    with memory.collected(), _tracing():
        before = _traced_bytes()
        for place in range(count):
            kept[place] = make()
        made = _traced_bytes()
        for place in range(count):
            kept[place] = None
        dropped = _traced_bytes()
        unreachable = gc.collect()
        left = _traced_bytes()
    if not unreachable:
        dropped = left  # what a collection frees besides, such as the interpreter's free lists, is nobody's cycle
    return Population(made_bytes=made - before, without_collector_bytes=dropped - before, kept_bytes=left - before)


@contextlib.contextmanager
def _tracing() -> Iterator[None]:
    with memory.traced() as mine:
        if not mine:
            raise CannotMeasureError(
                "tracemalloc is tracing already, and what is counted here would be mixed with it; run without "
                "PYTHONTRACEMALLOC and tracemalloc.start()"
            )
        yield


def _traced_bytes() -> int:
    return tracemalloc.get_traced_memory()[0]


def _trace_call(call: Callable[[], object]) -> Allocated:
    gc.collect()
    before = _traced_bytes()
    tracemalloc.reset_peak()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    gc.collect()
    return Allocated(peak_bytes=peak - before, kept_bytes=_traced_bytes() - before)


def _less(seen: Allocated, own: Allocated) -> Allocated:
    """Take away what looking itself allocates."""
    return Allocated(
        peak_bytes=max(0, seen.peak_bytes - own.peak_bytes), kept_bytes=max(0, seen.kept_bytes - own.kept_bytes)
    )
