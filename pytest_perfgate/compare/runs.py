"""A whole stored run against another: every case of this one, and those that only the stored one has."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pytest_perfgate import units
from pytest_perfgate.compare.calibrated import advice
from pytest_perfgate.compare.change import compare_measurements
from pytest_perfgate.compare.comparable import incomparable_reason
from pytest_perfgate.compare.renames import find_renames
from pytest_perfgate.model import Case, Comparison, Measurement, Run, Verdict


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The cases that only one of two runs has."""

    missing: tuple[Measurement, ...]
    """Of the stored run, with a value, and expected of this one."""
    new: tuple[Measurement, ...]
    """Of this run, with a value."""
    renames: Mapping[str, str]
    """Old case id -> new case id, where one looks renamed to the other."""

    def comparisons(self, against: str) -> dict[str, Comparison]:
        """Say of each case that it is missing or new, and what it looks renamed to or from; by case id.

        Args:
            against: What to call the stored run.
        """
        origins = {new: old for old, new in self.renames.items()}
        said = {one.case.id: new_comparison(against, origins.get(one.case.id)) for one in self.new}
        return said | {old.case.id: _missing(old, against, self.renames.get(old.case.id)) for old in self.missing}


def compare(  # two runs and how to hold them against each other
    base: Run,
    head: Run,
    *,
    against: str,
    tolerance: float,
    tolerances: Mapping[str, float] | None = None,
    expected: Callable[[Case], bool] = lambda _: True,
) -> dict[str, Comparison]:
    """Compare a run with a stored one, case by case.

    Args:
        base: The stored run.
        head: The run that is judged.
        against: What to call the stored run in messages: its file or commit.
        tolerance: Relative, 0.05 for 5 %.
        tolerances: Case id -> tolerance of its own; stronger than the ``max_regression`` that a test set itself,
            which is stronger than *tolerance*.
        expected: Whether *head* was meant to measure a case of *base*; cases of a part that was not run are not
            missing.

    Returns:
        Case id -> what *base* says about it, for every case of *head* and those of *base* that are missing in it.
    """
    measured = measurements_of(head)
    reason = incomparable_reason(base, head.machine, head.python, head.profile)
    stored = measurements_of(base)
    if reason:
        return {
            case_id: Comparison(
                verdict=Verdict.INCOMPARABLE,
                reason=reason + advice(base, head.machine, head.python, stored.get(case_id), measurement),
            )
            for case_id, measurement in measured.items()
        }
    own = tolerances or {}
    compared = {
        case_id: compare_measurements(
            stored[case_id],
            measurement,
            tolerance=own.get(case_id, own_tolerance(measurement, tolerance)),
            against=against,
        )
        for case_id, measurement in measured.items()
        if case_id in stored
    }
    alone = unmatched(base, measured.values(), expected=expected)
    failed = {
        case_id: new_comparison(against)
        for case_id, measurement in measured.items()
        if case_id not in stored and measurement.value is None
    }
    return compared | failed | alone.comparisons(against)


def unmatched(
    base: Run, measured: Collection[Measurement], *, expected: Callable[[Case], bool] = lambda _: True
) -> Unmatched:
    """Find the cases that only one of two comparable runs has.

    Args:
        base: The stored run.
        measured: What this run measured, or failed to.
        expected: Whether this run was meant to measure a case of *base*.

    Returns:
        Missing and new cases, and which of them look renamed.
    """
    stored = measurements_of(base)
    here = {measurement.case.id for measurement in measured}
    missing = tuple(
        old for case_id, old in stored.items() if case_id not in here and old.value is not None and expected(old.case)
    )
    new = tuple(one for one in measured if one.value is not None and one.case.id not in stored)
    return Unmatched(missing, new, find_renames(missing, new))


def measurements_of(run: Run) -> dict[str, Measurement]:
    """Index a run's measurements by case id; a case that an earlier gate found missing was not measured by it."""
    return {finding.case.id: finding.measurement for finding in run.findings if finding.verdict is not Verdict.MISSING}


def own_tolerance(measurement: Measurement, default: float) -> float:
    """Return the tolerance that a test set for itself with ``max_regression``, or *default*."""
    own = measurement.extra.get("max_regression")
    if isinstance(own, bool) or not isinstance(own, int | float) or not math.isfinite(own) or own < 0:
        return default
    return float(own)


def new_comparison(against: str, renamed_from: str | None = None) -> Comparison:
    """Say of a case that the stored run does not have it."""
    if renamed_from:
        reason = f"{against} does not have it; it looks renamed from {renamed_from}: record a new baseline"
    else:
        reason = f"{against} does not have it: nothing to compare with yet"
    return Comparison(verdict=Verdict.NO_BASELINE, reason=reason)


def _missing(old: Measurement, against: str, renamed_to: str | None) -> Comparison:
    value = units.format_value(old.value or 0.0, old.unit, show_as=old.show_as)
    reason = f"{against} has it ({value}), this run did not measure it"
    if renamed_to:
        reason += f"; it looks renamed to {renamed_to}: record a new baseline"
    else:
        reason += "; if it was removed on purpose, record a new baseline"
    return Comparison(verdict=Verdict.MISSING, reason=reason)
