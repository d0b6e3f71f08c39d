"""The whole examination of a target for leaks: how often to call it, what to watch, where growth comes from."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pytest_perfgate.measure import memory
from pytest_perfgate.measure.attribution import attribute
from pytest_perfgate.measure.batches import Batch
from pytest_perfgate.measure.clock import PERF_COUNTER_S
from pytest_perfgate.measure.growth import FIRST_WINDOW, SHORT_WINDOW, Growth, detect_growth
from pytest_perfgate.measure.pace import seconds_of_a_call
from pytest_perfgate.measure.resources import count_resources, left_behind

#: Calls per round to begin with: a leak is proved in 35 rounds, so within a thousand calls.  More until a round takes a
#: millisecond, so that collecting is not all that happens, and rarer leaks are found.
_FEWEST_CALLS, _MOST_CALLS = 28, 2000
#: Calls per round while traced: two windows of them, after one without tracing, are a thousand calls as well.
_FEWEST_TRACED_CALLS, _MOST_TRACED_CALLS = 6, 16
_SHORTEST_ROUND_S = 0.001
#: Rounds until a leak is proved: warm-up, two windows and their settling.  A slow target's rounds get fewer calls so
#: that these fit into the time limit, and where not even one call does, the first window is short.
_ROUNDS_OF_A_PROOF = 40
_WARMUP_ROUNDS = 3
#: Seconds that tracing may take: it makes allocations ten to thirty times slower.  With a few calls per round it is to
#: be over soon.
_TRACED_S, _SOON_TRACED_S = 1.0, 0.03
#: Calls per round that show where a leak comes from, unless it is one in hundreds.
_ATTRIBUTED_CALLS = 200
#: A block of the interpreter's is at least this large.
_SMALLEST_BLOCK_BYTES = 16
#: Of the growth that tracing shows, the share by which the heap has to grow without tracing for it to be real.
_REAL = 0.4
_NOT_TRACED = (
    "nothing that the interpreter allocates grew while traced: an object that grows in place, in rare large steps, "
    "or an extension module; a native profiler such as memray tells"
)


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, and by what means."""

    growth: Growth
    channels: tuple[str, ...]
    """That were watched: ``blocks``, ``heap``, ``traced``."""
    bytes_per_call: float = 0.0
    """That stay behind; 0 when clean."""
    where: tuple[str, ...] = ()
    """Places that grew most, first; empty when clean."""
    types: tuple[str, ...] = ()
    """Types of which there are more after each call, the most first; empty when clean."""
    resources: Mapping[str, int] = field(default_factory=dict)
    """Resource -> how many of it a round of calls leaves open; 0 for what does not grow."""
    calls_per_round: int = 1
    """Of *resources*."""


@dataclass(frozen=True, slots=True)
class _Effort:
    """How much a target is called."""

    calls: int
    """Per round."""
    warmup: int
    """Rounds."""
    first_window: int
    """Rounds."""
    late_at_s: float
    """When no further window begins, on :func:`time.perf_counter`."""

    def is_late(self) -> bool:
        return PERF_COUNTER_S() > self.late_at_s


def examine(
    batch: Batch,
    live: dict[str, memory.Channel],
    *,
    calls: int | None,
    warmup: int | None,
    max_time_s: float,
) -> Examination:
    """Find out whether each call leaves something behind, how much, and where from.

    Args:
        batch: Calls the target, which was called once before.
        live: Channels to watch, at least one.
        calls: Per round; chosen when None.
        warmup: Rounds before anything is looked at, at least 1; chosen when None.
        max_time_s: No further window begins after it.
    """
    effort = _effort(batch, calls, warmup, max_time_s)
    before = count_resources()
    with memory.collected():
        found = _look(batch, live, effort)
        resources = left_behind(before, _round(batch, effort.calls))
    return replace(found, resources=resources, calls_per_round=effort.calls)


def _effort(batch: Batch, calls: int | None, warmup: int | None, max_time_s: float) -> _Effort:
    """Choose calls and rounds from what the second call takes; the first may have loaded things."""
    began = PERF_COUNTER_S()
    once_s = seconds_of_a_call(batch, max_time_s / _ROUNDS_OF_A_PROOF / _FEWEST_CALLS)
    affordable = max_time_s / once_s
    is_slow = affordable < _ROUNDS_OF_A_PROOF
    if calls is None:
        calls = max(1, min(_FEWEST_CALLS, int(affordable / _ROUNDS_OF_A_PROOF)))
        while calls >= _FEWEST_CALLS and calls * once_s < _SHORTEST_ROUND_S and calls < _MOST_CALLS:
            calls *= 2
    return _Effort(
        calls=calls,
        warmup=warmup or (1 if is_slow else _WARMUP_ROUNDS),
        first_window=SHORT_WINDOW if is_slow else FIRST_WINDOW,
        late_at_s=began + max_time_s,
    )


def _look(batch: Batch, live: dict[str, memory.Channel], effort: _Effort) -> Examination:
    growth = detect_growth(
        _round(batch, effort.calls),
        live,
        calls_per_round=effort.calls,
        warmup=effort.warmup,
        first_window=effort.first_window,
        is_late=effort.is_late,
    )
    channels = tuple(live)
    if growth.verdict == "clean":
        in_place = _look_in_place(batch, live, effort)
        if in_place is None:
            return Examination(growth, channels)
        calls = growth.calls + in_place.calls
        growth, channels = replace(in_place, calls=calls), (*channels, "traced")
    if growth.verdict == "clean":
        return Examination(growth, channels)
    return _attributed(growth, channels, batch, effort)


def _round(batch: Batch, calls: int) -> Callable[[], None]:
    def run() -> None:
        batch(calls)

    return run


def _look_in_place(batch: Batch, live: Mapping[str, memory.Channel], effort: _Effort) -> Growth | None:
    """Look for growth that no count of blocks shows; None where tracing takes too long or somebody traces already."""
    with memory.traced() as mine:
        if not mine:
            return None
        calls = _traced_calls(batch, effort, FIRST_WINDOW + 2)
        if not calls:
            return None
        found = detect_growth(
            _round(batch, calls),
            {"traced": lambda: tracemalloc.get_traced_memory()[0]},
            calls_per_round=calls,
            warmup=1,
            is_late=effort.is_late,
        )
        if found.verdict == "leak" and "heap" not in live and not _has_one_that_grew(found.per_call * found.calls):
            found = replace(found, verdict="growing")
    heap = live.get("heap")
    if heap is None or found.verdict == "clean":
        return found
    if _grows_untraced(_round(batch, found.calls), heap, found.per_call * found.calls):
        return replace(found, calls=3 * found.calls)
    return Growth("clean", calls=3 * found.calls, windows=found.windows)


def _has_one_that_grew(expected_bytes: float) -> bool:
    """Tell whether one object is as large as what grew, so that it did; what is replaced is many.

    For where no heap can be read to settle it.
    """
    snapshot = tracemalloc.take_snapshot()
    return max((trace.size for trace in snapshot.traces), default=0) >= _REAL * expected_bytes


def _grows_untraced(run: Callable[[], None], heap: memory.Channel, expected_bytes: float) -> bool:
    """Tell whether each of two more runs adds to the C heap what tracing makes one expect.

    Traced memory also grows while what was there before tracing began is replaced, as in a cache that is full; what
    grows in place has to move to the C heap.  Tracing is over by now: its own tables are in that heap as well, and take
    more per block than a number does.
    """
    levels = []
    for _ in range(2):
        gc.collect()
        levels.append(heap())
        run()
    gc.collect()
    levels.append(heap())
    # Both of them: what the interpreter takes once is in one.
    return min(later - earlier for earlier, later in itertools.pairwise(levels)) >= _REAL * expected_bytes


def _traced_calls(batch: Batch, effort: _Effort, rounds: int) -> int:
    """Choose calls per round such that so many rounds take no longer than tracing may; 0 when not even one does."""
    once_s = seconds_of_a_call(batch, _SOON_TRACED_S / rounds / _MOST_TRACED_CALLS)
    calls = max(_FEWEST_TRACED_CALLS, int(_SOON_TRACED_S / rounds / once_s))
    return min(effort.calls, calls, _MOST_TRACED_CALLS, int(_TRACED_S / rounds / once_s))


def _attributed(growth: Growth, channels: tuple[str, ...], batch: Batch, effort: _Effort) -> Examination:
    """Find out how many bytes a call leaves, and where they come from."""
    calls = min(effort.calls, _ATTRIBUTED_CALLS)
    counted = growth.channel == "blocks"
    found = attribute(_round(batch, calls), calls_per_round=calls, rounds=effort.first_window, counted=counted)
    candidates = [rate for name, rate in growth.rates.items() if name != "blocks"]
    if found is not None:
        candidates.append(found.bytes_per_call)
    bytes_per_call = max(candidates, default=0.0)
    if bytes_per_call <= 0:
        bytes_per_call = growth.rates.get("blocks", 0.0) * _SMALLEST_BLOCK_BYTES
    where, types = (found.places, found.types) if found is not None else ((), ())
    if growth.channel == "heap" and not where:
        where = (_NOT_TRACED,)
    return Examination(growth, channels, bytes_per_call, where, types)
