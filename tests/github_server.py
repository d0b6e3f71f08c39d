"""A GitHub of our own on this machine: as much of the REST API as a comment needs, and every way it can refuse."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
REPOSITORY = "owner/project"


class FakeGitHub:
    """What the server knows and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.comments: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str | None] = set()
        self.largest_page = 100
        #: Method -> status, headers and body to answer with instead.
        self.refusals: dict[str, tuple[int, dict[str, str], bytes]] = {}

    def say(self, body: str, login: str = BOT) -> dict[str, Any]:
        """Let *login* comment."""
        comment = {"id": 1000 + len(self.comments), "user": {"login": login}, "body": body}
        self.comments.append(comment)
        return comment

    @property
    def methods(self) -> list[str]:
        """The methods asked for, in order."""
        return [method for method, _ in self.requests]

    def refuse(self, method: str, status: int, message: str = "no", **headers: str) -> None:
        """Answer to *method* with a refusal."""
        self.refusals[method] = (status, headers, json.dumps({"message": message}).encode())


class _Handler(BaseHTTPRequestHandler):
    github: FakeGitHub

    def do_GET(self) -> None:
        if self._refused("GET"):
            return
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == f"/repos/{REPOSITORY}/pulls":
            wanted = query["head"]
            listed = [p for p in self.github.pulls if f"{p['head']['repo']['owner']}:{p['head']['ref']}" == wanted]
        else:
            listed = self.github.comments
        size = min(int(query.get("per_page", 30)), self.github.largest_page)
        page = int(query.get("page", 1))
        headers = {}
        if len(listed) > page * size:
            following = f"{self.github.url}{parts.path}?per_page={size}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next", <{following}>; rel="last"'
        elif page > 1:
            headers["Link"] = f'<{self.github.url}{parts.path}?page=1>; rel="first"'
        self._answer(200, headers, listed[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        body = self._body()
        if not self._refused("POST"):
            self._answer(201, {}, self.github.say(body["body"]))

    def do_PATCH(self) -> None:
        body = self._body()
        if self._refused("PATCH"):
            return
        number = int(self.path.rpartition("/")[2])
        (comment,) = (comment for comment in self.github.comments if comment["id"] == number)
        comment["body"] = body["body"]
        self._answer(200, {}, comment)

    def _body(self) -> dict[str, Any]:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _refused(self, method: str) -> bool:
        self.github.requests.append((method, self.path))
        self.github.tokens.add(self.headers["Authorization"])
        if method not in self.github.refusals:
            return False
        status, headers, content = self.github.refusals[method]
        self._answer(status, headers, content)
        return True

    def _answer(self, status: int, headers: dict[str, str], content: object) -> None:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the class above names it
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[FakeGitHub]:
    """Serve on a free port of this machine."""
    github = FakeGitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": github}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
