"""Every format of the registry, so that a new one is covered by its registry line; and where reports go."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from builders import (
    empty_run,
    every_verdict_run,
    hostile_run,
    make_finding,
    make_measurement,
    make_run,
    ordinary_run,
)

from pytest_perfgate import reports
from pytest_perfgate.errors import PerfgateError, ReportPathError
from pytest_perfgate.model import Verdict
from pytest_perfgate.reports import (
    FORMATS,
    Format,
    ReportSpec,
    check_report_paths,
    parse_report_spec,
    write_reports,
)

every_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
#: Annotations are about what is wrong, and of that the worst: see test_reports_github.py.
WHOLE = [known for known in FORMATS if known.name != "github"]
BROKEN = Format("broken", "a plugin's", lambda run: 1 / len(run.settings["no such key"]))


def names_in(folder):
    return [path.name for path in folder.iterdir()]


@every_format
@pytest.mark.parametrize("run", [ordinary_run(), empty_run(), every_verdict_run(), hostile_run(), make_run()])
def test_a_format_renders_every_run_as_text_that_can_be_written(known, run):
    text = known.render(run)
    assert text.endswith("\n")
    text.encode("utf-8")
    allowed = "" if known.name == "text" else "\t"
    assert not set(text) & (set(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - {"\n", *allowed})


@every_format
def test_a_format_says_the_same_twice(known):
    assert known.render(every_verdict_run()) == known.render(every_verdict_run())


@pytest.mark.parametrize("known", WHOLE, ids=lambda known: known.name)
def test_a_format_names_every_case_and_every_verdict(known):
    text = known.render(every_verdict_run())
    for finding in every_verdict_run().findings:
        assert finding.case.test.rpartition("::")[2] in text
        assert finding.verdict.value in text


@every_format
def test_a_format_has_a_name_to_type_and_one_line_to_explain_it(known):
    assert re.fullmatch(r"[a-z][a-z-]*", known.name)
    assert known.summary
    assert "\n" not in known.summary
    assert known.name not in reports._LATER


def test_no_two_formats_share_a_name():
    assert len({known.name for known in FORMATS}) == len(FORMATS)


def test_a_format_takes_one_line_of_the_registry():
    source = Path(reports.__file__).read_text("utf-8")
    (registry,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "FORMATS"
    )
    assert registry.end_lineno - registry.lineno == len(FORMATS) + 1


@every_format
def test_a_report_is_asked_for_by_name_and_path(known):
    assert parse_report_spec(f"{known.name}=out/file=1") == ReportSpec(known.name, "out/file=1")
    assert parse_report_spec(f" {known.name} = - ") == ReportSpec(known.name, "-")


def test_the_home_folder_may_be_written_as_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert parse_report_spec("json=~/run.json").path == str(tmp_path / "run.json")


def test_formats_of_plugins_are_known_by_list_or_by_name():
    for formats in ([*FORMATS, BROKEN], {known.name: known for known in (*FORMATS, BROKEN)}):
        assert parse_report_spec("broken=x", formats) == ReportSpec("broken", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run.json", "'run.json' is not a report; write FORMAT=PATH, such as json=run.json (formats: json, junit,"),
        ("", "'' is not a report; write FORMAT=PATH"),
        ("json=", "'json=' has no path; write json=PATH, or json=- for standard output"),
        ("jsn=a", "there is no report format 'jsn'; did you mean 'json'? there are json, junit,"),
        ("JUnit=a", "there is no report format 'JUnit'; did you mean 'junit'? there are"),
        ("pdf=a", "there is no report format 'pdf'; there are json"),
        ("=a", "there is no report format ''; there are json"),
        ("html=a", "the report format 'html' is not available in this version; there are json"),
        ("pytest-benchmark=a", "the report format 'pytest-benchmark' is not available in this version"),
    ],
)
def test_a_report_that_cannot_be_had_is_explained(text, said):
    with pytest.raises(ReportPathError) as caught:
        parse_report_spec(text)
    assert str(caught.value).startswith(said)


def test_reports_are_checked_before_anything_is_measured(tmp_path):
    good = [ReportSpec("json", str(tmp_path / "a")), ReportSpec("junit", "-"), ReportSpec("text", "-")]
    check_report_paths(good)
    assert names_in(tmp_path) == []
    with pytest.raises(ReportPathError, match="does not exist; create it first"):
        check_report_paths([*good, ReportSpec("json", str(tmp_path / "no" / "a"))])


def test_two_reports_in_one_file_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "run")
    specs = [ReportSpec("json", str(tmp_path / "run")), ReportSpec("text", str(tmp_path / "link"))]
    with pytest.raises(ReportPathError, match=r"the same file: json=.*run and text=.*link; name another"):
        check_report_paths(specs)


def test_several_reports_are_written(tmp_path):
    stream = io.StringIO()
    specs = [parse_report_spec(f"{known.name}={tmp_path / known.name}") for known in FORMATS]
    write_reports(ordinary_run(), [*specs, ReportSpec("text", "-")], stdout=stream)
    for known in FORMATS:
        assert (tmp_path / known.name).read_text("utf-8") == known.render(ordinary_run())
    assert stream.getvalue() == (tmp_path / "text").read_text("utf-8")


def test_standard_output_is_the_default_of_a_dash(capsys):
    write_reports(ordinary_run(), [ReportSpec("json", "-")])
    assert capsys.readouterr().out.startswith('{\n  "format": "perfgate-run"')


@every_format
def test_a_stream_that_holds_only_ascii_gets_ascii(known):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    write_reports(hostile_run(), [ReportSpec(known.name, "-")], stdout=stream)
    assert raw.getvalue().decode("ascii")


def test_a_format_that_fails_is_named_and_costs_no_other_report(tmp_path):
    specs = [ReportSpec("broken", str(tmp_path / "b")), ReportSpec("json", str(tmp_path / "j"))]
    with pytest.raises(PerfgateError) as caught:
        write_reports(ordinary_run(), specs, formats=[*FORMATS, BROKEN])
    said = str(caught.value)
    assert said.startswith("the report format 'broken' failed with KeyError: 'no such key' (")
    assert "test_reports_registry.py:" in said
    assert names_in(tmp_path) == ["j"]


def test_a_format_that_returns_no_text_is_named(tmp_path):
    wrong = Format("bytes", "a plugin's", lambda _run: b"text")
    with pytest.raises(PerfgateError, match="the report format 'bytes' returned bytes and not a text"):
        write_reports(ordinary_run(), [ReportSpec("bytes", str(tmp_path / "b"))], formats=[wrong])
    assert names_in(tmp_path) == []


def test_everything_that_went_wrong_is_said_at_the_end(tmp_path):
    specs = [
        ReportSpec("json", str(tmp_path / "gone" / "j")),
        ReportSpec("broken", str(tmp_path / "b")),
        ReportSpec("text", str(tmp_path / "t")),
    ]
    with pytest.raises(PerfgateError) as caught:
        write_reports(ordinary_run(), specs, formats=[*FORMATS, BROKEN])
    first, second = str(caught.value).splitlines()
    assert "'broken' failed" in first
    assert "gone does not exist" in second
    assert names_in(tmp_path) == ["t"]


def test_a_run_with_thousands_of_failures_is_rendered_by_every_format():
    findings = [
        make_finding(make_measurement(f"t.py::test_{number}"), Verdict.OVER_BUDGET, f"reason {number}")
        for number in range(3000)
    ]
    for known in FORMATS:
        assert known.render(make_run(*findings)).count("\n") > (50 if known in WHOLE else 8)
