"""What started the workflow, as GitHub tells it in variables and a file; only facts, no decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import UsageError

#: Started with the rights of the repository, on behalf of whoever wrote the code: a suite must not run there.
PRIVILEGED = ("pull_request_target", "workflow_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What started the workflow."""

    name: str
    """Such as ``push``, ``pull_request``, ``merge_group``, ``schedule``, ``workflow_dispatch``."""
    sha: str = ""
    """The commit that the workflow runs for; of a pull request, that of the merge with its base."""
    ref: str = ""
    default_branch: str = ""
    """Empty when the payload does not say."""
    base_sha: str = ""
    """Where a pull request or merge group starts from; empty for other events."""
    head_sha: str = ""
    """The last commit of a pull request itself; empty for other events."""
    run_id: str = "0"
    run_attempt: str = "1"
    job: str = ""

    @property
    def is_pull_request(self) -> bool:
        """Whether this is a pull request."""
        return self.name == "pull_request"

    @property
    def has_base(self) -> bool:
        """Whether there is a commit that the change starts from."""
        return self.name in ("pull_request", "merge_group")

    @property
    def is_on_default_branch(self) -> bool:
        """Whether what runs is the default branch itself, and not a change that somebody proposes."""
        if self.has_base or self.name in PRIVILEGED:
            return False
        if self.name == "schedule":  # runs nowhere else
            return True
        return bool(self.default_branch) and self.ref == f"refs/heads/{self.default_branch}"


def read_event(environ: Mapping[str, str]) -> Event:
    """Read what the runner says of the event.

    Args:
        environ: Environment variables; ``GITHUB_EVENT_PATH`` names the payload.

    Returns:
        The facts; those that this kind of event does not have are empty.

    Raises:
        UsageError: This is not GitHub Actions, or the payload cannot be read.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    if not name:
        raise UsageError(
            "GITHUB_EVENT_NAME is not set: this command is a step of GitHub Actions; elsewhere call "
            "pytest --perfgate with --perfgate-against or --perfgate-baseline"
        )
    payload = _payload(environ.get("GITHUB_EVENT_PATH", ""))
    return Event(
        name=name,
        sha=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        default_branch=_text(payload, "repository", "default_branch"),
        base_sha=_text(payload, "pull_request", "base", "sha") or _text(payload, "merge_group", "base_sha"),
        head_sha=_text(payload, "pull_request", "head", "sha"),
        run_id=environ.get("GITHUB_RUN_ID", "0"),
        run_attempt=environ.get("GITHUB_RUN_ATTEMPT", "1"),
        job=environ.get("GITHUB_JOB", ""),
    )


def _payload(path: str) -> object:
    if not path:
        return {}
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        raise UsageError(f"the payload of the event cannot be read ({path}): {problem}") from None


def _text(payload: object, *names: str) -> str:
    """Take a text out of nested objects; empty where there is none."""
    found: Any = payload
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
