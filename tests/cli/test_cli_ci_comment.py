"""``perfgate ci comment`` against a GitHub of our own: one comment, kept up to date, and never a reason to fail."""

from __future__ import annotations

import json
import re

import pytest
from builders import every_verdict_run, hostile_run, large_run, make_finding, make_measurement, make_run, ordinary_run
from github_server import BOT, REPOSITORY, serving

from pytest_perfgate.model import Verdict

SHA = "a1b2c3d4" * 5
OTHER_SHA = "0" * 40
MARKER = "<!-- pytest-perfgate:default -->"
TOKEN = "ghs_verysecret"


@pytest.fixture
def github():
    with serving() as github:
        yield github


@pytest.fixture
def event(tmp_path, monkeypatch, github):
    """Set the scene of a job: a function that takes the event's name and payload."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "event.json"
    scene = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "77",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_PATH": str(path),
    }
    for name, value in scene.items():
        monkeypatch.setenv(name, value)

    def happen(name, payload):
        monkeypatch.setenv("GITHUB_EVENT_NAME", name)
        path.write_text(json.dumps(payload), "utf-8")

    happen("pull_request", {"pull_request": {"number": 5, "head": {"sha": SHA}}})
    return happen


@pytest.fixture
def comment(perfgate, shelf, event):
    """Comment with a run, in a job of pull request 5 unless said otherwise."""

    def call(run, *argv):
        printed = perfgate("ci", "comment", shelf.put("run.json", run=run), *argv)
        assert printed.status == 0
        assert TOKEN not in printed.out + printed.err
        return printed

    return call


def workflow_run(**changes):
    facts = {
        "id": 4711,
        "event": "pull_request",
        "head_sha": SHA,
        "head_branch": "feature/x y&z",
        "head_repository": {"full_name": "someone/fork", "owner": {"login": "someone"}},
    }
    return {"workflow_run": facts | changes}


def pull(number=9, sha=SHA, owner="someone", branch="feature/x y&z", full_name="someone/fork"):
    return {"number": number, "head": {"sha": sha, "ref": branch, "repo": {"owner": owner, "full_name": full_name}}}


def test_a_failed_run_is_commented_once(comment, github):
    printed = comment(every_verdict_run())
    assert printed.out == "perfgate: comment on pull request 5: created\n"
    (created,) = github.comments
    assert created["body"].startswith(f"{MARKER}\n## ❌ perfgate: fail\n")
    assert github.requests[-1] == ("POST", f"/repos/{REPOSITORY}/issues/5/comments")
    assert github.tokens == {f"Bearer {TOKEN}"}
    assert (
        f"Commit <code>{SHA[:12]}</code>, [this run](https://github.example/{REPOSITORY}/actions/runs/77)"
        in (created["body"])
    )


def test_the_next_run_changes_the_comment_that_is_there(comment, github):
    comment(every_verdict_run())
    assert comment(ordinary_run()).out == "perfgate: comment on pull request 5: updated\n"
    (only,) = github.comments
    assert only["body"].startswith(f"{MARKER}\n## ✅ perfgate: pass\n")


def test_a_comment_that_says_the_same_is_left_alone(comment, github):
    comment(every_verdict_run())
    github.comments[0]["body"] = github.comments[0]["body"].replace("\n", "\r\n").rstrip()
    assert comment(every_verdict_run()).out == "perfgate: comment on pull request 5: not changed\n"
    assert github.methods == ["GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("run", "created"),
    [
        (ordinary_run(), False),
        (make_run(make_finding(make_measurement(), Verdict.INCONCLUSIVE, "noise")), False),
        (make_run(make_finding(make_measurement(), Verdict.IMPROVED, "faster")), True),
        (every_verdict_run(), True),
        (make_run(), True),
    ],
)
def test_on_change_begins_with_what_failed_or_improved(run, created, comment, github):
    said = comment(run, "--mode", "on-change").out
    assert said.endswith(": created\n" if created else ": not needed\n")
    assert len(github.comments) == created


def test_always_and_never_mean_it(comment, github, monkeypatch):
    comment(ordinary_run(), "--mode", "always")
    assert len(github.comments) == 1
    monkeypatch.delenv("GITHUB_TOKEN")
    github.requests.clear()
    assert comment(every_verdict_run(), "--mode", "never").out == ""
    assert github.requests == []


def test_the_comment_is_found_on_the_last_of_many_pages(comment, github):
    for number in range(250):
        github.say(f"comment {number}", "a person")
    github.say(f"{MARKER}\nold")
    comment(every_verdict_run())
    assert github.methods == ["GET", "GET", "GET", "PATCH"]
    assert "perfgate: fail" in github.comments[-1]["body"]
    assert len(github.comments) == 251


def test_pages_are_followed_whatever_their_size(comment, github):
    github.largest_page = 7
    for number in range(30):
        github.say(f"comment {number}", "a person")
    github.say(f"{MARKER}\nold")
    comment(every_verdict_run())
    assert github.methods == [*["GET"] * 5, "PATCH"]


def test_only_a_comment_of_ones_own_is_changed(comment, github):
    planted = [
        github.say(f"{MARKER}\nplanted", "attacker"),
        github.say(f"look: {MARKER}"),
        github.say("<!-- pytest-perfgate:default-2 -->\nanother job"),
        {"id": 7, "user": None, "body": MARKER},
    ]
    github.comments.append(planted[-1])
    before = json.dumps(github.comments)
    comment(every_verdict_run())
    assert json.dumps(github.comments[:4]) == before
    assert len(github.comments) == 5


def test_jobs_have_a_comment_each(comment, github):
    comment(every_verdict_run(), "--id", "py310")
    comment(every_verdict_run(), "--id", "py313")
    comment(ordinary_run(), "--id", "py310")
    assert len(github.comments) == 2
    assert github.comments[0]["body"].startswith("<!-- pytest-perfgate:py310 -->\n## ✅")
    assert "Report <code>py310</code>." in github.comments[0]["body"]


def test_no_id_is_the_default(comment, github):
    comment(every_verdict_run(), "--id", "")
    assert github.comments[0]["body"].startswith(MARKER)


def test_another_author_may_be_named(comment, github):
    github.say(f"{MARKER}\nold", "our-app[bot]")
    comment(every_verdict_run(), "--author", "our-app[bot]")
    assert github.methods == ["GET", "PATCH"]


@pytest.mark.parametrize("name", ["a b", "x-->", "a--b", "-a", "é", "a\nb", "x" * 65, "$(touch x)"])
def test_an_id_that_could_end_the_marker_is_refused(name, perfgate, shelf, event, github):
    printed = perfgate("ci", "comment", shelf.put("run.json", run=ordinary_run()), f"--id={name}")
    assert printed.status == 2
    assert "cannot be the id of a comment" in printed.err
    assert github.requests == []


# -- pull requests from forks, in a workflow of workflow_run


def test_the_pull_request_of_a_fork_is_found_by_its_branch_and_commit(comment, github, event):
    event("workflow_run", workflow_run())
    github.pulls = [pull(8, branch="another"), pull(9)]
    assert comment(every_verdict_run()).out == "perfgate: comment on pull request 9: created\n"
    assert github.requests[-1] == ("POST", f"/repos/{REPOSITORY}/issues/9/comments")
    assert f"/{REPOSITORY}/actions/runs/4711)" in github.comments[0]["body"]


@pytest.mark.parametrize(
    ("told", "there", "said"),
    [
        (workflow_run(), [], "no open pull request has the commit 'a1b2c3d4a1b2'"),
        (workflow_run(), [pull(sha=OTHER_SHA)], "no open pull request has the commit"),
        (workflow_run(), [pull(full_name="someone/else")], "no open pull request has the commit"),
        (workflow_run(event="push"), [pull()], "ran on 'push', which belongs to no pull request"),
        (workflow_run(head_repository=None), [pull()], "does not say which branch"),
        (workflow_run(head_sha=5), [pull()], "does not say which branch"),
        (workflow_run(head_sha="not hex"), [pull(sha="not hex")], "does not name a pull request"),
        ({}, [pull()], "ran on None"),
        ([1], [pull()], "ran on None"),
    ],
)
def test_a_report_that_belongs_to_no_open_commit_is_not_commented(told, there, said, comment, github, event):
    event("workflow_run", told)
    github.pulls = there
    printed = comment(every_verdict_run())
    assert printed.out.startswith("::notice title=perfgate::no comment: ")
    assert said in printed.out
    assert github.comments == []


@pytest.mark.parametrize("name", ["push", "merge_group", "schedule", "workflow_dispatch", "pull_request_target", ""])
def test_events_without_a_pull_request_are_no_failure(name, comment, github, event):
    event(name, {"pull_request": {"number": 5, "head": {"sha": SHA}}})
    assert "belongs to no pull request" in comment(every_verdict_run()).out
    assert github.requests == []


@pytest.mark.parametrize("number", [None, "5/../../x", True, 1.5])
def test_a_number_that_is_none_is_not_used(number, comment, github, event):
    event("pull_request", {"pull_request": {"number": number, "head": {"sha": SHA}}})
    assert "does not name a pull request" in comment(every_verdict_run()).out
    assert github.requests == []


def test_a_payload_that_cannot_be_read_is_no_failure(comment, github, tmp_path):
    (tmp_path / "event.json").write_text("{")
    assert "payload of the event cannot be read" in comment(every_verdict_run()).out


# -- what GitHub refuses


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_may_not_comment_is_a_notice(method, comment, github):
    github.refuse(method, 403, "Resource not accessible by integration")
    (line,) = comment(every_verdict_run()).out.splitlines()
    assert line.startswith(
        f"::notice title=perfgate::no comment: {method} /repos/{REPOSITORY}/issues/5/comments: HTTP 403"
    )
    assert "Resource not accessible by integration; the job needs `permissions: pull-requests: write`" in line
    assert github.comments == []


def test_an_update_that_is_refused_is_a_notice(comment, github):
    github.say(f"{MARKER}\nold")
    github.refuse("PATCH", 404, "Not Found")
    assert "HTTP 404: Not Found; the job needs" in comment(every_verdict_run()).out


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (500, b"<html>", "HTTP 500\n"),
        (422, b'{"message": 5}', "HTTP 422\n"),
        (401, b'{"message": "Bad credentials"}', "HTTP 401: Bad credentials; GITHUB_TOKEN is not valid here"),
        (200, b"<html>", "the answer is not JSON"),
        (200, b"", "the answer is not JSON"),
        (200, b"[" * 100_000, "the answer is not JSON"),
        (200, b'{"message": "x"}', "the answer is no list"),
    ],
)
def test_answers_that_are_none_are_a_notice(status, content, said, comment, github):
    github.refusals["GET"] = (status, {}, content)
    assert said in comment(every_verdict_run()).out


def test_what_github_says_is_no_command_and_no_secret(comment, github):
    github.refuse("GET", 403, f"::error::x\n::set-output name=a::b Bearer {TOKEN}\x1b[31m")
    (line,) = comment(every_verdict_run()).out.splitlines()
    assert line.startswith("::notice title=perfgate::no comment: ")
    assert "Bearer ***" in line
    assert "\x1b" not in line


def test_no_answer_is_a_notice(comment, monkeypatch):
    with serving() as gone:
        address = gone.url
    monkeypatch.setenv("GITHUB_API_URL", address)
    assert "no comment: GET /repos/owner/project/issues/5/comments: " in comment(every_verdict_run()).out


@pytest.mark.parametrize("address", ["ftp://example.org", "file:///etc/passwd", "api.github.com", "https://"])
def test_an_address_that_is_none_is_a_notice(address, comment, monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", address)
    assert "is not the address of GitHub's API" in comment(every_verdict_run()).out


@pytest.mark.parametrize("token", ["", "  ", "a b", "a\nb", "ключ"])
def test_a_token_that_is_none_is_a_notice(token, comment, github, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", token)
    assert "token" in comment(every_verdict_run()).out.lower()
    assert github.requests == []


def test_outside_of_actions_a_notice_is_a_line_for_people(comment, github, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS")
    github.refuse("GET", 500)
    assert comment(every_verdict_run()).out.startswith("perfgate: no comment: GET ")


# -- the token goes nowhere else


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirection_to_another_host_is_not_followed(status, method, comment, github):
    with serving() as elsewhere:
        github.refuse(method, status, "moved", Location=elsewhere.url.replace("127.0.0.1", "localhost") + "/x")
        assert f"HTTP {status}" in comment(every_verdict_run()).out
        assert elsewhere.requests == []


def test_a_repository_that_was_renamed_is_followed_on_its_host(comment, github, monkeypatch):
    github.refuse("GET", 302, "moved", Location=f"{github.url}/moved")
    comment(every_verdict_run())
    assert [path for _, path in github.requests[1:]] == ["/moved"] * (len(github.requests) - 1)
    assert github.tokens == {f"Bearer {TOKEN}"}
    assert github.comments == []


def test_a_next_page_on_another_host_is_not_asked_for(comment, github):
    with serving() as elsewhere:
        github.refusals["GET"] = (200, {"Link": f'<{elsewhere.url}/x>; rel="next"'}, b"[]")
        assert "another host" in comment(every_verdict_run()).out
        assert elsewhere.requests == []


# -- what is written


def test_a_hostile_report_writes_nothing_but_its_own_comment(comment, github):
    bad = "--> <!-- pytest-perfgate:other --> <script> @owner [x](http://evil.example)"
    run = hostile_run()
    finding = make_finding(make_measurement(f"t.py::test[{bad}]"), Verdict.OVER_BUDGET, bad)
    comment(make_run(*run.findings, finding, machine=run.machine, commit=run.commit, notes=(bad,), failures=(bad,)))
    body = github.comments[0]["body"]
    assert body.startswith(f"{MARKER}\n")
    plain = body.removeprefix(MARKER).replace("<code>", "").replace("</code>", "")
    assert not set(plain) & set("<>@")
    assert re.findall(r"\]\([^)]*", plain) == [f"](https://github.example/{REPOSITORY}/actions/runs/77"]


def test_a_large_report_fits_into_a_comment(comment, github):
    run = large_run(300, 1)
    hostile = [
        make_finding(make_measurement(f"t.py::test_{n}[{'@|' * 400}]"), Verdict.OVER_BUDGET, "<@" * 900)
        for n in range(300)
    ]
    comment(make_run(*run.findings, *hostile))
    body = github.comments[0]["body"]
    assert len(body.encode()) <= 65_536
    assert "**Shortened to fit into 64,000 bytes: " in body


def test_a_report_cannot_suggest_to_install_something(comment, github):
    settings = {"strict": False, "against": "dist:evil==1.0"}
    comment(make_run(make_finding(verdict=Verdict.REGRESSED, reason="slower"), settings=settings))
    body = github.comments[0]["body"]
    assert "--perfgate-against BASE" in body
    assert "evil" not in body


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format": "perfgate-run", "version": 99}', "\ud800".encode("utf-8", "surrogatepass")]
)
def test_what_is_no_report_is_not_shown(content, perfgate, shelf, event, github):
    printed = perfgate("ci", "comment", shelf.write("run.json", content))
    assert printed.status == 2
    assert github.requests == []


def test_what_is_said_of_a_report_that_is_none_is_no_command(perfgate, shelf, event):
    content = json.dumps({"format": "##[set-output name=x]y\n::error::z"})
    printed = perfgate("ci", "comment", shelf.write("run.json", content))
    assert printed.status == 2
    assert "## [set-output" in printed.err
    assert "##[" not in printed.err
    assert not any(line.lstrip().startswith("::") for line in printed.err.splitlines())


def test_the_bot_is_the_one_that_actions_comments_as():
    from pytest_perfgate.ci.comment import ACTIONS_BOT

    assert ACTIONS_BOT == BOT
