"""``perfgate ci comment``: put the report of a stored run into one comment of its pull request; decides nothing."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import PASSED, add_run, read_runs, say
from pytest_perfgate.errors import BadRunFileError

if TYPE_CHECKING:
    from pytest_perfgate.model import Run

_MODES = ("never", "on-change", "always")
_NOT_ALLOWED = (
    "; the job needs `permissions: pull-requests: write`, and for a pull request from a fork, where no job of its own "
    "has it, this step belongs into a workflow that runs on workflow_run"
)
#: Status -> what to do.  GitHub says 404 of what a token may not even know of.
_REMEDIES = {401: "; GITHUB_TOKEN is not valid here", 403: _NOT_ALLOWED, 404: _NOT_ALLOWED}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci comment``."""
    parser.description = """\
Put the report of a stored run into a comment of the pull request, and keep
that one comment up to date.  Runs in a workflow of pull_request, or, for pull
requests from forks, of workflow_run.  The pull request is found in what
GitHub says of the event; the report is only shown.

The token is read from GITHUB_TOKEN and needs pull-requests: write.  Whatever
GitHub refuses is a notice: a comment never fails a build."""
    parser.epilog = """\
example:
  perfgate ci comment run.json
  perfgate ci comment run.json --id py312 --mode always

exit status: 0, also where no comment could be made; 2 the run cannot be read"""
    add_run(parser, "run", metavar="RUN")
    parser.add_argument(
        "--mode",
        choices=_MODES,
        default="on-change",
        help="on-change: once something failed or improved; a comment that is there is always brought up to date "
        "(default: on-change)",
    )
    parser.add_argument(
        "--id",
        default="default",
        metavar="ID",
        help="tells the comments of several jobs apart (default: default)",
    )
    parser.add_argument(
        "--author",
        metavar="LOGIN",
        help="whose comments the token writes; only theirs are changed (default: github-actions[bot])",
    )


def run(namespace: argparse.Namespace) -> int:
    """Comment.

    Returns:
        0.
    """
    if namespace.mode == "never":
        return PASSED
    from pytest_perfgate.ci.comment import marker_of
    from pytest_perfgate.ci.github_api import ApiError
    from pytest_perfgate.ci.pull_request import NoPullRequestError

    name = namespace.id or "default"
    marker_of(name)  # a mistake of the user's is told before anything is asked
    stored = _read(namespace.run)
    try:
        say(f"perfgate: {_published(stored, name, namespace)}")
    except NoPullRequestError as problem:
        _notice(f"no comment: {problem}")
    except ApiError as problem:
        _notice(f"no comment: {problem}{_REMEDIES.get(problem.status or 0, '')}")
    return PASSED


def _read(path: str) -> Run:
    """Read the report; what is said of one that is none may repeat its words, and they must not be a command."""
    try:
        (stored,) = read_runs(path)
    except BadRunFileError as problem:
        raise BadRunFileError(
            str(problem).replace("##[", "## [")
        ) from None  # the runner's old form, anywhere in a line
    return stored


def _published(stored: Run, name: str, namespace: argparse.Namespace) -> str:
    """Find the pull request and comment on it; say what was done."""
    from pytest_perfgate.ci.comment import ACTIONS_BOT, Mode, publish
    from pytest_perfgate.ci.github_api import ApiError, GitHub
    from pytest_perfgate.ci.pull_request import find_pull_request

    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise ApiError("GITHUB_TOKEN is not set; give it to this step, and to no other")
    github = GitHub(os.environ.get("GITHUB_API_URL") or "https://api.github.com", token)
    pull = find_pull_request(os.environ, github)
    author = namespace.author or ACTIONS_BOT
    done = publish(stored, pull, github, name=name, mode=Mode(namespace.mode), author=author)
    return f"comment on pull request {pull.number}: {done.value}"


def _notice(text: str) -> None:
    """Tell why there is no comment, on the page of the run where there is one."""
    from pytest_perfgate.reports._format import on_one_line
    from pytest_perfgate.reports.workflow_commands import command

    if os.environ.get("GITHUB_ACTIONS") == "true":
        say(command("notice", on_one_line(text), title="perfgate"))
    else:
        say(f"perfgate: {on_one_line(text)}")
