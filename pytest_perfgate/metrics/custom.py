"""Metrics of the user's own: one number, or several, with a unit and a direction."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.model import Better, Case, Measurement
from pytest_perfgate.stats import mean, median, median_interval
from pytest_perfgate.units import COUNT, RATIO, base_unit, format_value
from pytest_perfgate.words import did_you_mean

_NAME = re.compile(r"[A-Za-z_][\w.-]*")
#: Beyond this a ratio shown in percent is more likely a percentage that was meant to be a ratio.
_MOST_LIKELY_RATIO = 1.5
_LONGEST_UNIT = 40
#: How one number is taken from several.
_STATISTICS: dict[str, Callable[[tuple[float, ...]], float]] = {"median": median, "mean": mean, "min": min, "max": max}


def validate_name(name: object, taken: Iterable[str] = ()) -> None:
    """Refuse a name that budgets and reports could not carry.

    Args:
        name: Of the metric.
        taken: Names that mean something else.

    Raises:
        UsageError: With the remedy.
    """
    if not isinstance(name, str):
        raise UsageError(f'metric() takes a name first, metric("queries", 12), not {type(name).__name__}')
    if not _NAME.fullmatch(name):
        raise UsageError(f"metric name {name!r}: use letters, digits, _ - and ., beginning with a letter")
    if name in taken:
        raise UsageError(f"metric name {name!r} is taken by a metric of perfgate; choose another")


def custom_measurement(
    case: Case, value: Any, *, unit: str = "", better: str | Better = "lower", statistic: str | None = None
) -> Measurement:
    """Make a measurement of a number of the user's own.

    Args:
        case: What the measurement is of.
        value: A finite number, or a sequence of them.
        unit: ``ms``, ``MB`` and the like are converted to base units; ``%`` says that a ratio is shown in percent
            (0.93 is 93 %); any other word stays as it is.
        better: ``lower`` or ``higher``.
        statistic: ``median`` (the default), ``mean``, ``min`` or ``max`` of several numbers; not for one.

    Returns:
        The measurement; only a median has an interval.

    Raises:
        CannotMeasureError: Not numbers, or not finite.
        UsageError: An unknown direction, statistic or unit.
    """
    direction = _direction(better)
    base, factor, show_as = _unit(unit)
    several = _is_several(value, case.metric)
    values = tuple(_number(one, factor, case.metric) for one in (value if several else [value]))
    if not values:
        raise CannotMeasureError(f"metric {case.metric!r} was given no values; give at least one number")
    chosen = _statistic(statistic, several=several)
    middle = _STATISTICS[chosen](values) if several else values[0]
    if show_as == "%" and middle > _MOST_LIKELY_RATIO:
        shown = format_value(middle, base, show_as="%")
        raise CannotMeasureError(
            f'metric {case.metric!r} was given {middle:g} with unit="%", which is {shown}: give a ratio, 0.93 for '
            f'93 %; ratios beyond 150 % are given with unit="x"'
        )
    return Measurement(
        case=case,
        unit=base,
        better=direction,
        statistic=chosen,
        value=middle,
        interval=median_interval(values) if chosen == "median" else None,
        samples=values,
        processes=(middle,),
        show_as=show_as,
    )


def _direction(better: object) -> Better:
    try:
        return Better(better)
    except ValueError:
        hint = did_you_mean(str(better), [one.value for one in Better])
        raise UsageError(f"better={better!r}: it is 'lower' or 'higher'{hint}") from None


def _statistic(statistic: object, *, several: bool) -> str:
    if not several:
        if statistic in (None, "value"):
            return "value"
        raise UsageError(f"statistic={statistic!r} is for several numbers, and one was given")
    if statistic is None:
        return "median"
    if not isinstance(statistic, str) or statistic not in _STATISTICS:
        hint = did_you_mean(str(statistic), _STATISTICS)
        raise UsageError(f"statistic={statistic!r}: of several numbers it is one of {', '.join(_STATISTICS)}{hint}")
    return statistic


def _unit(unit: object) -> tuple[str, float, str]:
    """Return base unit, factor and how it is shown."""
    if not isinstance(unit, str):
        raise UsageError(f"unit={unit!r}: give a word such as 'ms', 'MB', '%' or 'queries'")
    if not unit.isprintable() or len(unit) > _LONGEST_UNIT:
        raise UsageError(f"unit={unit!r}: give one short printable word")
    if unit == "%":
        return RATIO, 1.0, "%"
    if not unit:
        return COUNT, 1.0, ""
    base, factor = base_unit(unit)
    return base, factor, "×" if unit in ("x", "×") else ""


def _is_several(value: object, metric: str) -> bool:
    if isinstance(value, Mapping | AbstractSet):
        raise CannotMeasureError(
            f"metric {metric!r} was given a {type(value).__name__}, which is no sequence of values; give a list"
        )
    if isinstance(value, str | bytes) or getattr(value, "ndim", None) == 0:  # a NumPy scalar has __iter__ as well
        return False
    return isinstance(value, Iterable)


def _number(value: Any, factor: float, metric: str) -> float:
    """Return *value* in the base unit."""
    is_truth = isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # NumPy's is no subclass
    if is_truth or isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise CannotMeasureError(f"metric {metric!r} was given {_short(value)}, which is not a number")
    try:
        number = float(value) * factor
    except (TypeError, ValueError, OverflowError) as problem:
        raise CannotMeasureError(
            f"metric {metric!r} was given {_short(value)}, which is not a number to measure with: {problem}"
        ) from None
    if not math.isfinite(number):
        raise CannotMeasureError(f"metric {metric!r} was given {number}, which is not a finite number")
    return number


def _short(value: object) -> str:
    return reprlib.repr(value)
