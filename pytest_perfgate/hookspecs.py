"""The hooks that other plugins may implement; each docstring carries an example that the tests run.

Implement them in a ``conftest.py`` or an installed plugin, as any pytest hook.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import Finding, Machine, Profile, Run
    from pytest_perfgate.reports import Format


@pytest.hookspec
def pytest_perfgate_machine_info(config: pytest.Config, machine: Machine) -> dict[str, Any] | None:
    """Add facts about the machine to every report.

    Args:
        config: The pytest configuration.
        machine: What was found out so far.

    Returns:
        Facts of JSON types, stored under ``machine.extra``; None for nothing.

    Example::

        def pytest_perfgate_machine_info(config, machine):
            return {"governor": Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip()}
    """


@pytest.hookspec(firstresult=True)
def pytest_perfgate_profile(config: pytest.Config, machine: Machine) -> Profile | str | None:
    """Choose the hardware profile; the first result wins, before the profiles of the configuration.

    ``--perfgate-profile NAME`` and ``PERFGATE_PROFILE`` are stronger.

    Args:
        config: The pytest configuration.
        machine: The machine, with the facts that plugins added.

    Returns:
        A profile, the name of one that the configuration or this package defines, or None for no opinion.

    Example::

        def pytest_perfgate_profile(config, machine):
            if machine.hostname.startswith("bench-"):
                return Profile(name="bench-farm", scale=0.5)
    """


@pytest.hookspec
def pytest_perfgate_metrics() -> Iterable[Metric]:
    """Register metrics of your own: name, unit and direction in one place, and a way to measure if there is one.

    Returns:
        Metrics.  ``metric("queries", 12)`` then knows unit and direction, and a metric with ``measure`` can be
        run as ``metric.run("energy", function, *args)``.

    Example::

        def pytest_perfgate_metrics():
            return [Metric(name="queries", unit="count", better="lower", summary="database queries of a request")]
    """
    return ()


@pytest.hookspec
def pytest_perfgate_formats() -> Iterable[Format]:
    r"""Register report formats of your own for ``--perfgate-report NAME=PATH``.

    Returns:
        Formats; ``render`` gets the finished run and returns the text of the file.

    Example::

        def render(run):
            return "".join(f"{finding.case.id}\t{finding.verdict.value}\n" for finding in run.findings)

        def pytest_perfgate_formats():
            return [Format(name="tsv", summary="one line per case", render=render)]
    """
    return ()


@pytest.hookspec
def pytest_perfgate_verdict(config: pytest.Config, finding: Finding) -> str | None:
    """Remark on a verdict as soon as it is made; a remark never changes it.

    Args:
        config: The pytest configuration of the process that measured (a worker under xdist).
        finding: The verdict with its numbers.

    Returns:
        A sentence that is added to the case's warnings in every report, or None.

    Example::

        def pytest_perfgate_verdict(config, finding):
            if finding.verdict is Verdict.OVER_BUDGET:
                return "ask #performance before you raise this budget"
    """


@pytest.hookspec
def pytest_perfgate_run(config: pytest.Config, run: Run) -> None:
    """Take the finished run, once, in the process that writes the reports.

    Args:
        config: The pytest configuration (of the controller under xdist).
        run: Every finding of the session.

    Example::

        def pytest_perfgate_run(config, run):
            statsd.gauge("perfgate.measured", run.measured)
    """
