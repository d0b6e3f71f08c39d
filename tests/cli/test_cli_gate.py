"""``perfgate gate``: verdict, exit status, last line, tolerance, strictness, reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from builders import (
    every_verdict_run,
    hostile_run,
    make_check,
    make_finding,
    make_machine,
    make_measurement,
    make_python,
    make_run,
    ordinary_run,
)

from pytest_perfgate.model import Verdict
from pytest_perfgate.store import load_run

linux = pytest.mark.skipif(sys.platform != "linux", reason="places of Linux")


@pytest.fixture
def regressed(shelf):
    """A baseline, and a run 8.3 % worse than it."""
    return shelf.put("run.json", shelf.counted(13), started="later"), shelf.put("base.json", shelf.counted(12))


# -- verdicts


def test_a_run_within_its_budgets_passes(perfgate, shelf):
    printed = perfgate("gate", shelf.put("run.json", run=ordinary_run()))
    assert (printed.status, printed.err) == (0, "")
    assert printed.last_line == "perfgate: passed (4 pass)"


def test_a_run_over_budget_fails_without_a_baseline(perfgate, shelf):
    over = make_finding(verdict=Verdict.OVER_BUDGET, checks=(make_check(0.01),))
    printed = perfgate("gate", shelf.put("run.json", over, shelf.counted(1)))
    assert printed.status == 1
    assert printed.last_line == "perfgate: FAILED (1 over-budget)"
    assert over.reason in " ".join(printed.out.split())


def test_over_budget_stays_so_whatever_the_baseline_says(perfgate, shelf):
    over = make_finding(verdict=Verdict.OVER_BUDGET, checks=(make_check(0.01),))
    run, base = (shelf.put(name, over, started=name) for name in ("run.json", "base.json"))
    assert perfgate("gate", run, "--baseline", base).status == 1


def test_a_regression_fails_and_is_explained(perfgate, regressed):
    run, base = regressed
    printed = perfgate("gate", run, "--baseline", base)
    assert printed.status == 1
    assert printed.last_line == "perfgate: FAILED (1 regressed)"
    assert "+8.3 %" in printed.out
    assert "compared with: base.json" in printed.out


def test_an_improvement_passes(perfgate, regressed):
    base, run = regressed
    printed = perfgate("gate", run, "--baseline", base)
    assert (printed.status, printed.last_line) == (0, "perfgate: passed (1 improved)")


def test_every_verdict_that_fails_is_counted_in_the_last_line(perfgate, shelf):
    run = shelf.put("run.json", run=every_verdict_run())
    assert perfgate("gate", run).last_line == "perfgate: FAILED (1 over-budget, 1 regressed, 1 failed-to-measure)"
    strict = "1 over-budget, 1 regressed, 1 missing, 1 inconclusive, 1 incomparable, 1 failed-to-measure"
    assert perfgate("gate", run, "--strict").last_line == f"perfgate: FAILED ({strict})"


def test_what_cannot_be_told_is_inconclusive_and_fails_only_when_strict(perfgate, shelf):
    run, base = shelf.put("run.json", shelf.timed(0.103), started="later"), shelf.put("base.json", shelf.timed(0.1))
    printed = perfgate("gate", run, "--baseline", base)
    assert (printed.status, printed.last_line) == (0, "perfgate: inconclusive (1 inconclusive)")
    assert "perfgate merge" in printed.out
    strict = perfgate("gate", run, "--baseline", base, "--strict")
    assert (strict.status, strict.last_line) == (1, "perfgate: FAILED (1 inconclusive)")


@pytest.mark.parametrize(
    "other",
    [
        {"machine": make_machine(cpu="Other CPU")},
        {"machine": make_machine(cores=2.0)},
        {"python": make_python(version="3.13.0")},
        {"python": make_python(version="3.12.1", build="free-threaded")},
        {"profile": "ci"},
    ],
    ids=["cpu", "cores", "python", "build", "profile"],
)
def test_a_baseline_of_another_kind_cannot_be_judged(other, perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(1), **other)
    printed = perfgate("gate", shelf.put("run.json", shelf.counted(100)), "--baseline", base)
    assert printed.status == 2
    assert printed.last_line == "perfgate: could not judge (nothing is comparable with base.json)"
    assert "the baseline was measured on" in printed.out


def test_nothing_measured_cannot_be_judged(perfgate, shelf):
    printed = perfgate("gate", shelf.put("run.json"))
    assert (printed.status, printed.last_line) == (2, "perfgate: could not judge (nothing was measured)")


def test_a_run_whose_only_case_failed_to_measure_is_no_pass(perfgate, shelf):
    failed = make_finding(make_measurement(value=None), Verdict.FAILED_TO_MEASURE)
    assert perfgate("gate", shelf.put("run.json", failed)).status == 2
    assert perfgate("gate", shelf.put("more.json", failed, shelf.counted(1))).status == 1


@pytest.mark.parametrize("findings", ["none", "others"])
def test_a_baseline_without_a_case_of_this_run_is_no_pass(findings, perfgate, shelf):
    base = shelf.put("base.json", *([shelf.counted(1, "a.py::other")] if findings == "others" else []))
    printed = perfgate("gate", shelf.put("run.json", shelf.counted(1)), "--baseline", base)
    assert printed.status != 0
    assert "nothing could be compared" in printed.out
    assert "passed" not in printed.last_line


# -- missing, new, renamed


def test_missing_new_and_renamed_cases_are_listed_and_counted(perfgate, shelf):
    same = shelf.counted(1, "t.py::test_same")
    base = shelf.put("base.json", same, shelf.counted(2, "t.py::test_gone[1]"), shelf.counted(2, "t.py::test_moved"))
    run = shelf.put("run.json", same, shelf.counted(2, "t.py::test_new"), shelf.counted(2, "u.py::test_moved"))
    printed = perfgate("gate", run, "--baseline", base)
    said = " ".join(printed.out.split())
    assert printed.status == 0
    assert "missing (2): t.py::test_gone[1]#queries, t.py::test_moved#queries" in said
    assert "new (2): t.py::test_new#queries, u.py::test_moved#queries" in said
    assert "looks renamed to u.py::test_moved#queries" in said
    assert "2 missing here, 2 new, 1 renamed" in said
    strict = perfgate("gate", run, "--baseline", base, "--strict")
    assert (strict.status, strict.last_line) == (1, "perfgate: FAILED (2 missing)")


# -- what a baseline is


def test_a_run_compared_with_itself_is_told_so(perfgate, shelf):
    run = shelf.put("run.json", shelf.counted(1))
    copy = shelf.put("copy.json", shelf.counted(1))
    assert "it is this very run" in perfgate("gate", run, "--baseline", copy).out


def test_a_baseline_that_failed_is_pointed_out(perfgate, shelf):
    over = make_finding(verdict=Verdict.OVER_BUDGET)
    base = shelf.put("base.json", shelf.counted(1), over)
    printed = perfgate("gate", shelf.put("run.json", shelf.counted(1), started="later"), "--baseline", base)
    assert "1 case of it failed when it was recorded" in printed.out


# -- tolerance


@pytest.mark.parametrize(
    ("recorded", "own", "given", "status"),
    [
        (None, None, [], 1),  # 5 %
        (0.1, None, [], 0),
        (0.01, None, ["--max-regression", "10%"], 0),
        (0.1, None, ["--max-regression=5%"], 1),
        (0.01, 0.1, [], 0),
        (0.01, 0.1, ["--max-regression", "5 %"], 0),
        (0.1, 0.01, ["--max-regression", "10%"], 1),
        ("10%", None, [], 1),  # not ours: recorded by nobody
        ("inf", None, [], 1),
        (True, None, [], 1),
    ],
)
def test_a_tolerance_comes_from_the_test_else_the_command_line_else_the_run(
    recorded, own, given, status, perfgate, shelf
):
    settings = {} if recorded is None else {"max_regression": recorded}
    extra = {} if own is None else {"max_regression": own}
    shelf.put("base.json", shelf.counted(12))
    shelf.put("run.json", shelf.counted(13, extra=extra), settings=settings)
    assert perfgate("gate", "run.json", "--baseline", "base.json", *given).status == status


@pytest.mark.parametrize("recorded", [-0.5, None, False, "0%", []])
def test_a_recorded_tolerance_that_is_none_is_five_percent(recorded, perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(100))
    run = shelf.put("run.json", shelf.counted(104), settings={"max_regression": recorded})
    assert perfgate("gate", run, "--baseline", base).last_line == "perfgate: passed (1 pass)"


@pytest.mark.parametrize("text", ["5", "0.05", "-5%", "nan%", "inf%", "5ms", "", "five", "%"])
def test_a_tolerance_that_cannot_be_meant_is_refused_with_an_example(text, perfgate, regressed):
    run, base = regressed
    status, out, err = perfgate("gate", run, "--baseline", base, f"--max-regression={text}")
    assert (status, out) == (2, "")
    assert "--max-regression" in err
    assert '%"' in err or "5%" in err


def test_a_tolerance_without_anything_to_compare_with_is_refused(perfgate, shelf):
    status, out, err = perfgate("gate", shelf.put("run.json", shelf.counted(1)), "--max-regression", "5%")
    assert (status, out) == (2, "")
    assert "--baseline" in err


# -- reports


def test_reports_say_what_the_gate_said(perfgate, regressed, shelf):
    run, base = regressed
    printed = perfgate("gate", run, "--baseline", base, "--report", "json=out.json", "--report", "junit=out.xml")
    assert printed.status == 1
    assert [finding.verdict for finding in load_run(shelf.folder / "out.json").findings] == [Verdict.REGRESSED]
    assert 'failures="1"' in (shelf.folder / "out.xml").read_text("utf-8")


def test_a_report_on_standard_output_has_it_to_itself(perfgate, regressed):
    run, base = regressed
    printed = perfgate("gate", run, "--baseline", base, "--report", "json=-")
    assert printed.status == 1
    assert json.loads(printed.out)["summary"]["verdict"] == "fail"
    assert printed.err.splitlines()[-1] == "perfgate: FAILED (1 regressed)"


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (["xml=a"], "there is no report format 'xml'"),
        (["jsn=a.json"], "did you mean 'json'"),
        (["html=a.html"], "not available in this version"),
        (["json"], "write FORMAT=PATH"),
        (["json="], "has no path"),
        (["json=a", "junit=a"], "two reports would go into the same file"),
        (["json=a", "junit=none/b.xml"], "the folder"),
        pytest.param(["json=a", "junit=/proc/b.xml"], "cannot write /proc/b.xml", marks=linux),
        pytest.param(["json=a", "text=/dev/full"], "always full", marks=linux),
    ],
)
def test_a_report_that_cannot_be_had_is_refused_before_anything_is_written(reports, said, perfgate, regressed, shelf):
    run, base = regressed
    options = [part for report in reports for part in ("--report", report)]
    status, out, err = perfgate("gate", run, "--baseline", base, *options)
    assert (status, out) == (2, "")
    assert said in err
    assert shelf.names() == ["base.json", "run.json"]


def test_a_report_may_not_replace_the_baseline(perfgate, regressed, shelf):
    run, base = regressed
    stored = Path(base).read_bytes()
    link = Path(base).with_name("link.json")
    link.symlink_to(base)
    for path in (base, str(link), str(Path(base).parent / "." / "base.json")):
        status, out, err = perfgate("gate", run, "--baseline", base, "--report", f"json={path}")
        assert (status, out) == (2, ""), path
        assert "the baseline that the run is judged by are one file" in err
    assert Path(base).read_bytes() == stored
    assert perfgate("gate", base, "--report", f"json={base}").status == 0


def test_a_report_may_replace_the_run_it_was_made_from(perfgate, regressed, shelf):
    run, base = regressed
    assert perfgate("gate", run, "--baseline", base, "--report", f"json={run}").status == 1
    assert perfgate("gate", run).last_line == "perfgate: FAILED (1 regressed)"
    assert perfgate("gate", run, "--baseline", base, "--max-regression=10%").status == 0


# -- what is printed


def test_the_table_shows_fifty_rows_unless_asked_for_more(perfgate, shelf):
    run = shelf.put("run.json", *(shelf.counted(1, f"t.py::test_{number}") for number in range(70)))
    count = [perfgate("gate", run, *more).out.count("t.py::test_") for more in ([], ["--limit=3"], ["--limit", "0"])]
    assert count == [50, 3, 70]


@pytest.mark.parametrize("text", ["-1", "many", "1.5", ""])
def test_a_number_of_rows_that_is_none_is_refused(text, perfgate, shelf):
    status, out, err = perfgate("gate", shelf.put("run.json", shelf.counted(1)), f"--limit={text}")
    assert (status, out) == (2, "")
    assert "number of rows" in err


def test_hostile_texts_do_not_reach_the_terminal(perfgate, shelf):
    printed = perfgate("gate", shelf.put("run.json", run=hostile_run()))
    assert printed.status == 1
    assert "\x1b" not in printed.out
    assert printed.last_line.startswith("perfgate: FAILED (")


def test_a_run_with_failures_of_its_own_fails_though_every_case_passes(perfgate, shelf):
    run = make_run(shelf.counted(1), failures=("2 of 4 workers crashed",))
    printed = perfgate("gate", shelf.put("run.json", run=run))
    assert (printed.status, printed.last_line) == (1, "perfgate: FAILED (2 of 4 workers crashed)")
