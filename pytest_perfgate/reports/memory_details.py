"""Where memory that stays behind comes from, and how it grew: lines for people, out of what the measurement knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_perfgate.model import Finding, Verdict
from pytest_perfgate.reports._format import on_one_line
from pytest_perfgate.reports._plot import Point, plot
from pytest_perfgate.units import BYTES, SECONDS, format_value

#: Curves of cases beyond a handful are looked at in the JSON report.
MOST_CURVES = 5
#: Places and types beyond these few are in the JSON report.
_MOST_NAMED = 3
_LONGEST_LINE = 200
_WIDEST, _HEIGHT = 72, 7
#: A terminal so narrow shows no plot.
_NARROWEST = 44
#: Less than this share of what is held looks like a mountain on an axis of its own.
_LEAST_SPAN = 0.05
#: Nothing that a process can hold; a file made by hand may say anything.
_MOST_BYTES = 2.0**64
#: What is kept by native code has no place, and a sentence says so instead.
_PLACE = re.compile(r".+:\d+: ")
_KINDS = ("unique set", "resident set")
_TOLD = frozenset({Verdict.OVER_BUDGET, Verdict.REGRESSED, Verdict.INCONCLUSIVE})


def memory_lines(finding: Finding, *, width: int = 80, unicode: bool = True) -> list[str]:
    """Write which lines allocate what stays behind, of which types it is, and memory over time as a plot.

    Args:
        finding: Any; only one that did not pass and has measured growth has something to show.
        width: Columns there are.
        unicode: Whether signs outside ASCII may be used.

    Returns:
        Lines; none where there is nothing to show.
    """
    if finding.verdict not in _TOLD:
        return []
    places = [f"  {line}" for line in memory_places(finding)]
    return [*places, *memory_curve(finding, width=width, unicode=unicode)]


def memory_places(finding: Finding) -> list[str]:
    """Say which lines allocate what stays behind, and of which types it is; nothing of what passes."""
    return list(_places(finding.measurement.extra)) if finding.verdict in _TOLD else []


def memory_curve(finding: Finding, *, width: int = 80, unicode: bool = True) -> list[str]:
    """Plot memory over time.

    Args:
        finding: Any; only growth over a stated number of calls, or time, has a curve.
        width: Columns there are.
        unicode: Whether signs outside ASCII may be used.

    Returns:
        Lines of our own words and numbers only; none where there is nothing to show.
    """
    course = finding.measurement.extra.get("memory_over_time")
    return [f"  {line}" for line in _curve(course, width - 2, unicode)]


def curves_apart(findings: Iterable[Finding]) -> list[Finding]:
    """Pick those with a curve that no reason is followed by, because they pass."""
    return [finding for finding in findings if finding.verdict not in _TOLD and memory_curve(finding)]


def _places(extra: Mapping[str, Any]) -> Iterator[str]:
    for title, key in (("kept at", "where"), ("kept are", "types")):
        named = extra.get(key)
        if not isinstance(named, list | tuple) or not named:
            continue
        shown = [on_one_line(str(one))[:_LONGEST_LINE] for one in named[:_MOST_NAMED]]
        if key == "types":
            yield f"{title} {', '.join(shown)}"
        else:
            yield from (f"{title} {one}" if _PLACE.match(one) else one for one in shown)


def _curve(course: object, width: int, unicode: bool) -> list[str]:  # noqa: FBT001  # private
    """Plot the memory at every look, if that is what *course* holds."""
    if not isinstance(course, Mapping) or width < _NARROWEST:
        return []
    calls, seconds, held = (_numbers(course.get(key)) for key in ("calls", "seconds", "bytes"))
    if len(held) < 2 or not len(held) == len(calls) == len(seconds):  # noqa: PLR2004  # one point is no curve
        return []
    points: list[Point] = [(float(look), level) for look, level in enumerate(held)]
    low, high = _range(held)
    drawn = plot(
        points,
        min(width, _WIDEST),
        _HEIGHT,
        unicode,
        y_range=(low, high),
        x_labels=("0", f"{calls[-1]:,.0f} calls, {format_value(seconds[-1], SECONDS)}"),
        y_labels=(format_value(low, BYTES), format_value(high, BYTES)),
    )
    kind = course.get("kind")
    return [f"memory over time ({kind}):" if kind in _KINDS else "memory over time:", *drawn]


def _numbers(values: object) -> list[float]:
    """Take a list of numbers for one; anything else, as a file of other origin may hold, for nothing."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return []
    if not all(isinstance(value, int | float) and abs(value) < _MOST_BYTES for value in values):
        return []
    return [float(value) for value in values]


def _range(held: Sequence[float]) -> tuple[float, float]:
    low, high = min(held), max(held)
    missing = max(0.0, _LEAST_SPAN * high - (high - low)) / 2
    return low - missing, high + missing
