"""What the pages for other servers compare a merge request with, where a merge with the target is checked out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from workflows.pages import shown

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.skipif(sys.platform == "win32" or not shutil.which("git"), reason="a shell script")


def gitlab():
    return "\n".join(yaml.safe_load(shown(".gitlab-ci.yml"))["merge request"]["script"])


def azure():
    steps = yaml.safe_load(shown("azure-pipelines.yml"))["jobs"][0]["steps"]
    return next(step["bash"] for step in steps if "pytest --perfgate" in step.get("bash", ""))


@pytest.fixture
def merged(tmp_path, monkeypatch):
    """Check out the merge of a branch with a target that went on since; return git."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/called"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "origin").mkdir()

    def git(*arguments, folder="origin"):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=tmp_path / folder, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--allow-empty", "-m", "fork")
    git("switch", "--create", "topic")
    git("commit", "--allow-empty", "-m", "change")
    git("switch", "main")
    git("commit", "--allow-empty", "-m", "what the target did since")
    git("switch", "--detach")
    git("merge", "--no-ff", "-m", "merged", "topic")
    git("update-ref", "refs/merge-requests/1/merge", "HEAD")
    git("switch", "main")
    git("clone", "--quiet", "origin", "checkout", folder=".")
    git("fetch", "origin", "refs/merge-requests/1/merge", folder="checkout")
    git("checkout", "--detach", "FETCH_HEAD", folder="checkout")
    return git


@pytest.mark.parametrize(
    ("script", "target", "has_branch"),
    [(gitlab, "main", True), (gitlab, "main", False), (azure, "main", True), (azure, "refs/heads/main", True)],
)
def test_what_the_target_did_since_is_not_counted_as_the_merge_request_s(merged, tmp_path, script, target, has_branch):
    if not has_branch:
        merged("update-ref", "-d", "refs/remotes/origin/main", folder="checkout")
    given = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": merged("merge-base", "main", "topic"),
        "TARGET": target,
    }
    subprocess.run(["bash", "-e", "-c", script()], cwd=tmp_path / "checkout", env={**os.environ, **given}, check=True)
    called = (tmp_path / "called").read_text("utf-8")
    assert f"--perfgate-against {merged('rev-parse', 'main')} " in called
