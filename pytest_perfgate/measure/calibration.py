"""The calibration workload: what a case is divided by, so that runs on a faster and a slower day can be compared.

What it does is part of every stored run.  **Never change it without a new** :data:`CALIBRATION`: ratios to different
workloads do not compare.  When it is run is the business of :mod:`pytest_perfgate.measure.interleaving`.
"""

from __future__ import annotations

from itertools import repeat

from pytest_perfgate.measure.clock import Clock

#: Number of the workload below, stored beside every ratio to it.
CALIBRATION = 1

_NUMBERS = tuple(range(7, 107))
_TEXT = " ".join(f"w{number * 7919 % 5003}" for number in _NUMBERS[:40])


def calibration_unit() -> int:
    """Do a few tens of microseconds of what tests in Python mostly do: arithmetic, calls, dicts, lists, strings.

    Everything fits into the nearest cache, nothing allocates more than a page at a time, no cycle is left behind, and
    no string is hashed, because hashes of strings differ from process to process.

    Returns:
        A number that depends on all of it.
    """
    counts: dict[int, int] = {}
    for number in _NUMBERS:
        key = number * 31 & 63
        counts[key] = counts.get(key, 0) + number
    squares = [_fold(number, count) for number, count in counts.items()]
    squares.sort()
    words = _TEXT.split(" ")
    text = "-".join([word[1:] for word in words if word > "w3"])
    return sum(squares) + len(text.upper().replace("-", ", ")) + len(f"{squares[0]:08d}{text!r}")


def _fold(number: int, count: int) -> int:
    return (number * number + count) % 1009


def run_calibration(units: int, clock: Clock) -> int:
    """Run one block of the workload.

    Args:
        units: At least one.
        clock: Nanoseconds.

    Returns:
        What it took, in nanoseconds.
    """
    began_ns = clock()
    for _ in repeat(None, units):
        calibration_unit()
    return clock() - began_ns
