"""How much of the machine other programs left to us."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

#: The system counts CPU time in ticks of 10 ms; over less than this the count says nothing.
_SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """Counters of CPU time, in seconds since some moment."""

    wall_s: float
    idle_s: float
    """Of all cores of the machine together."""
    own_s: float
    """Of this process and its children."""


def read_load() -> Load:
    """Read the counters."""
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    times = psutil.cpu_times()
    process = psutil.Process()
    own_s = _used_s(process)
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may end while we look
            own_s += _used_s(child)
    return Load(time.perf_counter(), times.idle + getattr(times, "iowait", 0.0), own_s)


def _used_s(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]  # psutil.Process, imported where it is used
    return float(times.user + times.system)


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
