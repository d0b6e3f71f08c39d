"""The step that comments: only where it is asked for, with the token, and never deciding anything."""

from __future__ import annotations

import pytest
from action.hostile import HOSTILE
from action.job import CROWD
from github_server import REPOSITORY, serving

COMMENTS = f"/repos/{REPOSITORY}/issues/7/comments"


@pytest.fixture
def github():
    with serving() as github:
        yield github


@pytest.fixture
def commented(job, github):
    """Run a regression on a pull request from a fork; return what became of it."""
    job.github["repository"] = REPOSITORY

    def play(event="pull_request", names=("a",), worse=150, **inputs):
        job.on("push", repository={"default_branch": "main"})
        job.play(dict.fromkeys(names, 100))
        pull = {"number": 7, "head": {"sha": "a" * 40, "repo": {"fork": True}}}
        job.on(event, "refs/pull/7/merge", repository={"default_branch": "main"}, pull_request=pull)
        job.github["api_url"] = github.url
        return job.play(dict.fromkeys(names, worse), against="none", **{"github_token": "ghs_secret"} | inputs)

    return play


def failed_steps(played):
    return [step.name for step in played.steps if step.outcome == "failure"]


def test_a_comment_that_is_asked_for_is_made_with_the_token(commented, github):
    played = commented(comment="on-change", comment_id="py313")
    assert [(method, path.partition("?")[0]) for method, path in github.requests] == [
        ("GET", COMMENTS),
        ("POST", COMMENTS),
    ]
    assert github.tokens == {"Bearer ghs_secret"}
    (comment,) = github.comments
    assert comment["body"].startswith("<!-- pytest-perfgate:py313 -->")
    assert "test_count" in comment["body"]
    assert [step.name for step in played.steps if "ghs_secret" in str(step.environ)] == ["Comment"]
    assert played.outputs["regressions"] == "1"


def test_the_next_run_finds_its_comment_on_the_last_of_many_pages(commented, github):
    for number in range(250):
        github.say(f"comment {number}", login="somebody")
    commented(comment="on-change")
    assert github.methods == ["GET", "GET", "GET", "POST"]
    commented(comment="on-change", worse=100)
    assert github.methods[4:] == ["GET", "GET", "GET", "PATCH"]
    assert len(github.comments) == 251
    assert "perfgate: pass" in github.comments[-1]["body"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_a_comment_that_is_refused_decides_nothing(commented, github, method, status):
    github.refuse(method, status, "Resource not accessible by integration")
    played = commented(comment="always")
    assert failed_steps(played) == ["Verdict"]
    assert method in github.methods
    (notice,) = [message for message in played.messages("notice") if message.startswith("no comment: ")]
    assert ("workflow_run" in notice) is (status in (403, 404))  # a fork's token may only read; that is the remedy


def test_a_comment_that_is_refused_fails_nothing_that_is_green(commented, github):
    github.refuse("POST", 403)
    played = commented(comment="always", worse=100)
    assert played.is_green, played.log
    assert played.outputs["status"] == "pass"


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ключ"])
def test_a_token_that_is_none_decides_nothing(commented, github, token):
    played = commented(comment="always", github_token=token)
    assert github.requests == []
    assert failed_steps(played) == ["Verdict"]
    assert [message for message in played.messages("notice") if message.startswith("no comment: ")]


@pytest.mark.parametrize(("event", "comment"), [("pull_request", "never"), ("push", "always")])
def test_none_is_made_where_none_is_asked_for_or_there_is_no_pull_request(commented, github, event, comment):
    played = commented(event=event, comment=comment)
    assert github.requests == []
    assert played.step("Comment").outcome == "skipped"
    assert [step.name for step in played.steps if "ghs_secret" in str(step.environ)] == []


def test_names_of_tests_are_no_markup_of_the_comment(commented, github):
    played = commented(names=HOSTILE, comment="on-change")
    assert played.outputs["regressions"] == str(len(HOSTILE))
    body = github.comments[0]["body"]
    assert body.count("<!--") == body.count("-->") == 1
    for markup in ("<script>", "@everyone", "](http", "\n::"):
        assert markup not in body


def test_a_report_that_is_over_the_limit_of_a_comment_is_cut_where_it_shows(commented, github, job):
    job.write("test_it.py", CROWD)
    names = [f"{number:02}{'|<`*[' * 180}" for number in range(30)]
    played = commented(names=names, comment="on-change")
    body = github.comments[0]["body"]
    assert len(body) <= 65_536
    assert "**Shortened to fit into " in body
    assert "perfgate: fail" in body
    assert "**Shortened" not in played.summary  # a page has more room
    assert failed_steps(played) == ["Verdict"]
    assert played.outputs["regressions"] == "30"


def test_where_nothing_was_compared_and_that_fails_nobody_says_pass(job, github):
    job.github |= {"repository": REPOSITORY, "api_url": github.url}
    pull = {"number": 7, "head": {"sha": "a" * 40, "repo": {"fork": True}}}
    job.on("pull_request", "refs/pull/7/merge", repository={"default_branch": "main"}, pull_request=pull)
    given = {"against": "none", "comment": "always", "github_token": "ghs_secret"}
    played = job.play({"a": 100}, missing_baseline="fail", **given)
    assert failed_steps(played) == ["Verdict"]
    for text in (github.comments[0]["body"], played.summary):
        assert "## ❌ perfgate: fail" in text
        assert "nothing was compared: no baseline in the cache" in text
        assert "perfgate: pass" not in text
    assert job.play(missing_baseline="warn", **given).is_green
    assert "nothing was compared: no baseline in the cache" in github.comments[0]["body"]


@pytest.mark.parametrize("text", ["a b", "-->", "$(touch pwned)", "a\nb", "x" * 80])
def test_an_id_that_could_end_its_line_is_a_bad_input(job, text):
    played = job.play({"a": 1}, comment_id=text)
    assert failed_steps(played) == ["Plan"]
    assert played.messages("error")[0].startswith("comment-id: ")
