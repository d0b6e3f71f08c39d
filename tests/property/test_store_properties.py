"""What holds of every stored run: nothing is lost on the way, and no file whatever is a crash."""

from __future__ import annotations

import copy
import json
import operator
from importlib.resources import files

import jsonschema
from builders import every_verdict_run, make_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_perfgate.errors import BadRunFileError
from pytest_perfgate.model import (
    Better,
    Case,
    Change,
    Check,
    Finding,
    Measurement,
    Operator,
    Python,
    Run,
    Verdict,
)
from pytest_perfgate.store import (
    clean_text,
    finding_from_dict,
    finding_to_dict,
    load_run_text,
    plain,
    run_from_dict,
    run_to_text,
)

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((files("pytest_perfgate") / "schema/perfgate-run-1.json").read_text("utf-8"))
)

#: How fast an example runs says something about the machine, nothing about the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

any_text = st.text(st.characters(), max_size=12)
clean = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**60)
maybe_text = st.none() | clean
facts = st.dictionaries(
    clean,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**64), 2**64) | numbers | clean,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(clean, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
intervals = st.tuples(numbers, numbers).map(sorted).map(tuple)
ratios = st.floats(1e-9, 1e9)
values = st.lists(numbers, max_size=4).map(tuple)
texts = st.lists(clean, max_size=2).map(tuple)
measurements = st.builds(
    Measurement,
    case=st.builds(Case, clean, clean, clean),
    unit=clean,
    better=st.sampled_from(Better),
    statistic=clean,
    value=st.none() | numbers,
    interval=st.none() | intervals,
    samples=values,
    iterations=counts,
    processes=values,
    extra=facts,
    show_as=clean,
    ceiling=st.none() | numbers,
    group=maybe_text,
    error=maybe_text,
    doubt=maybe_text,
    warnings=texts,
)
checks = st.builds(
    Check,
    expression=clean,
    limit=st.none() | numbers,
    unit=clean,
    operator=st.none() | st.sampled_from(Operator),
    observed=st.none() | numbers,
    holds=st.booleans(),
    profile=maybe_text,
    reason=clean,
    undecidable=clean,
)
changes = st.builds(
    Change,
    ratio=ratios,
    interval=st.tuples(ratios, ratios).map(sorted).map(tuple),
    tolerance=numbers,
    confidence=st.floats(0.01, 0.99),
    against=clean,
    better=st.sampled_from(Better),
    pairs=st.none() | counts,
    processes=st.integers(1, 2**40),
    doubt=clean,
)
findings = st.builds(
    Finding,
    measurement=measurements,
    verdict=st.sampled_from(Verdict),
    reason=clean,
    checks=st.lists(checks, max_size=2).map(tuple),
    change=st.none() | changes,
    warnings=texts,
)
machines = st.builds(
    make_machine,
    cpu=clean,
    cores=st.floats(0.1, 1000),
    cores_total=counts,
    memory_bytes=counts,
    memory_total_bytes=counts,
    on_battery=st.booleans(),
    ci=maybe_text,
    hostname=clean,
    extra=facts,
)
runs = st.builds(
    Run,
    findings=st.lists(findings, max_size=3, unique_by=lambda finding: finding.case.id).map(tuple),
    machine=machines,
    profile=clean,
    profile_matched_by=clean,
    python=st.builds(Python, implementation=clean, version=clean, build=clean),
    commit=st.none() | facts,
    settings=facts,
    started=clean,
    duration_s=st.floats(0, allow_nan=False, allow_infinity=False),
    notes=texts,
    failures=texts,
)


@unhurried
@given(runs)
def test_loading_what_was_stored_gives_the_same_run(run):
    text = run_to_text(run)
    assert load_run_text(text, "run.json") == run
    SCHEMA.validate(json.loads(text))


@unhurried
@given(findings)
def test_a_finding_crosses_processes_unchanged(finding):
    assert finding_from_dict(finding_to_dict(finding)) == finding


@unhurried
@given(any_text)
def test_any_text_can_be_encoded_once_cleaned_and_cleaning_twice_changes_nothing(text):
    cleaned = clean_text(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert clean_text(cleaned) == cleaned


@unhurried
@given(st.recursive(st.floats() | any_text | st.complex_numbers() | st.binary(), st.lists))
def test_facts_of_any_kind_can_be_written(facts):
    json.dumps(plain(facts), allow_nan=False).encode("utf-8")


def complaint_about(load, *arguments):
    """Return what is said of bad input; empty when it is none."""
    try:
        load(*arguments)
    except BadRunFileError as problem:
        return str(problem)
    return ""


@unhurried
@given(st.text() | st.recursive(st.none() | numbers | clean, st.lists).map(json.dumps))
def test_no_text_whatever_is_a_crash(text):
    assert complaint_about(load_run_text, text, "run.json").startswith("run.json: ")


def places(raw, path=()):
    """Yield the path of everything inside *raw*."""
    yield path
    members = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def changed(path, change):
    """Return the object of a stored run after *change* to the container of *path*."""
    raw = place = copy.deepcopy(STORED)
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    return raw


STORED = json.loads(run_to_text(every_verdict_run()))
PLACES = [path for path in places(STORED) if path]
OTHERS = [None, True, -1, 0, 1.5, 10**400, "", "x", [], [None], {}, {"x": []}]


@unhurried
@given(st.sampled_from(PLACES), st.sampled_from(OTHERS))
def test_one_wrong_value_anywhere_is_complained_of_or_harmless(path, other):
    raw = changed(path, lambda place, key: operator.setitem(place, key, other))
    said = complaint_about(run_from_dict, raw)
    assert not said or path[0] in said or "not a stored run" in said
    if not said:
        run = run_from_dict(raw)
        assert run_from_dict(json.loads(run_to_text(run))) == run


@unhurried
@given(st.sampled_from(PLACES))
def test_one_missing_field_anywhere_is_complained_of_or_has_a_default(path):
    said = complaint_about(run_from_dict, changed(path, operator.delitem))
    assert not said or path[0] in said or "not a stored run" in said
