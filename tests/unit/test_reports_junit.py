"""JUnit XML: valid where parsers are strict, and understood by a reader that is not ours."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import junitparser
import pytest
from builders import (
    HOSTILE_TEXTS,
    empty_run,
    every_verdict_run,
    hostile_run,
    make_finding,
    make_measurement,
    make_run,
    ordinary_run,
)

from pytest_perfgate.model import Verdict
from pytest_perfgate.reports import junit

RUNS = {
    "ordinary": ordinary_run(),
    "empty": empty_run(),
    "every verdict": every_verdict_run(),
    "every verdict, strict": every_verdict_run(settings={"strict": True}),
    "hostile": hostile_run(),
    "nothing at all": make_run(),
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
both = pytest.mark.parametrize("render", [junit.render, junit.render_with_properties])


@pytest.fixture(scope="module")
def schema():
    """The schema of Jenkins' xunit plugin as pytest's sources have it; nothing fetched is kept in the repository."""
    path = os.environ.get("PERFGATE_JUNIT_XSD")
    if not path:
        said = "PERFGATE_JUNIT_XSD does not name junit-10.xsd of pytest's testing/example_scripts"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    return pytest.importorskip("xmlschema").XMLSchema(Path(path).read_text("utf-8"))


@every_run
def test_the_strict_dialect_is_valid_under_the_schema_of_jenkins(run, schema):
    schema.validate(junit.render(run))


def test_the_schema_would_object_to_what_junit_xml_writes(schema):
    wrong = junit.render(ordinary_run()).replace("<testsuite ", '<testsuite disabled="0" ', 1)
    assert not schema.is_valid(wrong)
    assert not schema.is_valid(junit.render_with_properties(ordinary_run()))


@both
@every_run
def test_the_counts_are_those_of_the_elements(render, run):
    root = ET.fromstring(render(run))
    (suite,) = root
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    assert {name: int(suite.get(name)) for name in counts} == counts
    assert {name: int(root.get(name)) for name in ("tests", "failures", "errors")}.items() <= counts.items()
    assert counts["tests"] == len(run.findings) + bool(run.failures)


def outcomes(text):
    found = {}
    for case in junitparser.JUnitXml.fromstring(text.encode()).__iter__().__next__():
        found[case.name] = [type(result).__name__ for result in case.result]
    return found


@both
def test_a_reader_of_others_sees_what_failed(render):
    assert outcomes(render(every_verdict_run())) == {
        "test_pass#perf": [],
        "test_improved#perf": [],
        "test_over#startup.command": ["Failure"],
        "test_regressed#perf:parse": ["Failure"],
        "test_gone#perf": ["Skipped"],
        "test_new#perf": [],
        "test_unsure#rows": ["Skipped"],
        "test_elsewhere#perf": ["Skipped"],
        "test_raises#perf": ["Error"],
        "perfgate.run": ["Error"],
    }


@both
def test_strict_runs_fail_what_is_not_settled(render):
    strict = outcomes(render(every_verdict_run(settings={"strict": True})))
    assert [strict[f"test_{name}"] for name in ("gone#perf", "unsure#rows", "elsewhere#perf")] == [["Failure"]] * 3
    assert strict["test_new#perf"] == []


@both
def test_a_failure_says_its_reason_in_the_attribute_and_in_the_text(render):
    failure = ET.fromstring(render(every_verdict_run())).find("testsuite/testcase/failure")
    assert failure.get("type") == "perfgate.OverBudget"
    assert failure.get("message") == failure.text
    assert failure.text == every_verdict_run().findings[2].reason


@both
@pytest.mark.parametrize("verdict", [Verdict.OVER_BUDGET, Verdict.FAILED_TO_MEASURE, Verdict.INCONCLUSIVE])
@pytest.mark.parametrize("reason", ["", " \n", "\x00", *HOSTILE_TEXTS])
def test_no_reason_whatever_lets_a_failure_pass(render, verdict, reason):
    run = make_run(make_finding(verdict=verdict, reason=reason), settings={"strict": True})
    (results,) = outcomes(render(run)).values()
    assert len(results) == 1
    element = ET.fromstring(render(run)).find("testsuite/testcase")[0 if render is junit.render else 1]
    assert element.get("message")
    assert element.text


def test_the_metrics_travel_as_lines_of_system_out_where_properties_are_forbidden():
    (case, *_) = ET.fromstring(junit.render(ordinary_run())).iterfind("testsuite/testcase[2]")
    assert case.find("properties") is None
    facts = dict(re.findall(r"^\[\[PROPERTY\|([^=]+)=(.*)\]\]$", case.findtext("system-out"), re.MULTILINE))
    assert facts["perfgate.value"] == "0.382"
    assert facts["perfgate.limit"] == "0.4"
    assert facts["perfgate.profile"] == "ci"
    assert facts["perfgate.extra.peak_bytes"] == "41943040"


def test_the_metrics_travel_as_properties_in_the_other_dialect():
    root = ET.fromstring(junit.render_with_properties(ordinary_run()))
    strict = ET.fromstring(junit.render(ordinary_run()))
    for case, other in zip(root.iter("testcase"), strict.iter("testcase"), strict=True):
        assert case[0].tag == "properties"
        assert case.find("system-out") is None
        lines = [f"[[PROPERTY|{each.get('name')}={each.get('value')}]]\n" for each in case[0]]
        assert "".join(lines) == other.findtext("system-out")


def test_a_value_cannot_end_its_own_property_line():
    run = make_run(make_finding(make_measurement(extra={"note": "a]]b\n[[PROPERTY|perfgate.verdict=pass]]"})))
    lines = ET.fromstring(junit.render(run)).findtext("testsuite/testcase/system-out").splitlines()
    assert all(line.startswith("[[PROPERTY|perfgate.") and line.endswith("]]") for line in lines)
    assert all("]]" not in line[:-2] for line in lines)


@pytest.mark.parametrize(
    ("test", "classname", "name"),
    [
        ("tests/test_a.py::test_b", "perfgate.tests.test_a", "test_b#perf"),
        ("tests/test_a.py::TestC::test_b[x::y/z.py-[1]]", "perfgate.tests.test_a.TestC", "test_b[x::y/z.py-[1]]#perf"),
        ("test_a.py::test_b", "perfgate.test_a", "test_b#perf"),
        ("docs/page.md", "perfgate", "docs.page.md#perf"),
    ],
)
def test_a_case_has_the_address_that_pytest_gives_it_below_a_name_of_ours(test, classname, name):
    case = ET.fromstring(junit.render(make_run(make_finding(make_measurement(test))))).find(".//testcase")
    assert (case.get("classname"), case.get("name")) == (classname, name)


@pytest.mark.parametrize(
    ("value", "unit", "time"),
    [
        (1.23456, "s", "1.235"),
        (1e-9, "s", "0.000"),
        (1e6, "s", "1000000.000"),
        (5.0, "B", "0.000"),
        (None, "s", "0.000"),
    ],
)
def test_times_are_seconds_with_three_decimals_and_no_exponent(value, unit, time):
    case = ET.fromstring(junit.render(make_run(make_finding(make_measurement(value=value, unit=unit))))).find(
        ".//testcase"
    )
    assert case.get("time") == time


def test_the_suite_says_where_and_how_it_was_measured():
    suite = ET.fromstring(junit.render(ordinary_run())).find("testsuite")
    facts = {each.get("name"): each.get("value") for each in suite.iterfind("properties/property")}
    assert facts["perfgate.machine.cpu"] == "Example CPU 3000"
    assert facts["perfgate.profile"] == "ci"
    assert facts["perfgate.python"] == "CPython 3.12"
    assert facts["perfgate.tolerance"] == "0.05"
    assert facts["perfgate.commit"].startswith("3f2c1ab")
    assert (suite.get("time"), suite.get("timestamp")) == ("12.500", "2026-01-02T03:04:05+00:00")


@both
def test_hostile_texts_are_escaped_as_pytest_does(render):
    text = render(hostile_run())
    assert text.isascii()
    assert "#x1B[31mred" in text
    assert "#xD800" in text
    assert "#xFFFE" in text
    assert "]]>" not in text
    assert "&#13;" not in text


@both
def test_cases_stay_apart_however_hostile_their_names(render):
    cases = ET.fromstring(render(hostile_run())).findall("testsuite/testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(HOSTILE_TEXTS) + 1


def test_a_run_in_which_nothing_ran_has_an_error_and_no_pass():
    assert outcomes(junit.render(empty_run())) == {"perfgate.run": ["Error"]}


def test_a_reason_beside_a_verdict_is_not_repeated_in_the_message():
    finding = dataclasses.replace(every_verdict_run().findings[6], reason="inconclusive: too noisy")
    skipped = ET.fromstring(junit.render(make_run(finding))).find(".//skipped")
    assert skipped.get("message") == skipped.text == "inconclusive: too noisy"
