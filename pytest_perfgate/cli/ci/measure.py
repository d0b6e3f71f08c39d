"""``perfgate ci measure``: run pytest as planned, write the reports, say what came of it; never the verdict."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import PASSED, say
from pytest_perfgate.cli.ci._step import annotated, write_outputs
from pytest_perfgate.errors import BadRunFileError, PerfgateError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_perfgate.ci.plan import Plan
    from pytest_perfgate.ci.settling import Settled
    from pytest_perfgate.model import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci measure``."""
    parser.description = """\
Step of the GitHub Action: run pytest as `perfgate ci plan` decided
(PERFGATE_PLAN); write the reports (JSON, JUnit, Markdown), the outputs, the
summary and the annotations of the step.  Whatever the verdict is, this
succeeds; `perfgate ci verdict` is the step that fails."""
    parser.epilog = """\
example:
  PERFGATE_PLAN="$plan" perfgate ci measure

exit status: 0; 2 there is no plan, or a file of the runner cannot be written"""


@annotated
def run(namespace: argparse.Namespace) -> int:
    """Measure and tell.

    Returns:
        0.
    """
    from pathlib import Path

    from pytest_perfgate.ci.measuring import failed_tests, usage_error
    from pytest_perfgate.ci.plan import plan_from_text
    from pytest_perfgate.ci.settling import settle
    from pytest_perfgate.ci.verdict import told

    del namespace
    plan = plan_from_text(os.environ.get("PERFGATE_PLAN", ""))
    reports = Path(plan.report_dir)
    _clear(reports)
    old = _baseline(plan)
    if plan.records:
        _make_room(plan)
    exit_code, outcomes = _measured(plan, has_baseline=old is not None)
    found = _stored(reports)
    settled = settle(plan, found, exit_code=exit_code, failed=failed_tests(outcomes), usage=usage_error(outcomes))
    recorded = plan.records and settled.may_be_recorded and found is not None
    if recorded and found is not None:
        _record(plan, found, old)
    if found is not None:
        _write_reports(told(plan, settled, found), reports)
        _annotate(plan, found)
    _summarise(plan, settled, reports)
    write_outputs(_outputs(plan, settled, old, found) | {"record": str(recorded).lower()})
    return PASSED


def _clear(reports: Path) -> None:
    """Take away what an earlier run left, so that nobody takes it for this one's."""
    from pytest_perfgate.ci.measuring import JUNIT, MARKDOWN, RUN

    try:
        reports.mkdir(parents=True, exist_ok=True)
        for name in (RUN, JUNIT, MARKDOWN):
            (reports / name).unlink(missing_ok=True)
    except OSError as problem:
        raise UsageError(f"report-dir: cannot write to {reports}: {problem.strerror or problem}") from None


def _baseline(plan: Plan) -> Run | None:
    """Read the run to compare with; one that the cache did not restore is none, whatever lies there."""
    from pytest_perfgate.ci.plan import CACHE, FILE
    from pytest_perfgate.reports.workflow_commands import command
    from pytest_perfgate.store import load_run

    restored = plan.compare == CACHE and os.environ.get("PERFGATE_RESTORED", "")
    if not restored and not (plan.compare == FILE and os.path.lexists(plan.baseline)):
        return None
    try:
        return load_run(plan.baseline)
    except BadRunFileError as problem:
        if plan.compare == FILE:
            raise
        say(command("warning", f"the baseline in the cache is left out: {problem}", title="perfgate"))
        return None


def _measured(plan: Plan, *, has_baseline: bool) -> tuple[int, str]:
    """Run pytest and read what it left behind; what it and the code under test print is no command to the runner."""
    import shlex
    import sysconfig
    import tempfile
    from pathlib import Path

    from pytest_perfgate.ci.measuring import child_environ, pytest_command, pytest_program, run_to_its_end
    from pytest_perfgate.ci.outputs import stop_token
    from pytest_perfgate.reports.workflow_commands import command

    program = pytest_program(sys.executable, sysconfig.get_path("scripts"))
    words = pytest_command(program, plan, has_baseline=has_baseline)
    say(f"perfgate: {' '.join(shlex.join(words).split())}")
    token = stop_token()
    with tempfile.TemporaryDirectory(prefix="perfgate-") as folder:
        outcomes = Path(folder) / "outcomes.json"
        say(command("stop-commands", token))
        try:
            ended = run_to_its_end(words, cwd=plan.working_directory, env=child_environ(os.environ, str(outcomes)))
        except OSError as problem:
            raise UsageError(f"pytest cannot be started: {problem}") from None
        finally:
            say(f"\n::{token}::")  # on a line of its own, whatever was printed last
        said = outcomes.read_text("utf-8") if outcomes.exists() else ""
    return ended, said


def _stored(reports: Path) -> Run | None:
    """Read the run that pytest stored, if it did."""
    from pytest_perfgate.ci.measuring import RUN
    from pytest_perfgate.reports.workflow_commands import command
    from pytest_perfgate.store import load_run

    if not (reports / RUN).exists():
        return None
    try:
        return load_run(reports / RUN)
    except BadRunFileError as problem:
        say(command("warning", str(problem), title="perfgate"))
        return None


def _make_room(plan: Plan) -> None:
    """Make sure, before anything is measured, that the run can become the baseline."""
    from pathlib import Path

    from pytest_perfgate.store import check_writable

    try:
        Path(plan.baseline).parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"baseline-path: cannot write {plan.baseline}: {problem.strerror or problem}") from None
    try:
        check_writable(plan.baseline)
    except UsageError as problem:
        raise UsageError(f"baseline-path: {problem}") from None


def _record(plan: Plan, found: Run, old: Run | None) -> None:
    from pytest_perfgate.ci.recording import next_baseline
    from pytest_perfgate.store import store_run

    store_run(next_baseline(found, old), plan.baseline)


def _write_reports(found: Run, reports: Path) -> None:
    """Write all three, so that none of them says what another one does not."""
    from pytest_perfgate.ci.measuring import JUNIT, MARKDOWN, RUN
    from pytest_perfgate.reports import ReportSpec, write_reports

    names = {"json": RUN, "junit": JUNIT, "markdown": MARKDOWN}
    write_reports(found, [ReportSpec(format_, str(reports / name)) for format_, name in names.items()])


def _annotate(plan: Plan, found: Run) -> None:
    """Print the annotations."""
    from pytest_perfgate.reports import ReportSpec, write_reports

    if plan.annotations:
        write_reports(found, [ReportSpec("github", "-")], stdout=sys.stdout)


def _summarise(plan: Plan, settled: Settled, reports: Path) -> None:
    """Put the Markdown report on the page of the run, below what it does not say by itself."""
    from pytest_perfgate.ci.measuring import MARKDOWN
    from pytest_perfgate.ci.outputs import append
    from pytest_perfgate.ci.verdict import conclude, is_tolerated
    from pytest_perfgate.reports._escaping import escaped

    if not plan.summary:
        return
    report = reports / MARKDOWN
    text = report.read_text("utf-8") if report.exists() else f"## ⛔ perfgate: {settled.status}\n"
    if not settled.is_told_by_the_run or is_tolerated(plan, settled) or not report.exists():
        text = f"**{escaped(conclude(plan, settled).line)}**\n\n{text}"
    try:
        append(os.environ.get("GITHUB_STEP_SUMMARY"), text, variable="GITHUB_STEP_SUMMARY")
    except PerfgateError as problem:  # a page that cannot be written decides nothing
        say(f"perfgate: no summary: {problem}")


def _outputs(plan: Plan, settled: Settled, old: Run | None, found: Run | None) -> dict[str, str]:
    from pathlib import Path

    from pytest_perfgate.ci.measuring import JUNIT, MARKDOWN, RUN
    from pytest_perfgate.ci.plan import BASE

    worst = settled.worst_change
    commit = plan.base_commit or str(((old.commit if old is not None else None) or {}).get("id") or "")
    paths = {"report-json": RUN, "report-junit": JUNIT, "report-markdown": MARKDOWN}
    written = {name: Path(plan.report_dir, file) for name, file in paths.items()}
    return {
        "settled": settled.to_text(),
        "status": settled.status,
        "regressions": str(settled.regressions),
        "improvements": str(settled.improvements),
        "over-budget": str(settled.over_budget),
        "inconclusive": str(settled.inconclusive),
        "compared": str(settled.compared),
        "missing": str(settled.missing),
        "worst-change": "" if worst is None else f"{worst:.4f}",
        "exit-code": str(settled.exit_code),
        "baseline-found": str(old is not None or (plan.compare == BASE and settled.compared > 0)).lower(),
        "baseline-commit": commit,
        **{name: str(path) if found is not None and path.exists() else "" for name, path in written.items()},
    }
