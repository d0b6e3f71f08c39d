"""What a table says of one case: its value, its limit, its change; how a table is laid out is the formats' affair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_perfgate.model import Check, Finding, Policy, Run, Verdict
from pytest_perfgate.reports._format import interval_text, on_one_line
from pytest_perfgate.units import RATIO, format_change, format_value

#: What a screen or two hold; the JSON report has the rest.
DEFAULT_LIMIT = 50
#: Below this share of its limit nobody asks how much exactly a case uses.
_HARDLY_USED = 0.001


def policy_of(run: Run) -> Policy:
    """Take the policy under which *run* was judged out of its settings."""
    return Policy(strict=bool(run.settings.get("strict", False)))


def worst_first(run: Run) -> list[Finding]:
    """Order by: what fails first, then how close to the limit or how far beyond it; what has no limit comes last.

    What regressed has left its tolerance behind: it comes after broken limits and before limits that hold, and of
    regressions the largest first.
    """
    policy = policy_of(run)
    return sorted(run.findings, key=lambda finding: (not policy.fails(finding.verdict), *_distance(finding)))


def _distance(finding: Finding) -> tuple[float, float]:
    """Return how much room a case has left, in shares of its limit, and of its tolerance once that is broken."""
    if finding.verdict is Verdict.REGRESSED:
        return -1.0, -finding.change.worsening if finding.change is not None else 0.0
    return (-finding.tightest.closeness if finding.tightest is not None else 1.0), 0.0


def in_table(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what a list beside the table names: there is nothing to say of it but that it is missing."""
    return [finding for finding in findings if finding.verdict is not Verdict.MISSING]


def labels(shown: Sequence[Finding]) -> list[str]:
    """Write the test of each case, and the metric only where it tells two rows apart."""
    rows = Counter(finding.case.test for finding in shown)
    return [on_one_line(finding.case.test if rows[finding.case.test] == 1 else finding.case.id) for finding in shown]


def value(finding: Finding) -> str:
    """Write the number that the limit speaks of, which is the headline where there is none."""
    measured, check = finding.measurement, _elsewhere(finding)
    if check is not None and check.observed is not None:
        show_as = "%" if "%" in check.expression else measured.show_as if check.unit == measured.unit else ""
        return format_value(check.observed, check.unit, show_as=show_as)
    if measured.value is None:
        return "-"
    return format_value(measured.value, measured.unit, show_as=measured.show_as)


def interval(finding: Finding) -> str:
    """Write the interval of the headline; of another number none is known."""
    measured = finding.measurement
    if measured.interval is None or _elsewhere(finding) is not None:
        return ""
    return interval_text(measured.interval, measured.unit, measured.show_as)


def limit(finding: Finding) -> str:
    """Write the limit scaled like the value, or, where it speaks of another number, as the user wrote it."""
    check = finding.tightest
    if check is None:
        return ""
    if check.limit is None or check.operator is None or check.observed != finding.measurement.value:
        return check.expression
    written = format_value(check.limit, check.unit, show_as=finding.measurement.show_as)
    return f"{check.operator.value} {written}"


def used(finding: Finding) -> str:
    """Write which share of its limit a case uses."""
    check = finding.tightest
    if check is None or check.observed is None or check.limit is None:
        return ""
    if check.closeness == float("inf"):
        return "over"
    if 0 < check.closeness < _HARDLY_USED:
        return f"< {format_value(_HARDLY_USED, RATIO, show_as='%')}"
    return format_value(check.closeness, RATIO, show_as="%", digits=2)


def change(finding: Finding) -> str:
    """Write the change, as the reason of the finding does: + is more, whichever is better."""
    return "" if finding.change is None else format_change(finding.change.ratio - 1)


def change_with_interval(finding: Finding) -> str:
    """Write the change with its interval: ``+8.3 % (+6.1 to +10.5 %)``."""
    moved = finding.change
    if moved is None or moved.interval[0] == moved.interval[1]:
        return change(finding)
    low, high = (format_change(end - 1) for end in moved.interval)
    return f"{change(finding)} ({low.removesuffix(' %')} to {high})"


def _elsewhere(finding: Finding) -> Check | None:
    """Find the tightest check where it is about another number than the headline: an extra fact, a percentile."""
    check = finding.tightest
    if check is None or check.observed in (None, finding.measurement.value):
        return None
    return check
