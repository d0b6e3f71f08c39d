"""The objects that the fixtures hand out: thin fronts that measure under ``--perfgate`` and just call otherwise."""

from __future__ import annotations

from pytest_perfgate.plugin.meters.custom import CustomMetric
from pytest_perfgate.plugin.meters.memory import Memory, Peak
from pytest_perfgate.plugin.meters.perf import Perf
from pytest_perfgate.plugin.meters.speedup import Speedup
from pytest_perfgate.plugin.meters.startup import Startup

__all__ = ["CustomMetric", "Memory", "Peak", "Perf", "Speedup", "Startup"]
