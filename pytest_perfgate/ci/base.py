"""Finds the commit that a pull request or merge group starts from, and fetches it where the clone is too shallow."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_perfgate.ci.event import Event
from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.git import GitError, git, ownership_remedy

#: How far back a shallow clone is asked for, until both sides' common commit is in it; then for everything.
_DEPTHS = ("--depth=100", "--depth=2000", "--unshallow")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def find_base(folder: Path, event: Event, say: Callable[[str], None]) -> str:
    """Find the commit to compare with.

    Of the merge that GitHub makes for a pull request it is the first parent: what the base branch was then, so that
    nothing counts but the pull request; a checkout by name may get a newer merge than that of the event.  Of a merge
    group it is what the group was put on.  Where the head of the pull request itself is checked out, it is the commit
    that both branches have in common.

    Args:
        folder: In the working tree.
        event: A pull request or a merge group.
        say: Receives a line about what is fetched.

    Returns:
        The full hash of a commit that is here.

    Raises:
        AgainstError: It cannot be had; the message says what to do.
    """
    try:
        head = git(folder, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}").strip()
        parents = _parents(folder, head)
    except GitError as problem:
        raise AgainstError(_about_repository(folder, problem)) from None
    if event.is_pull_request and len(parents) > 1 and (head == event.sha or parents[1] == event.head_sha):
        return _fetched(folder, parents[0], say)
    if not _COMMIT.fullmatch(event.base_sha):
        raise AgainstError(
            f"the payload of this {event.name} names no base commit; give the input against, such as origin/main"
        )
    if not event.is_pull_request:
        return _fetched(folder, event.base_sha, say)
    return _fork_point(folder, head, event.base_sha, say)


def _parents(folder: Path, commit: str) -> list[str]:
    """Return the parents that a commit names, also those that a shallow clone does not have."""
    written = git(folder, "cat-file", "commit", commit).partition("\n\n")[0]
    return [line.split()[1] for line in written.splitlines() if line.startswith("parent ")]


def _about_repository(folder: Path, problem: GitError) -> str:
    if "not a git repository" in str(problem):
        return f"{folder} is not in a git repository: let actions/checkout run before this action"
    command = ownership_remedy(folder, problem)
    remedy = f"; allow it first: {command}" if command else ""
    return f"git cannot be asked about {folder}: {problem}{remedy}"


def _is_here(folder: Path, commit: str) -> bool:
    with contextlib.suppress(GitError):
        git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
        return True
    return False


def _is_shallow(folder: Path) -> bool:
    return git(folder, "rev-parse", "--is-shallow-repository").strip() == "true"


def _fetched(folder: Path, commit: str, say: Callable[[str], None]) -> str:
    """Return a commit that is here or was fetched, alone where the clone is shallow anyway."""
    if _is_here(folder, commit):
        return commit
    depth = ["--depth=1"] if _is_shallow(folder) else []
    say(f"fetching the base commit {commit[:12]}")
    try:
        _fetch(folder, *depth, commit)
    except GitError as problem:
        raise AgainstError(_about_missing(commit, problem)) from None
    return commit


def _fork_point(folder: Path, head: str, base: str, say: Callable[[str], None]) -> str:
    """Find the commit that *head* and *base* have in common, deepening a shallow clone as far as it takes."""
    if _is_here(folder, base) and not _is_shallow(folder):
        found = _common(folder, head, base)
        if not found:
            raise AgainstError(
                f"{head[:12]} and its base {base[:12]} have no commit in common: nothing to compare with"
            )
        return found
    problem = GitError("they have no commit in common")
    for depth in _depths(folder):
        say(f"fetching the history up to the base commit {base[:12]} ({depth or 'what is missing'})")
        try:
            _fetch(folder, *([depth] if depth else []), head, base)
        except GitError as trouble:
            problem = trouble
            break
        if found := _common(folder, head, base):
            return found
    raise AgainstError(_about_missing(base, problem))


def _depths(folder: Path) -> Iterator[str]:
    if not _is_shallow(folder):
        yield ""
        return
    for depth in _DEPTHS:
        if _is_shallow(folder):  # an earlier one may have brought everything
            yield depth


def _common(folder: Path, head: str, base: str) -> str:
    with contextlib.suppress(GitError):
        return git(folder, "merge-base", head, base).strip()
    return ""


def _fetch(folder: Path, *words: str) -> None:
    remotes = git(folder, "remote").split()
    remote = "origin" if "origin" in remotes or not remotes else remotes[0]
    options = [word for word in words if word.startswith("-")]
    commits = [word for word in words if not word.startswith("-")]
    git(folder, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *options, remote, *commits)


def _about_missing(commit: str, problem: GitError) -> str:
    return (
        f"the base commit {commit[:12]} is not in this clone and cannot be fetched ({problem}); "
        f"give actions/checkout fetch-depth: 0"
    )
