"""How work scales with its workers: bars for people, out of the curve that a measurement holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from pytest_perfgate.model import Finding
from pytest_perfgate.units import RATIO, format_value

#: With the number of workers before it and the speedup after it, within 60 columns.
_WIDEST_BAR = 40
_REACHED, _LEFT = "█", "░"
#: Curves beyond a handful are looked at in the JSON report.
MOST_PLOTS = 5


def plotted(findings: Iterable[Finding]) -> list[tuple[Finding, list[str]]]:
    """Pick the findings that have something to show, with the lines that show it."""
    shown = ((finding, scaling_plot(finding)) for finding in findings)
    return [(finding, lines) for finding, lines in shown if lines]


def scaling_plot(finding: Finding) -> list[str]:
    """Draw a bar for each number of workers, and say what is fitted to them.

    Args:
        finding: Any; only a speedup with several numbers of workers, or with more workers than cores, has anything.

    Returns:
        Lines of our own words and numbers only, 80 columns at most; none where there is nothing to show.
    """
    return [*_bars(finding), *_laws(finding), *_estimate(finding)]


def _bars(finding: Finding) -> list[str]:
    points, most = _points(finding.measurement.extra.get("curve")), finding.measurement.ceiling
    if not points:
        return []
    able = {workers: workers if most is None else min(workers, most) for workers, _ in points}
    scale = _WIDEST_BAR / max(1.0, *able.values(), *(speedup for _, speedup in points))
    lines = [f"  workers  speedup ({_LEFT} to what was possible)"]
    for workers, speedup in points:
        reached = round(speedup * scale)
        bar = _REACHED * reached + _LEFT * (round(able[workers] * scale) - reached)
        lines.append(f"  {workers:>7g}  {bar} {_times(speedup)}")
    return lines


def _laws(finding: Finding) -> list[str]:
    extra = finding.measurement.extra
    lines = []
    if _is_number(extra.get("amdahl_fraction")):
        lines.append(f"  Amdahl's law: {_share(extra['amdahl_fraction'])} of the work is as if it were serial")
    contention, coherency = extra.get("usl_contention"), extra.get("usl_coherency")
    if _is_number(contention) and _is_number(coherency):
        peak = ""
        if coherency > 0 and contention < 1:
            peak = f", most at {math.sqrt((1 - contention) / coherency):.0f} workers"
        lines.append(f"  universal scalability: contention {_share(contention)}, coherency {_share(coherency)}{peak}")
    return lines


def _estimate(finding: Finding) -> list[str]:
    extra = finding.measurement.extra
    estimate, workers, cores = (extra.get(key) for key in ("speedup_if_cores", "workers", "capacity"))
    if not (_is_number(estimate) and _is_number(workers) and _is_number(cores)):
        return []
    return [f"  about {_times(estimate)} if each of {workers:g} workers had a core: an estimate, there are {cores:g}"]


def _points(curve: object) -> list[tuple[float, float]]:
    """Take the points of a curve; a stored run may hold anything."""
    if not isinstance(curve, Sequence) or isinstance(curve, str):
        return []
    pairs = [point for point in curve if isinstance(point, Sequence) and len(point) == 2]  # noqa: PLR2004  # a pair
    numbers = [(one, other) for one, other in pairs if _is_number(one) and _is_number(other)]
    return [(workers, speedup) for workers, speedup in numbers if workers >= 1]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _times(speedup: float) -> str:
    return format_value(speedup, RATIO, show_as="×")


def _share(fraction: float) -> str:
    return format_value(fraction, RATIO, show_as="%", digits=2)
