"""Where time comes from, and how finely it can be read.

Whoever measures reads its clocks from here and never from :mod:`time`, whose functions tests replace.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

#: Returns nanoseconds on a clock that never goes back; injected, so that tests can move it.
Clock = Callable[[], int]

# Wrapped, because freezegun replaces the clocks in every module that holds one under whatever name.
PERF_COUNTER: Clock = partial(time.perf_counter_ns)
PROCESS_TIME: Clock = partial(time.process_time_ns)
THREAD_TIME: Clock = partial(time.thread_time_ns)

#: In seconds, for deadlines and for what need not be exact.
PERF_COUNTER_S: Callable[[], float] = partial(time.perf_counter)
MONOTONIC_S: Callable[[], float] = partial(time.monotonic)

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
