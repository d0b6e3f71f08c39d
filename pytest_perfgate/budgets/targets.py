"""What a limit speaks of: which measurements, which fact of theirs, and its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_perfgate import stats, units
from pytest_perfgate.budgets.limits import GROWTH_SHARE, STATISTICS, described, statistic_name
from pytest_perfgate.model import Limit, Measurement
from pytest_perfgate.words import did_you_mean

#: Where a quantity is found in a measurement whose own values have another unit.
_EXTRA_OF_UNIT = {units.BYTES: "peak_bytes", units.BLOCKS_PER_CALL: "blocks_per_call"}
#: The names of extra facts tell their unit.
_UNIT_OF_SUFFIX = {
    "_bytes_per_call": units.BYTES_PER_CALL,
    "blocks_per_call": units.BLOCKS_PER_CALL,
    "_bytes": units.BYTES,
    "_s": units.SECONDS,
}
_DIMENSIONED = {units.SECONDS, units.BYTES, units.BYTES_PER_CALL, units.BLOCKS_PER_CALL, units.PER_SECOND}
_EXAMPLES = {units.SECONDS: "ms", units.BYTES: "MB", units.BYTES_PER_CALL: "B/call"}
#: What to do where one kind of growth is limited and the other was measured.
_OTHER_GROWTH = {
    (GROWTH_SHARE, units.BYTES_PER_CALL): (
        "; a share is measured over a stated number of calls, or time: "
        'memory.growth(fn, iterations=10_000) or duration="5 min"'
    ),
    ("growth", units.RATIO): '; leave out iterations= and duration=, or limit the share, as in growth="10%"',
}
#: Facts that a metric has only sometimes, and when: a limit on one is no slip of the pen.
_ONLY_SOMETIMES = {
    ("startup.command", "first_output_s"): "it is there when every run writes something, and the system tells when",
    ("startup.app", "first_output_s"): "it is there when every start writes something, and the system tells when",
    ("startup.imports", "first_use_s"): 'it is there with first_use=, such as first_use="package.main([])"',
    ("startup.imports", "modules"): "it is not known which ones; a warning of the measurement says why",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One measurement, or one extra fact of it."""

    measurement: Measurement
    extra: str = ""
    """Key in the measurement's extra facts; empty for its values."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a limit is held against."""

    value: float
    """In *unit*; not finite when nothing finite was measured."""
    unit: str
    label: str
    """What the value is, for messages: ``median``, ``p(95)``, ``cache_hit_rate``."""
    is_headline: bool = False
    """Whether the measurement's interval belongs to it."""


def find_targets(limit: Limit, measured: Sequence[Measurement]) -> list[Target]:
    """Find what *limit* speaks of.

    Args:
        limit: The limit.
        measured: All measurements of the test that have a value.

    Returns:
        The targets in the order of *measured*; empty when nothing of the kind was measured.
    """
    if limit.metric is None:
        return _by_unit(limit, measured)
    exact = [each for each in measured if limit.metric in {each.case.metric, _full_name(each)}]
    named = exact or [each for each in measured if _is_named(limit.metric, each)]
    if named and limit.key in {"growth", GROWTH_SHARE}:
        named = [each for each in named if _can_be_held_against(limit, each)] or named
    if named:
        return [Target(each) for each in named]
    found = _by_extra(limit.metric, measured)
    if not found and limit.key == "growth":
        return _by_unit(limit, measured)
    return found


def may_be_target(limit: Limit, failed: Measurement) -> bool:
    """Tell whether *limit* may have spoken of a measurement that failed, so that its error is the reason."""
    if limit.metric is None and limit.unit in {units.SECONDS, units.RATIO}:
        return failed.unit == limit.unit
    return True  # by name or as an extra fact, which a failed measurement has none of


def missing_reason(limit: Limit, measurements: Sequence[Measurement]) -> str:
    """Say that nothing measured what *limit* speaks of, and what was measured instead."""
    names = [_full_name(each) for each in measurements]
    reason = f'"{described(limit)}" limits something this test did not measure'
    reason += f" (it measured {', '.join(dict.fromkeys(names)) or 'nothing'})"
    if limit.metric is None:
        return reason
    if when := when_there(limit.metric, measurements):
        return reason + when
    extras = [key for each in measurements for key in each.extra]
    return reason + did_you_mean(limit.metric, [*names, *extras, *STATISTICS])


def when_there(wanted: str, measurements: Sequence[Measurement]) -> str:
    """Say, as the end of a message, when a fact is there that was not this time; empty of what never is."""
    keys = (wanted.rpartition(".")[2], f"{wanted.rpartition('.')[2]}_s")
    found = (_ONLY_SOMETIMES.get((each.case.metric, key), "") for each in measurements for key in keys)
    return next((f"; {when}" for when in found if when), "")


def read(limit: Limit, target: Target) -> Reading | str:
    """Take the value that *limit* is held against.

    Args:
        limit: The limit.
        target: What it speaks of.

    Returns:
        The value, in the limit's unit or, for a bare number, in the measurement's own; or one
        sentence why there is none.
    """
    measurement = target.measurement
    if target.extra:
        return _read_extra(limit, measurement, target.extra)
    if limit.statistic == "count":
        return _read_count(limit, measurement)
    if limit.statistic == "rate" and measurement.unit == units.SECONDS:
        return _read_calls_per_second(limit, measurement)
    if not _fits(limit, measurement.unit):
        key = _EXTRA_OF_UNIT.get(limit.unit, "")
        if limit.statistic == "value" and key in measurement.extra:
            return _read_extra(limit, measurement, key)
        return _mismatch(limit, _full_name(measurement), measurement.unit)
    return _read_statistic(limit, measurement)


def _full_name(measurement: Measurement) -> str:
    return measurement.case.id.removeprefix(f"{measurement.case.test}#")


def _is_named(wanted: str, measurement: Measurement) -> bool:
    """Tell whether a measurement goes by *wanted*: some of the words of its metric, between dots."""
    wanted_metric, _, wanted_name = wanted.partition(":")
    if wanted_name and wanted_name != measurement.case.name:
        return False
    return f".{wanted_metric}." in f".{measurement.case.metric}."


def _can_be_held_against(limit: Limit, measurement: Measurement) -> bool:
    """Tell growth per call from growth as a share, which go by one name."""
    return _fits(limit, measurement.unit) or _EXTRA_OF_UNIT.get(limit.unit, "") in measurement.extra


def _by_unit(limit: Limit, measured: Sequence[Measurement]) -> list[Target]:
    if limit.statistic == "count":
        return [Target(each) for each in measured if each.samples]
    if limit.statistic == "rate":
        if limit.unit == units.PER_SECOND:
            return [Target(each) for each in measured if each.unit in {units.SECONDS, units.PER_SECOND}]
        return [Target(each) for each in measured if each.unit == limit.unit and each.statistic == "rate"]
    found = [Target(each) for each in measured if each.unit == limit.unit]
    key = _EXTRA_OF_UNIT.get(limit.unit, "")
    return found or [Target(each, key) for each in measured if key in each.extra]


def _by_extra(wanted: str, measured: Sequence[Measurement]) -> list[Target]:
    """Find an extra fact: ``cpu_s``, ``cpu``, ``startup.cpu``, ``perf:parse.cpu``."""
    owner, _, key = wanted.rpartition(".")
    found = []
    for each in measured:
        keys = [wanted, f"{wanted}_s", f"{wanted}_bytes"]
        if owner and (owner == _full_name(each) or _is_named(owner, each)):
            keys += [key, f"{key}_s", f"{key}_bytes"]
        found += [Target(each, name) for name in keys if _is_number(each.extra.get(name))][:1]
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(limit: Limit, unit: str) -> bool:
    """Tell whether a limit can be held against values in *unit*; a bare number fits any without a dimension."""
    return limit.unit == unit or (limit.unit == units.COUNT and unit not in _DIMENSIONED)


def _mismatch(limit: Limit, name: str, unit: str) -> str:
    if limit.unit != units.COUNT:
        remedy = _OTHER_GROWTH.get((limit.key, unit), "")
        return f'"{described(limit)}" is a limit in {limit.unit}, but {name} is measured in {unit}{remedy}'
    example = _EXAMPLES.get(unit, unit)
    return f'"{described(limit)}" has no unit, but {name} is measured in {unit}; write a unit such as {example}'


def _read_extra(limit: Limit, measurement: Measurement, key: str) -> Reading | str:
    if limit.statistic != "value":
        return (
            f'"{limit.text}" needs samples, but {key} of {_full_name(measurement)} is a single number;'
            f" limit it without {statistic_name(limit.statistic, limit.percentile)}"
        )
    value = measurement.extra[key]
    if not _is_number(value):
        return f'"{described(limit)}" limits {key} of {_full_name(measurement)}, which is not a number'
    unit = next((unit for suffix, unit in _UNIT_OF_SUFFIX.items() if key.endswith(suffix)), "")
    if not unit:
        # Without a unit of its own it may be a share as well as a count.
        unit = limit.unit if limit.unit in {units.COUNT, units.RATIO} else units.COUNT
    if not _fits(limit, unit):
        return _mismatch(limit, f"{key} of {_full_name(measurement)}", unit)
    label = key.removesuffix("_bytes").removesuffix("_s")
    return Reading(_finite_or_nan(value), unit, label)


def _finite_or_nan(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond the range of floats
        return math.nan


def _read_count(limit: Limit, measurement: Measurement) -> Reading | str:
    if not measurement.samples:
        return f'"{limit.text}" counts rounds, but {_full_name(measurement)} is a single number'
    return Reading(float(len(measurement.samples)), units.COUNT, "count")


def _read_calls_per_second(limit: Limit, measurement: Measurement) -> Reading | str:
    """Turn times into a rate: one call per mean time, whatever unit but a share it is limited in."""
    if limit.unit == units.RATIO:
        return _mismatch(limit, f"the rate of {_full_name(measurement)}", units.PER_SECOND)
    samples = _samples(measurement)
    average = stats.mean(samples) if _all_finite(samples) else math.nan
    return Reading(1 / average if average > 0 else math.nan, units.PER_SECOND, "rate")


def _read_statistic(limit: Limit, measurement: Measurement) -> Reading | str:
    name = statistic_name(limit.statistic, limit.percentile)
    is_headline = name in {"value", measurement.statistic} or (name == "rate" and measurement.unit == units.PER_SECOND)
    label = _label(limit, measurement)
    if is_headline and measurement.value is not None:
        return Reading(measurement.value, measurement.unit, label, is_headline=True)
    if name == "rate":
        return f'"{limit.text}" limits a rate, but {_full_name(measurement)} is a {measurement.statistic}'
    if name == "stddev" and len(measurement.samples) <= 1:
        return f'"{limit.text}" needs two rounds or more; {_full_name(measurement)} has {len(measurement.samples)}'
    samples = _samples(measurement)
    value = _STATISTIC_OF[limit.statistic](samples, limit.percentile) if _all_finite(samples) else math.nan
    return Reading(value, measurement.unit, label)


def _label(limit: Limit, measurement: Measurement) -> str:
    """Name a statistic for messages; a single number goes by its metric."""
    name = statistic_name(limit.statistic, limit.percentile)
    if limit.metric is None:
        return measurement.statistic if name == "value" else name
    return limit.metric if name == "value" else f"{limit.metric} {name}"


def _samples(measurement: Measurement) -> tuple[float, ...]:
    """Take all values; a single number is a sample of one, of which every statistic is that number."""
    return measurement.samples or tuple(value for value in (measurement.value,) if value is not None)


def _all_finite(samples: Sequence[float]) -> bool:
    return bool(samples) and all(map(math.isfinite, samples))


_STATISTIC_OF = {
    "min": lambda samples, _: min(samples),
    "max": lambda samples, _: max(samples),
    "mean": lambda samples, _: stats.mean(samples),
    "median": lambda samples, _: stats.median(samples),
    "stddev": lambda samples, _: stats.stddev(samples),
    "p": stats.percentile,
}
