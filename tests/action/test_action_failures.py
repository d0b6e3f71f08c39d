"""What fails the job and what is said of it: budgets, tests, nothing measured, bad inputs, crashes."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path

import pytest
import yaml
from action.job import ROOT

SAME = {"a": 100, "b": 100}


def failed_steps(played):
    return [step.name for step in played.steps if step.outcome == "failure"]


def test_a_broken_budget_fails_whatever_is_said_of_regressions(job):
    job.write("test_more.py", "import pytest\n@pytest.mark.budget('rows < 5')\ndef test_x(metric): metric('rows', 9)\n")
    played = job.play(SAME, fail_on_regression="false")
    assert failed_steps(played) == ["Verdict"]
    assert (played.outputs["status"], played.outputs["over-budget"]) == ("fail", "1")
    assert "1 over-budget (test_more.py::test_x#rows)" in played.messages("error")[-2]
    assert job.cache.keys == []


def test_a_regression_is_tolerated_where_somebody_says_so_and_is_told_all_the_same(job):
    job.play(SAME)
    played = job.play({"a": 150, "b": 100}, fail_on_regression="false")
    assert played.is_green, played.log
    assert (played.outputs["status"], played.outputs["regressions"]) == ("fail", "1")
    assert any("tolerated by fail-on-regression: false" in message for message in played.messages("warning"))
    assert played.summary.partition("\n")[0].endswith("; tolerated by fail-on-regression: false**")
    assert "tolerated by fail-on-regression: false" in Path(played.outputs["report-markdown"]).read_text("utf-8")
    assert len(job.cache.keys) == 1


class TestFailingTests:
    @pytest.fixture(autouse=True)
    def _failing_test(self, job):
        job.play(SAME)
        job.write("test_more.py", "def test_wrong(): assert 1 == 2\n")

    def test_they_are_no_performance_verdict_and_fail(self, job):
        played = job.play(SAME)
        assert failed_steps(played) == ["Verdict"]
        assert (played.outputs["status"], played.outputs["exit-code"]) == ("tests-failed", "1")
        assert played.outputs["regressions"] == "0"
        assert "test_more.py::test_wrong" in played.messages("error")[-2]
        assert played.summary.startswith("**perfgate: tests failed: 1 test failed")
        assert len(job.cache.keys) == 1

    def test_they_fail_where_a_regression_would_be_tolerated(self, job):
        played = job.play({"a": 150, "b": 100}, fail_on_regression="false")
        assert failed_steps(played) == ["Verdict"]
        line = played.messages("error")[-2]
        assert "1 regressed" in line
        assert "1 test failed for other reasons than performance (test_more.py::test_wrong)" in line

    def test_an_error_in_a_teardown_of_a_regressed_test_counts_as_one(self, job):
        job.write("conftest.py", "import pytest\n@pytest.fixture(autouse=True)\ndef bad():\n    yield\n    assert 0\n")
        played = job.play({"a": 150, "b": 100}, pytest_args="test_it.py -k count", fail_on_regression="false")
        assert failed_steps(played) == ["Verdict"]


@pytest.mark.parametrize(
    ("config", "inputs", "said"),
    [
        ("", {"against": "none-such"}, "[tool.perfgate] packages ="),
        ("", {"pytest_args": "--perfgate-profile nowhere"}, "nowhere"),
        ("[tool.perfgate]\nmax_regresion = '5%'\n", {}, "max_regresion"),
        ("", {"pytest_args": "--perfgate-profile '<b>@x'"}, "<b>@"),
    ],
)
def test_a_mistake_that_pytest_tells_is_on_the_page(job, config, inputs, said):
    job.write("pyproject.toml", config)
    played = job.play(SAME, **inputs)
    assert failed_steps(played) == ["Verdict"]
    assert said in played.messages("error")[-2]
    assert said in html.unescape(played.summary).replace("\u200b", "")
    assert "<b>" not in played.summary


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
        ("def f(:\n", "SyntaxError: invalid syntax"),
    ],
)
@pytest.mark.parametrize("others", [True, False])
def test_a_file_that_cannot_be_imported_is_named_with_the_reason(job, text, cause, others):
    job.write("test_more.py" if others else "test_it.py", text)
    played = job.play(SAME)
    assert failed_steps(played) == ["Verdict"]
    for said in (played.messages("error")[-2], html.unescape(played.summary)):
        assert "could not be collected: " in said
        assert cause in said
    assert "no test of this run uses" not in played.log + played.summary


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({"test_it.py": "def test_plain(): pass\n"}, "", "nothing was measured"),
        ({"test_it.py": ""}, "", "no tests were collected"),
        ({"test_it.py": "import nothing_of_that_name\n"}, "", "collecting the tests failed"),
        ({}, "--no-such-option", "a usage error"),
        ({}, "--no-perfgate", "wrote no report"),
        ({"test_it.py": "import os\ndef test_dies(): os._exit(17)\n"}, "", "pytest died (exit status 17)"),
        ({"conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 3\n"}, "", "an internal error"),
    ],
    ids=["nothing-measured", "no-tests", "collection", "usage", "switched-off", "died", "internal"],
)
def test_what_could_not_be_judged_is_no_pass(job, files, arguments, said):
    for name, text in files.items():
        job.write(name, text)
    played = job.play(SAME, pytest_args=arguments, missing_baseline="pass")
    assert failed_steps(played) == ["Verdict"]
    assert played.outputs["status"] == "error"
    assert said in played.messages("error")[-2]
    assert said in played.summary
    assert job.cache.keys == []


def test_the_report_of_an_earlier_run_is_not_taken_for_this_ones(job):
    assert job.play(SAME, report_dir="out").is_green
    job.write("test_it.py", "import os; os._exit(5)")
    played = job.play(SAME, report_dir="out")
    assert not played.is_green
    assert played.outputs["report-json"] == ""
    assert not (job.workspace / "out/perfgate.json").exists()


#: Of every input values that cannot be meant, and what is said of them.
BAD_VALUES = [
    ("install", "yes", 'install: "yes" is neither "true" nor "false"'),
    ("pytest-args", "-k 'open", "cannot be split into arguments: no closing quotation"),
    ("pytest-args", "--perfgate-against HEAD", "use the input against"),
    ("working-directory", "nowhere", "there is no folder nowhere"),
    ("max-regression", "5", "max-regression"),
    ("max-regression", "-5%", '" is negative; write it like'),
    ("baseline-storage", "cahce", 'did you mean "cache"?'),
    ("missing-baseline", "ignore", "is none of fail, warn, pass"),
    ("update-baseline", "yes", "is none of auto, true, false"),
    ("fail-on-regression", "no", 'is neither "true" nor "false"'),
    ("strict", "1", 'is neither "true" nor "false"'),
    ("summary", "off", 'is neither "true" nor "false"'),
    ("annotations", "nope", 'is neither "true" nor "false"'),
    ("comment", "sometimes", "is none of never, on-change, always"),
    ("report-dir", "a\nb", "has more than one line"),
    ("baseline-key", "a\nb", "has more than one line"),
    ("against", "no-such-revision", "no-such-revision"),
    ("report-dir", "test_it.py", "report-dir: cannot write to"),
    ("report-dir", "test_it.py/below", "report-dir: cannot write to"),
    ("baseline-path", "a\nb", "has more than one line"),
    ("comment-id", "a b", "is no id of a comment"),
    ("max-regression", "nan%", "max-regression"),
]
#: No step of ours reads them as words: an interpreter that is not there is below, a token in test_action_comment.py.
BAD_ELSEWHERE = {"python", "github-token"}


def test_there_is_a_bad_value_for_every_input():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    assert {name for name, _, _ in BAD_VALUES} == set(inputs) - BAD_ELSEWHERE


@pytest.mark.parametrize(("name", "value", "said"), BAD_VALUES)
def test_a_bad_value_is_told_with_the_name_of_the_input(job, name, value, said):
    played = job.play(SAME, **{name.replace("-", "_"): value})
    assert not played.is_green
    assert "Traceback" not in played.log
    assert said in played.log
    assert played.outputs["status"] == "error"
    if name != "against":
        assert played.messages("error")[0].startswith(f"{name}: ")
        assert "test session starts" not in played.log


@pytest.mark.skipif(os.name == "nt", reason="nobody there is told to end by a signal")
def test_a_measuring_step_that_is_told_to_end_takes_pytest_along(job):
    # The alarm is there for the case that nobody passes it on.
    dying = "signal.alarm(60); os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    job.write("test_it.py", f"import os, signal\ndef test_ended(): {dying}\n")
    played = job.play(SAME)
    assert failed_steps(played) == ["Verdict"]
    assert "pytest died (exit status -15)" in played.messages("error")[-2]


def test_a_folder_is_no_baseline_and_the_input_is_named(job):
    played = job.play(SAME, baseline_storage="file", baseline_path=".")
    assert failed_steps(played) == ["Plan"]
    assert played.messages("error")[0].startswith("baseline-path: ")


@pytest.mark.parametrize("value", ["test_it.py", "test_it.py/below"])
def test_a_folder_for_reports_that_cannot_be_one_is_found_by_the_plan(job, value):
    assert failed_steps(job.play(SAME, report_dir=value))[0] == "Plan"


def test_all_mistakes_are_told_at_once(job):
    played = job.play(SAME, strict="1", comment="x", baseline_storage="y")
    assert len(played.messages("error")) == 4  # and the exit status of the step


def test_an_interpreter_that_is_not_there_is_named(job):
    played = job.play(SAME, python="./no-such-python")
    assert failed_steps(played) == ["Install"]
    assert "./no-such-python" in played.log


def test_two_things_to_compare_with_are_one_too_many(job):
    played = job.play(SAME, against="HEAD~1", baseline_storage="file")
    assert failed_steps(played) == ["Plan"]
    assert "compare with one or the other" in played.messages("error")[0]


def test_more_than_ten_regressions_do_not_hide_the_verdict_and_the_worst_are_shown(job):
    numbers = range(10, 40)
    job.play({f"case{number}": 100 for number in numbers})
    played = job.play({f"case{number}": 140 + number for number in numbers})
    errors = played.messages("error")
    assert len(errors) == len([one for one in played.said if one.level == "error"]) <= 10
    assert errors[-2].startswith(
        "perfgate: FAILED: 30 regressed (worst: test_it.py::test_count[case39]#queries +79.0 %)"
    )
    annotated = [one for one in played.shown if one.level == "error" and one.properties.get("file")]
    assert all(one.place == "test_it.py:10" for one in annotated)
    names = [re.search(r"case\d+", one.properties["title"])[0] for one in annotated]
    assert names == [f"case{number}" for number in range(39, 31, -1)]
    assert "22 more failing; all in the JSON report" in played.messages("warning")


def test_strict_fails_what_cannot_be_told(job):
    job.play(SAME)
    played = job.play({"a": 100}, strict="true")
    assert not played.is_green
    assert "1 missing" in played.messages("error")[-2]


def test_the_tolerance_of_the_input_counts(job):
    job.play(SAME)
    assert job.play({"a": 109, "b": 100}, max_regression="10%", update_baseline="false").is_green
    job.write("pyproject.toml", '[tool.perfgate]\nmax_regression = "30%"\n')
    assert job.play({"a": 125, "b": 100}, update_baseline="false").is_green
    assert not job.play({"a": 125, "b": 100}, max_regression="10%").is_green


def test_the_reports_are_where_the_outputs_say(job):
    played = job.play(SAME)
    read = {kind: Path(played.outputs[f"report-{kind}"]).read_text("utf-8") for kind in ("json", "junit", "markdown")}
    assert json.loads(read["json"])["format"] == "perfgate-run"
    assert "<testsuite" in read["junit"]
    assert played.summary.endswith(read["markdown"])
    assert played.summary.startswith("**perfgate: nothing was compared")
    assert job.play(SAME).summary.startswith("## ✅ perfgate: pass")


def test_a_project_in_a_folder_of_its_own_is_measured_there_and_annotated_from_the_workspace(job):
    folder = job.workspace / "a part" / "of it"
    folder.mkdir(parents=True)
    (job.workspace / "test_it.py").rename(folder / "test_it.py")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    inputs = {"working_directory": "a part/of it", "report_dir": "out put"}
    for value in (100, 150):
        (folder / "values.json").write_text(json.dumps({"a": value}), "utf-8")
        played = job.play(**inputs)
    assert played.outputs["regressions"] == "1", played.log
    assert played.shown[0].place == "a part/of it/test_it.py:10"
    assert played.outputs["report-json"] == str(job.workspace / "out put" / "perfgate.json")


@pytest.mark.parametrize("switched_off", ["summary", "annotations"])
def test_what_is_switched_off_is_not_there(job, switched_off):
    job.play(SAME)
    played = job.play({"a": 150, "b": 100}, **{switched_off: "false"})
    assert not played.is_green
    assert bool(played.summary) is (switched_off != "summary")
    assert any(one.properties.get("file") for one in played.said) is (switched_off != "annotations")
