"""What a run is compared with on each kind of event, in clones as actions/checkout makes them."""

from __future__ import annotations

import pytest
from action.job import Job
from action.origin import Origin, check_out

from pytest_perfgate.ci.base import find_base
from pytest_perfgate.ci.event import Event
from pytest_perfgate.errors import AgainstError


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
def test_a_newer_merge_than_that_of_the_event_is_compared_with_its_own_first_parent(origin, depth):
    event = Event(name="pull_request", sha=origin.merge, base_sha=origin.base, head_sha=origin.head)
    gained = origin.advance({"pkg/other.py": "X = 'gained meanwhile'\n"})
    assert origin.merge != event.sha
    assert found(origin.clone(origin.merge, depth), event)[0] == gained != event.base_sha


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
    check_out(job, origin)
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
