"""The model as plain objects: None, bool, int, float, str, list and dict with text keys, no more.

They go into the JSON report and across xdist, so every text in them can be encoded.  The way back
is in ``reading``.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, SupportsFloat, SupportsIndex

from pytest_perfgate.model import Change, Check, Finding, Location, Machine, Measurement, Run

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

#: Facts that plugins and users add are flattened to text below this depth; JSON readers give up too.
_MAX_DEPTH = 50

#: Whole numbers beyond the range of floats become text: other JSON readers would make infinity of them.
_MAX_BITS = 1023


def clean_text(text: str) -> str:
    r"""Replace lone surrogates, which no encoding can hold, by ``\udXXX``; the rest stays."""
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain(value: object, depth: int = 0) -> Any:
    """Turn anything a user may have put into ``extra`` into JSON types.

    Args:
        value: Anything; containers are copied.
        depth: How deep in containers it stands.

    Returns:
        The same when it was of JSON types; numbers of other libraries as int or float, numbers that
        are not finite and everything else as text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {clean_text(str(key)): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and depth < _MAX_DEPTH:
        return [plain(each, depth + 1) for each in value]
    return _plain_scalar(value)


def measurement_to_dict(measurement: Measurement) -> dict[str, Any]:
    """Turn a measurement into plain objects, under the names of the JSON report.

    Raises:
        ValueError: A number is not finite, which is a mistake of the metric.
    """
    case = measurement.case
    samples = [float(value) for value in measurement.samples]
    processes = [float(value) for value in measurement.processes]
    value = None if measurement.value is None else float(measurement.value)
    _demand_finite(case.id, value or 0.0, *samples, *processes, *(measurement.interval or ()))
    return {
        "id": clean_text(case.id),
        "test": clean_text(case.test),
        "metric": clean_text(case.metric),
        "name": clean_text(case.name),
        "unit": clean_text(measurement.unit),
        "better": measurement.better.value,
        "value": value,
        "statistic": clean_text(measurement.statistic),
        "interval": _pair(measurement.interval),
        "rounds": measurement.rounds,
        "iterations": measurement.iterations,
        "samples": samples,
        "extra": plain(measurement.extra),
        "warnings": _texts(measurement.warnings),
        "processes": processes,
        "show_as": clean_text(measurement.show_as),
        "ceiling": measurement.ceiling,
        "group": _text_or_none(measurement.group),
        "error": _text_or_none(measurement.error),
        "doubt": _text_or_none(measurement.doubt),
        "location": None if measurement.location is None else _location(measurement.location),
    }


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """Turn a finding into plain objects: an entry of ``cases`` of the JSON report.

    Raises:
        ValueError: A number is not finite, which is a mistake of the metric.
    """
    tightest = finding.tightest
    return measurement_to_dict(finding.measurement) | {
        "verdict": finding.verdict.value,
        "reason": clean_text(finding.reason),
        "budget": None if tightest is None else _check(tightest),
        "budgets": [_check(check) for check in finding.checks],
        "change": None if finding.change is None else _change(finding.change),
        "warnings": _texts(finding.warnings),
        "measurement_warnings": _texts(finding.measurement.warnings),
    }


def packed_run(run: Run) -> dict[str, Any]:
    """Turn a run into plain objects, without the format's name and number."""
    return {
        "summary": {
            "verdict": run.outcome.value,
            "counts": run.counts,
            "measured": run.measured,
            "notes": _texts(run.notes),
            "failures": _texts(run.failures),
        },
        "cases": [finding_to_dict(finding) for finding in run.findings],
        "machine": _machine(run.machine),
        "profile": {
            "name": clean_text(run.profile),
            "matched_by": clean_text(run.profile_matched_by),
        },
        "python": {
            "implementation": clean_text(run.python.implementation),
            "version": clean_text(run.python.version),
            "build": clean_text(run.python.build),
        },
        "commit": plain(run.commit),
        "settings": plain(run.settings),
        "started": clean_text(run.started),
        "duration": run.duration_s,
    }


def _plain_scalar(value: object) -> int | float | str:
    """Take numbers of any library for what they are, and the rest for its text."""
    try:
        if isinstance(value, (int, SupportsIndex)):
            whole = operator.index(value)
            return whole if whole.bit_length() <= _MAX_BITS else hex(whole)
        if isinstance(value, (float, SupportsFloat)):
            number = float(value)
            return number if math.isfinite(number) else str(number)
    except (TypeError, ValueError, OverflowError):
        pass  # an array, which can be converted as far as its type says
    return clean_text(str(value))


def _check(check: Check) -> dict[str, Any]:
    return {
        "limit": check.limit,
        "expression": clean_text(check.expression),
        "profile": _text_or_none(check.profile),
        "unit": clean_text(check.unit),
        "operator": None if check.operator is None else check.operator.value,
        "observed": check.observed,
        "holds": check.holds,
        "reason": clean_text(check.reason),
        "undecidable": clean_text(check.undecidable),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "ratio": change.ratio,
        "interval": _pair(change.interval),
        "tolerance": change.tolerance,
        "confidence": change.confidence,
        "against": clean_text(change.against),
        "pairs": change.pairs,
        "processes": change.processes,
        "better": change.better.value,
        "doubt": clean_text(change.doubt),
        "calibrated": change.calibrated,
        "settled": None if change.settled is None else change.settled.value,
    }


def _location(location: Location) -> dict[str, Any]:
    return {"file": clean_text(location.file), "line": location.line}


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "os": clean_text(machine.os),
        "os_release": clean_text(machine.os_release),
        "arch": clean_text(machine.arch),
        "cpu": clean_text(machine.cpu),
        "cores": machine.cores,
        "cores_total": machine.cores_total,
        "memory_bytes": machine.memory_bytes,
        "memory_total_bytes": machine.memory_total_bytes,
        "on_battery": machine.on_battery,
        "ci": _text_or_none(machine.ci),
        "hostname": clean_text(machine.hostname),
        "extra": plain(machine.extra),
    }


def _pair(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [float(interval[0]), float(interval[1])]


def _texts(texts: Iterable[str]) -> list[str]:
    return [clean_text(text) for text in texts]


def _text_or_none(text: str | None) -> str | None:
    return None if text is None else clean_text(text)


def _demand_finite(case_id: str, *numbers: float) -> None:
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{clean_text(case_id)} holds a number that is not finite")
