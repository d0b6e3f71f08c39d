"""Markdown: the page of a build or of a pull request, the verdict first, never larger than such pages may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Finding, Outcome, Run
from pytest_perfgate.reports import _cells, _remarks
from pytest_perfgate.reports._cells import DEFAULT_LIMIT
from pytest_perfgate.reports._escaping import code, escaped
from pytest_perfgate.reports._format import on_one_line, shortened_id
from pytest_perfgate.reports._reproducing import reproduce_lines
from pytest_perfgate.reports.memory_details import MOST_CURVES, memory_curve, memory_places
from pytest_perfgate.reports.scaling_plot import MOST_PLOTS, plotted

#: GitHub drops the whole summary of a step above 1 MiB, and just below that may lose it without a word.
MAX_BYTES = 1_000_000
#: Holds the verdict, the counts and the remark that nothing else is shown, whatever the run is.
LEAST_BYTES = 2000

#: Ids of parametrised tests, units and limits are of any length; beyond this a row is no row any more.
_LONGEST_ID = 120
_LONGEST_CELL = 60

_SIGNS = {Outcome.PASS: "✅", Outcome.FAIL: "❌", Outcome.INCONCLUSIVE: "⚠️", Outcome.ERROR: "⛔"}

_COLUMNS: tuple[tuple[str, Callable[[Finding], str], str], ...] = (
    ("value", _cells.value, "--:"),
    ("limit", _cells.limit, "---"),
    ("change", _cells.change_with_interval, "---"),
)


def render(run: Run, *, max_bytes: int = MAX_BYTES, limit: int = DEFAULT_LIMIT) -> str:
    """Write the verdict, the table of the worst, the reasons, what was measured where, and how to see it again.

    Args:
        run: The finished run.
        max_bytes: Most bytes in UTF-8.  What does not fit is left out, with a line that says so: first rows and
            reasons, in the end everything but the counts.
        limit: Most rows and most reasons, worst first.

    Returns:
        Text that ends with a line break.

    Raises:
        UsageError: Not even the counts would fit.
    """
    if max_bytes < LEAST_BYTES:
        raise UsageError(f"a report of at most {max_bytes:,} bytes says nothing; give it {LEAST_BYTES:,} or more")
    ordered = _cells.worst_first(run)
    rows = limit
    text = _text([_verdict(run), *_blocks(run, ordered, rows)])
    while rows and len(text.encode()) > max_bytes:
        rows //= 2
        said = _shortened(max_bytes, rows)
        blocks = _blocks(run, ordered, rows) if rows else ()
        text = _text([_verdict(run), [said], *blocks])
    return text


def _text(blocks: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _verdict(run: Run) -> list[str]:
    sign = _SIGNS[run.outcome if _remarks.headline(run) == run.outcome.value else Outcome.INCONCLUSIVE]
    return [f"## {sign} perfgate: {_remarks.headline(run)}", "", escaped(_remarks.counts(run))]


def _shortened(max_bytes: int, rows: int) -> str:
    left = f"the worst {rows:,} cases and reasons are shown" if rows else "only the counts are shown"
    return f"**Shortened to fit into {max_bytes:,} bytes: {left}; all are in the JSON report.**"


def _blocks(run: Run, ordered: Sequence[Finding], most: int) -> Iterator[list[str]]:
    """Write everything but the verdict."""
    rows, policy = _cells.in_table(ordered), _cells.policy_of(run)
    yield _bullets(_bounded(_remarks.failures(run), most), strong=True)
    yield _table(rows[:most])
    yield [escaped(line) for line in _remarks.remainder(rows[most:], policy)]
    yield _section("Why", _bullets(_remarks.reasons(ordered, most)))
    yield _section("Scaling", _plots(ordered))
    yield _section("Memory", _memory(ordered[:most]))
    apart = [line for title, below in _remarks.listed_apart(ordered) for line in _nested(title, _bounded(below, most))]
    remarks = [*_bounded(_remarks.warnings(ordered), most), *_bounded(_remarks.notes(run), most)]
    yield _section("Also", [*apart, *_bullets(remarks)])
    yield _section("What was measured", _bullets(_remarks.header(run)))
    yield ["### To see it again", "", "```sh", *reproduce_lines(run, ordered), "```"]


def _table(shown: Sequence[Finding]) -> list[str]:
    if not shown:
        return []
    ids = [code(shortened_id(label, _LONGEST_ID)) for label in _cells.labels(shown)]
    written = {
        (title, aligned): [escaped(cell(finding), _LONGEST_CELL) for finding in shown]
        for title, cell, aligned in _COLUMNS
    }
    columns = {column: cells for column, cells in written.items() if any(cells)}
    titles = ["case", *(title for title, _ in columns), "verdict"]
    aligned = ["---", *(how for _, how in columns), "---"]
    verdicts = [finding.verdict.value for finding in shown]
    return [_row(titles), _row(aligned), *map(_row, zip(ids, *columns.values(), verdicts, strict=True))]


def _plots(findings: Sequence[Finding]) -> list[str]:
    plots = plotted(findings)
    lines: list[str] = []
    for finding, plot in plots[:MOST_PLOTS]:
        # Only words of our own and numbers are in a plot: what others wrote could end the fence.
        name = code(shortened_id(on_one_line(finding.case.id), _LONGEST_ID))
        lines += [*[""] * bool(lines), name, "", "```text", *plot, "```"]
    if len(plots) > MOST_PLOTS:
        lines += ["", f"… and {len(plots) - MOST_PLOTS:,} more; all in the JSON report"]
    return lines


def _memory(findings: Sequence[Finding]) -> list[str]:
    """Say where memory that stays comes from, and show memory over time."""
    lines: list[str] = []
    told = [(finding, memory_places(finding), memory_curve(finding)) for finding in findings]
    for finding, places, curve in [one for one in told if one[1] or one[2]][:MOST_CURVES]:
        lines += ["", code(shortened_id(on_one_line(finding.case.id), _LONGEST_ID)), "", *_bullets(places)]
        # Only words of our own and numbers are in a curve: what others wrote could end the fence.
        lines += ["", "```text", *curve, "```"] if curve else []
    return lines[1:]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bounded(lines: Sequence[str], most: int) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"… and {more:,} more; all in the JSON report"] if more > 0 else list(lines)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"### {title}", "", *lines] if lines else []


def _nested(title: str, below: Iterable[str]) -> list[str]:
    return [*_bullets([title]), *(f"  {line}" for line in _bullets(below))]


def _bullets(lines: Iterable[str], *, strong: bool = False) -> list[str]:
    mark = "**" if strong else ""
    return [f"- {mark}{escaped(line)}{mark}" for line in lines]
