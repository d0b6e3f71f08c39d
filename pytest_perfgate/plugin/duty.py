"""What a run had to measure and what became of it: holes, reasons to fail as a whole, remarks; judges no case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_perfgate.judge import judge
from pytest_perfgate.model import Case, Finding, MatchedProfile, Measurement, Run, Verdict
from pytest_perfgate.plugin.extent import Extent
from pytest_perfgate.words import counted

if TYPE_CHECKING:
    from pytest_perfgate.settings import Settings

_LONGEST_CAUSE = 200
_CRASHED = "???"  # `when` of the report that xdist makes up for a worker that died


class Duty:
    """Knows which tests had to measure, and counts those that came to an end.

    Args:
        config: The pytest configuration.
        settings: In force.
        matched: Profile in force and what matched it.
    """

    def __init__(self, config: pytest.Config, *, settings: Settings, matched: MatchedProfile) -> None:
        self._config, self._settings, self._matched = config, settings, matched
        #: Asked for on the command line, not just switched on in the configuration.
        self._explicit = config.getoption("perfgate") is True
        self._crashed: dict[str, str] = {}
        #: What could not be collected -> why, in one line.
        self._broken: dict[str, str] = {}
        self._skipped: set[str] = set()
        #: Tests that were set up, in order, and those that came to an end; who never did was cut off.
        self._begun: dict[str, None] = {}
        self._ended: set[str] = set()
        self._facts: dict[str, dict[str, None]] = {}
        self._extent = Extent(config)

    def learn(self, facts: Mapping[str, Iterable[str]]) -> None:
        """Take what one process says about its collection (every xdist worker collects everything)."""
        for name, ids in facts.items():
            self._facts.setdefault(name, {}).update(dict.fromkeys(ids))

    def leave_out(self, report: pytest.CollectReport) -> None:
        """Remember that the tests of a collector are not known, and why where that is a mistake."""
        self._extent.leave_out(report.nodeid)
        if report.failed:
            self._broken[report.nodeid] = _cause(str(report.longrepr))

    def count(self, report: pytest.TestReport, *, has_findings: bool) -> None:
        """Take note of how a phase of a test ended."""
        if report.when == "setup" and report.passed:
            self._begun[report.nodeid] = None
        else:
            self._ended.add(report.nodeid)
        if has_findings:
            return
        if report.when == _CRASHED:
            self._crashed[report.nodeid] = str(report.longrepr)
        elif report.skipped:
            self._skipped.add(report.nodeid)

    def holes(self) -> list[Finding]:
        """Make a finding of every test that had to measure and died with its worker, or was interrupted."""
        holes = []
        interrupted = [test for test in self._begun if test not in self._ended]
        causes = {**dict.fromkeys(interrupted, "the run was interrupted while the test ran"), **self._crashed}
        for test, message in causes.items():
            if test in self._facts.get("expected", {}):
                error = " ".join(message.split())
                holes.append(judge(Measurement(case=Case(test, "call"), unit="s", error=error)))
        return holes

    def failures(self, run: Run) -> list[str]:
        """Find what is wrong with the run as a whole."""
        failures = []
        expected = self._facts.get("expected", {})
        if not run.measured:
            if set(expected) - (set() if self._explicit else set(self._facts.get("foreign", {}))):
                why = "was skipped or failed as expected" if set(expected) <= self._skipped else "gave no number"
                without = "leave out --perfgate" if self._explicit else "pass --no-perfgate"
                failures.append(
                    f"nothing was measured: each of the tests that should have been ({len(expected)}) {why}; "
                    f"run them, or {without} where they cannot run"
                )
            elif self._settings.strict and self._explicit:
                failures.append("nothing was measured: no test of this run measures anything or carries a budget")
        cut_off = [test for test in expected if test not in self._ended]
        if cut_off:
            failures.append(
                f"the run was cut short: {counted(len(cut_off), 'test')} that should measure did not run to the end: "
                f"{_some(cut_off)}"
            )
        if self._settings.against is not None and run.measured and not any(map(_is_compared, run.findings)):
            reasons = [finding.reason for finding in run.findings if finding.verdict is Verdict.NO_BASELINE]
            first = f": {reasons[0]}" if reasons else ""
            failures.append(f"nothing could be compared with {self._settings.against}{first}")
        if self._settings.unknown_profile == "fail" and self._facts.get("other_profiles"):
            failures.append(self._about_other_profiles())
        return failures

    def notes(self, found: Collection[str]) -> list[str]:
        """Remark on what was not measured, and why that need not be a mistake.

        Args:
            found: Tests that have findings.
        """
        notes = []
        if self._matched.warning:
            notes.append(self._matched.warning)
        notes += list(self._facts.get("notes", {}))
        expected = self._facts.get("expected", {})
        if self._broken:
            notes.append(("" if expected else "nothing was measured: ") + self._about_broken())
        elif not expected and not self._crashed:
            notes.append(
                "no test of this run uses a perfgate fixture or carries a budget, so there is nothing to measure"
            )
        told = {*found, *self._facts.get("unjudged", {})}
        skipped = [test for test in expected if test in self._skipped and test not in told]
        if skipped:
            notes.append(f"not measured, because skipped or failed as expected: {_some(skipped)}")
        if self._facts.get("other_profiles") and self._settings.unknown_profile == "warn":
            notes.append(self._about_other_profiles())
        return [*notes, *self._about_idle_rows()]

    def includes(self, case: Case) -> bool:
        """Tell whether this run, which may be a part of the suite, was meant to measure a case of the baseline."""
        if case.test in self._facts.get("deselected", {}) or case.test in self._skipped:
            return False
        file = case.test.partition("::")[0]
        collected_files = {test.partition("::")[0] for test in self._facts.get("collected", {})}
        if file not in collected_files:
            return not (self._config.rootpath / file).exists()  # a file that is there was not asked for
        narrowed = [_without_place(arg) for arg in self._config.args if "::" in arg]
        return not narrowed or any(case.test.endswith(part) or f"{part}::" in case.test for part in narrowed)

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

    def _about_broken(self) -> str:
        collectors = list(self._broken)
        return f"{_some(collectors)} could not be collected: {self._broken[collectors[0]]}"

    def _about_other_profiles(self) -> str:
        tests = list(self._facts["other_profiles"])
        return (
            f"budgets for other profiles than {self._matched.name} only, so nothing is enforced here: {_some(tests)}; "
            f"add a budget without profile= as the fallback"
        )


def _is_compared(finding: Finding) -> bool:
    return finding.change is not None or finding.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)


def _cause(traceback: str) -> str:
    """Take out of what pytest writes of an exception the line that says what it was."""
    lines = [line.strip() for line in traceback.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    cause = (marked or lines or ["pytest does not say why"])[-1]
    return cause if len(cause) <= _LONGEST_CAUSE else f"{cause[:_LONGEST_CAUSE]}..."


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:3])
    return f"{shown} and {len(ids) - 3} more" if len(ids) > 3 else shown  # noqa: PLR2004  # what a line holds


def _without_place(argument: str) -> str:
    """Reduce ``dir/test_a.py::test_b[x]`` to what its node id ends with."""
    return argument.replace("\\", "/").rpartition("/")[2]
