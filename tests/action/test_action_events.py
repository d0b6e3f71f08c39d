"""What a run is compared with on each kind of event, in clones as actions/checkout makes them."""

from __future__ import annotations

import subprocess

import pytest
from action.job import Job
from checkouts import Repository

from pytest_perfgate.ci.base import find_base
from pytest_perfgate.ci.event import Event
from pytest_perfgate.errors import AgainstError

FILES = {
    "pkg/__init__.py": "QUERIES = 100\n",
    "test_pkg.py": "import pkg\n\n\ndef test_queries(metric):\n    metric('queries', pkg.QUERIES)\n",
    ".gitignore": "__pycache__\n.pytest_cache\n",
}


class Origin:
    """A repository with a main branch, a pull request and the merge of both that GitHub makes."""

    def __init__(self, folder, change):
        self.folder = folder
        self.repository = Repository(folder / "origin")
        git = self.repository.git
        for count in range(3):
            self.repository.commit({**FILES, "history.txt": str(count)})
        self.fork = git("rev-parse", "HEAD")
        git("checkout", "--quiet", "-b", "topic")
        for count in range(3):
            self.head = self.repository.commit({**change, "topic.txt": str(count)})
        git("checkout", "--quiet", "main")
        for count in range(3):  # what happens on main meanwhile is not the pull request's
            self.base = self.repository.commit({"pkg/other.py": f"X = {count}\n"})
        git("checkout", "--quiet", "-b", "merge")
        git("merge", "--quiet", "--no-edit", "topic")
        self.merge = git("rev-parse", "HEAD")
        git("checkout", "--quiet", "main")
        git("config", "uploadpack.allowAnySHA1InWant", "true")

    def clone(self, commit, depth=1):
        """Check out as actions/checkout does: one commit, nothing else."""
        target = Repository(self.folder / f"clone-{commit[:7]}-{depth}")
        target.git("remote", "add", "origin", self.repository.path.as_uri())
        target.git("fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", commit)
        target.git("checkout", "--quiet", "--detach", commit)
        return target


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path, {"pkg/__init__.py": "QUERIES = 100\n"})


def pull_request(origin, *, sha=None, base=None):
    return Event(name="pull_request", sha=sha or origin.merge, base_sha=base or origin.base)


def found(repository, event):
    said = []
    base = find_base(repository.path, event, said.append)
    repository.git("cat-file", "-e", f"{base}^{{tree}}")  # with its files
    return base, said


@pytest.mark.parametrize("depth", [1, 2, 0])
def test_the_merge_of_a_pull_request_is_compared_with_its_first_parent(origin, depth):
    clone = origin.clone(origin.merge, depth)
    # The payload may name an older commit of the base branch than the one that was merged.
    base, said = found(clone, pull_request(origin, base=origin.fork))
    assert base == origin.base
    assert bool(said) is (depth == 1)
    assert clone.git("rev-parse", "--is-shallow-repository") == str(depth != 0).lower()
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize("depth", [1, 2, 0])
def test_the_head_of_a_pull_request_is_compared_with_what_both_branches_share(origin, depth):
    assert found(origin.clone(origin.head, depth), pull_request(origin))[0] == origin.fork


def test_a_merge_group_is_compared_with_what_it_was_put_on(origin):
    event = Event(name="merge_group", sha=origin.merge, base_sha=origin.base)
    assert found(origin.clone(origin.merge), event)[0] == origin.base


def test_a_base_that_cannot_be_fetched_says_what_to_do(origin):
    clone = origin.clone(origin.merge)
    clone.git("remote", "set-url", "origin", (origin.folder / "gone").as_uri())
    with pytest.raises(AgainstError, match="fetch-depth: 0"):
        found(clone, pull_request(origin))


def test_branches_without_a_common_commit_are_told(origin):
    origin.repository.git("checkout", "--quiet", "--orphan", "alone")
    alone = origin.repository.commit({"x": "1"})
    with pytest.raises(AgainstError, match="no commit in common"):
        found(origin.clone(alone, 0), pull_request(origin))


def test_a_folder_that_is_no_repository_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(AgainstError, match="let actions/checkout run before"):
        find_base(tmp_path, Event(name="pull_request"), print)


@pytest.mark.parametrize("sha", ["", "--upload-pack=touch pwned", "HEAD"])
def test_a_payload_without_a_commit_is_told(origin, sha):
    with pytest.raises(AgainstError, match="names no base commit"):
        found(origin.clone(origin.head), Event(name="merge_group", sha="", base_sha=sha))


def checked_out(tmp_path, change):
    """Make a job in a shallow clone of the merge of a pull request."""
    origin = Origin(tmp_path / "git", change)
    job = Job(tmp_path)
    job.workspace = origin.clone(origin.merge).path
    job.github["sha"] = origin.merge
    payload = {"base": {"sha": origin.base}, "head": {"sha": origin.head, "repo": {"fork": True}}}
    job.on("pull_request", "refs/pull/7/merge", repository={"default_branch": "main"}, pull_request=payload)
    return origin, job


def test_a_pull_request_that_makes_it_worse_is_red_against_its_base(tmp_path):
    origin, job = checked_out(tmp_path, {"pkg/__init__.py": "QUERIES = 120\n"})
    played = job.play()
    assert not played.is_green
    assert (played.outputs["status"], played.outputs["regressions"]) == ("fail", "1"), played.log
    assert (played.outputs["baseline-found"], played.outputs["baseline-commit"]) == ("true", origin.base)
    assert float(played.outputs["worst-change"]) == pytest.approx(0.2)
    assert "test_pkg.py::test_queries#queries +20.0 %" in played.messages("error")[-2]
    assert job.cache.asked == job.cache.keys == []


def test_a_pull_request_that_changes_nothing_is_green_against_its_base(tmp_path):
    _, job = checked_out(tmp_path, {"pkg/more.py": "Y = 1\n"})
    played = job.play()
    assert played.is_green, played.log
    assert (played.outputs["status"], played.outputs["compared"]) == ("pass", "1"), played.log


def test_a_merge_group_is_compared_as_a_pull_request_is(tmp_path):
    origin, job = checked_out(tmp_path, {"pkg/__init__.py": "QUERIES = 120\n"})
    job.on("merge_group", "refs/heads/gh-readonly-queue/main/pr-7", merge_group={"base_sha": origin.base})
    played = job.play()
    assert not played.is_green
    assert played.outputs["baseline-commit"] == origin.base


def test_where_nothing_can_be_compared_with_the_base_no_policy_makes_it_green(tmp_path):
    change = {
        "pkg/new.py": "QUERIES = 1\n",
        "test_pkg.py": "import pkg.new\n\n\ndef test_new(metric):\n    metric('queries', pkg.new.QUERIES)\n",
    }
    _, job = checked_out(tmp_path, change)
    played = job.play(missing_baseline="pass")
    assert not played.is_green
    assert "nothing could be compared" in played.messages("error")[-2]


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_commit_that_slows_a_function_turns_the_check_red_and_the_one_before_is_green(tmp_path, times):
    """The whole way, in seconds: a repository, a slower commit, the steps of the action."""
    code = "def busy():\n    return sum(range({}))\n\n\ndef steady():\n    return sum(range(3000))\n"
    tests = (
        "import pkg\n\n\ndef test_busy(perf):\n    perf(pkg.busy)\n\n\ndef test_steady(perf):\n    perf(pkg.steady)\n"
    )
    origin = Origin(tmp_path / "git", {"pkg/other_still.py": ""})
    origin.repository.commit({"pkg/__init__.py": code.format(3000), "test_pkg.py": tests})
    origin.base = origin.repository.git("rev-parse", "HEAD")
    head = origin.repository.commit({"pkg/__init__.py": code.format(3000 * times)})
    job = Job(tmp_path)
    job.workspace = origin.clone(head, 2).path
    job.github["sha"] = head
    job.on("pull_request", "refs/pull/7/merge", pull_request={"base": {"sha": origin.base}})
    played = job.play(max_regression="30%")
    subprocess.run(["git", "-C", str(job.workspace), "diff", "--exit-code"], check=True)
    assert played.is_green is (times == 1), played.log
    assert played.outputs["regressions"] == str(times - 1)
    assert played.outputs["baseline-commit"] == origin.base
    if times > 1:
        (error,) = [one for one in played.shown if one.level == "error" and one.properties.get("file")]
        assert error.place == "test_pkg.py:4"
        assert "test_busy" in played.messages("error")[-2]
