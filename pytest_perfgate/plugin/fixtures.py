"""The fixtures; what they hand out lives in :mod:`pytest_perfgate.plugin.meters` and is imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.plugin.meters import CustomMetric, Memory, Perf, Speedup, Startup


@pytest.fixture
def perf(request: pytest.FixtureRequest) -> Perf:
    """Time a function or an async function per call; the result of ``perf(fn, *args)`` is that of ``fn(*args)``."""
    from pytest_perfgate.plugin.measuring import recorder_of
    from pytest_perfgate.plugin.meters import Perf

    return Perf(recorder_of(request.node))


@pytest.fixture
def startup(request: pytest.FixtureRequest) -> Startup:
    """Time fresh processes: ``startup.command([...])``, ``startup.imports("package")``, ``startup.app([...])``."""
    from pytest_perfgate.plugin.measuring import recorder_of
    from pytest_perfgate.plugin.meters import Startup

    return Startup(recorder_of(request.node))


@pytest.fixture
def speedup(request: pytest.FixtureRequest) -> Speedup:
    """Measure serial against parallel: ``speedup(task, items, workers=4)``."""
    from pytest_perfgate.plugin.measuring import recorder_of
    from pytest_perfgate.plugin.meters import Speedup

    return Speedup(recorder_of(request.node))


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> Memory:
    """Measure leaks, peaks and allocations: ``memory.growth(fn)``, ``memory.peak()``, ``memory.allocations(fn)``."""
    from pytest_perfgate.plugin.measuring import recorder_of
    from pytest_perfgate.plugin.meters import Memory

    return Memory(recorder_of(request.node))


@pytest.fixture
def metric(request: pytest.FixtureRequest) -> CustomMetric:
    """Record any number: ``metric("cache_hit_rate", 0.93, unit="%", better="higher")``."""
    from pytest_perfgate.plugin.measuring import recorder_of
    from pytest_perfgate.plugin.meters import CustomMetric

    return CustomMetric(recorder_of(request.node))
