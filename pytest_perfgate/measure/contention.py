"""How much of the machine other programs left to us."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_perfgate.measure.clock import PERF_COUNTER_S

#: The system counts CPU time in ticks of 10 ms; over less than this the count says nothing.
_SHORTEST_S = 0.1

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Load:
    """Counters of CPU time, in seconds since some moment."""

    wall_s: float
    idle_s: float
    """Of all cores together that this process may use."""
    own_s: float
    """Of this process and its children, those that have ended included."""


def read_load() -> Load:
    """Read the counters."""
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    process = psutil.Process()
    own_s = _used_s(process)
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may end while we look
            own_s += _used_s(child)
    idle_s = sum(times.idle + getattr(times, "iowait", 0.0) for times in _ours(psutil.cpu_times(percpu=True)))
    return Load(PERF_COUNTER_S(), idle_s, own_s)


def _ours(processors: Sequence[_T]) -> Sequence[_T]:
    """Keep the processors that this process may use: that others are idle helps it nothing."""
    if not hasattr(os, "sched_getaffinity"):
        return processors
    return [processors[number] for number in os.sched_getaffinity(0) if number < len(processors)] or processors


def _used_s(process: object) -> float:
    """Take the CPU time of a process and of its children that have ended; a pool may live for one pass only."""
    times = process.cpu_times()  # type: ignore[attr-defined]  # psutil.Process, imported where it is used
    return float(sum(getattr(times, name, 0.0) for name in ("user", "system", "children_user", "children_system")))


def cores_left(read: Callable[[], Load] | None) -> Callable[[], float | None]:
    """Begin to watch what other programs leave.

    Args:
        read: Reads the counters; None watches nothing.

    Returns:
        A function that tells how many cores were idle or ours since then, on average; None when it cannot be told.
    """
    if read is None:
        return lambda: None
    before = read()

    def told() -> float | None:
        now = read()
        elapsed_s = now.wall_s - before.wall_s
        if elapsed_s < _SHORTEST_S:
            return None
        return max(0.0, (now.idle_s - before.idle_s + now.own_s - before.own_s) / elapsed_s)

    return told
