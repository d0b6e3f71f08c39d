"""Annotations of GitHub Actions: what failed, at the line of its test; as many as the page keeps, the worst first."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from pytest_perfgate.model import Finding, Outcome, Run, Verdict
from pytest_perfgate.reports import _cells, _remarks
from pytest_perfgate.reports._format import on_one_line
from pytest_perfgate.reports.workflow_commands import command

#: Of a step, the runner keeps ten of each level, first come, first kept; the step's own end and its verdict take two.
_MOST_ERRORS = 8
_MOST_WARNINGS = 5
_MOST_NOTICES = 3

_TITLE = "perfgate"
_ELSEWHERE = "all in the JSON report"


def render(run: Run) -> str:
    """Write workflow commands, and the verdict as the last line.

    Args:
        run: The finished run.

    Returns:
        Lines to print in a step of GitHub Actions; every text of others is escaped.
    """
    errors, warnings = list(_errors(run)), list(_warnings(run))
    if len(errors) > _MOST_ERRORS:
        warnings.insert(0, command("warning", f"{_more(errors, _MOST_ERRORS)} failing; {_ELSEWHERE}", title=_TITLE))
    lines = [*errors[:_MOST_ERRORS], *warnings[:_MOST_WARNINGS]]
    lines += [command("notice", note, title=_TITLE) for note in _remarks.notes(run)[:_MOST_NOTICES]]
    if len(warnings) > _MOST_WARNINGS:
        lines.append(f"perfgate: {_more(warnings, _MOST_WARNINGS)} undecided; {_ELSEWHERE}")
    return "\n".join([*lines, f"perfgate: {_remarks.headline(run)} ({_remarks.counts(run)})"]) + "\n"


def _errors(run: Run) -> Iterator[str]:
    """Annotate what fails: the run as a whole in one, then every case that does."""
    if run.failures:
        yield command("error", "\n".join(map(on_one_line, run.failures)), title=_TITLE)
    policy = _cells.policy_of(run)
    for finding in _cells.worst_first(run):
        if policy.fails(finding.verdict):
            yield _annotation("error", run, [finding])


def _warnings(run: Run) -> Iterator[str]:
    """Annotate what could not be told."""
    if run.outcome is Outcome.ERROR and not run.failures:
        yield command("warning", "nothing was measured", title=_TITLE)
    policy = _cells.policy_of(run)
    unsettled = (Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE, Verdict.MISSING)
    found = [
        finding
        for finding in _cells.worst_first(run)
        if finding.verdict in unsettled and not policy.fails(finding.verdict)
    ]
    for group in _remarks.grouped(found):
        yield _annotation("warning", run, group)


def _annotation(level: str, run: Run, group: Sequence[Finding]) -> str:
    first = group[0]
    name = first.case.test.partition("::")[2] or first.case.test
    file, line = _place(run, first)
    title = on_one_line(f"{_TITLE}: {first.verdict.value}: {name}")
    return command(level, _remarks.explained(group), file=file, line=line, title=title)


def _place(run: Run, finding: Finding) -> tuple[str, str]:
    """Say where a test is written, seen from the workspace; a file outside it is none."""
    location, root = finding.measurement.location, run.settings.get("root")
    file = location.file if location is not None else finding.case.test.partition("::")[0]
    if isinstance(root, str):
        file = posixpath.join(root, file)
    file = on_one_line(posixpath.normpath(file))
    if file.startswith(("../", "/")) or file in (".", ".."):
        return "", ""
    return file, "" if location is None or location.line is None else str(location.line)


def _more(commands: Sequence[str], most: int) -> str:
    return f"{len(commands) - most:,} more"
