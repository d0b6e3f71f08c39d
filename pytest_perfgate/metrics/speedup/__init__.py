"""Metric ``speedup``: how much faster the same work is with several workers than with one, measured in pairs.

Who the workers are, and how a pass is timed, is the business of :mod:`pytest_perfgate.measure`.
"""

from __future__ import annotations

from pytest_perfgate.metrics.speedup.facts import SPEEDUP
from pytest_perfgate.metrics.speedup.measuring import (
    measure_speedup,
    measure_speedup_of,
    run_parallel_of_once,
    run_parallel_once,
)

__all__ = ["SPEEDUP", "measure_speedup", "measure_speedup_of", "run_parallel_of_once", "run_parallel_once"]
