"""Metrics ``startup.command``, ``startup.imports`` and ``startup.app``: what fresh processes take, one file each.

How a process is run, a module imported in one, and an application stopped is the business of
:mod:`pytest_perfgate.measure`.
"""

from __future__ import annotations

from pytest_perfgate.metrics.startup.app import APP, APP_OPTIONS, AppResult, measure_app, run_app_once
from pytest_perfgate.metrics.startup.command import (
    COMMAND,
    COMMAND_OPTIONS,
    CommandResult,
    measure_command,
    run_command,
)
from pytest_perfgate.metrics.startup.imports import (
    IMPORTS,
    IMPORTS_OPTIONS,
    ImportsResult,
    import_once,
    measure_imports,
)

__all__ = [
    "APP",
    "APP_OPTIONS",
    "COMMAND",
    "COMMAND_OPTIONS",
    "IMPORTS",
    "IMPORTS_OPTIONS",
    "AppResult",
    "CommandResult",
    "ImportsResult",
    "import_once",
    "measure_app",
    "measure_command",
    "measure_imports",
    "run_app_once",
    "run_command",
]
