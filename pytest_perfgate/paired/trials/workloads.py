"""Pieces of work with a known cost, and ways to make each of them slower by a known share.

A workload repeats a unit of work; a slowdown adds small operations of another kind, as many as cost the wanted share
of the whole.  What an operation costs is measured where the trials run, finely alternated, in processes of their own.
"""

from __future__ import annotations

import functools
import json
import math
import re
import statistics
import subprocess
import sys
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

#: What is planted to learn the cost of an operation: about as much as in trials, because each of many in a row costs
#: less; pairs of blocks that show it in one process, and calls in a block.
_PLANTED_SHARE, _PAIRS, _CALLS = 0.12, 20, 2

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


def _repeat() -> object:
    total = 0
    for number in range(4):
        total += number
    return total


#: Kinds of slowdown: operations so small that a percent of a workload is several of them.
SLOWDOWNS: Mapping[str, Unit] = {
    "repeated": _repeat,
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
        operations: How many operations the slowdown adds to one call.
    """
    unit = WORKLOADS[workload]
    added = SLOWDOWNS[slowdown] if slowdown else unit

    def call() -> object:
        for _ in range(UNITS):
            unit()
        for _ in range(operations):
            added()
        return None

    return call


def measure_costs(processes: int = 12) -> dict[str, dict[str, float]]:
    """Measure what one operation of each slowdown costs, where it is planted: between the units of each workload.

    Args:
        processes: Fresh processes that each cost is the median of: where objects happen to lie in memory moves the
            times of one process by a percent or two, a tenth of what is planted.

    Returns:
        Workload -> slowdown -> cost of one operation, in units of the workload.
    """
    command = [sys.executable, "-c", f"import json; from {__name__} import costs_here; print(json.dumps(costs_here()))"]
    found = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  # our own
        for _ in range(processes)
    ]
    return {
        workload: {slowdown: statistics.median(one[workload][slowdown] for one in found) for slowdown in SLOWDOWNS}
        for workload in WORKLOADS
    }


def costs_here() -> dict[str, dict[str, float]]:
    """Measure the costs in this process; as :func:`measure_costs`."""
    return {workload: {slowdown: _cost(workload, slowdown) for slowdown in SLOWDOWNS} for workload in WORKLOADS}


def operations_for(share: float, cost: float) -> int:
    """Return how many operations of a cost make a call slower by a share."""
    return round(share * UNITS / cost)


def _cost(workload: str, slowdown: str) -> float:
    """Compare a call with itself and so many operations more, block by block."""
    plain = make_target(workload)
    operations = 8
    while (share := _slower_by(plain, make_target(workload, slowdown, operations), 4)) < _PLANTED_SHARE / 2:
        operations *= 2
    operations = max(1, round(operations * _PLANTED_SHARE / share))
    return _slower_by(plain, make_target(workload, slowdown, operations), _PAIRS) * UNITS / operations


def _slower_by(plain: Unit, slow: Unit, pairs: int) -> float:
    ratios = []
    for place in range(pairs):
        order = (plain, slow) if place % 2 else (slow, plain)
        took = {one: _block_ns(one) for one in order}
        ratios.append(took[slow] / took[plain])
    return statistics.median(ratios) - 1


def _block_ns(call: Unit) -> int:
    began = time.perf_counter_ns()
    for _ in range(_CALLS):
        call()
    return time.perf_counter_ns() - began
