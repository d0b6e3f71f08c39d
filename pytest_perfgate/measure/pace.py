"""How long one call of a target takes, to plan with: neighbours left out, nothing judged by it."""

from __future__ import annotations

import math

from pytest_perfgate.measure.batches import Batch
from pytest_perfgate.measure.clock import PERF_COUNTER_S
from pytest_perfgate.measure.runqueue import run_queue

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Calls that are timed where the first of them was slow, and what is so slow that no interruption explains it.
_TIMED_CALLS, _HARDLY_INTERRUPTED_S = 3, 0.5


def seconds_of_a_call(batch: Batch, much_s: float) -> float:
    """Take the time of a call without what it waited for a processor; of three, if that is *much_s* or more.

    A call that was interrupted would pass for a slow one, and so few calls of a target that is quick tell nothing: a
    cache that is filled by the first hundred would look like a leak.

    Args:
        batch: Calls the target, which was called before.
        much_s: Seconds.
    """
    quickest_s = math.inf
    for _ in range(_TIMED_CALLS):
        with run_queue() as queued_ns:
            queued, began = queued_ns(), PERF_COUNTER_S()
            batch(1)
            took_s = PERF_COUNTER_S() - began - (queued_ns() - queued) / 1e9
        quickest_s = min(quickest_s, max(took_s, 1e-9))
        if not much_s <= quickest_s < _HARDLY_INTERRUPTED_S:
            break
    return quickest_s
