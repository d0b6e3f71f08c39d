"""Type-checked, never run: what users' annotations may rely on."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import assert_type

from pytest_perfgate import Better, Finding, Measurement, Run, Verdict, load_run, store_run
from pytest_perfgate.metrics.startup import AppResult, CommandResult, ImportsResult
from pytest_perfgate.plugin.meters import CustomMetric, Memory, Perf, Speedup, Startup


def check_runs(path: Path) -> None:
    """A stored run and what it holds."""
    run = load_run(path)
    assert_type(run, Run)
    assert_type(run.findings[0], Finding)
    assert_type(run.findings[0].verdict, Verdict)
    assert_type(run.findings[0].measurement.value, float | None)
    assert_type(run.findings[0].measurement.better, Better)
    store_run(run, path)


def check_fixtures(perf: Perf, startup: Startup, speedup: Speedup, memory: Memory, metric: CustomMetric) -> None:
    """What the fixtures hand out."""
    assert_type(perf.last, Measurement | None)
    assert_type(startup.command(["app", "--version"]), CommandResult)
    assert_type(startup.imports("app"), ImportsResult)
    assert_type(startup.app(["app", "serve"], ready=8000), AppResult)
    assert_type(speedup.of(lambda: 1, lambda: 2), int)
    with memory.peak() as peak:
        assert_type(peak.value, float | None)
    assert_type(metric.last, Measurement | None)
