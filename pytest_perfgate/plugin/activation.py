"""Put the gate together for this process: which half or halves of it run here, with what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import PerfgateError
from pytest_perfgate.plugin.markers import MarkerReader
from pytest_perfgate.plugin.measuring import ACTIVE, Measuring, collection_facts

if TYPE_CHECKING:
    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import Machine, MatchedProfile, Plan, Python
    from pytest_perfgate.plugin.reporting import Reporting
    from pytest_perfgate.settings import Settings

_INPUT, _OUTPUT = "perfgate", "perfgate"  # keys in xdist's workerinput and workeroutput


def activate(config: pytest.Config, settings: Settings) -> None:
    """Register the measuring half, the reporting half, or both.

    Raises:
        pytest.UsageError: A profile, a baseline, a report or a registered metric that cannot be meant.
    """
    try:
        _activate(config, settings)
    except PerfgateError as problem:
        raise pytest.UsageError(f"perfgate: {problem}") from None


def _activate(config: pytest.Config, settings: Settings) -> None:
    from pytest_perfgate.machine import current_python
    from pytest_perfgate.settings import with_profile

    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    machine, python = _machine(config), current_python()
    matched = _profile(config, settings, machine, python)
    settings = with_profile(settings, matched, explicit_tolerance=_gives_tolerance(config))
    baseline = _baseline(config, settings, machine, python, matched, worker_input)
    is_controller = worker_input is None and _distributes(config)

    measuring = None
    if not is_controller:
        measuring = _measuring(config, settings, matched, baseline, worker_input)
        config.stash[ACTIVE] = measuring
        config.pluginmanager.register(measuring, "perfgate-measuring")
    if worker_input is not None and measuring is not None:
        config.pluginmanager.register(_WorkerEnd(config, measuring), "perfgate-worker")
        return
    reporting = _reporting(config, settings, matched, machine, python, baseline)
    config.pluginmanager.register(reporting, "perfgate-reporting")
    if measuring is not None:
        config.pluginmanager.register(_SerialEnd(measuring, reporting), "perfgate-serial")
    if is_controller:
        from pytest_perfgate.plugin.controller import Controller

        config.pluginmanager.register(
            Controller(config, reporting, baseline_path(config, settings)), "perfgate-controller"
        )


def _machine(config: pytest.Config) -> Machine:
    from dataclasses import replace

    from pytest_perfgate.machine import current_machine

    machine = current_machine()
    for facts in config.hook.pytest_perfgate_machine_info(config=config, machine=machine):
        if facts:
            machine = replace(machine, extra={**machine.extra, **facts})
    return machine


def _profile(config: pytest.Config, settings: Settings, machine: Machine, python: Python) -> MatchedProfile:
    from pytest_perfgate.model import MatchedProfile, Profile
    from pytest_perfgate.profiles import choose

    name, origin = settings.profile, settings.profile_source
    if name == "auto":
        chosen = config.hook.pytest_perfgate_profile(config=config, machine=machine)
        if isinstance(chosen, Profile):
            return MatchedProfile(profile=chosen, matched_by="a plugin's choice")
        if chosen:
            name, origin = str(chosen), "a plugin's choice"
    return choose(
        machine,
        python,
        os.environ,
        settings.profiles,
        name=name,
        unknown=settings.unknown_profile,
        asked_by=origin,
    )


def _baseline(
    config: pytest.Config,
    settings: Settings,
    machine: Machine,
    python: Python,
    matched: MatchedProfile,
    worker_input: dict[str, Any] | None,
) -> Baseline | None:
    if settings.baseline is None:
        return None
    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.store import load_run

    path = Path(worker_input[_INPUT]["baseline"]) if worker_input else baseline_path(config, settings)
    return Baseline(
        load_run(path),
        against=settings.baseline,
        machine=machine,
        python=python,
        profile=matched.name,
    )


def _measuring(
    config: pytest.Config,
    settings: Settings,
    matched: MatchedProfile,
    baseline: Baseline | None,
    worker_input: dict[str, Any] | None,
) -> Measuring:
    from pytest_perfgate.plugin.exclusive import FileLocks, NoLocks
    from pytest_perfgate.profiles import known_names

    plugins_choose = bool(config.hook.pytest_perfgate_profile.get_hookimpls())
    known = None if plugins_choose else [*known_names(settings.profiles), matched.name]
    locks: FileLocks | NoLocks = NoLocks()
    if worker_input is not None:
        locks = FileLocks(Path(worker_input[_INPUT]["locks"]), worker_input["workerid"])
        config.add_cleanup(locks.close)
    return Measuring(
        config,
        settings=settings,
        profile=matched.profile,
        reader=MarkerReader(settings.marker, known),
        plan=_plan(settings),
        metrics=_metrics(config),
        locks=locks,
        baseline=baseline,
    )


def _plan(settings: Settings) -> Plan:
    from pytest_perfgate.model import Plan

    return Plan(max_time_s=settings.case_time_s, timeout_s=settings.timeout_s)


def _metrics(config: pytest.Config) -> list[Metric]:
    from pytest_perfgate.errors import UsageError
    from pytest_perfgate.metrics import METRICS

    metrics = list(METRICS)
    for more in config.hook.pytest_perfgate_metrics():
        for metric in more:
            if any(metric.name == known.name for known in metrics):
                raise UsageError(f"a plugin registers a metric {metric.name!r} that exists already")
            metrics.append(metric)
    return metrics


def _reporting(
    config: pytest.Config,
    settings: Settings,
    matched: MatchedProfile,
    machine: Machine,
    python: Python,
    baseline: Baseline | None,
) -> Reporting:
    from pytest_perfgate.errors import UsageError
    from pytest_perfgate.plugin.reporting import Reporting
    from pytest_perfgate.reports import FORMATS, check_report_paths, parse_report_spec

    formats = {format_.name: format_ for format_ in FORMATS}
    for more in config.hook.pytest_perfgate_formats():
        for format_ in more:
            if format_.name in formats:
                raise UsageError(f"a plugin registers a report format {format_.name!r} that exists already")
            formats[format_.name] = format_
    specs = [parse_report_spec(text, formats) for text in settings.reports]
    check_report_paths(specs)
    return Reporting(
        config,
        settings=settings,
        matched=matched,
        machine=machine,
        python=python,
        baseline=baseline,
        reports=specs,
        formats=formats,
    )


def _distributes(config: pytest.Config) -> bool:
    """Tell whether xdist will send the tests to workers."""
    return config.getoption("dist", "no") != "no" and bool(config.getoption("tx", None))


def _gives_tolerance(config: pytest.Config) -> bool:
    return config.getoption("perfgate_max_regression") is not None


def baseline_path(config: pytest.Config, settings: Settings) -> Path:
    """Find the baseline: an option counts from where pytest was called, the configuration from its own folder."""
    by_option = config.getoption("perfgate_baseline") is not None
    return Path(config.invocation_params.dir if by_option else config.rootpath, settings.baseline or "")


class _SerialEnd:
    """Without workers the measuring half tells the reporting half itself."""

    def __init__(self, measuring: Measuring, reporting: Reporting) -> None:
        self._measuring, self._reporting = measuring, reporting

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Hand over what was collected."""
        self._reporting.learn(collection_facts(self._measuring))


class _WorkerEnd:
    """A worker tells the controller at its end what it had collected."""

    def __init__(self, config: pytest.Config, measuring: Measuring) -> None:
        self._config, self._measuring = config, measuring

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hand over what was collected."""
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]  # xdist puts it there
        output[_OUTPUT] = collection_facts(self._measuring)
