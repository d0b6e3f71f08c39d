"""Hostile names, arguments and suites: nothing of theirs is run by a shell or obeyed by the runner."""

from __future__ import annotations

import sys

import pytest
import yaml
from action.hostile import HOSTILE
from action.job import ROOT

#: Inputs that are one of a few words, a number or an id.
WORDS = [
    "max_regression",
    "baseline_storage",
    "missing_baseline",
    "update_baseline",
    "fail_on_regression",
    "strict",
    "summary",
    "annotations",
    "comment",
    "comment_id",
]


def assert_unharmed(job, played):
    assert not [path for path in job.folder.rglob("pwned") if path.is_file()]
    assert "forged" not in [one.message for one in played.said]
    assert all("touch" not in step.script for step in played.steps)


@pytest.mark.parametrize("text", HOSTILE)
def test_in_arguments_of_pytest(job, text):
    played = job.play({"a": 1}, pytest_args=f"-k '{text}'" if "'" not in text else f'-k "{text}"')
    assert_unharmed(job, played)
    assert not played.is_green  # it selects nothing


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("inputs", [WORDS, ["install"], ["working_directory"], ["against"], ["python"]], ids=" ".join)
def test_in_inputs_that_cannot_be_so(job, inputs, text):
    played = job.play({"a": 1}, **dict.fromkeys(inputs, text))
    assert_unharmed(job, played)
    assert not played.is_green
    assert played.outputs["status"] == "error"
    if inputs == WORDS:
        named = {message.partition(":")[0].replace("-", "_") for message in played.messages("error")}
        assert named >= set(WORDS)


@pytest.mark.parametrize("text", HOSTILE)
def test_in_inputs_that_can_be_so_and_in_names_of_branches_jobs_and_people(job, text):
    job.on("push", f"refs/heads/{text}", repository={"default_branch": text}, head={"ref": text})
    job.github |= dict.fromkeys(["job", "head_ref", "ref_name", "actor", "workflow"], text)
    given = {"baseline_key": text, "baseline_path": f"{text}.json", "report_dir": text}
    if "\n" in text or sys.platform == "win32":  # refused: no names of files
        given = {}
    for storage in ("cache", "file"):
        played = job.play({"a": 1}, baseline_storage=storage, github_token=text, **given)
        assert_unharmed(job, played)
        assert played.is_green, played.log
        assert played.outputs["status"] == "no-baseline"


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\n" in text])
def test_in_names_of_files_that_have_more_than_one_line(job, text):
    played = job.play({"a": 1}, baseline_key=text, baseline_path=text, report_dir=text)
    assert_unharmed(job, played)
    assert [step.name for step in played.steps if step.outcome == "failure"] == ["Plan"]


def test_in_ids_of_tests(job):
    job.play(dict.fromkeys(HOSTILE, 100))
    played = job.play(dict.fromkeys(HOSTILE, 150))
    assert_unharmed(job, played)
    assert played.outputs["regressions"] == str(len(HOSTILE))
    for markup in ("<script>", "<!--", "-->", "@everyone", "](http", "\n::"):
        assert markup not in played.summary
    # Every one of them is there to be read.
    assert "alert(1)" in played.summary
    assert "everyone" in played.summary


def test_what_the_suite_prints_is_no_command(job):
    job.write(
        "test_more.py", "def test_says():\n    print('\\n::error::forged\\n::add-mask::a\\n::stop-commands::x')\n"
    )
    job.write("conftest.py", "import atexit\natexit.register(lambda: print('the last line has no end', end=''))\n")
    played = job.play({"a": 1}, pytest_args="-s")
    assert "\n::error::forged\n" in played.log
    assert played.is_green
    assert_unharmed(job, played)
    # The next steps of the same action do not tell: it must be obeyed again within this very step.
    job.write("test_more.py", "def test_worse(metric): metric('rows', 70)\n")
    job.play({"a": 1})
    regressed = job.play({"a": 2})
    assert any(one.properties.get("file") for one in regressed.said)


def test_a_suite_does_not_find_the_files_of_the_runner_nor_what_the_steps_tell_each_other(job):
    job.write(
        "test_more.py",
        "import os\n"
        "def test_looks():\n"
        "    found = [n for n in os.environ if n.startswith(('PERFGATE_INPUT', 'PERFGATE_PLAN', 'PERFGATE_OUT'))]\n"
        "    files = ('GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE')\n"
        "    assert not found and not [n for n in files if n in os.environ]\n"
        "    assert not [n for n, v in os.environ.items() if 'ghs_token' in v]\n"
        "    assert os.environ['GITHUB_ACTIONS'] == 'true'\n",
    )
    played = job.play({"a": 1})
    assert played.outputs["status"] == "no-baseline", played.log


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 puts the current folder first on the path")
def test_a_module_of_the_workspace_is_not_taken_for_one_of_the_steps(job):
    for name in ("argparse", "pathlib", "pytest_perfgate"):
        job.write(f"{name}.py", "raise SystemExit('taken for another')\n")
    played = job.play({"a": 1})
    assert "taken for another" not in played.log
    assert played.outputs["status"] == "no-baseline"


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_events_with_the_rights_of_the_repository_are_refused_before_a_test_runs(job, event):
    job.on(event, repository={"default_branch": "main"})
    played = job.play({"a": 1})
    assert [step.name for step in played.steps if step.outcome == "failure"] == ["Plan"]
    assert event in played.messages("error")[0]
    assert "test session starts" not in played.log


def test_the_token_goes_to_the_step_that_comments_and_no_other(job):
    steps = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    with_token = [step["name"] for step in steps if "token" in str(step).lower()]
    assert with_token in ([], ["Comment"])
    job.on("pull_request", "refs/pull/7/merge", repository={"default_branch": "main"})
    played = job.play({"a": 1}, against="none", github_token="ghs_secret")
    assert [step.name for step in played.steps if "ghs_secret" in str(step.environ)] in ([], ["Comment"])
