"""``perfgate gate``: judge a stored run, alone or against another, and let the exit status say it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import (
    COULD_NOT_JUDGE,
    FAILED,
    STANDARD_STREAM,
    add_limit,
    add_run,
    add_tolerance,
    may_colour,
    named,
    read_runs,
    say,
    tolerance_for,
    width_of,
)
from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pytest_perfgate.model import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate gate``."""
    parser.description = """\
Judge a stored run.  Budgets stay as they were judged when the run was
recorded; with --baseline, each case is compared with the same case of
another stored run."""
    parser.epilog = """\
example:
  perfgate gate run.json
  perfgate gate run.json --baseline base.json --max-regression 5%
  perfgate gate run.json --baseline base.json --strict --report junit=perf.xml

exit status: 0 passed, or inconclusive without --strict; 1 the gate failed;
2 could not judge (bad input, unreadable baseline, nothing measured, nothing
comparable)"""
    add_run(parser, "run", metavar="RUN")
    add_run(parser, "--baseline", text="compare with this run", metavar="RUN")
    add_tolerance(parser)
    parser.add_argument(
        "--strict",
        action="store_true",
        help="inconclusive, missing and incomparable results fail (default: they are only reported)",
    )
    parser.add_argument(
        "--report",
        metavar="FORMAT=PATH",
        action="append",
        default=[],
        help="write a report: json, junit, junit-properties, markdown, github, text; repeatable; with the path - "
        "it goes to standard output and the table to standard error",
    )
    add_limit(parser)


def run(namespace: argparse.Namespace) -> int:
    """Judge, print, write the reports.

    Returns:
        The exit status that :func:`pytest_perfgate.gate.exit_status` gives.
    """
    from pytest_perfgate.gate import exit_status
    from pytest_perfgate.reports import check_report_paths, parse_report_spec, text, write_reports

    if namespace.max_regression is not None and namespace.baseline is None:
        raise UsageError("--max-regression is the tolerance of a comparison: give a --baseline to compare with")
    specs = [parse_report_spec(written) for written in namespace.report]
    is_file = namespace.baseline not in (None, STANDARD_STREAM)
    # A second attempt would be compared with the first, and pass.
    check_report_paths(specs, {"the baseline that the run is judged by": namespace.baseline} if is_file else {})
    judged = _judged(namespace)
    status = exit_status(judged)
    # What is printed for people must not end up within a report that a program reads.
    out = sys.stderr if any(spec.path == STANDARD_STREAM for spec in specs) else sys.stdout
    limit = namespace.limit if namespace.limit != 0 else len(judged.findings)
    say(text.render(judged, width=width_of(out), colour=may_colour(out), limit=limit), out)
    say(_last_line(judged, status), out)
    write_reports(judged, specs)
    return status


def _judged(namespace: argparse.Namespace) -> Run:
    from pytest_perfgate.gate import regate

    paths = [namespace.run] if namespace.baseline is None else [namespace.run, namespace.baseline]
    head, *rest = read_runs(*paths)
    return regate(
        head,
        rest[0] if rest else None,
        against=named(namespace.baseline or ""),
        tolerance=tolerance_for(head, namespace.max_regression),
        strict=namespace.strict,
    )


def _last_line(run: Run, status: int) -> str:
    """Say the verdict on the run in one line, for logs of which only the end is read."""
    from pytest_perfgate.model import Outcome, Policy, Verdict

    policy = Policy(strict=bool(run.settings.get("strict")))
    counts = run.counts
    if status == COULD_NOT_JUDGE:
        against = run.settings.get("baseline") or "the baseline"
        why = f"nothing is comparable with {against}" if run.measured else "nothing was measured"
        return f"perfgate: could not judge ({why})"
    if status == FAILED:
        counts = {verdict: count for verdict, count in counts.items() if policy.fails(Verdict(verdict))}
    said = ", ".join([f"{count:,} {verdict}" for verdict, count in counts.items()] or run.failures[:1])
    word = "FAILED" if status == FAILED else "inconclusive" if run.outcome is Outcome.INCONCLUSIVE else "passed"
    return f"perfgate: {word} ({said})"
