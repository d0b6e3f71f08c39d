"""Runs git for reading: never with the variables of a hook, never touching the user's index, branches or worktrees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pytest_perfgate.errors import AgainstError

#: Set while a hook of git runs; they would answer for the hook's repository and its half-made index.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
#: An index of ours is written whole into its own file, whatever the user has configured for theirs.
_CONFIGURATION = ("core.splitIndex=false", "core.fsmonitor=false", "core.sparseCheckout=false", "core.quotePath=false")


class GitError(Exception):
    """Git ended with a failure; the text is the last line that it wrote about it."""


def git(folder: Path, *arguments: str, index: Path | None = None, given: str | None = None) -> str:
    """Run git in a folder.

    Args:
        folder: Where.
        arguments: The subcommand and what follows it.
        index: An index file of our own instead of the repository's.
        given: What git reads from its standard input.

    Returns:
        What it wrote to its standard output.

    Raises:
        GitError: It failed.
        AgainstError: There is no git.
    """
    program = shutil.which("git")
    if program is None:
        raise AgainstError("git is not installed or not on PATH; install it, or compare against path:DIR or dist:NAME")
    environ = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    if index is not None:
        environ["GIT_INDEX_FILE"] = str(index)
    options = [part for setting in _CONFIGURATION for part in ("-c", setting)]
    done = subprocess.run(  # noqa: S603  # our own arguments; a revision never starts with a dash
        [program, *options, *arguments],
        cwd=folder,
        env=environ,
        input=given or "",
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise GitError(
            next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "no message")
        )
    return done.stdout


def ownership_remedy(folder: Path, problem: GitError) -> str:
    """Return the command that lets git read a checkout of another user, as in a container; empty for other problems."""
    owned = "dubious ownership" in str(problem)
    return f"git config --global --add safe.directory {folder}" if owned else ""


def toplevel(folder: Path) -> Path | None:
    """Find the working tree that a folder lies in.

    Args:
        folder: Any folder.

    Returns:
        The top of the working tree; None outside a repository and without git.
    """
    try:
        return Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n")).resolve()
    except (GitError, AgainstError, OSError):
        return None
