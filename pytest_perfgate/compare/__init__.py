"""Two runs of the same cases: how much each case moved, or why nobody can say; no verdict on a change."""

from __future__ import annotations

from pytest_perfgate.compare.calibrated import advice, has_calibrated
from pytest_perfgate.compare.change import compare_measurements
from pytest_perfgate.compare.comparable import incomparable_reason
from pytest_perfgate.compare.merge import merge_measurements, merge_runs
from pytest_perfgate.compare.renames import find_renames
from pytest_perfgate.compare.runs import (
    Unmatched,
    compare,
    measurements_of,
    new_comparison,
    own_tolerance,
    unmatched,
)

__all__ = [
    "Unmatched",
    "advice",
    "compare",
    "compare_measurements",
    "find_renames",
    "has_calibrated",
    "incomparable_reason",
    "measurements_of",
    "merge_measurements",
    "merge_runs",
    "new_comparison",
    "own_tolerance",
    "unmatched",
]
