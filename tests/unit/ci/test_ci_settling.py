"""A run becomes a status, a status and the policies become the end of the job."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from builders import make_change, make_check, make_finding, make_measurement, make_run

from pytest_perfgate.ci.measuring import child_environ, failed_tests, pytest_command, pytest_program, usage_error
from pytest_perfgate.ci.outputs import append, assignments, stop_token
from pytest_perfgate.ci.plan import Plan
from pytest_perfgate.ci.recording import next_baseline
from pytest_perfgate.ci.settling import FailedTest, Settled, settle, settled_from_text
from pytest_perfgate.ci.verdict import conclude
from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Verdict

CACHE = Plan(compare="cache", baseline="/b.json", cache_prefix="p-", working_directory="/w", report_dir="/r")
BASE = replace(CACHE, compare="base", against="abc")
NOTHING = replace(CACHE, compare="nothing")


def one(verdict, name="t", ratio=None, *, value=1.0):
    change = None if ratio is None else make_change(ratio)
    return make_finding(make_measurement(f"t.py::{name}", value=value), verdict, "why", change=change)


def settled(*findings, plan=CACHE, exit_code=0, failed=(), **fields):
    fields = {"settings": {"strict": False}, "notes": (), "failures": (), **fields}
    return settle(plan, make_run(*findings, **fields), exit_code=exit_code, failed=failed)


PASSED = one(Verdict.PASS, ratio=1.01)
SLOWER = one(Verdict.REGRESSED, "slow", ratio=1.2)


@pytest.mark.parametrize(
    ("findings", "more", "status"),
    [
        ([PASSED], {}, "pass"),
        ([PASSED, SLOWER], {"exit_code": 1}, "fail"),
        ([PASSED, one(Verdict.OVER_BUDGET)], {"exit_code": 1}, "fail"),
        ([PASSED, one(Verdict.FAILED_TO_MEASURE, value=None)], {"exit_code": 1}, "fail"),
        ([one(Verdict.FAILED_TO_MEASURE, value=None)], {"exit_code": 1}, "fail"),
        ([PASSED], {"failures": ("the run was cut short",), "exit_code": 1}, "fail"),
        ([PASSED, one(Verdict.INCONCLUSIVE, ratio=1.03)], {}, "inconclusive"),
        ([PASSED, one(Verdict.MISSING, value=None)], {"settings": {"strict": True}}, "fail"),
        ([one(Verdict.PASS)], {}, "no-baseline"),
        ([one(Verdict.PASS)], {"plan": NOTHING}, "pass"),
        ([one(Verdict.NO_BASELINE)], {}, "no-baseline"),
        ([one(Verdict.INCOMPARABLE)], {}, "no-baseline"),
        ([PASSED], {"failed": [FailedTest("t.py::x", "call")], "exit_code": 1}, "tests-failed"),
        ([PASSED], {"exit_code": 1}, "tests-failed"),
        ([PASSED], {"exit_code": 2}, "error"),
        ([PASSED], {"exit_code": -9}, "error"),
        ([SLOWER], {"exit_code": 3}, "error"),
        ([], {}, "error"),
        ([], {"exit_code": 5}, "error"),
    ],
)
def test_the_status_is_that_of_the_worst(findings, more, status):
    assert settled(*findings, **more).status == status


@pytest.mark.parametrize("exit_code", [0, 1, 2, 4, 5, -11, 139])
def test_without_a_report_nothing_was_judged(exit_code):
    found = settle(CACHE, None, exit_code=exit_code, failed=())
    assert (found.status, found.compared, found.worst_change) == ("error", 0, None)
    assert conclude(CACHE, found).exit_status == 2


def test_it_is_counted_and_the_worst_is_named():
    found = settled(PASSED, SLOWER, one(Verdict.REGRESSED, "slowest", ratio=1.5), one(Verdict.IMPROVED, ratio=0.5))
    assert (found.regressions, found.improvements, found.compared) == (2, 1, 4)
    assert found.worst_change == pytest.approx(0.5)
    assert found.sentence == "2 regressed (worst: t.py::slowest#perf +50.0 %)"


def test_the_worst_is_the_one_that_the_report_shows_first_and_a_budget_is_no_change():
    over = [
        make_finding(
            make_measurement(f"t.py::{name}", value=value),
            Verdict.OVER_BUDGET,
            "why",
            change=make_change(1.009),
            checks=(make_check(limit=1.0, observed=value),),
        )
        for name, value in (("little", 1.1), ("much", 20.5))
    ]
    assert settled(SLOWER, *over).sentence == "2 over-budget, 1 regressed (worst: t.py::much#perf)"
    assert settled(over[1]).sentence == "1 over-budget (t.py::much#perf)"


def test_the_name_of_a_test_stays_on_one_line():
    found = settled(one(Verdict.REGRESSED, "x[\n::error::\x1b[31m" + "y" * 900 + "]", ratio=2.0), exit_code=1)
    assert found.sentence.isprintable()
    assert len(found.sentence) < 400


@pytest.mark.parametrize(
    ("findings", "failed", "alone"),
    [
        ([SLOWER], [("t.py::slow", "call")], True),
        ([SLOWER], [("t.py::slow", "???")], True),
        ([SLOWER], [("t.py::slow", "call"), ("t.py::slow", "teardown")], False),
        ([SLOWER], [("t.py::slow", "call"), ("t.py::other", "call")], False),
        ([SLOWER, one(Verdict.OVER_BUDGET)], [("t.py::slow", "call"), ("t.py::t", "call")], False),
        ([PASSED], [], False),
    ],
)
def test_regressions_alone_are_told_from_regressions_and_more(findings, failed, alone):
    found = settled(*findings, failed=[FailedTest(*each) for each in failed], exit_code=int(bool(failed)))
    assert found.nothing_but_regressions is alone
    tolerant = replace(CACHE, fail_on_regression=False)
    assert (conclude(tolerant, found).exit_status == 0) is (alone or found.status == "pass")
    assert (conclude(CACHE, found).exit_status == 0) is (found.status == "pass")


def test_a_run_with_reasons_of_its_own_to_fail_is_never_tolerated():
    found = settled(SLOWER, failures=("cut short",), exit_code=1)
    assert conclude(replace(CACHE, fail_on_regression=False), found).exit_status == 1


@pytest.mark.parametrize(
    ("status", "plan", "exit_status", "level"),
    [
        ("pass", CACHE, 0, "notice"),
        ("inconclusive", CACHE, 0, "warning"),
        ("no-baseline", CACHE, 0, "warning"),
        ("no-baseline", replace(CACHE, missing_baseline="fail"), 1, "error"),
        ("no-baseline", replace(CACHE, missing_baseline="pass"), 0, "notice"),
        ("no-baseline", replace(BASE, missing_baseline="pass"), 1, "error"),
        ("fail", CACHE, 1, "error"),
        ("tests-failed", replace(CACHE, fail_on_regression=False), 1, "error"),
        ("error", replace(CACHE, missing_baseline="pass", fail_on_regression=False), 2, "error"),
        ("nonsense", CACHE, 2, "error"),
    ],
)
def test_the_end_of_the_job(status, plan, exit_status, level):
    found = conclude(plan, Settled(status=status, sentence="why", exit_code=0))
    assert found[:2] == (exit_status, level)
    assert "why" in found.line
    assert "\n" not in found.line


def test_what_came_of_it_survives_as_one_line():
    found = settled(SLOWER, exit_code=1)
    assert settled_from_text(found.to_text()) == found
    for text in ("", "{", "[]", '{"status": "pass"}', '"x"'):
        with pytest.raises(UsageError, match="measuring step"):
            settled_from_text(text)


@pytest.mark.parametrize(
    ("status", "recorded"),
    [
        ("pass", True),
        ("inconclusive", True),
        ("no-baseline", True),
        ("fail", False),
        ("tests-failed", False),
        ("error", False),
    ],
)
def test_only_what_did_not_fail_may_be_recorded(status, recorded):
    assert Settled(status=status, sentence="", exit_code=0).may_be_recorded is recorded


def test_a_case_nobody_could_tell_of_keeps_its_old_value_so_that_it_cannot_creep():
    def run(*findings):
        return make_run(*findings)

    base = run(one(Verdict.PASS, "a", value=1.0), one(Verdict.PASS, "b", value=1.0), one(Verdict.PASS, "gone"))
    head = run(
        one(Verdict.INCONCLUSIVE, "a", 1.04, value=1.04),
        one(Verdict.PASS, "b", 0.98, value=0.98),
        one(Verdict.NO_BASELINE, "new", value=5.0),
        one(Verdict.MISSING, "gone", value=None),
    )
    values = {finding.case.test: finding.measurement.value for finding in next_baseline(head, base).findings}
    assert values == {"t.py::a": 1.0, "t.py::b": 0.98, "t.py::new": 5.0}
    assert {finding.case.test for finding in next_baseline(head, None).findings} == {"t.py::a", "t.py::b", "t.py::new"}


def test_the_command_holds_what_was_planned_and_the_users_words_last():
    plan = replace(BASE, max_regression="3%", strict=True, pytest_args=("-k", "a b", "$(x)"))
    words = pytest_command(["pytest"], plan, has_baseline=True)
    assert words[0] == "pytest"
    assert words[-3:] == ["-k", "a b", "$(x)"]
    assert {"--perfgate", "--perfgate-against=abc", "--perfgate-max-regression=3%", "--perfgate-strict"} < set(words)
    assert not any(word.startswith("--perfgate-baseline") for word in words)
    stored = pytest_command(["pytest"], CACHE, has_baseline=True)
    assert "--perfgate-baseline=/b.json" in stored
    assert not any("baseline=" in word for word in pytest_command(["pytest"], CACHE, has_baseline=False))


def test_pytest_is_that_of_the_environment(tmp_path):
    assert pytest_program("py", str(tmp_path)) == ["py", "-m", "pytest"]
    name = "pytest.exe" if os.name == "nt" else "pytest"
    (tmp_path / name).write_text("")
    (tmp_path / name).chmod(0o755)
    assert pytest_program("py", str(tmp_path)) == [str(tmp_path / name)]


def test_the_suite_gets_the_environment_without_what_is_ours():
    given = {
        "PATH": "p",
        "GITHUB_OUTPUT": "o",
        "PERFGATE_INPUT_STRICT": "1",
        "PERFGATE_PLAN": "{}",
        "PERFGATE_PROFILE": "ci",
    }
    assert child_environ(given, "/o") == {"PATH": "p", "PERFGATE_PROFILE": "ci", "PERFGATE_OUTCOMES": "/o"}


def test_failed_tests_are_read_from_what_the_plugin_wrote():
    assert failed_tests('{"failed": [["a::b", "call"]]}') == (FailedTest("a::b", "call"),)
    for text in ("", "{", "[]", '{"failed": [1]}', '{"failed": [["a"]]}'):
        assert failed_tests(text) == ()
        assert usage_error(text) == ""
    assert usage_error('{"failed": [], "usage": "so"}') == "so"


def test_no_value_of_an_output_can_begin_another():
    text = assignments({"a": "x\nghadelimiter_0\nb=1", "c": ""})
    delimiter = text.partition("\n")[0].removeprefix("a<<")
    assert text.count(delimiter) == 2
    assert assignments({"a": "x"}) != assignments({"a": "x"})
    assert stop_token() != stop_token()


def test_a_file_of_the_runner_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="GITHUB_OUTPUT is not set"):
        append(None, "x", variable="GITHUB_OUTPUT")
    with pytest.raises(UsageError, match="cannot write to GITHUB_OUTPUT"):
        append(str(tmp_path / "no" / "file"), "x", variable="GITHUB_OUTPUT")
    append(str(tmp_path / "f"), "a\ud800\n", variable="X")
    append(str(tmp_path / "f"), "b\n", variable="X")
    assert (tmp_path / "f").read_bytes() == b"a\\ud800\nb\n"
