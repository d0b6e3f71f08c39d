"""The half of the gate that runs where the session ends (the controller under xdist, else the only process)."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import PerfgateError
from pytest_perfgate.gate import Baseline, complete_run
from pytest_perfgate.measure.clock import PERF_COUNTER_S
from pytest_perfgate.model import Finding, Machine, MatchedProfile, Policy, Python, Run
from pytest_perfgate.plugin.comparing import runs_no_test
from pytest_perfgate.plugin.duty import Duty
from pytest_perfgate.plugin.transport import detach

if TYPE_CHECKING:
    from pytest_perfgate.reports import Format, ReportSpec
    from pytest_perfgate.settings import Settings


class Reporting:
    """Collects the findings of the session, judges the run as a whole, writes reports, sets the exit status.

    Args:
        config: The pytest configuration.
        settings: In force.
        matched: Profile in force and what matched it.
        machine: Facts about this machine.
        python: This interpreter.
        baseline: Stored run to compare with, or None.
        reports: What to write where.
        formats: Every format known.
    """

    def __init__(
        self,
        config: pytest.Config,
        *,
        settings: Settings,
        matched: MatchedProfile,
        machine: Machine,
        python: Python,
        baseline: Baseline | None,
        reports: Sequence[ReportSpec],
        formats: Mapping[str, Format],
    ) -> None:
        self._config, self._settings, self._matched = config, settings, matched
        self._machine, self._python, self._baseline = machine, python, baseline
        self._reports, self._formats = reports, formats
        self._policy = Policy(strict=settings.strict)
        self._duty = Duty(config, settings=settings, matched=matched)
        self._started = dt.datetime.now().astimezone()
        self._began = PERF_COUNTER_S()
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._reruns: set[str] = set()
        self._problems: list[str] = []
        self.run: Run | None = None

    def learn(self, facts: Mapping[str, Iterable[str]]) -> None:
        """Take what one process says about its collection (every xdist worker collects everything)."""
        self._duty.learn(facts)

    def pytest_report_header(self) -> list[str]:
        """Say which profile is in force and why."""
        machine = f"{self._machine.cpu}, {self._machine.cores:g} core{'' if self._machine.cores == 1 else 's'}"
        lines = [f"perfgate: profile {self._matched.name} ({self._matched.matched_by}), {machine}"]
        if self._matched.warning:
            lines.append(f"perfgate: {self._matched.warning}")
        return lines

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember where tests may be that were not collected."""
        if not report.passed:
            self._duty.leave_out(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the findings off the report of a test that ended."""
        findings = detach(report)
        if findings is not None:
            self._keep(report.nodeid, findings)
            if str(report.outcome) == "rerun":  # by pytest-rerunfailures: the next attempt takes its place
                self._reruns.add(report.nodeid)
        self._duty.count(report, has_findings=findings is not None)

    def _keep(self, test: str, findings: tuple[Finding, ...]) -> None:
        """Keep the findings of a test; of two tests with one node id, those that fail."""
        earlier = self._findings.get(test, ())
        if test in self._reruns:
            self._reruns.discard(test)
        elif any(self._policy.fails(finding.verdict) for finding in earlier):
            return
        self._findings[test] = findings

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge the run, write the reports, and fail the session for what belongs to no single test."""
        if runs_no_test(self._config) or exitstatus in (
            pytest.ExitCode.USAGE_ERROR,
            pytest.ExitCode.INTERNAL_ERROR,
        ):
            return
        self.run = self._finished_run()
        self._write_reports(self.run)
        try:
            self._config.hook.pytest_perfgate_run(config=self._config, run=self.run)
        except Exception as problem:  # noqa: BLE001  # whatever a plugin does wrong, the run is told to its end
            self._problems.append(f"the hook pytest_perfgate_run raised {type(problem).__name__}: {problem}")
        fails = self.run.failures or self._problems or self._fails_as_a_whole(self.run)
        if fails and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table; nothing is decided here."""
        if self.run is None:
            return
        from pytest_perfgate.reports import text
        from pytest_perfgate.reports._format import encodable

        writer = self._config.get_terminal_writer()
        terminalreporter.section("perfgate")
        printed = text.render(self.run, width=writer.fullwidth, colour=writer.hasmarkup)
        # pytest itself would escape what the terminal cannot show, line breaks included.
        terminalreporter.write_line(encodable(printed.rstrip("\n"), sys.stdout.encoding))
        for problem in self._problems:
            terminalreporter.write_line(f"perfgate: {problem}", red=True, bold=True)

    def pytest_unconfigure(self) -> None:
        """Without a terminal plugin the reasons to fail still reach a person."""
        if self.run is None or self._config.pluginmanager.hasplugin("terminalreporter"):
            return
        for line in (*self.run.failures, *self._problems):
            sys.stderr.write(f"perfgate: {line}\n")

    def _finished_run(self) -> Run:
        from pytest_perfgate.machine import current_commit

        findings = [finding for group in self._findings.values() for finding in group]
        run = Run(
            findings=(*findings, *self._duty.holes()),
            machine=self._machine,
            profile=self._matched.name,
            profile_matched_by=self._matched.matched_by,
            python=self._python,
            commit=current_commit(self._config.rootpath),
            settings=self._stored_settings(),
            started=self._started.isoformat(timespec="seconds"),
            duration_s=round(PERF_COUNTER_S() - self._began, 3),
            notes=tuple(self._duty.notes(self._findings)),
        )
        if self._baseline is not None:
            run = complete_run(run, self._baseline, expected=self._duty.includes)
        return replace(run, failures=(*run.failures, *self._duty.failures(run)))

    def _fails_as_a_whole(self, run: Run) -> bool:
        """Tell whether a finding that belongs to no test that ran fails the session (missing cases when strict)."""
        ran = self._findings
        return any(finding.case.test not in ran and self._policy.fails(finding.verdict) for finding in run.findings)

    def _stored_settings(self) -> dict[str, Any]:
        from pytest_perfgate.machine import place_in_workspace

        settings = self._settings
        return {
            "max_regression": settings.max_regression,
            "max_time_s": settings.max_time_s,
            "strict": settings.strict,
            "baseline": settings.baseline if self._baseline is not None else None,
            "against": settings.against,
            "workers": self._config.getoption("numprocesses", None) or 0,
            "pytest": pytest.__version__,
            "root": place_in_workspace(self._config.rootpath, os.environ),
        }

    def _write_reports(self, run: Run) -> None:
        from pytest_perfgate.reports import write_reports

        if any(spec.path == "-" for spec in self._reports):
            sys.stdout.write("\n")  # the report begins on a line of its own, not behind pytest's dots
        try:
            write_reports(run, self._reports, formats=self._formats, stdout=sys.stdout)
        except PerfgateError as problem:
            self._problems.append(str(problem))
