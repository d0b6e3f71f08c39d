"""The step that comments: only where it is asked for, with the token, and never deciding anything."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class GitHub:
    """Answers as the API does, for one pull request without comments."""

    def __init__(self, status):
        self.sent = []
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, [])

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                github.sent.append((self.path, self.headers["Authorization"], body["body"]))
                self.answer(status, {"id": 1, "message": "Resource not accessible by integration"})

            def answer(self, status, content):
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def commented(job):
    """Run a regression on a pull request; return what became of it and of the comment."""
    opened = []

    def play(status=201, event="pull_request", **inputs):
        job.on("push", repository={"default_branch": "main"})
        job.play({"a": 100})
        github = GitHub(status)
        opened.append(github)
        pull = {"number": 7, "head": {"sha": "a" * 40}}
        job.on(event, "refs/pull/7/merge", repository={"default_branch": "main"}, pull_request=pull)
        job.github["api_url"] = github.url
        played = job.play({"a": 150}, against="none", github_token="ghs_secret", **inputs)
        return played, github.sent

    yield play
    for github in opened:
        github.close()


def test_a_comment_that_is_asked_for_is_made_with_the_token(commented):
    played, sent = commented(comment="on-change", comment_id="py313")
    ((path, token, body),) = sent
    assert path == "/repos/o/r/issues/7/comments"
    assert token.endswith("ghs_secret")
    assert body.startswith("<!-- pytest-perfgate:py313 -->")
    assert "test_count" in body
    assert [step.name for step in played.steps if "ghs_secret" in str(step.environ)] == ["Comment"]
    assert played.outputs["regressions"] == "1"


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_a_comment_that_is_refused_decides_nothing(commented, status):
    played, sent = commented(status, comment="always")
    assert sent
    assert [step.name for step in played.steps if step.outcome == "failure"] == ["Verdict"]
    assert any("no comment" in message for message in played.messages("notice"))
    green, _ = commented(status, comment="always", fail_on_regression="false")
    assert green.is_green


@pytest.mark.parametrize(("event", "comment"), [("pull_request", "never"), ("push", "always")])
def test_none_is_made_where_none_is_asked_for_or_there_is_no_pull_request(commented, event, comment):
    played, sent = commented(event=event, comment=comment)
    assert sent == []
    assert played.step("Comment").outcome == "skipped"
    assert [step.name for step in played.steps if "ghs_secret" in str(step.environ)] == []


@pytest.mark.parametrize("text", ["a b", "-->", "$(touch pwned)", "a\nb", "x" * 80])
def test_an_id_that_could_end_its_line_is_a_bad_input(job, text):
    played = job.play({"a": 1}, comment_id=text)
    assert [step.name for step in played.steps if step.outcome == "failure"] == ["Plan"]
    assert played.messages("error")[0].startswith("comment-id: ")
