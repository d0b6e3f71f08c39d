"""Put the gate together for this process: which half or halves of it run here, with what."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import PerfgateError, UsageError
from pytest_perfgate.plugin.comparing import INPUT, baseline_path, is_side_worker, prepared_sides, stored_baseline
from pytest_perfgate.plugin.markers import MarkerReader
from pytest_perfgate.plugin.measuring import ACTIVE, Measuring, collection_facts
from pytest_perfgate.plugin.registered import formats_of, machine_of, metrics_of, profile_of
from pytest_perfgate.plugin.transport import FACTS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import Machine, MatchedProfile, Plan, Python
    from pytest_perfgate.plugin.reporting import Reporting
    from pytest_perfgate.reports import Format, ReportSpec
    from pytest_perfgate.settings import Settings

_OUTPUT = "perfgate"  # key in xdist's workeroutput


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
    machine, python = machine_of(config), current_python()
    matched = profile_of(config, settings, machine, python)
    settings = with_profile(settings, matched, explicit_tolerance=_gives_tolerance(config))
    baseline = stored_baseline(config, settings, machine, python, matched, worker_input)
    is_controller = worker_input is None and _distributes(config)
    reporting = None
    if worker_input is None and not is_side_worker(config):  # before a base is built, which takes time
        reporting = _reporting(config, settings, matched, machine, python, baseline)
    sides = prepared_sides(config, settings, worker_input)
    metrics = metrics_of(config)  # in the controller as well: a mistake is told once, and before workers start
    _check_tables(settings)

    measuring = None
    if not is_controller:
        measuring = _measuring(config, settings, matched, baseline, metrics, worker_input)
        if sides is not None:
            from pytest_perfgate.plugin.pairing import Pairing

            shared = Path(worker_input[INPUT]["locks"]) if worker_input else None
            measuring.pairing = Pairing(config, settings, sides, shared)
        config.stash[ACTIVE] = measuring
        config.pluginmanager.register(measuring, "perfgate-measuring")
    if worker_input is not None and measuring is not None:
        config.pluginmanager.register(_WorkerEnd(config, measuring), "perfgate-worker")
        return
    if reporting is None:
        return
    config.pluginmanager.register(reporting, "perfgate-reporting")
    if measuring is not None:
        config.pluginmanager.register(_SerialEnd(measuring, reporting), "perfgate-serial")
    if is_controller:
        from pytest_perfgate.plugin.controller import Controller

        config.pluginmanager.register(
            Controller(config, reporting, baseline_path(config, settings), sides), "perfgate-controller"
        )


def _measuring(
    config: pytest.Config,
    settings: Settings,
    matched: MatchedProfile,
    baseline: Baseline | None,
    metrics: list[Metric],
    worker_input: dict[str, Any] | None,
) -> Measuring:
    from pytest_perfgate.plugin.exclusive import FileLocks, NoLocks
    from pytest_perfgate.profiles import known_names

    plugins_choose = bool(config.hook.pytest_perfgate_profile.get_hookimpls())
    known = None if plugins_choose else list(dict.fromkeys((*known_names(settings.profiles), matched.name)))
    locks: FileLocks | NoLocks = NoLocks()
    if worker_input is not None:
        locks = FileLocks(Path(worker_input[INPUT]["locks"]), worker_input["workerid"])
        config.add_cleanup(locks.close)
    kind: type[Measuring] = Measuring
    if is_side_worker(config):
        from pytest_perfgate.plugin.side_worker import MeasuringSide

        kind = MeasuringSide
    return kind(
        config,
        settings=settings,
        profile=matched.profile,
        reader=MarkerReader(settings.marker, known),
        plan=_plan(settings, calibrated=_is_worth_calibrating(settings, baseline) and not is_side_worker(config)),
        metrics=metrics,
        locks=locks,
        baseline=baseline,
    )


def _check_tables(settings: Settings) -> None:
    """Parse every budget of every profile, in force or not: a mistake must not wait for the machine it is meant for.

    Raises:
        UsageError: Naming profile and row.
    """
    from pytest_perfgate.budgets import parse_table

    for profile in settings.profiles:
        try:
            for pattern, keywords in profile.budgets.items():
                parse_table(pattern, keywords)
        except UsageError as problem:  # noqa: PERF203  # a handful of profiles
            raise UsageError(f"[tool.perfgate.profiles.{profile.name}.budgets]: {problem}") from None


def _plan(settings: Settings, *, calibrated: bool) -> Plan:
    from pytest_perfgate.model import Plan

    return Plan(max_time_s=settings.case_time_s, timeout_s=settings.timeout_s, calibrated=calibrated)


def _is_worth_calibrating(settings: Settings, baseline: Baseline | None) -> bool:
    """Tell whether anybody will ever look at calibrated values: they cost time, and budgets do without."""
    if any(report.partition("=")[0].strip() == "json" for report in settings.reports):
        return True
    from pytest_perfgate.compare import has_calibrated

    return baseline is not None and has_calibrated(baseline.run)


def _reporting(
    config: pytest.Config,
    settings: Settings,
    matched: MatchedProfile,
    machine: Machine,
    python: Python,
    baseline: Baseline | None,
) -> Reporting:
    from pytest_perfgate.plugin.reporting import Reporting

    formats = formats_of(config)
    taken: dict[str, Path] = {}
    if baseline is not None:  # a second attempt would be compared with the first, and pass
        taken["the baseline that the run is judged by"] = baseline_path(config, settings)
    own = config.getoption("xmlpath", None)
    if own:  # pytest writes it last; as it does, from the working folder
        taken["pytest's own --junitxml"] = Path(os.path.expandvars(own)).expanduser().absolute()
    reports = _reports(config, settings, formats, taken)
    return Reporting(
        config,
        settings=settings,
        matched=matched,
        machine=machine,
        python=python,
        baseline=baseline,
        reports=reports,
        formats=formats,
    )


def _reports(
    config: pytest.Config, settings: Settings, formats: Mapping[str, Format], taken: Mapping[str, Path]
) -> list[ReportSpec]:
    """Read which reports are asked for, and make sure that they can be written.

    A path of the configuration counts from its own folder, any other from where pytest was called; tests may go
    elsewhere.

    Raises:
        ReportPathError: One cannot be had.
    """
    from dataclasses import replace

    from pytest_perfgate.reports import STANDARD_OUTPUT, check_report_paths, parse_report_spec

    is_configured = config.getoption("perfgate_report") is None
    folder = config.rootpath if is_configured else config.invocation_params.dir
    specs = [parse_report_spec(text, formats) for text in settings.reports]
    specs = [spec if spec.path == STANDARD_OUTPUT else replace(spec, path=str(folder / spec.path)) for spec in specs]
    check_report_paths(specs, taken)
    return specs


def _distributes(config: pytest.Config) -> bool:
    """Tell whether xdist will send the tests to workers."""
    return config.getoption("dist", "no") != "no" and bool(config.getoption("tx", None))


def _gives_tolerance(config: pytest.Config) -> bool:
    return config.getoption("perfgate_max_regression") is not None


class _SerialEnd:
    """Without workers the measuring half tells the reporting half itself."""

    def __init__(self, measuring: Measuring, reporting: Reporting) -> None:
        self._measuring, self._reporting = measuring, reporting

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Hand over what was collected."""
        self._reporting.learn(collection_facts(self._measuring))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hand over what was learned since."""
        self._reporting.learn(collection_facts(self._measuring))


class _WorkerEnd:
    """A worker tells the controller what it collected: at once through a file, and once more at its end.

    A worker that dies says nothing at its end, and one on another machine shares no folder.
    """

    def __init__(self, config: pytest.Config, measuring: Measuring) -> None:
        self._config, self._measuring = config, measuring

    def pytest_collection_finish(self) -> None:
        """Leave what was collected for the controller.

        After the measuring half's hook, which comes first, and before that of xdist, which was registered earlier and
        tells the controller that collection is over.
        """
        worker_input: dict[str, Any] = self._config.workerinput  # type: ignore[attr-defined]  # xdist puts it there
        file = Path(worker_input[INPUT]["locks"]) / f"{worker_input['workerid']}{FACTS_SUFFIX}"
        file.write_text(json.dumps(collection_facts(self._measuring)), "utf-8")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hand over what was collected."""
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]  # xdist puts it there
        output[_OUTPUT] = collection_facts(self._measuring)
