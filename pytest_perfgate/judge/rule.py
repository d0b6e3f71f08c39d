"""Which verdict follows from a measurement, its limits and its comparison with a stored run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_perfgate.judge import sentences
from pytest_perfgate.model import Change, Check, Comparison, Finding, Measurement, Verdict

#: A change of exactly the tolerance is within it: 105 / 100 - 1 is 0.050000000000000044.
_ROUNDING = 1e-9


def judge(measurement: Measurement, checks: Sequence[Check] = (), comparison: Comparison | None = None) -> Finding:
    """Give the verdict on one case.

    The first of these that applies: it is missing; it could not be measured; a limit is broken; a limit speaks of
    something that was not measured; its number is in doubt; it regressed; this machine cannot tell; the stored run
    cannot; it improved; it passes.  A number in doubt breaks no limit.

    Args:
        measurement: What was measured, or why nothing was.
        checks: Limits held against it.
        comparison: What a stored run says about it; None without one.

    Returns:
        Verdict and reason, with the numbers they rest on.
    """
    against = comparison or Comparison()
    verdict, reason = next(_applicable(measurement, checks, against))
    remarks = tuple(check.reason for check in checks if check.holds and check.reason)
    return Finding(
        measurement=measurement,
        verdict=verdict,
        reason=reason,
        checks=tuple(checks),
        change=against.change,
        warnings=tuple(dict.fromkeys((*measurement.warnings, *remarks))),
    )


def judge_change(change: Change) -> Verdict:
    """Judge a change alone.

    It regressed when its whole interval is worse than the tolerance, improved when its whole interval is better by
    as much (so that swapping base and head swaps the two), passes when nothing in its interval is worse than the
    tolerance, and is inconclusive otherwise.  Where a sequential test has settled it (:mod:`.sequential`), that counts.

    Returns:
        ``REGRESSED``, ``IMPROVED``, ``PASS`` or ``INCONCLUSIVE``.
    """
    if change.settled is not None:
        return change.settled
    low, high = change.worsening_interval
    if low > change.tolerance + _ROUNDING:
        return Verdict.REGRESSED
    if high < 1 / (1 + change.tolerance) - 1 - _ROUNDING:
        return Verdict.IMPROVED
    return Verdict.PASS if high <= change.tolerance + _ROUNDING else Verdict.INCONCLUSIVE


def _applicable(
    measurement: Measurement, checks: Sequence[Check], comparison: Comparison
) -> Iterator[tuple[Verdict, str]]:
    """Yield every verdict that applies with its reason, the decisive one first; there is always one."""
    if comparison.verdict is Verdict.MISSING:
        yield Verdict.MISSING, sentences.missing(measurement, comparison)
    if measurement.error is not None or measurement.value is None:
        yield Verdict.FAILED_TO_MEASURE, sentences.failed(measurement)
        return
    relative = comparison.verdict if comparison.change is None else judge_change(comparison.change)
    unmeasured = [check for check in checks if _is_unmeasured(check)]
    broken = [check for check in checks if not (check.holds or check.undecidable or _is_unmeasured(check))]
    if broken and not measurement.doubt:
        reason = sentences.over_budget(measurement, broken)
        if relative is Verdict.REGRESSED:
            reason += "; " + sentences.compared(measurement, comparison, relative)
        yield Verdict.OVER_BUDGET, reason
    if unmeasured:
        yield Verdict.FAILED_TO_MEASURE, sentences.unmeasured(measurement, unmeasured)
    if measurement.doubt:
        yield Verdict.INCONCLUSIVE, sentences.doubted(measurement)
    if relative is Verdict.REGRESSED:
        yield relative, sentences.compared(measurement, comparison, relative)
    undecidable = [check for check in checks if check.undecidable and not check.holds]
    if undecidable:
        yield Verdict.INCONCLUSIVE, _undecided(measurement, undecidable, comparison, relative)
    if relative is not None and relative is not Verdict.PASS:
        yield relative, sentences.compared(measurement, comparison, relative, checks)
    yield Verdict.PASS, sentences.passed(measurement, checks, comparison.change)


def _undecided(
    measurement: Measurement, checks: Sequence[Check], comparison: Comparison, relative: Verdict | None
) -> str:
    """Say which limits cannot be told about; their doubt does not silence the comparison."""
    reason = sentences.undecided(measurement, checks)
    if relative is None or relative is Verdict.PASS:
        return reason
    return f"{reason}; {sentences.compared(measurement, comparison, relative)}"


def _is_unmeasured(check: Check) -> bool:
    """Tell whether a limit speaks of something without a number; ``forbid`` needs none."""
    return not check.holds and check.observed is None and check.operator is not None
