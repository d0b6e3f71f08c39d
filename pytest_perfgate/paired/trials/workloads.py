"""Pieces of work with a known cost, and ways to make each of them slower by a known share.

A workload repeats a unit of work; a slowdown adds small operations of another kind, as many as cost the wanted share
of the whole.  What an operation costs compared with a unit is measured where the trials run, finely alternated.
"""

from __future__ import annotations

import functools
import json
import math
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

#: Units of work in one call of a workload, about 0.2 ms.
UNITS = 40

Unit = Callable[[], Any]

_DOCUMENT = {f"key{number}": [number, str(number), {"nested": number / 3}] for number in range(4)}
_TEXT = json.dumps({f"key{number}": [number, str(number)] for number in range(12)})
_PATTERN = re.compile(r'"key(\d+)": \[(\d+)')
_WORDS = tuple(f"word{number * 7919 % 503}" for number in range(30))
_BYTES = bytes(range(256)) * 8


class _Point:
    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def length(self) -> float:
        return math.hypot(self.x, self.y)


def _serialise() -> object:
    return json.loads(json.dumps(_DOCUMENT))


def _count_words() -> object:
    counts: dict[str, int] = {}
    for word in _WORDS:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts)[:1]


def _make_objects() -> object:
    return sum(_Point(number, number + 1).length() for number in range(12))


def _match() -> object:
    return sum(int(found.group(1)) for found in _PATTERN.finditer(_TEXT))


def _move_bytes() -> object:
    return sum(_BYTES[::7]) + len(_BYTES.replace(b"\x01", b"\x02\x03"))


WORKLOADS: Mapping[str, Unit] = {
    "serialise": _serialise,
    "count-words": _count_words,
    "objects": _make_objects,
    "regex": _match,
    "bytes": _move_bytes,
}

_LOCK = threading.Lock()
_NEEDLES = list(range(24))


@functools.lru_cache(maxsize=1)
def _cached(number: int) -> int:
    return number * number


def _allocate() -> object:
    return [None] * 24, {}


def _search_linearly() -> object:
    return _NEEDLES[-1] in _NEEDLES


def _import_late() -> object:
    from json import dumps  # noqa: PLC0415  # the slowdown that is planted

    return dumps


def _take_lock() -> object:
    with _LOCK:
        return None


def _miss_cache() -> object:
    _cached(1)
    return _cached(2)


#: Kinds of slowdown: None repeats the workload's own unit, the others add an operation of their own.
SLOWDOWNS: Mapping[str, Unit | None] = {
    "repeated": None,
    "allocations": _allocate,
    "algorithm": _search_linearly,
    "import": _import_late,
    "lock": _take_lock,
    "cache": _miss_cache,
}


def make_target(workload: str, slowdown: str = "", operations: int = 0) -> Unit:
    """Make the function that a trial measures.

    Args:
        workload: One of :data:`WORKLOADS`.
        slowdown: One of :data:`SLOWDOWNS`; empty for none.
        operations: How many operations the slowdown adds to one call; of ``repeated``, units.
    """
    unit = WORKLOADS[workload]
    added = (SLOWDOWNS[slowdown] or unit) if slowdown else unit

    def call() -> object:
        for _ in range(UNITS):
            unit()
        for _ in range(operations):
            added()
        return None

    return call


def measure_costs(rounds: int = 60) -> dict[str, dict[str, float]]:
    """Measure what each slowdown's operation costs, in units of each workload.

    Args:
        rounds: Pairs of blocks that each cost is the median of.

    Returns:
        Workload -> slowdown -> cost of one operation, as a share of one unit.
    """
    return {
        workload: {
            slowdown: 1.0 if operation is None else _cost(unit, operation, rounds)
            for slowdown, operation in SLOWDOWNS.items()
        }
        for workload, unit in WORKLOADS.items()
    }


def operations_for(share: float, cost: float) -> int:
    """Return how many operations of a cost make a call slower by a share."""
    return round(share * UNITS / cost)


def _cost(unit: Unit, operation: Unit, rounds: int) -> float:
    """Compare an operation with a unit, block by block."""
    ratios = []
    units, operations = _calls_of(unit), _calls_of(operation)
    for place in range(rounds):
        if place % 2:
            per_operation, per_unit = _per_call(operation, operations), _per_call(unit, units)
        else:
            per_unit, per_operation = _per_call(unit, units), _per_call(operation, operations)
        ratios.append(per_operation / per_unit)
    return statistics.median(ratios)


def _calls_of(function: Unit) -> int:
    calls = 1
    while _per_call(function, calls) * calls < 300_000:  # noqa: PLR2004  # 0.3 ms, as long as a block need be
        calls *= 2
    return calls


def _per_call(function: Unit, calls: int) -> float:
    """Time a loop as :func:`make_target` runs it; the loop itself is part of both costs."""
    began = time.perf_counter_ns()
    for _ in range(calls):
        function()
    return (time.perf_counter_ns() - began) / calls
