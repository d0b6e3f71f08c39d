"""Whether several limits can hold together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_perfgate import units
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Limit, Operator

#: Statistics of which one can never be above another, as percentiles.
_RANKS = {"min": 0.0, "median": 50.0, "max": 100.0}


def agreeing(written: Iterable[tuple[Limit, str]]) -> tuple[Limit, ...]:
    """Collect limits that are all meant at once.

    Args:
        written: Limits, each with the text to quote it by.

    Returns:
        The limits in order, those written twice once.

    Raises:
        BudgetSyntaxError: One thing is limited twice, or no value can satisfy two of them.
    """
    kept: dict[str, tuple[Limit, str]] = {}
    for limit, text in written:
        earlier = kept.setdefault(limit.key, (limit, text))
        if _meaning(earlier[0]) != _meaning(limit):
            raise BudgetSyntaxError(f'"{earlier[1]}" and "{text}" limit the same thing with different values; keep one')
    _refuse_contradictions(list(kept.values()))
    return tuple(limit for limit, _ in kept.values())


def _meaning(limit: Limit) -> tuple[Operator, float]:
    return limit.operator, limit.value


def _refuse_contradictions(written: Sequence[tuple[Limit, str]]) -> None:
    uppers = [pair for pair in written if pair[0].operator.is_upper]
    lowers = [pair for pair in written if not pair[0].operator.is_upper]
    for upper, upper_text in uppers:
        for lower, lower_text in lowers:
            if _contradict(upper, lower):
                raise BudgetSyntaxError(f'"{upper_text}" contradicts "{lower_text}": nothing satisfies both')


def _contradict(upper: Limit, lower: Limit) -> bool:
    if upper.metric != lower.metric or _dimension(upper) != _dimension(lower):
        return False
    if not _never_above(lower, upper):
        return False
    exclusive = upper.operator is Operator.LT or lower.operator is Operator.GT
    return lower.value > upper.value or (exclusive and lower.value == upper.value)


def _dimension(limit: Limit) -> str:
    return units.COUNT if limit.unit == units.RATIO and limit.metric is not None else limit.unit


def _never_above(small: Limit, large: Limit) -> bool:
    """Tell whether the statistic of *small* can never exceed that of *large* on the same values."""
    if (small.statistic, small.percentile) == (large.statistic, large.percentile):
        return True
    low, high = _rank(small), _rank(large)
    if low is not None and high is not None:
        return low <= high
    between = {"mean", "value"}
    return (low == _RANKS["min"] and large.statistic in between) or (
        high == _RANKS["max"] and small.statistic in between
    )


def _rank(limit: Limit) -> float | None:
    """Place a statistic among the percentiles; None for one that has no fixed place."""
    if limit.statistic == "p":
        return limit.percentile
    if limit.statistic == "value" and limit.unit == units.SECONDS:
        return _RANKS["median"]  # the headline of everything that is timed here
    return _RANKS.get(limit.statistic)
