"""The table of the terminal: the cases closest to their limits, and why each one that did not pass did not."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from pytest_perfgate.model import Finding, Outcome, Run, Verdict
from pytest_perfgate.reports import _cells, _remarks
from pytest_perfgate.reports._cells import DEFAULT_LIMIT
from pytest_perfgate.reports._format import on_one_line, shortened_id
from pytest_perfgate.reports.details import details
from pytest_perfgate.reports.memory_details import MOST_CURVES, curves_apart, memory_curve
from pytest_perfgate.reports.scaling_plot import MOST_PLOTS, plotted

#: An id cut shorter than this names nothing; a table in a narrower terminal is wider than it.
_NARROWEST_CASE = 24
#: What most ids need to be told apart; less of it is not worth an interval that the reasons repeat.
_COMFORTABLE_CASE = 48
#: Units and expressions are the user's words and may be of any length.
_WIDEST_CELL = 24
_GAP = 2  # between the columns of tabulate's "simple" format
_PADDING = 2  # what tabulate adds to a title, though not to a cell

_COLOURS = {
    Verdict.PASS: "32",
    Verdict.IMPROVED: "32",
    Verdict.OVER_BUDGET: "31;1",
    Verdict.REGRESSED: "31;1",
    Verdict.FAILED_TO_MEASURE: "31;1",
}
_UNSETTLED_COLOUR = "33"
_OUTCOME_COLOURS = {Outcome.PASS: "32;1", Outcome.INCONCLUSIVE: "33;1"}


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[Finding], str]
    align: str
    needs: int = 0
    """Left out where it would leave less than this, in characters, to ids that need as much."""


def render(run: Run, *, width: int = 80, colour: bool = False, limit: int | None = None) -> str:
    """Write the header, the table, the reasons and the counts.

    Args:
        run: The finished run.
        width: Columns of the terminal; lines are no longer as far as texts can be wrapped or cut.
        colour: Whether to write ANSI escapes.
        limit: Most rows and most reasons, worst first; None means 50.

    Returns:
        Text that ends with a line break; may hold ``µ × – …``, see
        :func:`~pytest_perfgate.reports._format.encodable`.
    """
    paint = _painted if colour else _plain
    most = DEFAULT_LIMIT if limit is None else limit
    ordered = _cells.worst_first(run)
    rows = _cells.in_table(ordered)
    apart = [
        line for title, below in _remarks.listed_apart(ordered) for line in (title, *(f"  {one}" for one in below))
    ]
    blocks = [
        _wrapped(_remarks.header(run), width),
        _table(rows, width, most, paint),
        _wrapped(_remarks.remainder(rows[most:], _cells.policy_of(run)), width),
        _wrapped(_remarks.reasons(ordered, most, functools.partial(details, width=width)), width, indent="    "),
        _scaling(ordered, width),
        _curves(ordered, width),
        _wrapped(apart, width, indent="    "),
        _wrapped(_remarks.warnings(ordered), width, indent="    "),
        _wrapped(_remarks.notes(run), width, indent="    "),
        [paint(line, "31;1") for line in _wrapped(_remarks.failures(run), width, indent="    ")],
        _verdict(run, width, paint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _verdict(run: Run, width: int, paint: Callable[[str, str], str]) -> list[str]:
    """Write the last line; a run in which nothing is found and nothing failed has no verdict."""
    if not (run.measured or run.findings or run.failures):
        return [f"no verdict: {_remarks.counts(run)}"]
    verdict = f"verdict: {_remarks.headline(run)} ({_remarks.counts(run)})"
    return [paint(line, _OUTCOME_COLOURS.get(run.outcome, "31;1")) for line in _wrapped([verdict], width)]


def _table(findings: Sequence[Finding], width: int, most: int, paint: Callable[[str, str], str]) -> list[str]:
    shown = findings[:most]
    if not shown:
        return []
    columns = _filled_columns(shown)
    ids = _cells.labels(shown)
    longest = max(map(len, ids))
    for column in sorted(columns, key=lambda column: -column.needs):
        if width - _taken(columns, shown) < min(longest, column.needs):
            del columns[column]
    room = width - _taken(columns, shown)
    cases = [shortened_id(one, max(room, _NARROWEST_CASE)) for one in ids]
    verdicts = [paint(finding.verdict.value, _COLOURS.get(finding.verdict, _UNSETTLED_COLOUR)) for finding in shown]
    titles = ["case", *(column.title for column in columns), "verdict"]
    aligned = ["left", *(column.align for column in columns), "left"]
    rows = list(zip(cases, *columns.values(), verdicts, strict=True))
    # Numbers are texts by now; tabulate would parse them and write them anew.
    printed = tabulate(rows, titles, tablefmt="simple", disable_numparse=True, colalign=aligned)
    return [line.rstrip() for line in printed.splitlines()]


def _scaling(findings: Sequence[Finding], width: int) -> list[str]:
    plots = plotted(findings)
    lines = []
    for finding, plot in plots[:MOST_PLOTS]:
        lines += [shortened_id(f"scaling of {on_one_line(finding.case.id)}", max(width, _NARROWEST_CASE)), *plot]
    if len(plots) > MOST_PLOTS:
        lines.append(f"… and {len(plots) - MOST_PLOTS:,} more; all in the JSON report")
    return lines


def _curves(findings: Sequence[Finding], width: int) -> list[str]:
    """Show memory over time of what passes; elsewhere it follows the reason."""
    lines: list[str] = []
    shown = curves_apart(findings)
    for finding in shown[:MOST_CURVES]:
        title = shortened_id(on_one_line(finding.case.id), max(width, _NARROWEST_CASE))
        lines += [title, *memory_curve(finding, width=width)]
    if len(shown) > MOST_CURVES:
        lines.append(f"… and {len(shown) - MOST_CURVES:,} more over time; all in the JSON report")
    return lines


def _filled_columns(shown: Sequence[Finding]) -> dict[_Column, list[str]]:
    """Write the cells of every column that has something to say."""
    cells = {
        column: [shortened_id(on_one_line(column.cell(finding)), _WIDEST_CELL) for finding in shown]
        for column in _COLUMNS
    }
    return {column: written for column, written in cells.items() if any(written)}


def _taken(columns: Mapping[_Column, Sequence[str]], shown: Sequence[Finding]) -> int:
    """Tell what the table takes besides the cases: the other columns and the gaps."""
    verdict = max(len("verdict") + _PADDING, *(len(finding.verdict.value) for finding in shown))
    others = sum(max(len(column.title) + _PADDING, *map(len, cells)) for column, cells in columns.items())
    return others + verdict + _GAP * (len(columns) + 1)


_COLUMNS = (
    _Column("value", _cells.value, "right"),
    _Column("95 % interval", _cells.interval, "left", needs=_COMFORTABLE_CASE),
    _Column("limit", _cells.limit, "left"),
    _Column("used", _cells.used, "right", needs=_NARROWEST_CASE),
    _Column("change", _cells.change, "right"),
)


def _wrapped(lines: Iterable[str], width: int, indent: str = "  ") -> list[str]:
    """Break lines at blanks, and ids, which have none, where the line ends."""
    return [part for line in lines for part in _wrap_one(line, width, indent)]


def _wrap_one(line: str, width: int, indent: str) -> Iterator[str]:
    if len(line) <= width:
        yield line
        return
    yield from textwrap.wrap(line, max(width, 2 * len(indent)), subsequent_indent=indent, break_on_hyphens=False)


def _painted(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _plain(text: str, _code: str) -> str:
    return text
