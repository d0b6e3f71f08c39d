"""Which pull request a report speaks of, found in what GitHub itself says; a report is never asked.

A report may come from a fork, whose code wrote it.  Were it asked for its pull request, it could name any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_perfgate.ci.github_api import GitHub
from pytest_perfgate.errors import PerfgateError

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_SERVER = re.compile(r"https?://[A-Za-z0-9.:-]+")


class NoPullRequestError(PerfgateError):
    """There is none, or none that is meant without doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request of this repository."""

    repository: str
    """``owner/name``."""
    number: int
    head_sha: str
    """The commit that was measured, or whose merge was; in hexadecimal digits."""
    run_url: str
    """Page of the workflow run that measured; empty when it is not known."""


def find_pull_request(environ: Mapping[str, str], github: GitHub) -> PullRequest:
    """Find the pull request that the measuring workflow ran for.

    Args:
        environ: Environment variables of the runner.
        github: To ask where the event does not say, which is after ``workflow_run``.

    Returns:
        The pull request; after ``workflow_run`` it is open and its newest commit is the one that was measured.

    Raises:
        NoPullRequestError: There is none.
        ApiError: GitHub could not be asked.
    """
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        raise NoPullRequestError("GITHUB_REPOSITORY does not name a repository: this is a step of GitHub Actions")
    name, payload = environ.get("GITHUB_EVENT_NAME", ""), _payload(environ.get("GITHUB_EVENT_PATH", ""))
    if name == "pull_request":
        return _of_event(repository, payload, environ)
    if name == "workflow_run":
        return _of_workflow_run(repository, _object(payload, "workflow_run"), environ, github)
    raise NoPullRequestError(f"the event {name!r:.60} belongs to no pull request")


def _of_event(repository: str, payload: object, environ: Mapping[str, str]) -> PullRequest:
    told = _object(payload, "pull_request")
    return _pull_request(repository, told, environ, environ.get("GITHUB_RUN_ID", ""))


def _of_workflow_run(
    repository: str, run: Mapping[str, Any], environ: Mapping[str, str], github: GitHub
) -> PullRequest:
    """Look for the pull request by the branch it comes from; of a fork, the event names none."""
    if run.get("event") != "pull_request":
        raise NoPullRequestError(f"the workflow ran on {run.get('event')!r:.60}, which belongs to no pull request")
    head, sha = _object(run, "head_repository"), run.get("head_sha")
    owner, branch = _object(head, "owner").get("login"), run.get("head_branch")
    if not (isinstance(owner, str) and isinstance(branch, str) and isinstance(sha, str)):
        raise NoPullRequestError("the event does not say which branch the workflow ran for")
    for pull in github.listed(f"/repos/{repository}/pulls", state="open", head=f"{owner}:{branch}"):
        theirs = _object(pull, "head")
        same_repository = _object(theirs, "repo").get("full_name") == head.get("full_name")
        if theirs.get("sha") == sha and same_repository:
            return _pull_request(repository, pull, environ, str(run.get("id", "")))
    raise NoPullRequestError(
        f"no open pull request has the commit {sha[:12]!r} of the workflow as its newest: "
        "it was closed, or pushed to since"
    )


def _pull_request(repository: str, told: Mapping[str, Any], environ: Mapping[str, str], run_id: str) -> PullRequest:
    number, sha = told.get("number"), _object(told, "head").get("sha")
    if type(number) is not int or not isinstance(sha, str) or not _SHA.fullmatch(sha):
        raise NoPullRequestError("the event does not name a pull request")
    server = environ.get("GITHUB_SERVER_URL", "")
    known = _SERVER.fullmatch(server) and run_id.isascii() and run_id.isdecimal()
    url = f"{server}/{repository}/actions/runs/{run_id}" if known else ""
    return PullRequest(repository=repository, number=number, head_sha=sha, run_url=url)


def _payload(path: str) -> object:
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise NoPullRequestError(f"the payload of the event cannot be read ({path or 'GITHUB_EVENT_PATH'})") from None


def _object(found: object, key: str) -> Mapping[str, Any]:
    """Take an object out of another one; empty where there is none."""
    inner = found.get(key) if isinstance(found, Mapping) else None
    return inner if isinstance(inner, dict) else {}
