"""Whether a speedup can come from sharing out the work at all; how it was timed and disturbed is told before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.model import Measurement

#: More than the workers by this factor is neither scatter nor what the caches of several cores hold together.
_BEYOND = 1.15


def refuse_incredible(measured: Measurement, *, check: bool) -> Measurement:
    """Refuse a speedup that is clearly larger than the workers: where they share out the work, there is none.

    Args:
        measured: A speedup.
        check: Whether the outcomes have to be the same; where they need not, the user has vouched for them.

    Returns:
        The measurement, with a warning where the user has vouched.

    Raises:
        CannotMeasureError: Nobody has, and it is.
    """
    workers, value = measured.extra["workers"], measured.value or 0.0
    least = min(measured.extra.get("speedup_at_least", value), (measured.interval or (min(measured.samples), 0))[0])
    if least <= workers * _BEYOND:
        return measured
    said = (
        f"{value:.3g}× with {workers} workers is more than sharing out the same work can give: the parallel pass does "
        f"less, or does it in another way"
    )
    if check:
        raise CannotMeasureError(
            f"{said}; return what was done, so that the results are compared, or give the right workers=; if it is "
            f"meant, pass check=False"
        )
    return replace(measured, warnings=(*measured.warnings, said))


def warn_of_nothing_compared(measured: Measurement, outcome: object) -> Measurement:
    """Warn where two functions returned nothing but None, which tells nothing of what they did."""
    outcomes: Sequence[object] = outcome if isinstance(outcome, (list, tuple)) and outcome else [outcome]
    if any(one is not None for one in outcomes):
        return measured
    said = "both functions return only None, so nothing shows that they do the same work; return what was done"
    return replace(measured, warnings=(*measured.warnings, said))
