"""The one comment of a report on its pull request: when there is one, what it says, how it is found again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from pytest_perfgate.ci.github_api import GitHub
from pytest_perfgate.ci.pull_request import PullRequest
from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Outcome, Run, Verdict
from pytest_perfgate.reports import markdown

#: Who comments with the token of a workflow.
ACTIONS_BOT = "github-actions[bot]"

#: GitHub takes 65,536 characters; bytes are at least as many, and the rest is for what stands around the report.
_MOST_BYTES = 64_000
_MOST_ROWS = 20
_ID = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,63}")


class Mode(str, Enum):
    """When to comment."""

    NEVER = "never"
    ON_CHANGE = "on-change"
    """Once something failed or improved; a comment that is there is kept up to date."""
    ALWAYS = "always"


class Done(str, Enum):
    """What became of the comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "not changed"
    NOT_NEEDED = "not needed"


def marker_of(name: str) -> str:
    """Make the line by which the comment is found again; nobody sees it on the page.

    Args:
        name: Tells the comments of several jobs of one pull request apart.

    Raises:
        UsageError: It could end the line.
    """
    if not _ID.fullmatch(name) or "--" in name:
        raise UsageError(
            f"{name!r} cannot be the id of a comment: letters, digits, dots, underscores and single hyphens, 64 at most"
        )
    return f"<!-- pytest-perfgate:{name} -->"


def body_of(run: Run, name: str, pull: PullRequest) -> str:
    """Write the comment.

    Args:
        run: As read from a report; nobody vouches for what it says.
        name: As for :func:`marker_of`.
        pull: The pull request.
    """
    report = markdown.render(_without_recipes(run), max_bytes=_MOST_BYTES, limit=_MOST_ROWS)
    where = f", [this run]({pull.run_url})" if pull.run_url else ""
    which = "" if name == "default" else f" Report <code>{name}</code>."
    return f"{marker_of(name)}\n{report}\n---\n\nCommit <code>{pull.head_sha[:12]}</code>{where}.{which}\n"


def publish(run: Run, pull: PullRequest, github: GitHub, *, name: str, mode: Mode, author: str) -> Done:
    """Create the comment, or bring the one that is there up to date.

    Args:
        run: As read from a report.
        pull: The pull request.
        github: To ask and to tell.
        name: As for :func:`marker_of`.
        mode: When to comment.
        author: Whose comment may be changed; anybody could write the marker.

    Raises:
        ApiError: GitHub refused, or could not be asked.
    """
    earlier = _find(pull, github, marker_of(name), author)
    body = body_of(run, name, pull)
    if earlier is not None:
        if _same(earlier.get("body"), body):
            return Done.UNCHANGED
        github.send("PATCH", f"/repos/{pull.repository}/issues/comments/{earlier['id']}", {"body": body})
        return Done.UPDATED
    if mode is Mode.ON_CHANGE and not has_news(run):
        return Done.NOT_NEEDED
    github.send("POST", f"/repos/{pull.repository}/issues/{pull.number}/comments", {"body": body})
    return Done.CREATED


def has_news(run: Run) -> bool:
    """Tell whether something failed or improved; what could not be told is no change."""
    improved = any(finding.verdict is Verdict.IMPROVED for finding in run.findings)
    return improved or run.outcome in (Outcome.FAIL, Outcome.ERROR)


def _find(pull: PullRequest, github: GitHub, marker: str, author: str) -> Mapping[str, Any] | None:
    """Find the comment of an earlier run among all of the pull request's."""
    for comment in github.listed(f"/repos/{pull.repository}/issues/{pull.number}/comments"):
        user, body = comment.get("user"), comment.get("body")
        by_author = isinstance(user, dict) and user.get("login") == author
        if by_author and type(comment.get("id")) is int and isinstance(body, str) and body.startswith(f"{marker}"):
            return comment
    return None


def _same(earlier: object, body: str) -> bool:
    """Compare as GitHub keeps it: with line breaks of its own, without blanks at the end."""
    return isinstance(earlier, str) and earlier.replace("\r\n", "\n").strip() == body.strip()


def _without_recipes(run: Run) -> Run:
    """Leave out of the command to paste what would fetch something that only the report names."""
    against = run.settings.get("against")
    if isinstance(against, str) and ":" in against:
        return replace(run, settings={**run.settings, "against": "BASE"})
    return run
