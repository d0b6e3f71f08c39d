"""Checking what is given to a statistic, and the middle of what is in order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pytest_perfgate.errors import TooFewValuesError


def finite(values: Iterable[float], purpose: str, *, least: int = 1) -> list[float]:
    """Copy *values* to a list, refusing too few of them and anything not a finite number."""
    numbers = [float(x) for x in values]
    if len(numbers) < least:
        raise TooFewValuesError(f"{purpose} needs at least {least} value(s), there are {len(numbers)}")
    if not all(map(math.isfinite, numbers)):
        odd = next(number for number in numbers if not math.isfinite(number))
        raise ValueError(f"{purpose} needs finite values, one is {odd}")
    return numbers


def middle(ordered: Sequence[float]) -> float:
    """Take the median of values in ascending order."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def check_probability(number: float, what: str) -> None:
    """Refuse anything outside the open interval (0, 1)."""
    if not 0 < number < 1:
        raise ValueError(f"{what} lies between 0 and 1, not {number!r}")
