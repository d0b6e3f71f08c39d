"""One limit: how it is written, which limits it overrides, and whether anything can meet it."""

from __future__ import annotations

import re

from pytest_perfgate import units
from pytest_perfgate.model import Limit, Operator
from pytest_perfgate.words import closest

#: Statistics that are a word; ``p(x)`` is the one with an argument.
STATISTICS = ("min", "max", "mean", "median", "stddev", "count", "rate", "value")

#: What other tools call them.
_ALIASES = {
    "avg": "mean",
    "average": "mean",
    "maximum": "max",
    "med": "median",
    "minimum": "min",
    "p": "p(95)",
    "perc": "p(95)",
    "percentile": "p(95)",
    "quantile": "p(95)",
    "sd": "stddev",
    "sigma": "stddev",
    "std": "stddev",
}
#: The statistics that are long enough to tell a slip of the keyboard from the name of a metric.
_DISTINCTIVE = ("median", "stddev")

#: ``perf:parse.p95`` -> ``perf:parse`` and ``p95``.
_SUBJECT = re.compile(rf"(?:(?P<metric>.+)[.:])?(?:(?P<word>{'|'.join(STATISTICS)})|p(?P<percentile>\d+(?:\.\d+)?))")

#: Keywords whose limit may also be written as an expression on a metric, and whether it is an upper one.
_NAMED = {"speedup": False, "efficiency": False, "modules": True, "growth": True}
#: Key of a limit on growth over many calls, which is measured apart from growth per call and may stand beside it.
GROWTH_SHARE = "growth share"
_BY_UNIT = {
    units.SECONDS: "time",
    units.BYTES: "memory",
    units.BYTES_PER_CALL: "growth",
    units.BLOCKS_PER_CALL: "growth",
}


#: Metrics of which every statistic is in one unit.
_UNITS_OF_METRICS = {
    **dict.fromkeys(("perf", "startup", "startup.command", "startup.imports", "startup.app"), units.SECONDS),
    "memory.peak": units.BYTES,
    "speedup": units.RATIO,
}
#: How a unit is called where it is the wrong one.
SHORT_UNITS = {
    units.SECONDS: "seconds",
    units.BYTES: "bytes",
    units.BYTES_PER_CALL: "bytes per call",
    units.BLOCKS_PER_CALL: "blocks per call",
    units.PER_SECOND: "calls per second",
    units.RATIO: "a ratio",
}


def unit_of(metric: str | None, statistic: str) -> str:
    """Tell the only unit that a statistic of a metric can have; empty where there may be others.

    ``value`` may speak of another fact of the measurement, ``rate`` and ``count`` have units of their own.
    """
    if metric is None or statistic in {"value", "rate", "count"}:
        return ""
    return _UNITS_OF_METRICS.get(metric.partition(":")[0], "")


def split_subject(word: str) -> tuple[str | None, str, float | None]:
    """Split a single word into metric, statistic and percentile.

    Args:
        word: Such as ``median``, ``p95``, ``perf:parse.max``, ``cache_hit_rate``.

    Returns:
        The metric or None, the statistic (``p`` for percentiles; ``value`` when the word names none)
        and the percentile or None.
    """
    match = _SUBJECT.fullmatch(word)
    if match is None:
        return word, "value", None
    if match["word"]:
        return match["metric"], match["word"], None
    return match["metric"], "p", float(match["percentile"])


def meant_statistic(word: str) -> str:
    """Recognise a misspelt statistic where a metric could stand as well.

    Args:
        word: A word that is no statistic, or metric and word: ``avg``, ``perf.Max``, ``meidan``.

    Returns:
        The statistic that was probably meant, or empty: the word is the name of a metric.
    """
    last = re.split("[.:]", word)[-1]
    if last.lower() in STATISTICS:
        return last.lower()
    return closest(last, _DISTINCTIVE if last.isalpha() else (), _ALIASES, cutoff=0.8)


def statistic_name(statistic: str, percentile: float | None) -> str:
    """Write a statistic the way expressions do: ``median``, ``p(95)``."""
    return statistic if percentile is None else f"p({percentile:g})"


def new_limit(
    *,
    metric: str | None = None,
    statistic: str = "value",
    percentile: float | None = None,
    operator: Operator,
    quantity: units.Quantity,
    written: str,
) -> Limit:
    """Put a limit together, with its text and its key.

    Args:
        metric: Metric or None.
        statistic: One of :data:`STATISTICS`, or ``p``.
        percentile: 0 to 100, with ``p`` only.
        operator: The operator.
        quantity: The number in its base unit, finite and not negative.
        written: The number and its unit as the user wrote them: ``400ms``.

    Returns:
        The limit.
    """
    name = statistic_name(statistic, percentile)
    subject = f"{metric} {name}" if metric else name
    if metric and name == "value" and _is_plain(metric):
        subject = metric
    return Limit(
        metric=metric,
        statistic=statistic,
        percentile=percentile,
        operator=operator,
        value=quantity.value,
        unit=quantity.unit,
        text=f"{subject} {operator.value} {written}",
        key=_key(metric, name, operator, quantity.unit),
    )


def _is_plain(metric: str) -> bool:
    """Tell whether a metric's name alone cannot be taken for a statistic."""
    return split_subject(metric)[0] == metric and not meant_statistic(metric)


def _key(metric: str | None, name: str, operator: Operator, unit: str) -> str:
    """Name what the limit sets: limits with one key contradict or override each other."""
    if metric == "growth" and name == "value" and operator.is_upper and unit == units.RATIO:
        return GROWTH_SHARE
    if metric is None and operator.is_upper and unit in _BY_UNIT and name in ("value", "median"):
        return _BY_UNIT[unit]  # the median is the headline value of what is timed
    if name == "value" and metric is not None and _NAMED.get(metric) is operator.is_upper:
        return metric
    # A metric has one unit, in which a bare number is its share or its count.
    shown = "" if metric is not None and unit in {units.COUNT, units.RATIO} else unit
    return f"{metric or ''} {name} {operator.value[0]} {shown}".strip()


def described(limit: Limit) -> str:
    """Write a limit for a message in which no measurement says what its headline statistic is.

    Returns:
        ``time <= 400ms`` where the text is ``value <= 400ms``; the text of any other limit.
    """
    if limit.metric is None and limit.statistic == "value" and limit.key in _BY_UNIT.values():
        return limit.key + limit.text.removeprefix("value")
    return limit.text


def unmeetable(limit: Limit) -> str:
    """Say why nothing can meet *limit*: a clause for a message, or empty."""
    never_negative = limit.unit in {units.SECONDS, units.BYTES, units.PER_SECOND}
    if limit.operator.is_upper and limit.value == 0:
        if limit.operator is Operator.LT and (never_negative or limit.statistic in {"count", "stddev"}):
            return "nothing is less than zero"
        if limit.unit == units.SECONDS and limit.statistic != "stddev":
            return "everything takes some time"
        if limit.key == GROWTH_SHARE:
            return 'no system counts memory so finely; limit what each call leaves: "0 B/call"'
    metric = (limit.metric or "").partition(":")[0]
    if metric == "efficiency" and not limit.operator.is_upper:
        too_high = limit.value > 1 or (limit.value == 1 and limit.operator is Operator.GT)
        if too_high and limit.statistic == "value":
            return "an efficiency of 1 is perfect scaling, so nothing is above 1"
    return ""
