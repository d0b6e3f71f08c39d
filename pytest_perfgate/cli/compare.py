"""``perfgate compare``: the changes between two stored runs, worst first; shows, and leaves judging to the gate."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import (
    COULD_NOT_JUDGE,
    PASSED,
    add_limit,
    add_run,
    add_tolerance,
    named,
    read_runs,
    say,
    tolerance_for,
    width_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_perfgate.model import Change, Finding, Measurement, Run

_MOST_ROWS = 50
_MOST_LISTED = 10
_NARROWEST_CASE = 24
_WIDEST_CELL = 24
_GAP = 2  # between the columns of tabulate's "simple" format
_ALIGNED = {
    "case": "left",
    "base": "right",
    "now": "right",
    "change": "right",
    "{} interval": "left",
    "verdict": "left",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate compare``."""
    parser.description = """\
Show how much each case of RUN changed against BASE, worst first; + is worse,
or - where high numbers are better.  This only reports: perfgate gate is the
command that fails."""
    parser.epilog = """\
example:
  perfgate compare base.json run.json

exit status: 0 whatever changed; 2 a run cannot be read, or nothing in the two
can be compared"""
    add_run(parser, "base", metavar="BASE")
    add_run(parser, "run", metavar="RUN")
    add_tolerance(parser)
    add_limit(parser)


def run(namespace: argparse.Namespace) -> int:
    """Compare and print.

    Returns:
        0, or 2 when nothing in the two runs can be compared.
    """
    from pytest_perfgate.compare import measurements_of
    from pytest_perfgate.gate import regate

    base, head = read_runs(namespace.base, namespace.run)
    against = named(namespace.base)
    tolerance = tolerance_for(head, namespace.max_regression)
    # The verdicts are the gate's own, so that the two commands never disagree about a case.
    judged = regate(head, base, against=against, tolerance=tolerance, strict=False)
    stored = measurements_of(base)
    compared = sorted(_compared(judged.findings, stored), key=_worsening, reverse=True)
    most = _MOST_ROWS if namespace.limit is None else namespace.limit or len(compared)
    width = width_of(sys.stdout)
    blocks = [
        [f"base: {_described(base, against)}", f"now:  {_described(head, named(namespace.run))}"],
        _table(compared[:most], stored, width),
        [f"... and {len(compared) - most:,} more; --limit 0 shows all"] if len(compared) > most else [],
        _wrapped(_remarks(judged.findings, compared), width),
        _wrapped(_one_sided(judged.findings), width),
        _wrapped([f"note: {note}" for note in judged.notes], width),
        _wrapped([f"failed: {failure}" for failure in judged.failures], width),
        [_summary(compared, tolerance)],
    ]
    say("\n\n".join("\n".join(block) for block in blocks if block))
    return PASSED if compared else COULD_NOT_JUDGE


def _compared(findings: Iterable[Finding], stored: Mapping[str, Measurement]) -> Iterator[Finding]:
    """Find the cases that have a value on both sides which mean the same."""
    for finding in findings:
        base = stored.get(finding.case.id)
        both = base is not None and base.value is not None and finding.measurement.value is not None
        if both and finding.verdict.value != "incomparable":
            yield finding


def _worsening(finding: Finding) -> float:
    """Order by how much worse; from zero and to zero there is no ratio but a verdict."""
    if finding.change is not None:
        return finding.change.worsening
    unbounded = {"regressed": math.inf, "over-budget": math.inf, "improved": -math.inf}
    return unbounded.get(finding.verdict.value, 0.0)


def _described(run: Run, name: str) -> str:
    from pytest_perfgate.reports._format import on_one_line

    commit = run.commit or {}
    changed = " with uncommitted changes" if commit.get("dirty") else ""
    parts = [f"commit {str(commit['id'])[:12]}{changed}"] if commit.get("id") else []
    parts += [run.started] if run.started else []
    return on_one_line(f"{name} ({', '.join([*parts, f'profile {run.profile}'])})")


def _table(findings: Sequence[Finding], stored: Mapping[str, Measurement], width: int) -> list[str]:
    if not findings:
        return []
    from tabulate import tabulate

    from pytest_perfgate.reports._format import on_one_line, shortened_id

    titles = [title.format(_confidence(findings)) for title in _ALIGNED]
    rows = [_row(finding, stored[finding.case.id]) for finding in findings]
    taken = sum(max(map(len, column)) + _GAP for column in zip(titles[1:], *rows, strict=True))
    room = max(width - taken, _NARROWEST_CASE)
    ids = [shortened_id(on_one_line(finding.case.id), room) for finding in findings]
    printed = tabulate(
        [(name, *row) for name, row in zip(ids, rows, strict=True)],
        titles,
        tablefmt="simple",
        disable_numparse=True,  # numbers are texts by now
        colalign=list(_ALIGNED.values()),
    )
    return [line.rstrip() for line in printed.splitlines()]


def _confidence(findings: Iterable[Finding]) -> str:
    """Write the confidence of the intervals, which is the same for all: ``99 %``."""
    from pytest_perfgate.units import RATIO, format_value

    found = next((finding.change.confidence for finding in findings if finding.change is not None), None)
    return "" if found is None else format_value(found, RATIO, show_as="%")


def _row(finding: Finding, base: Measurement) -> tuple[str, ...]:
    return _value(base), _value(finding.measurement), *_moved(finding.change), finding.verdict.value


def _value(measurement: Measurement) -> str:
    from pytest_perfgate.reports._format import on_one_line, shortened_id
    from pytest_perfgate.units import format_value

    written = format_value(measurement.value or 0.0, measurement.unit, show_as=measurement.show_as)
    return shortened_id(on_one_line(written), _WIDEST_CELL)


def _moved(change: Change | None) -> tuple[str, str]:
    from pytest_perfgate.units import format_change

    if change is None:
        return "-", ""
    low, high = (format_change(end - 1) for end in change.interval)
    exact = change.interval[0] == change.interval[1]
    return format_change(change.ratio - 1), "exact" if exact else f"{low.removesuffix(' %')} to {high}"


def _remarks(findings: Iterable[Finding], compared: Sequence[Finding]) -> list[str]:
    """Say why there is no change or no decision; cases that share a remark share a line."""
    groups: dict[str, list[str]] = {}
    for finding in findings:
        remark = _remark(finding)
        # What makes the whole run incomparable is a note already.
        if remark and (compared or finding.verdict.value != "incomparable"):
            groups.setdefault(remark, []).append(finding.case.id)
    lines = [
        f"{ids[0]}{f' and {len(ids) - 1:,} more' if len(ids) > 1 else ''}: {remark}" for remark, ids in groups.items()
    ]
    return _few(lines)


def _remark(finding: Finding) -> str:
    change, verdict = finding.change, finding.verdict.value
    if verdict == "inconclusive" and change is not None:
        return f"inconclusive: {change.doubt}" if change.doubt else ""
    explained = ("failed-to-measure", "incomparable", "inconclusive", "regressed", "improved")
    return finding.reason if change is None and verdict in explained else ""


def _one_sided(findings: Iterable[Finding]) -> list[str]:
    """List the cases that only one of the runs has; what is missing also says what it looks renamed to."""
    sides: dict[str, list[Finding]] = {"missing": [], "no-baseline": []}
    for finding in findings:
        sides.get(finding.verdict.value, []).append(finding)
    missing, new = sides.values()
    lines = [f"missing: {finding.case.id}: {finding.measurement.error}" for finding in missing]
    return _few(lines) + _few([f"new: {finding.case.id}" for finding in new])


def _few(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST_LISTED
    return [*lines[:_MOST_LISTED], *([f"... and {more:,} more"] if more > 0 else [])]


def _wrapped(lines: Iterable[str], width: int) -> list[str]:
    import textwrap

    from pytest_perfgate.reports._format import on_one_line

    return [
        part
        for line in lines
        for part in textwrap.wrap(
            on_one_line(line),
            max(width, _NARROWEST_CASE),
            subsequent_indent="    ",
            break_long_words=False,  # an id is copied in one piece
            break_on_hyphens=False,
        )
    ]


def _summary(compared: Sequence[Finding], tolerance: float) -> str:
    from pytest_perfgate.units import RATIO, format_value

    if not compared:
        return "nothing could be compared"
    found = [finding.verdict.value for finding in compared]
    counts = ", ".join(f"{found.count(verdict):,} {verdict}" for verdict in dict.fromkeys(found))
    return f"{len(compared):,} compared, tolerance {format_value(tolerance, RATIO, show_as='%')}: {counts}"
