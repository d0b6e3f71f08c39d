"""Turns a git revision into a folder of files, its submodules included."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.git import GitError, git, ownership_remedy, toplevel

_SUBMODULE = "160000"
#: What may be the beginning of a hash, which no server looks up.
_HASH = re.compile(r"[0-9a-f]{4,40}")
_WHOLE_HASH = 40


def resolve(folder: Path, revision: str) -> str:
    """Find the commit that a revision means.

    Args:
        folder: A folder of the working tree.
        revision: As the user wrote it.

    Returns:
        The full hash of the commit.

    Raises:
        AgainstError: Not a repository, or the revision is not there; the message says what to fetch.
    """
    _require_repository(folder, revision)
    if revision.startswith("-") or not revision.strip():
        raise AgainstError(f"{revision!r} is no git revision; give a branch, a tag, a hash, path:DIR or dist:NAME")
    _refuse_ambiguous(folder, revision)
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except GitError:
        if not _has_commits(folder):
            raise AgainstError(
                f"this repository has no commit yet, so {revision!r} means nothing; commit what head is to be compared "
                f"with, or compare against path:DIR or dist:NAME"
            ) from None
        raise AgainstError(f"there is no revision {revision!r} here; {_remedy(folder, revision)}") from None


def _has_commits(folder: Path) -> bool:
    """Tell whether there is any commit: that of HEAD, or that of any branch or tag, a remote's included."""
    try:
        git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitError:
        return bool(git(folder, "for-each-ref", "--count=1").strip())
    return True


def _refuse_ambiguous(folder: Path, revision: str) -> None:
    """Refuse a name that a branch and a tag share: git would take the tag and say so where nobody looks."""
    names = [f"refs/{kind}/{revision}" for kind in ("heads", "tags")]
    with contextlib.suppress(GitError):  # not even a possible name of either
        there = set(git(folder, "for-each-ref", "--format=%(refname)", *names).split())
        if set(names) <= there:
            raise AgainstError(f"{revision!r} is a branch and a tag; write {names[0]} or {names[1]}")


def _require_repository(folder: Path, revision: str) -> None:
    try:
        git(folder, "rev-parse", "--show-toplevel")
    except GitError as problem:
        if "not a git repository" in str(problem):
            raise AgainstError(
                f"{folder} is not in a git repository, so {revision!r} means nothing there; "
                f"compare against path:DIR or dist:NAME"
            ) from None
        command = ownership_remedy(folder, problem)
        remedy = f"; allow it with `{command}`" if command else ""
        raise AgainstError(f"git cannot be asked about {folder}: {problem}{remedy}") from None


def _remedy(folder: Path, revision: str) -> str:
    """Say what to fetch: the branch without the name of its remote, deeper when the clone is shallow."""
    remotes = git(folder, "remote").split()
    remote, _, name = revision.partition("/")
    if not name or remote not in remotes:
        remote, name = (remotes[0] if remotes else "origin"), revision
    if (folder / revision).exists():
        return f"to compare against that folder write path:{revision}"
    plain = not set(name) & set("~^@: ")
    if git(folder, "rev-parse", "--is-shallow-repository").strip() == "true":
        fetch = ""
        if plain and _HASH.fullmatch(name):
            fetch = f"git fetch --depth=1 {remote} {name}`, or `" if len(name) == _WHOLE_HASH else ""
        elif plain:
            fetch = f"git fetch --depth=1 {remote} {name}:refs/remotes/{remote}/{name}`, or `"
        return f"this clone is shallow: run `{fetch}git fetch --unshallow`, or give actions/checkout fetch-depth: 0"
    if not remotes:
        return "check its spelling with `git log --oneline --all`"
    return f"run `git fetch {remote} {name if plain else ''}".rstrip() + "`, or check its spelling"


def label(commit: str, revision: str) -> str:
    """Name a commit for messages: ``3f2c1ab (origin/main)``.

    Args:
        commit: The full hash.
        revision: As the user wrote it.

    Returns:
        The short hash, and the revision when it says more.
    """
    return commit[:7] if commit.startswith(revision) else f"{commit[:7]} ({revision})"


def export(folder: Path, commit: str, into: Path, scratch: Path) -> list[str]:
    """Write the files of a commit, those below *folder* only.

    Args:
        folder: A folder of the working tree; the top of what is exported.
        commit: The full hash.
        into: Where to write; made if need be.
        scratch: An empty place for the index of our own.

    Returns:
        Notes about submodules that were left out.

    Raises:
        AgainstError: The folder did not exist in that commit, or objects are missing.
    """
    top = toplevel(folder)
    if top is None:  # pragma: no cover  # resolve() has asked before
        raise AgainstError(f"{folder} is not in a git repository; compare against path:DIR or dist:NAME")
    below = folder.resolve().relative_to(top).as_posix()
    tree = commit if below == "." else f"{commit}:{below}"
    _require_folder(top, commit, below, tree)
    into.mkdir(parents=True, exist_ok=True)
    index = scratch / f"index-{len(list(scratch.iterdir()))}"
    try:
        git(top, "read-tree", tree, index=index)
        git(top, "checkout-index", "--all", "--force", f"--prefix={into}{os.sep}", index=index)
        listed = git(top, "ls-files", "--stage", "-z", index=index)
    except GitError as problem:
        raise AgainstError(
            f"git cannot write the files of {commit[:7]}: {problem}; run `git fsck`, or fetch what is missing"
        ) from None
    notes = []
    for path, wanted in _submodules(listed):
        notes += _export_submodule(folder / path, wanted, into / path, scratch)
    return notes


def _require_folder(top: Path, commit: str, below: str, tree: str) -> None:
    try:
        git(top, "cat-file", "-e", f"{tree}^{{tree}}" if below == "." else tree)
    except GitError:
        raise AgainstError(
            f"{commit[:7]} has no folder {below}; compare against a revision that has it, or against path:DIR"
        ) from None


def _submodules(listed: str) -> list[tuple[str, str]]:
    """Take path and commit of each submodule from what ``git ls-files --stage -z`` wrote."""
    found = []
    for entry in filter(None, listed.split("\0")):
        facts, _, path = entry.partition("\t")
        mode, commit, _stage = facts.split(" ")
        if mode == _SUBMODULE:
            found.append((path, commit))
    return found


def _export_submodule(folder: Path, commit: str, into: Path, scratch: Path) -> list[str]:
    if not folder.is_dir() or toplevel(folder) != folder.resolve():
        return [f"the submodule {folder.name} is not checked out here, so neither side has it"]
    try:
        git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        raise AgainstError(
            f"the submodule {folder.name} does not have commit {commit[:7]}, which the base needs; "
            f"run `git -C {os.path.relpath(folder)} fetch origin {commit}`"
        ) from None
    return export(folder, commit, into, scratch)


def dirty_submodules(folder: Path) -> list[str]:
    """Say which submodules are not as the working tree's last commit records them.

    Args:
        folder: A folder of the working tree.

    Returns:
        A note for each.
    """
    try:
        lines = git(folder, "status", "--porcelain=v2", "--untracked-files=normal", "-z", "--", ".").split("\0")
    except (GitError, AgainstError):
        return []
    changed = [line.split(" ", 8) for line in lines if line.startswith("1 ")]
    return [
        f"the submodule {entry[8]} is not as it is committed; head is measured with it as it is"
        for entry in changed
        if entry[2].startswith("S") and entry[2] != "S..."
    ]
