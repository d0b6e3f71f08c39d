"""The pytest plugin: options, markers, fixtures, and the gate when it is on.  The only package that imports pytest.

Idle it costs an import of this module and its neighbours ``fixtures``, ``options`` and ``standins``; everything else
is imported by the hook that needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

from pytest_perfgate.plugin import standins
from pytest_perfgate.plugin.fixtures import memory, metric, perf, speedup, startup
from pytest_perfgate.plugin.options import add_options, known_profiles, load_settings

__all__ = ["memory", "metric", "perf", "speedup", "startup"]

_MARKER_HELP = (
    "{marker}(*expressions, ms=, mb=, growth=, speedup=, efficiency=, modules=, forbid=, rounds=, max_regression=, "
    "profile=): limits that `pytest --perfgate` enforces on what the test measures, or on its call phase."
)
_BENCHMARK_HELP = (
    "benchmark(group=, max_time=, ...): accepted for suites written for pytest-benchmark or pytest-codspeed."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; from now on, before any ``conftest.py``, suites of other plugins can be imported."""
    add_options(parser)
    standins.offer()


def pytest_unconfigure() -> None:
    """Leave no finder and no process behind where this process goes on."""
    standins.withdraw()
    spawner = sys.modules.get("pytest_perfgate.measure.spawner.remote")
    if spawner is not None:  # something was started with it
        spawner.close()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that other plugins may implement."""
    from pytest_perfgate import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Switch the gate on, or see to it that at least every marker is valid."""
    marker, settings = load_settings(config)
    config.addinivalue_line("markers", _MARKER_HELP.format(marker=marker))
    if not standins.foreign_benchmark(config):
        from pytest_perfgate.plugin import benchmark

        config.addinivalue_line("markers", _BENCHMARK_HELP)
        config.pluginmanager.register(benchmark, "perfgate-benchmark")
    if settings is not None:
        from pytest_perfgate.plugin.activation import activate

        activate(config, settings)
    else:
        config.pluginmanager.register(_Idle(marker), "perfgate-idle")


class _Idle:
    """What is left of the gate when it is off: mistakes in markers are found all the same."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Parse every budget marker, also of what is deselected and what a ``conftest.py`` adds here; enforce none."""
        collected = {id(item): item for item in items}
        result = yield
        collected |= {id(item): item for item in items}
        marked = [item for item in collected.values() if next(item.iter_markers(self._marker), None) is not None]
        if marked:
            self._validate(marked, config, items)
        return result

    def _validate(self, marked: list[pytest.Item], config: pytest.Config, items: list[pytest.Item]) -> None:
        from pytest_perfgate.plugin.markers import MarkerReader
        from pytest_perfgate.plugin.transport import tell_or_raise

        try:
            profiles = known_profiles(config) if _names_profiles(marked, self._marker) else None
            MarkerReader(self._marker, profiles).validate(marked)
        except pytest.UsageError as problem:
            tell_or_raise(config, items, problem)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Tell the mistake that an xdist worker found."""
        from pytest_perfgate.plugin.transport import raise_told

        raise_told(node)


def _names_profiles(items: list[pytest.Item], marker: str) -> bool:
    """Tell whether any marker has ``profile=``: only then are the names worth reading the whole configuration."""
    return any("profile" in mark.kwargs for item in items for mark in item.iter_markers(marker))
