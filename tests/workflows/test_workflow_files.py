"""Our own workflows and those that the documentation shows: what GitHub, GitLab, Azure and an auditor accept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from linters import complaints_of_schema, complaints_of_shellcheck, complaints_of_zizmor, mistakes_of_groovy
from workflows.pages import ROOT, SHOWN, WORKFLOWS, shown

from pytest_perfgate.starter.workflows import ACTION, PINS, comment_text, gate_text

yaml = pytest.importorskip("yaml")

OURS = sorted(ROOT.glob(".github/workflows/*.yml"))
#: Files of others, and the schema that each is held against.
FOREIGN = {".gitlab-ci.yml": "vendor.gitlab-ci", "azure-pipelines.yml": "vendor.azure-pipelines"}
#: Every action that a file of ours names, with its commit and tag.
USES = re.compile(r"uses: (?P<action>[\w-]+/[\w./-]+)@(?P<commit>\S+)(?: # (?P<tag>\S+))?")


def steps_of(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def load(text):
    return yaml.load(text, yaml.BaseLoader)


def test_the_pages_show_the_files_they_are_about():
    names = {name for name, _ in SHOWN.values()}
    assert names >= {
        ".github/workflows/perfgate.yml",
        ".github/workflows/perfgate-comment.yml",
        ".gitlab-ci.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        ".githooks/pre-push",
    }


def test_github_and_an_auditor_accept_our_workflows():
    if not OURS:
        pytest.skip("not part of the source distribution")
    assert {path.stem for path in OURS} >= {"tests", "selftest", "release"}
    assert complaints_of_schema("vendor.github-workflows", *OURS) == ""
    assert complaints_of_schema("custom.github-workflows-require-timeout", *OURS) == ""
    assert complaints_of_zizmor(*OURS) == ""


@pytest.mark.parametrize("text", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_github_and_an_auditor_accept_the_workflows_that_are_shown(tmp_path, text):
    file = tmp_path / "workflow.yml"
    file.write_text(text, "utf-8")
    assert complaints_of_schema("vendor.github-workflows", file) == ""
    assert complaints_of_schema("custom.github-workflows-require-timeout", file) == ""
    assert complaints_of_zizmor(file) == ""


@pytest.mark.parametrize("name", FOREIGN)
def test_other_servers_accept_the_files_that_are_shown(tmp_path, name):
    file = tmp_path / name
    file.write_text(shown(name), "utf-8")
    assert complaints_of_schema(FOREIGN[name], file) == ""


def test_the_jenkinsfile_is_groovy():
    text = shown("Jenkinsfile")
    assert mistakes_of_groovy(text) == []
    assert mistakes_of_groovy(text.replace("always {", "always [")) != []


def test_the_workflows_that_are_shown_are_those_that_init_writes():
    gate = gate_text(branch="main", python="3.13", install=("--editable", ".[test]"), folder=".")
    comment = comment_text(python="3.13", requirement="pytest-perfgate", folder=".")
    name = ".github/workflows/perfgate"
    assert shown(f"{name}.yml").partition("\n")[2].strip() == gate.strip()
    assert shown(f"{name}-comment.yml").partition("\n")[2].strip() == comment.strip()


FILES = [path.read_text("utf-8") for path in OURS] + [text for _, text in SHOWN.values()]


@pytest.mark.parametrize("text", FILES, ids=[path.name for path in OURS] + list(SHOWN))
def test_every_action_is_pinned_to_the_commit_that_was_looked_up(text):
    for found in USES.finditer(text):
        if f"{found['action']}@{found['commit']}" == ACTION:
            continue
        assert re.fullmatch(r"[0-9a-f]{40}", found["commit"]), found[0]
        assert re.fullmatch(r"v\d+\.\d+\.\d+", found["tag"]), found[0]
        assert PINS.get(found["action"], (found["commit"], found["tag"])) == (found["commit"], found["tag"])


@pytest.mark.parametrize("text", [path.read_text("utf-8") for path in OURS], ids=[path.name for path in OURS])
def test_our_workflows_have_the_least_rights_and_an_end(text):
    workflow = load(text)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert int(job["timeout-minutes"]) <= 60
        assert set(job.get("permissions", {}).items()) <= {("contents", "read"), ("id-token", "write")}
    writes = [job for job in workflow["jobs"].values() if "id-token" in job.get("permissions", {})]
    assert all(job["environment"]["name"] == "pypi" for job in writes)
    for step in steps_of(workflow):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"


def scripts():
    """Give every shell script: of our workflows and of the files that are shown."""
    for place, text in [*((path.name, path.read_text("utf-8")) for path in OURS), *WORKFLOWS.items()]:
        for number, step in enumerate(steps_of(load(text))):
            if "run" in step:
                yield pytest.param(step["run"], "bash", id=f"{place}-{number}")
    for name, job in load(shown(".gitlab-ci.yml")).items():
        lines = [line for key in ("before_script", "script", "after_script") for line in job.get(key, [])]
        for number, line in enumerate(lines):
            yield pytest.param(line, "sh", id=f"gitlab-{name}-{number}".replace(" ", "-"))
    for number, step in enumerate(load(shown("azure-pipelines.yml"))["jobs"][0]["steps"]):
        if "bash" in step:
            yield pytest.param(step["bash"], "bash", id=f"azure-{number}")
    for number, script in enumerate(re.findall(r"sh '''\n(.*?)'''", shown("Jenkinsfile"), re.DOTALL)):
        yield pytest.param(script.replace("\\\\", "\\"), "sh", id=f"jenkins-{number}")
    yield pytest.param(shown(".githooks/pre-push"), "sh", id="pre-push")


@pytest.mark.parametrize(("script", "shell"), list(scripts()))
def test_the_scripts_have_no_mistake_that_shellcheck_knows(tmp_path, script, shell):
    assert "${{" not in script
    lines = script if script.startswith("#!") else f"set -e\n{script}\n"
    assert complaints_of_shellcheck(lines, tmp_path, shell) == ""


def test_no_workflow_of_ours_publishes_without_a_review_of_the_environment():
    release = ROOT / ".github/workflows/release.yml"
    if not release.exists():
        pytest.skip("not part of the source distribution")
    workflow = load(release.read_text("utf-8"))
    assert list(workflow["on"]) == ["push"]
    assert list(workflow["on"]["push"]) == ["tags"]
    assert [name for name, job in workflow["jobs"].items() if "id-token" in job["permissions"]] == ["publish"]
    assert not any("run" in step for step in workflow["jobs"]["publish"]["steps"])
    assert "secrets." not in release.read_text("utf-8")


def test_the_jobs_that_must_fail_are_looked_at():
    selftest = ROOT / ".github/workflows/selftest.yml"
    if not selftest.exists():
        pytest.skip("not part of the source distribution")
    workflow = load(selftest.read_text("utf-8"))
    gating = [job for job in workflow["jobs"].values() if any(step.get("uses") == "./" for step in job["steps"])]
    assert len(gating) >= 4
    for job in gating:
        assert "run" in job["steps"][-1], "the last step looks at what came of it"
        assert "outputs" in str(job["steps"][-1]["env"])
    tolerated = [job for job in gating if any(step.get("continue-on-error") for step in job["steps"])]
    assert tolerated
    assert all(".outcome }}" in str(job["steps"][-1]["env"]) for job in tolerated)
    last = workflow["jobs"]["everything"]
    assert set(last["needs"]) == set(workflow["jobs"]) - {"everything"}


# The hook.

posix = pytest.mark.skipif(sys.platform == "win32" or not shutil.which("git"), reason="a shell script")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Make a clone with the hook, in which `python` is a script that leaves with the status in ``$STATUS``."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "x")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "x@example.org")
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/called"\ncat\nexit "$STATUS"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "clone"
    hook = folder / ".githooks" / "pre-push"

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)

    subprocess.run(["git", "init", "--quiet", "--bare", "remote"], cwd=tmp_path, check=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", "clone"], cwd=tmp_path, check=True)
    git("remote", "add", "origin", "../remote")
    (folder / "code.py").write_text("x = 1\n", "utf-8")
    git("add", ".")
    git("commit", "-m", "first")
    assert git("push", "origin", "main").returncode == 0
    hook.parent.mkdir()
    hook.write_text(shown(".githooks/pre-push"), "utf-8")
    hook.chmod(0o755)
    git("config", "core.hooksPath", ".githooks")
    git("switch", "--create", "topic")
    return git, folder, tmp_path / "called"


@posix
@pytest.mark.parametrize("status", [0, 1, 4])
def test_the_hook_lets_a_push_through_that_passes(clone, monkeypatch, status):
    git, folder, called = clone
    monkeypatch.setenv("STATUS", str(status))
    (folder / "code.py").write_text("x = 2\n", "utf-8")
    git("commit", "-am", "second")
    pushed = git("push", "origin", "topic")
    assert (pushed.returncode == 0) == (status == 0), pushed.stderr
    base = git("rev-parse", "origin/main").stdout.strip()
    assert called.read_text("utf-8") == f"-m pytest --perfgate --perfgate-only --perfgate-against {base}\n"


@posix
def test_the_hook_measures_nothing_when_nothing_changed(clone):
    git, folder, called = clone
    (folder / "docs").mkdir()
    for name in ("notes.md", "docs/conf.py", "notes.rst"):
        (folder / name).write_text("words", "utf-8")
    git("add", "notes.md", "notes.rst", "docs")
    git("commit", "-m", "second")
    pushed = git("push", "origin", "topic")
    assert pushed.returncode == 0
    assert "nothing but documentation differs" in pushed.stderr
    assert not called.exists()


@posix
@pytest.mark.parametrize("name", ["src/fast.cpp", "src/table.json", "fast.pyx", "src/lib.rs", "src/docs.so"])
def test_the_hook_measures_whatever_is_no_documentation(clone, monkeypatch, name):
    git, folder, called = clone
    monkeypatch.setenv("STATUS", "1")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x", "utf-8")
    git("add", name)
    git("commit", "-m", "second")
    assert git("push", "origin", "topic").returncode != 0
    assert called.exists()


@posix
def test_the_hook_lets_the_first_push_to_an_empty_remote_through(clone, tmp_path):
    git, _, called = clone
    subprocess.run(["git", "init", "--quiet", "--bare", "empty"], cwd=tmp_path, check=True)
    git("remote", "remove", "origin")
    git("remote", "add", "origin", "../empty")
    pushed = git("push", "origin", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert "there is no origin/main yet" in pushed.stderr
    assert not called.exists()
