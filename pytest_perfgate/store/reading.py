"""Plain objects as the model; a field may be absent where the model has a default for it.

How single fields are checked is in ``fields``, the way out in ``packing``.
"""

from __future__ import annotations

import math
from typing import Any

from pytest_perfgate.model import (
    Better,
    Case,
    Change,
    Check,
    Finding,
    Location,
    Machine,
    Measurement,
    Operator,
    Outcome,
    Python,
    Run,
    Verdict,
)
from pytest_perfgate.store import fields
from pytest_perfgate.store.fields import FieldError, Object
from pytest_perfgate.units import SECONDS

#: What a clock of ours measured; a metric of the user's own may be in seconds and negative, as a drift is.
_TIMED = ("perf", "call", "startup")
#: Twenty times what large suites have; more is a mistake and would take minutes to judge.
MAX_CASES = 200_000


def measurement_from_dict(raw: object) -> Measurement:
    """Turn what ``measurement_to_dict`` returned into the measurement.

    Raises:
        BadRunFileError: It is something else; the message gives the JSON path of the first offence.
    """
    return _measurement(fields.as_object(raw), "warnings")


def finding_from_dict(raw: object) -> Finding:
    """Turn an entry of ``cases`` into the finding.

    Raises:
        BadRunFileError: It is something else; the message gives the JSON path of the first offence.
    """
    case = fields.as_object(raw)
    measurement = _measurement(case, "measurement_warnings")
    verdict = fields.choice(case, "verdict", Verdict)
    change = case.get("change")
    return Finding(
        measurement=measurement,
        verdict=verdict,
        reason=fields.text(case, "reason", ""),
        checks=_checks(case, measurement, verdict),
        change=None if change is None else fields.nested(case, "change", _change, measurement),
        warnings=fields.texts(case, "warnings"),
    )


def run_from_fields(raw: Object) -> Run:
    """Turn the object of a file of the newest version into the run.

    Raises:
        FieldError: The first field that is not as it should be.
    """
    profile = fields.typed(raw, "profile", dict)
    notes, failures = fields.inside("summary", _remarks, fields.typed(raw, "summary", dict, {}))
    return Run(
        findings=_cases(raw),
        machine=fields.nested(raw, "machine", _machine),
        profile=fields.inside("profile", fields.text, profile, "name"),
        profile_matched_by=fields.inside("profile", fields.text, profile, "matched_by", ""),
        python=fields.nested(raw, "python", _python),
        commit=fields.optional(fields.facts, raw, "commit"),
        settings=fields.facts(raw, "settings"),
        started=fields.text(raw, "started", ""),
        duration_s=_duration(raw),
        notes=notes,
        failures=failures,
    )


def _duration(raw: Object) -> float:
    duration_s = fields.number(raw, "duration", 0.0)
    if duration_s < 0:
        raise FieldError("duration", f"is {duration_s!r}; a time should not be negative")
    return duration_s


def _cases(raw: Object) -> tuple[Finding, ...]:
    found = len(fields.typed(raw, "cases", list))
    if found > MAX_CASES:
        said = f"holds {found:,} cases; no more than {MAX_CASES:,} are read, so split the run"
        raise FieldError("cases", said)
    findings = fields.each(raw, "cases", finding_from_dict)
    seen: dict[str, int] = {}
    for position, finding in enumerate(findings):
        first = seen.setdefault(finding.case.id, position)
        if first != position:
            said = f"is {finding.case.id!r:.200}, as cases[{first}].id is already"
            raise FieldError(f"cases[{position}].id", said)
    return findings


def _measurement(raw: Object, warnings: str) -> Measurement:
    measurement = _unchecked(raw, warnings)
    rounds = fields.count(raw, "rounds", 0)  # the number of samples; checked, not needed
    if rounds and measurement.value is not None and not measurement.samples:
        raise FieldError("samples", f"is empty, though rounds is {rounds}; each round has its sample")
    if measurement.unit == SECONDS and measurement.case.metric.partition(".")[0] in _TIMED:
        for key in ("value", "samples", "interval", "processes"):
            numbers = (measurement.value or 0.0,) if key == "value" else getattr(measurement, key) or ()
            if min(numbers, default=0.0) < 0:
                raise FieldError(key, f"holds {min(numbers)!r}; a time should not be negative")
    return measurement


def _unchecked(raw: Object, warnings: str) -> Measurement:
    """Read a measurement field by field."""
    value = fields.optional(fields.number, raw, "value")
    return Measurement(
        case=_case(raw),
        unit=fields.text(raw, "unit"),
        better=fields.choice(raw, "better", Better, Better.LOWER),
        statistic=fields.text(raw, "statistic", "median"),
        value=value,
        interval=fields.optional(fields.interval, raw, "interval"),
        samples=fields.numbers(raw, "samples"),
        iterations=fields.count(raw, "iterations", 1),
        processes=fields.numbers(raw, "processes", () if value is None else (value,)),
        extra=fields.facts(raw, "extra"),
        show_as=fields.text(raw, "show_as", ""),
        ceiling=fields.optional(fields.number, raw, "ceiling"),
        group=fields.optional(fields.text, raw, "group"),
        error=_error(raw),
        doubt=fields.optional(fields.text, raw, "doubt"),
        warnings=fields.texts(raw, warnings),
        location=None if raw.get("location") is None else fields.nested(raw, "location", _location),
    )


def _error(raw: Object) -> str | None:
    """Read why there is no value; a file without the field says it in the reason."""
    if "error" not in raw and raw.get("verdict") == Verdict.FAILED_TO_MEASURE.value:
        return fields.text(raw, "reason", "")
    return fields.optional(fields.text, raw, "error")


def _case(raw: Object) -> Case:
    """Read the identity; the name may stand in ``id`` alone."""
    stored = fields.text(raw, "id")
    test, metric = fields.text(raw, "test"), fields.text(raw, "metric")
    default = stored.removeprefix(f"{test}#{metric}").removeprefix(":")
    case = Case(test, metric, fields.text(raw, "name", default))
    if case.id != stored:
        said = f"is {stored!r:.200}, but test, metric and name make {case.id!r:.200}"
        raise FieldError("id", said)
    return case


def _checks(case: Object, measurement: Measurement, verdict: Verdict) -> tuple[Check, ...]:
    """Read all checks; a file without the list has the tightest at least."""
    fallback = {"unit": measurement.unit, "holds": verdict is not Verdict.OVER_BUDGET}
    if "budgets" in case:
        return fields.each(case, "budgets", lambda check: _check(check, fallback))
    if case.get("budget") is None:
        return ()
    return (fields.nested(case, "budget", _check, fallback),)


def _check(raw: object, fallback: dict[str, Any]) -> Check:
    check = {**fallback, **fields.as_object(raw)}
    return Check(
        expression=fields.text(check, "expression"),
        limit=fields.optional(fields.number, check, "limit"),
        unit=fields.text(check, "unit"),
        operator=fields.optional(_operator, check, "operator"),
        observed=fields.optional(fields.number, check, "observed"),
        holds=fields.typed(check, "holds", bool),
        profile=fields.optional(fields.text, check, "profile"),
        reason=fields.text(check, "reason", ""),
        undecidable=fields.text(check, "undecidable", ""),
    )


def _operator(raw: Object, key: str) -> Operator:
    return fields.choice(raw, key, Operator)


def _change(raw: object, measurement: Measurement) -> Change:
    change = fields.as_object(raw)
    ratio, interval = fields.number(change, "ratio"), fields.interval(change, "interval")
    # Both are divided by wherever more is better.
    if ratio <= 0:
        raise FieldError("ratio", f"is {ratio!r}; it should be greater than 0")
    if interval[0] < 0 or interval[1] == 0:
        raise FieldError("interval", f"is {list(interval)!r}; ratios should not be negative")
    return Change(
        ratio=ratio,
        interval=interval,
        tolerance=fields.number(change, "tolerance"),
        confidence=fields.number(change, "confidence"),
        against=fields.text(change, "against"),
        better=fields.choice(change, "better", Better, measurement.better),
        pairs=fields.optional(fields.count, change, "pairs"),
        processes=fields.optional(fields.count, change, "processes") or 2,
        doubt=fields.text(change, "doubt", ""),
        calibrated=fields.typed(change, "calibrated", bool, default=False),
        settled=fields.optional(_verdict, change, "settled"),
    )


def _verdict(raw: Object, key: str) -> Verdict:
    return fields.choice(raw, key, Verdict)


def _location(raw: object) -> Location:
    location = fields.as_object(raw)
    line = fields.optional(fields.count, location, "line")
    if line == 0:
        raise FieldError("line", "is 0; lines are counted from 1")
    return Location(file=fields.text(location, "file"), line=line)


def _machine(raw: object) -> Machine:
    machine = fields.as_object(raw)
    cores = fields.number(machine, "cores")
    memory_bytes = fields.count(machine, "memory_bytes")
    return Machine(
        os=fields.text(machine, "os"),
        os_release=fields.text(machine, "os_release", ""),
        arch=fields.text(machine, "arch", ""),
        cpu=fields.text(machine, "cpu"),
        cores=cores,
        cores_total=fields.count(machine, "cores_total", math.ceil(cores)),
        memory_bytes=memory_bytes,
        memory_total_bytes=fields.count(machine, "memory_total_bytes", memory_bytes),
        on_battery=fields.typed(machine, "on_battery", bool, default=False),
        ci=fields.optional(fields.text, machine, "ci"),
        hostname=fields.text(machine, "hostname", ""),
        extra=fields.facts(machine, "extra"),
    )


def _python(raw: object) -> Python:
    python = fields.as_object(raw)
    return Python(
        implementation=fields.text(python, "implementation"),
        version=fields.text(python, "version"),
        build=fields.text(python, "build", ""),
    )


def _remarks(summary: Object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read notes and failures; the verdict is made again from the cases, never believed."""
    fields.choice(summary, "verdict", Outcome, Outcome.PASS)
    return fields.texts(summary, "notes"), fields.texts(summary, "failures")
