"""Leaves behind which tests failed, or which mistake let none run, for whoever started this pytest and asks.

``perfgate ci measure`` does.  Loaded only by ``-p pytest_perfgate.plugin.outcomes``.  Whoever gates a run must tell a
failed test from a broken budget, and the exit status says 1 for both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from typing import Any

import pytest

VARIABLE = "PERFGATE_OUTCOMES"


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Start listening, in the first process only: those it starts do not find the variable any more."""
    path = os.environ.pop(VARIABLE, "")
    if path:
        config.pluginmanager.register(_Listener(path), "perfgate-outcomes")
    try:
        return (yield)
    except pytest.UsageError as problem:
        if path:
            _write(path, {"failed": [], "usage": str(problem)})
        raise


class _Listener:
    def __init__(self, path: str) -> None:
        self._path = path
        self._failed: dict[tuple[str, str], None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test that failed."""
        if report.failed:
            self._failed[report.nodeid, report.when] = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be collected."""
        if report.failed:
            self._failed[report.nodeid, "collect"] = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write what was remembered."""
        _write(self._path, {"failed": [list(key) for key in self._failed]})


def _write(path: str, found: Mapping[str, Any]) -> None:
    from pytest_perfgate.store import write_atomically

    write_atomically(path, json.dumps(found))
