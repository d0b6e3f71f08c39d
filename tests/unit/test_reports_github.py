"""Annotations: read as GitHub's runner reads them, never more than it keeps, and at the right place."""

from __future__ import annotations

import pytest
from builders import (
    HOSTILE_TEXTS,
    empty_run,
    every_verdict_run,
    hostile_run,
    make_change,
    make_check,
    make_finding,
    make_measurement,
    make_run,
    ordinary_run,
)

from pytest_perfgate.model import Location, Verdict
from pytest_perfgate.reports import github
from pytest_perfgate.reports.workflow_commands import command


def parse(line):
    """Read one line as the runner does (ActionCommand.TryParseV2); None for a line that is no command."""
    message = line.lstrip()
    if not message.startswith("::") or "::" not in message[2:]:
        return None
    told, _, said = message[2:].partition("::")
    name, _, given = told.partition(" ")
    pairs = [pair.split("=", 1) for pair in given.strip().split(",") if pair]
    properties = {key: unescape(value) for key, value in pairs}
    assert len(properties) == len(pairs)
    return name, properties, unescape(said)


def unescape(text):
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def commands(run, level=None):
    found = [parse(line) for line in github.render(run).splitlines()]
    return [one for one in found if one is not None and level in (None, one[0])]


def over(name, observed=2.0, **fields):
    measured = make_measurement(f"tests/test_a.py::{name}", value=observed, **fields)
    return make_finding(
        measured, Verdict.OVER_BUDGET, f"{name} took {observed:g} s", checks=(make_check(1.0, observed),)
    )


def test_a_failure_stands_at_the_line_of_its_test():
    run = make_run(over("TestB::test_c[x]", location=Location("tests/test_a.py", 12)))
    assert commands(run) == [
        (
            "error",
            {"file": "tests/test_a.py", "line": "12", "title": "perfgate: over-budget: TestB::test_c[x]"},
            "over-budget: tests/test_a.py::TestB::test_c[x]#perf: TestB::test_c[x] took 2 s",
        )
    ]


@pytest.mark.parametrize(
    ("root", "location", "place"),
    [
        ("", Location("tests/test_a.py", 3), {"file": "tests/test_a.py", "line": "3"}),
        ("packages/a", Location("tests/test_a.py", 3), {"file": "packages/a/tests/test_a.py", "line": "3"}),
        ("packages/a", Location("../shared/test_a.py", 3), {"file": "packages/shared/test_a.py", "line": "3"}),
        (None, Location("../out/test_a.py", 3), {}),
        ("", Location("/out/test_a.py", 3), {}),
        (5, Location("test_a.py", None), {"file": "test_a.py"}),
        ("sub", None, {"file": "sub/tests/test_a.py"}),
    ],
)
def test_files_are_named_from_the_workspace(root, location, place):
    ((_, properties, _),) = commands(make_run(over("t", location=location), settings={"root": root}))
    assert {key: value for key, value in properties.items() if key != "title"} == place


def test_the_worst_come_first_and_no_more_than_the_page_keeps():
    run = make_run(*(over(f"t{number}", 1.1 + number) for number in range(30)))
    errors = commands(run, "error")
    assert [properties["title"] for _, properties, _ in errors] == [
        f"perfgate: over-budget: t{number}" for number in range(29, 21, -1)
    ]
    assert commands(run, "warning") == [("warning", {"title": "perfgate"}, "22 more failing; all in the JSON report")]


def test_of_regressions_the_worst_come_first_whatever_share_of_their_budgets_they_use():
    worsened = [
        make_finding(
            make_measurement(f"t.py::t{number}"),
            Verdict.REGRESSED,
            change=make_change(1.1 + number / 10),
            checks=(make_check(0.1 * number + 0.1),) if number % 2 else (),
        )
        for number in range(10)
    ]
    # A broken limit is worse than a change, whatever its size.
    titles = [properties["title"] for _, properties, _ in commands(make_run(*worsened, over("limit", 1.01)), "error")]
    assert titles == ["perfgate: over-budget: limit"] + [f"perfgate: regressed: t{n}" for n in range(9, 2, -1)]


def test_the_last_line_is_the_verdict_and_no_command():
    for run, said in (
        (ordinary_run(), "perfgate: pass (4 measured: 4 pass)"),
        (empty_run(), "perfgate: error (nothing was measured)"),
        (make_run(*(over(f"t{number}") for number in range(99))), "perfgate: fail (99 measured: 99 over-budget)"),
    ):
        assert github.render(run).splitlines()[-1] == said


def test_the_run_fails_in_one_annotation_however_many_reasons_it_has():
    run = make_run(make_finding(), failures=("one\nline", "two"))
    assert commands(run) == [("error", {"title": "perfgate"}, "one line\ntwo")]


def test_what_could_not_be_told_is_a_warning_and_an_error_when_strict():
    run = every_verdict_run()
    assert [properties["title"].split(": ")[1] for _, properties, _ in commands(run, "warning")] == [
        *("missing", "inconclusive", "incomparable"),
    ]
    strict = commands(every_verdict_run(settings={"strict": True}))
    assert [level for level, _, _ in strict] == ["error"] * 7 + ["notice"]


def test_one_reason_for_many_is_one_warning_and_others_are_counted_in_the_log():
    many = [
        make_finding(make_measurement(f"t.py::t{number}"), Verdict.INCOMPARABLE, f"t{number}: another CPU")
        for number in range(50)
    ]
    ((_, _, said),) = commands(make_run(*many))
    assert said == "incomparable: t.py::t0#perf and 49 more: t0: another CPU"
    noisy = [
        make_finding(make_measurement(f"t.py::t{number}"), Verdict.INCONCLUSIVE, f"noise {number}")
        for number in range(50)
    ]
    assert len(commands(make_run(*noisy))) == 5
    assert "perfgate: 45 more undecided; all in the JSON report" in github.render(make_run(*noisy)).splitlines()


def test_no_data_is_at_least_a_warning():
    assert commands(make_run()) == [("warning", {"title": "perfgate"}, "nothing was measured")]
    assert [level for level, _, _ in commands(empty_run())] == ["error"]


def test_notes_are_notices_and_a_healthy_run_has_none():
    run = make_run(make_finding(), notes=[f"note {number}" for number in range(9)])
    assert [said for _, _, said in commands(run, "notice")] == ["note: note 0", "note: note 1", "note: note 2"]
    assert commands(ordinary_run()) == []


@pytest.mark.parametrize(
    "hostile", [*HOSTILE_TEXTS, "a,line=1::b%0A::error::c\r\n::set-output name=x::y", "%3A,title=z"]
)
def test_a_hostile_text_is_told_as_it_is_and_adds_no_command(hostile):
    finding = over(f"t[{hostile}]", location=Location(f"tests/{hostile}.py", 1))
    run = make_run(finding, notes=(hostile,), failures=(hostile,))
    found = commands(run)
    assert [level for level, _, _ in found] == ["error", "error", "notice"]
    assert {key for _, properties, _ in found for key in properties} <= {"file", "line", "title"}
    assert len(github.render(run).splitlines()) == 4


def test_only_lines_of_ours_are_commands():
    for line in github.render(hostile_run()).splitlines():
        assert parse(line) is not None or line.startswith("perfgate: ")
        assert line.isprintable()


def test_what_the_runner_would_cut_is_cut_where_it_shows():
    _, properties, said = parse(command("error", "x" * 5000, title="y" * 5000))
    assert said == "x" * 4000 + " ..."
    assert len(properties["title"]) < 500


def test_every_kind_of_line_break_is_escaped():
    assert command("error", "a\r\nb%0D", title="c\r\n,:d") == "::error title=c%0D%0A%2C%3Ad::a%0D%0Ab%250D"


def test_a_command_without_properties_is_one_as_well():
    assert command("notice", "100%", title="") == "::notice::100%25"
