"""What selftest.yml expects of real runners comes true under the model, or it would fail for mistakes of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pytest_perfgate.cli import main

ROOT = Path(__file__).parent.parent.parent
SELFTEST = ROOT / ".github/workflows/selftest.yml"
JOBS = yaml.load(SELFTEST.read_text("utf-8"), yaml.BaseLoader)["jobs"] if SELFTEST.exists() else {}

pytestmark = pytest.mark.skipif(not JOBS, reason="not part of the source distribution")


def rows_of(job):
    found = JOBS[job]["strategy"]["matrix"]["include"] if JOBS else []
    return [pytest.param(row, id=row.get("what", row.get("second"))) for row in found]


def inputs_of(step, row=None):
    """Return what a step gives the action, with the values of a row of the matrix."""

    def worked_out(text):
        if not text.startswith("${{"):
            return text
        name, _, default = text.strip("${} ").removeprefix("matrix.").partition(" || ")
        return (row or {}).get(name, default.strip("'"))

    return {name.replace("-", "_"): worked_out(text) for name, text in step["with"].items()}


def gates(job):
    return [step for step in JOBS[job]["steps"] if step.get("uses") == "./"]


@pytest.mark.parametrize("row", rows_of("fails"))
def test_what_must_fail_does_and_says_why(job, row):
    job.write("selftest/pytest.ini", "[pytest]\n")
    job.write("selftest/test_it.py", row["test"])
    played = job.play(**inputs_of(gates("fails")[0], row))
    assert not played.is_green
    assert played.outputs["status"] == row["status"], played.log
    assert "forged" not in played.messages("error")


def test_what_must_pass_does_and_leaves_its_reports(job):
    shutil.copytree(ROOT / "examples/library", job.workspace / "examples/library")
    played = job.play(**inputs_of(gates("passes")[0]))
    assert played.is_green, played.log
    assert played.outputs["status"] == "pass"
    for kind in ("json", "junit", "markdown"):
        assert Path(played.outputs[f"report-{kind}"]).stat().st_size > 0


def test_the_second_run_finds_what_the_first_one_left(job):
    shutil.copytree(ROOT / "examples/library", job.workspace / "examples/library")
    first, second = gates("remembers")
    outputs = [job.play(**inputs_of(step) | {"baseline_key": "selftest"}).outputs for step in (first, second)]
    assert [found["baseline-found"] for found in outputs] == ["false", "true"]
    assert outputs[0]["status"] == "no-baseline"


@pytest.mark.slow
@pytest.mark.parametrize("row", rows_of("compares"))
def test_the_second_commit_is_found_to_be_what_it_is(job, row):
    example, project = ROOT / "examples/two_versions", job.workspace / "project"
    project.mkdir()
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    for name in ("pyproject.toml", "test_wordcount.py"):
        shutil.copy(example / name, project)
    for version in (row["first"], row["second"]):
        shutil.copy(example / version, project / "wordcount.py")
        subprocess.run(["git", "add", "."], cwd=project, check=True)
        subprocess.run(["git", *identity, "commit", "--quiet", "-m", version], cwd=project, check=True)
    played = job.play(**inputs_of(gates("compares")[0], row))
    assert ("success" if played.is_green else "failure") == row["outcome"], played.log
    assert f"{played.outputs['regressions']} {played.outputs['improvements']}" == row["counts"]


def test_what_init_writes_is_measured_by_the_action(job, capsys):
    (job.workspace / "test_it.py").unlink()
    assert main(["init", "--yes", "--rootdir", str(job.workspace)]) == 0
    workflow = yaml.load((job.workspace / ".github/workflows/perfgate.yml").read_text("utf-8"), yaml.BaseLoader)
    (step,) = [step for step in workflow["jobs"]["gate"]["steps"] if "pytest-perfgate@" in step.get("uses", "")]
    played = job.play(**{name.replace("-", "_"): text for name, text in step.get("with", {}).items()})
    assert played.is_green, played.log
    assert played.outputs["status"] == "no-baseline"
    assert Path(played.outputs["report-json"]).name == "perfgate.json"
    comment = (job.workspace / ".github/workflows/perfgate-comment.yml").read_text("utf-8")
    assert "perfgate ci comment perfgate-report/perfgate.json\n" in comment
