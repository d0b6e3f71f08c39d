"""The registry of metrics: one file and one line each."""

from __future__ import annotations

from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.metrics.allocations import ALLOCATIONS, PER_OBJECT
from pytest_perfgate.metrics.growth_share import GROWTH_SHARE
from pytest_perfgate.metrics.memory import GROWTH, PEAK
from pytest_perfgate.metrics.speedup import SPEEDUP
from pytest_perfgate.metrics.startup import APP, COMMAND, IMPORTS
from pytest_perfgate.metrics.timing import CALL, PERF

__all__ = ["METRICS", "Metric"]

METRICS: tuple[Metric, ...] = (
    *(PERF, CALL, COMMAND, IMPORTS, APP, SPEEDUP),
    *(GROWTH, GROWTH_SHARE, PEAK, ALLOCATIONS, PER_OBJECT),
)
