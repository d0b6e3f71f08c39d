"""Which commit is measured, asked of git; not being in a repository is no problem."""

from __future__ import annotations

import os
from pathlib import Path

_TIMEOUT_S = 5.0
#: Set while a hook of git runs; they would answer for the hook's repository and its half-made index.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def current_commit(directory: Path) -> dict[str, object] | None:
    """Ask git which commit is checked out.

    Args:
        directory: A folder of the working copy.

    Returns:
        ``id`` (full hash), ``branch`` (None when detached, as on most CI) and ``dirty`` (whether tracked files
        differ from it); None without git, outside a repository, before the first commit, or when git is slow.
    """
    facts: dict[str, object] = {"id": None, "branch": None, "dirty": False}
    for line in _status(directory).splitlines():
        if not line.startswith("#"):
            facts["dirty"] = True
        elif line.startswith("# branch.oid ") and "(" not in line:
            facts["id"] = line.split()[-1]
        elif line.startswith("# branch.head ") and not line.endswith("(detached)"):
            facts["branch"] = line.split(maxsplit=2)[-1]
    return facts if facts["id"] else None


def _status(directory: Path) -> str:
    """Run ``git status`` for programs; empty when there is nothing to learn."""
    import shutil  # noqa: PLC0415  # with the next, some ms that only those pay who ask
    import subprocess  # noqa: PLC0415

    git = shutil.which("git")
    if git is None:
        return ""
    environ = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}  # look, do not touch the index
    try:
        done = subprocess.run(  # noqa: S603  # a fixed command
            [git, "status", "--porcelain=v2", "--branch", "--untracked-files=no"],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
