"""Where time comes from, and how finely it can be read."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Returns nanoseconds on a clock that never goes back; injected, so that tests can move it.
Clock = Callable[[], int]

PERF_COUNTER: Clock = time.perf_counter_ns

_LOOKS = 200


def resolution_ns(clock: Clock = PERF_COUNTER) -> int:
    """Find the smallest step that two reads of *clock* can tell apart.

    Args:
        clock: To be looked at.

    Returns:
        Nanoseconds, at least 1.  Where reading takes longer than a tick it is the cost of reading, which limits a
        measurement just the same; 1 of a clock that stands still while it is looked at.
    """
    steps = []
    for _ in range(_LOOKS):
        first = second = clock()
        for _ in range(_LOOKS):
            second = clock()
            if second > first:
                steps.append(second - first)
                break
        else:
            break  # it stands still: looking again and again shows no more
    return max(1, min(steps, default=1))
