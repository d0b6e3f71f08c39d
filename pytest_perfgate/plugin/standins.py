"""Makes way for pytest-benchmark and pytest-codspeed, and stands in for the modules of theirs that are not installed.

Suites write ``from pytest_codspeed import BenchmarkFixture`` for an annotation, and many skip themselves without it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

#: Module -> whether it has modules below it. Each offers ``BenchmarkFixture`` and nothing else.
_MODULES = {
    "pytest_codspeed": True,
    "pytest_codspeed.plugin": False,
    "pytest_benchmark": True,
    "pytest_benchmark.fixture": False,
}
#: Name that pytest knows a plugin by -> what people call it.
_PLUGINS = {"benchmark": "pytest-benchmark", "pytest-benchmark": "pytest-benchmark", "codspeed": "pytest-codspeed"}


def foreign_benchmark(config: pytest.Config) -> str:
    """Name the active plugin whose ``benchmark`` fixture ours makes way for; empty without one."""
    return next((plugin for name, plugin in _PLUGINS.items() if config.pluginmanager.hasplugin(name)), "")


class StandIns:
    """The last finder of ``sys.meta_path``: the real thing, installed, is found before."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the modules that nobody else has."""
        del path, target
        if name not in _MODULES:
            return None
        loader: Any = self  # it need not be an importlib.abc.Loader, whose module takes time to import
        return ModuleSpec(name, loader, origin="pytest-perfgate", is_package=_MODULES[name])

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python to make an empty one."""

    def exec_module(self, module: ModuleType) -> None:
        """Give it what annotations name."""
        from pytest_perfgate.plugin.benchmark import Benchmark

        module.__dict__["BenchmarkFixture"] = Benchmark


def offer() -> None:
    """Put the stand-ins in place, once."""
    if not any(isinstance(finder, StandIns) for finder in sys.meta_path):
        sys.meta_path.append(StandIns())


def withdraw() -> None:
    """Take them back with everything that was imported of them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, StandIns)]
    for name in _MODULES:
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if isinstance(getattr(spec, "loader", None), StandIns):
            del sys.modules[name]
