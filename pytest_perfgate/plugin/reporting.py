"""The half of the gate that runs where the session ends (the controller under xdist, else the only process)."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import PerfgateError
from pytest_perfgate.gate import Baseline, complete_run
from pytest_perfgate.model import (
    Case,
    Finding,
    Machine,
    MatchedProfile,
    Measurement,
    Policy,
    Python,
    Run,
    Verdict,
)
from pytest_perfgate.plugin.extent import Extent
from pytest_perfgate.plugin.transport import detach

if TYPE_CHECKING:
    from pytest_perfgate.reports import Format, ReportSpec
    from pytest_perfgate.settings import Settings

_CRASHED = "???"  # `when` of the report that xdist makes up for a worker that died


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
        #: Asked for on the command line, not just switched on in the configuration.
        self._explicit = config.getoption("perfgate") is True
        self._started = dt.datetime.now().astimezone()
        self._began = time.perf_counter()
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._crashed: dict[str, str] = {}
        self._skipped: set[str] = set()
        #: Tests of which any report arrived; the others were cut off.
        self._reported: set[str] = set()
        self._reruns: set[str] = set()
        self._facts: dict[str, dict[str, None]] = {}
        self._extent = Extent(config)
        self._problems: list[str] = []
        self.run: Run | None = None

    def learn(self, facts: Mapping[str, Iterable[str]]) -> None:
        """Take what one process says about its collection (every xdist worker collects everything)."""
        for name, ids in facts.items():
            self._facts.setdefault(name, {}).update(dict.fromkeys(ids))

    def pytest_report_header(self) -> list[str]:
        """Say which profile is in force and why."""
        machine = f"{self._machine.cpu}, {self._machine.cores:g} cores"
        lines = [f"perfgate: profile {self._matched.name} ({self._matched.matched_by}), {machine}"]
        if self._matched.warning:
            lines.append(f"perfgate: {self._matched.warning}")
        return lines

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember where tests may be that were not collected."""
        if not report.passed:
            self._extent.leave_out(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the findings off the report of a test that ended."""
        self._reported.add(report.nodeid)
        findings = detach(report)
        if findings is not None:
            self._keep(report.nodeid, findings)
            if str(report.outcome) == "rerun":  # by pytest-rerunfailures: the next attempt takes its place
                self._reruns.add(report.nodeid)
        elif report.when == _CRASHED:
            self._crashed[report.nodeid] = str(report.longrepr)
        elif report.skipped:
            self._skipped.add(report.nodeid)

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
        if self._config.option.collectonly or exitstatus in (
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
            findings=(*findings, *self._holes()),
            machine=self._machine,
            profile=self._matched.name,
            profile_matched_by=self._matched.matched_by,
            python=self._python,
            commit=current_commit(self._config.rootpath),
            settings=self._stored_settings(),
            started=self._started.isoformat(timespec="seconds"),
            duration_s=round(time.perf_counter() - self._began, 3),
            notes=tuple(self._notes()),
        )
        if self._baseline is not None:
            run = complete_run(run, self._baseline, expected=self._was_asked_for)
        return replace(run, failures=(*run.failures, *self._failures(run)))

    def _holes(self) -> list[Finding]:
        """Make a finding of every test that had to measure and died with its worker."""
        holes = []
        for test, message in self._crashed.items():
            if test in self._facts.get("expected", {}):
                reason = f"{test} failed to measure: {' '.join(message.split())}"
                measurement = Measurement(case=Case(test, "call"), unit="s", error=reason)
                holes.append(Finding(measurement=measurement, verdict=Verdict.FAILED_TO_MEASURE, reason=reason))
        return holes

    def _failures(self, run: Run) -> list[str]:
        """Find what is wrong with the run as a whole."""
        failures = []
        expected = self._facts.get("expected", {})
        if not run.measured:
            if expected and self._explicit:
                why = "was skipped or failed as expected" if set(expected) <= self._skipped else "gave no number"
                failures.append(
                    f"nothing was measured: each of the tests that should have been ({len(expected)}) {why}; "
                    f"run them, or leave out --perfgate where they cannot run"
                )
            elif self._settings.strict and self._explicit:
                failures.append("nothing was measured: no test of this run measures anything or carries a budget")
        cut_off = [test for test in expected if test not in self._reported]
        if cut_off:
            failures.append(
                f"the run was cut short: {_tests(len(cut_off))} that should measure did not run to the end: "
                f"{_some(cut_off)}"
            )
        if self._settings.against is not None and run.measured and not any(map(_is_compared, run.findings)):
            reasons = [finding.reason for finding in run.findings if finding.verdict is Verdict.NO_BASELINE]
            first = f": {reasons[0]}" if reasons else ""
            failures.append(f"nothing could be compared with {self._settings.against}{first}")
        if self._settings.unknown_profile == "fail" and self._facts.get("other_profiles"):
            failures.append(self._about_other_profiles())
        return failures

    def _notes(self) -> list[str]:
        notes = []
        if self._matched.warning:
            notes.append(self._matched.warning)
        notes += list(self._facts.get("notes", {}))
        expected = self._facts.get("expected", {})
        if not expected and not self._crashed:
            notes.append("nothing was measured: no test of this run uses a perfgate fixture or carries a budget")
        skipped = [test for test in expected if test in self._skipped and test not in self._findings]
        if skipped:
            notes.append(f"not measured, because skipped or failed as expected: {_some(skipped)}")
        if self._facts.get("other_profiles") and self._settings.unknown_profile == "warn":
            notes.append(self._about_other_profiles())
        return [*notes, *self._about_idle_rows()]

    def _about_idle_rows(self) -> list[str]:
        """Name the rows of the budget table that speak of no test, as far as the run was asked for all of them."""
        profile, deselected = self._matched.profile, self._facts.get("deselected", {})
        if not profile.budgets or "collected" not in self._facts or self._extent.is_narrowed(deselected):
            return []
        from pytest_perfgate.budgets import idle_rows, meant_row

        tests = [*self._facts["collected"], *deselected]
        rows = [row for row in idle_rows(profile, tests) if self._extent.covers(row)]
        meant = [meant_row(row, tests) for row in rows]
        return [
            f'the budget row "{row}" of profile {profile.name} matches no test'
            + (f'; did you mean "{one}"?' if one else "")
            for row, one in zip(rows, meant, strict=True)
        ]

    def _about_other_profiles(self) -> str:
        tests = list(self._facts["other_profiles"])
        return (
            f"budgets for other profiles than {self._matched.name} only, so nothing is enforced here: {_some(tests)}; "
            f"add a budget without profile= as the fallback"
        )

    def _fails_as_a_whole(self, run: Run) -> bool:
        """Tell whether a finding that belongs to no test that ran fails the session (missing cases when strict)."""
        ran = self._findings
        return any(finding.case.test not in ran and self._policy.fails(finding.verdict) for finding in run.findings)

    def _was_asked_for(self, case: Case) -> bool:
        """Tell whether this run, which may be a part of the suite, was meant to measure a case of the baseline."""
        if case.test in self._facts.get("deselected", {}) or case.test in self._skipped:
            return False
        file = case.test.partition("::")[0]
        collected_files = {test.partition("::")[0] for test in self._facts.get("collected", {})}
        if file not in collected_files:
            return not (self._config.rootpath / file).exists()  # a file that is there was not asked for
        narrowed = [_without_place(arg) for arg in self._config.args if "::" in arg]
        return not narrowed or any(case.test.endswith(part) or f"{part}::" in case.test for part in narrowed)

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


def _is_compared(finding: Finding) -> bool:
    return finding.change is not None or finding.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)


def _tests(count: int) -> str:
    return f"{count} test" + ("s" if count != 1 else "")


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:3])
    return f"{shown} and {len(ids) - 3} more" if len(ids) > 3 else shown  # noqa: PLR2004  # what a line holds


def _without_place(argument: str) -> str:
    """Reduce ``dir/test_a.py::test_b[x]`` to what its node id ends with."""
    return argument.replace("\\", "/").rpartition("/")[2]
