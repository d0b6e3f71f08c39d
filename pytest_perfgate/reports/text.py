"""The table of the terminal: the cases closest to their limits, and why each one that did not pass did not."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from pytest_perfgate.model import Check, Finding, Outcome, Policy, Run, Verdict
from pytest_perfgate.reports._format import interval_text, on_one_line, shortened_id
from pytest_perfgate.reports.import_times import import_table
from pytest_perfgate.units import BYTES, RATIO, format_change, format_value

#: What a screen or two hold; the JSON report has the rest.
DEFAULT_LIMIT = 50
#: Of missing cases, new ones, warnings: names beyond a handful are looked up in the JSON report.
_MOST_LISTED = 10
#: An id cut shorter than this names nothing; a table in a narrower terminal is wider than it.
_NARROWEST_CASE = 24
#: What most ids need to be told apart; less of it is not worth an interval that the reasons repeat.
_COMFORTABLE_CASE = 48
#: Units and expressions are the user's words and may be of any length.
_WIDEST_CELL = 24
#: Below this share of its limit nobody asks how much exactly a case uses.
_HARDLY_USED = 0.001
_GAP = 2  # between the columns of tabulate's "simple" format
_PADDING = 2  # what tabulate adds to a title, though not to a cell

_LISTED_APART = (Verdict.MISSING, Verdict.NO_BASELINE)
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
    policy = Policy(strict=bool(run.settings.get("strict", False)))
    ordered = sorted(run.findings, key=lambda finding: _urgency(finding, policy))
    in_table = [finding for finding in ordered if finding.verdict is not Verdict.MISSING]
    blocks = [
        _wrapped(_header(run), width),
        _table(in_table, width, most, paint),
        _wrapped(_remainder(in_table[most:], policy), width),
        _wrapped(_reasons(ordered, most), width, indent="    "),
        _wrapped(_listed_apart(ordered), width, indent="    "),
        _wrapped(_warnings(ordered), width, indent="    "),
        _wrapped([f"note: {on_one_line(note)}" for note in run.notes], width, indent="    "),
        [paint(line, "31;1") for line in _wrapped(_failures(run), width, indent="    ")],
        [paint(line, _OUTCOME_COLOURS.get(run.outcome, "31;1")) for line in _wrapped([_counts(run)], width)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _urgency(finding: Finding, policy: Policy) -> tuple[bool, float]:
    """Order by: what fails first, then how close to the limit; what has no limit comes last."""
    tightest = finding.tightest
    return not policy.fails(finding.verdict), -tightest.closeness if tightest is not None else 1.0


def _header(run: Run) -> list[str]:
    machine, settings = run.machine, run.settings
    memory = format_value(machine.memory_bytes, BYTES)
    system = " ".join(part for part in (machine.os, machine.arch, machine.ci or "") if part)
    lines = [
        f"profile {run.profile}" + (f" ({run.profile_matched_by})" if run.profile_matched_by else ""),
        f"machine: {machine.cpu}, {machine.cores:g} of {machine.cores_total} cores, {memory}, {system}",
        f"python: {run.python.series} ({run.python.version})",
    ]
    if run.commit:
        changed = ", with uncommitted changes" if run.commit.get("dirty") else ""
        branch = f" ({run.commit['branch']})" if run.commit.get("branch") else ""
        lines.append(f"commit: {str(run.commit.get('id'))[:12]}{branch}{changed}")
    asked = [settings.get("against"), settings.get("baseline")]
    against = dict.fromkeys(finding.change.against for finding in run.findings if finding.change is not None)
    against = against or dict.fromkeys(str(base) for base in asked if base)
    if against:
        lines.append(f"compared with: {_some(list(against))}; + is worse")
    return [on_one_line(line) for line in lines]


def _table(findings: Sequence[Finding], width: int, most: int, paint: Callable[[str, str], str]) -> list[str]:
    shown = findings[:most]
    if not shown:
        return []
    columns = _filled_columns(shown)
    ids = _labels(shown)
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


def _labels(shown: Sequence[Finding]) -> list[str]:
    """Write the test of each case, and the metric only where it tells two rows apart."""
    rows = Counter(finding.case.test for finding in shown)
    return [on_one_line(finding.case.test if rows[finding.case.test] == 1 else finding.case.id) for finding in shown]


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


def _elsewhere(finding: Finding) -> Check | None:
    """Find the tightest check where it is about another number than the headline: an extra fact, a percentile."""
    check = finding.tightest
    if check is None or check.observed in (None, finding.measurement.value):
        return None
    return check


def _value(finding: Finding) -> str:
    """Write the number that the limit speaks of, which is the headline where there is none."""
    measured, check = finding.measurement, _elsewhere(finding)
    if check is not None and check.observed is not None:
        show_as = "%" if "%" in check.expression else measured.show_as if check.unit == measured.unit else ""
        return format_value(check.observed, check.unit, show_as=show_as)
    if measured.value is None:
        return "-"
    return format_value(measured.value, measured.unit, show_as=measured.show_as)


def _interval(finding: Finding) -> str:
    """Write the interval of the headline; of another number none is known."""
    measured = finding.measurement
    if measured.interval is None or _elsewhere(finding) is not None:
        return ""
    return interval_text(measured.interval, measured.unit, measured.show_as)


def _limit(finding: Finding) -> str:
    """Write the limit scaled like the value, or, where it speaks of another number, as the user wrote it."""
    check = finding.tightest
    if check is None:
        return ""
    if check.limit is None or check.operator is None or check.observed != finding.measurement.value:
        return check.expression
    limit = format_value(check.limit, check.unit, show_as=finding.measurement.show_as)
    return f"{check.operator.value} {limit}"


def _used(finding: Finding) -> str:
    check = finding.tightest
    if check is None or check.observed is None or check.limit is None:
        return ""
    if check.closeness == float("inf"):
        return "over"
    if 0 < check.closeness < _HARDLY_USED:
        return f"< {format_value(_HARDLY_USED, RATIO, show_as='%')}"
    return format_value(check.closeness, RATIO, show_as="%", digits=2)


def _change(finding: Finding) -> str:
    change = finding.change
    return "" if change is None else format_change(change.worsening)


_COLUMNS = (
    _Column("value", _value, "right"),
    _Column("95 % interval", _interval, "left", needs=_COMFORTABLE_CASE),
    _Column("limit", _limit, "left"),
    _Column("used", _used, "right", needs=_NARROWEST_CASE),
    _Column("change", _change, "right"),
)


def _remainder(left_out: Sequence[Finding], policy: Policy) -> list[str]:
    """Say how many cases are not in the table, and never call one of them well that is not."""
    if not left_out:
        return []
    within = sum(finding.verdict in (Verdict.PASS, Verdict.IMPROVED) for finding in left_out)
    failing = sum(policy.fails(finding.verdict) for finding in left_out)
    if within == len(left_out):
        return [f"… and {within:,} more within budget; all in the JSON report"]
    others = len(left_out) - within - failing
    parts = [
        f"{failing:,} failing" * bool(failing),
        f"{others:,} undecided" * bool(others),
        f"{within:,} within budget",
    ]
    return [f"… and {len(left_out):,} more ({', '.join(filter(None, parts))}); all in the JSON report"]


def _reasons(findings: Iterable[Finding], most: int) -> list[str]:
    """Explain what did not simply pass."""
    groups = _grouped(finding for finding in findings if finding.verdict not in (Verdict.PASS, *_LISTED_APART))
    lines = [line for group in groups[:most] for line in (_explained(group), *import_table(group[0]))]
    if len(groups) > most:
        lines.append(f"… and {len(groups) - most:,} more; all in the JSON report")
    return lines


def _grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Put together what is undecided for one reason, whatever the test it is said of; a failure stands alone."""
    groups: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in findings:
        path, bracket, parameters = finding.case.test.partition("[")
        name = path.rpartition("::")[2] + bracket + parameters
        alone = finding.verdict not in (Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE, *_LISTED_APART)
        gist = finding.case.id if alone else finding.reason.replace(name, "")
        groups.setdefault((finding.verdict, gist), []).append(finding)
    return list(groups.values())


def _explained(group: Sequence[Finding]) -> str:
    """Write the reason of *group*, with the verdict and the case in front unless it says them itself."""
    reason, verdict = on_one_line(group[0].reason), group[0].verdict.value
    said = verdict in reason or verdict.replace("-", " ") in reason
    return ("" if said else f"{verdict}: ") + _named(group, reason) + reason


def _named(group: Sequence[Finding], said: str) -> str:
    if len(group) > 1:
        return f"{on_one_line(group[0].case.id)} and {len(group) - 1:,} more: "
    return "" if group[0].case.test in said else f"{on_one_line(group[0].case.id)}: "


def _listed_apart(findings: Sequence[Finding]) -> list[str]:
    """List the cases that only one side of a comparison has; the reason tells a renamed one."""
    lines = []
    for title, verdict in (("missing", Verdict.MISSING), ("new", Verdict.NO_BASELINE)):
        found = [finding for finding in findings if finding.verdict is verdict]
        if found:
            lines.append(f"{title} ({len(found):,}): {_some([finding.case.id for finding in found])}")
        reasons = [on_one_line(group[0].reason) for group in _grouped(found)]
        lines.extend(f"  {reason}" for reason in reasons[:_MOST_LISTED])
        if len(reasons) > _MOST_LISTED:
            lines.append(f"  … and {len(reasons) - _MOST_LISTED:,} more; all in the JSON report")
    return lines


def _warnings(findings: Iterable[Finding]) -> list[str]:
    """Collect the warnings of all cases, each once."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        for warning in finding.warnings:
            groups.setdefault(on_one_line(warning), []).append(finding)
    lines = [f"warning: {_named(group, warning)}{warning}" for warning, group in groups.items()]
    more = len(lines) - _MOST_LISTED
    return lines if more <= 0 else [*lines[:_MOST_LISTED], f"… and {more:,} more warnings; all in the JSON report"]


def _failures(run: Run) -> list[str]:
    return [f"failed: {on_one_line(failure)}" for failure in run.failures]


def _counts(run: Run) -> str:
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in run.counts.items())
    found = f"{run.measured:,} measured: {counts}" if counts else "nothing was measured"
    return f"verdict: {run.outcome.value} ({found})"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(on_one_line(name) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown


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
