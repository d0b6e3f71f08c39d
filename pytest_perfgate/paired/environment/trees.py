"""Copies a folder as its author sees it: uncommitted and untracked files are part of it, caches are not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.git import GitError, git, toplevel

#: Never part of a project, whoever made them; environments are known by their pyvenv.cfg.
# fmt: off
LITTER = frozenset([
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", ".eggs", "__pycache__", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".hypothesis", "node_modules",
])
# fmt: on


def listed(folder: Path) -> list[str]:
    """List the files of a project.

    Args:
        folder: Its top; in a git repository what git ignores is left out, submodules are looked into.

    Returns:
        Relative paths with ``/``, of files that exist.
    """
    if toplevel(folder) is None:
        return sorted(walked(folder))
    return sorted(path for path in _known_to_git(folder) if os.path.lexists(folder / path))


def _known_to_git(folder: Path) -> Iterator[str]:
    try:
        names = git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z").split("\0")
    except GitError as problem:
        raise AgainstError(f"git cannot list the files of {folder}: {problem}") from None
    for name in filter(None, names):
        path = folder / name
        if not path.is_dir() or path.is_symlink():
            yield name
        elif not name.endswith("/") and toplevel(path) == path.resolve():  # a submodule that is checked out
            yield from (f"{name}/{below}" for below in listed(path))


def walked(folder: Path) -> Iterator[str]:
    """Give the files of a folder without caches and environments.

    Args:
        folder: Any.

    Yields:
        Relative paths with ``/``.
    """
    for current, folders, files in os.walk(folder):
        here = Path(current)
        folders[:] = [name for name in folders if name not in LITTER and not (here / name / "pyvenv.cfg").exists()]
        for name in files:
            yield (here / name).relative_to(folder).as_posix()


def copy_files(source: Path, names: Iterable[str], into: Path) -> None:
    """Copy files with their relative places; links stay links, what vanished meanwhile is left out.

    Args:
        source: The folder that the names are relative to.
        names: Relative paths.
        into: Where they go; made if need be.
    """
    into.mkdir(parents=True, exist_ok=True)
    made: set[Path] = set()
    for name in names:
        target = into / name
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        try:
            shutil.copy2(source / name, target, follow_symlinks=False)
        except FileNotFoundError:
            continue
