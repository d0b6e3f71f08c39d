"""Ratios to the calibration workload, where measurements carry them: read, merged, and given as advice; no verdicts.

They stand in ``extra``: ``calibration`` (number of the workload), ``calibrated`` (the ratio), ``calibrated_processes``
(one ratio for each fresh process), ``calibrated_samples`` (one for each round).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_perfgate.model import Machine, Measurement, Python, Run
from pytest_perfgate.stats import median
from pytest_perfgate.units import format_change

_NUMBER, _RATIO, _PROCESSES, _SAMPLES = "calibration", "calibrated", "calibrated_processes", "calibrated_samples"
_FACTS = (_NUMBER, _RATIO, _PROCESSES, _SAMPLES, "calibration_s", "calibration_pinned", "uncalibrated")


def calibrated_sides(base: Measurement, head: Measurement) -> tuple[Measurement, Measurement] | None:
    """Put ratios to the calibration in the place of the values.

    Args:
        base: From the stored run.
        head: Of the same case.

    Returns:
        Both with ratios for values, processes and samples; None unless both carry ratios to the same workload.
    """
    if base.extra.get(_NUMBER) != head.extra.get(_NUMBER):
        return None
    then, now = _as_ratios(base), _as_ratios(head)
    return None if then is None or now is None else (then, now)


def has_calibrated(run: Run) -> bool:
    """Tell whether any case of *run* carries a ratio."""
    return any(_NUMBER in finding.measurement.extra for finding in run.findings)


def merged_calibration(measured: Sequence[Measurement], merged: Mapping[str, Any]) -> dict[str, Any]:
    """Correct merged facts: one ratio for each process, or none at all when one run has none.

    Args:
        measured: What was merged.
        merged: Their facts, merged one by one.

    Returns:
        The facts to keep.
    """
    if not any(_NUMBER in one.extra for one in measured):
        return dict(merged)
    sides = [_as_ratios(one) for one in measured]
    ratios = [side for side in sides if side is not None]
    if len(ratios) < len(sides) or len({one.extra[_NUMBER] for one in measured}) > 1:
        kept = {key: fact for key, fact in merged.items() if key not in _FACTS}
        return {**kept, "uncalibrated": "not all of the merged runs are"}
    processes = [ratio for one in ratios for ratio in one.processes]
    samples = [ratio for one in ratios for ratio in one.samples]
    return {**merged, _RATIO: median(processes), _PROCESSES: processes, _SAMPLES: samples}


def advice(base: Run, machine: Machine, python: Python, then: Measurement | None, now: Measurement) -> str:
    """Say how a case moved in terms of the calibration, for runs that nothing may be concluded from.

    Args:
        base: The stored run.
        machine: Where this run was measured.
        python: What it was measured with; another series moves the calibration as much as the case.
        then: The case in *base*, if it has it.
        now: The case in this run.

    Returns:
        Words to put after the reason why the runs are incomparable; empty where there is nothing to say.
    """
    sides = calibrated_sides(then, now) if then is not None else None
    if sides is None or base.python.series != python.series:
        return ""
    old, new = (side.value or 0.0 for side in sides)
    return f"; {_where(base.machine, machine)}: calibrated {format_change(new / old - 1, digits=0)} (advice only)"


def _where(then: Machine, now: Machine) -> str:
    if then.cpu != now.cpu:
        return "on another CPU model"
    if then.cores != now.cores:
        return "on another number of cores"
    if (then.os, then.arch) != (now.os, now.arch):
        return "on another system"
    return "under another profile"


def _as_ratios(measurement: Measurement) -> Measurement | None:
    """Put the ratios in the place of the values; None where there are none, or something that cannot be ratios."""
    if type(measurement.extra.get(_NUMBER)) is not int or measurement.value is None:
        return None
    ratios, rounds = (_ratios(measurement.extra.get(key)) for key in (_PROCESSES, _SAMPLES))
    if not ratios or not rounds:
        return None
    return replace(measurement, value=median(ratios), interval=None, processes=ratios, samples=rounds)


def _ratios(values: object) -> tuple[float, ...]:
    """Return *values* if they are all positive numbers, else none."""
    if not isinstance(values, list | tuple):
        return ()
    good = all(type(value) in (int, float) and 0 < value < math.inf for value in values)
    return tuple(values) if good else ()
