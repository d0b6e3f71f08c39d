"""Files of a package that no repository has: written by a build, ignored by git, and imported all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from pathlib import Path

from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.git import GitError, git, toplevel
from pytest_perfgate.paired.environment.project import Locate
from pytest_perfgate.paired.environment.trees import copy_files
from pytest_perfgate.words import counted

#: What a build leaves behind that is not imported, or not by copying.
_NOT_COPIED = (*BYTECODE_SUFFIXES, *EXTENSION_SUFFIXES, ".o", ".a", ".c", ".cpp", ".so", ".pyd", ".html")


def take_generated(head: Draft, base: Draft, locate: Locate) -> list[str]:
    """Complete both sides with generated files of head: head itself, and base where it lacks them.

    Args:
        head: A copy of a working tree.
        base: The other side.
        locate: Says where the environment imports a name from; an installed copy may have what the tree has not.

    Returns:
        A note when base got some.
    """
    project = head.project
    if project is None or toplevel(project) is None:
        return []
    sources = {name: project / name for name in _ignored(project, head.folders())}
    sources = _from_installed(head, project, locate) | sources
    for name, source in sources.items():
        if not (head.tree / name).exists():
            _copy(source, head.tree / name)
    if base.installed:
        return []
    given = [name for name in sources if (base.tree / name).parent.is_dir() and not (base.tree / name).exists()]
    for name in given:
        _copy(sources[name], base.tree / name)
    if not given:
        return []
    more = f" and {len(given) - 1} more" if len(given) > 1 else ""
    return [f"{given[0]}{more}, generated and ignored by git, is head's on both sides"]


def _copy(source: Path, target: Path) -> None:
    copy_files(source.parent, [source.name], target.parent)


def _ignored(project: Path, folders: Iterable[Path]) -> list[str]:
    below = [folder.relative_to(project).as_posix() for folder in folders if folder.is_dir()]
    if not below:
        return []
    try:
        names = git(project, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *below).split("\0")
    except GitError:
        return []
    return [name for name in filter(None, names) if _is_wanted(name)]


def _is_wanted(name: str) -> bool:
    return not name.endswith(_NOT_COPIED) and "__pycache__" not in name and not name.endswith("/")


def _from_installed(head: Draft, project: Path, locate: Locate) -> dict[str, Path]:
    """Find modules that are installed, are not in the tree, and that git would ignore there."""
    installed: dict[str, Path] = {}
    for root, where in head.roots.items():
        installed |= _installed_modules(root, where, project, locate)
    absent = {name: path for name, path in installed.items() if not (head.tree / name).exists()}
    if not absent:
        return {}
    try:
        ignored = git(project, "check-ignore", "--no-index", "-z", "--stdin", given="\0".join(absent)).split("\0")
    except GitError:  # none of them
        return {}
    return {name: absent[name] for name in ignored if name in absent}


def _installed_modules(root: str, where: str, project: Path, locate: Locate) -> Mapping[str, Path]:
    place = locate(root)
    if place is None or place.stem != "__init__" or place.resolve().is_relative_to(project):
        return {}
    last = root.rpartition(".")[2]
    prefix = last if where == "." else f"{where}/{last}"
    return {f"{prefix}/{path.relative_to(place.parent).as_posix()}": path for path in place.parent.rglob("*.py")}


def stale_copies(head: Draft, locate: Locate) -> list[str]:
    """Say which roots the environment imports from a copy that differs from the working tree.

    Args:
        head: A copy of a working tree.
        locate: Says where the environment imports a name from.

    Returns:
        A note for each.
    """
    notes = []
    for root, where in head.roots.items() if head.project is not None else ():
        assert head.project is not None  # noqa: S101  # for mypy
        copies = _installed_modules(root, where, head.project, locate)
        stale = [name for name, path in copies.items() if not _is_same(head.tree / name, path)]
        if stale:
            place = locate(root)
            notes.append(
                f"{root} is installed in {place.parent.parent if place else 'another place'} and differs there from "
                f"the working tree ({counted(len(stale), 'file')}, {stale[0]} among them); head is the working tree"
            )
    return notes


def _is_same(first: Path, second: Path) -> bool:
    try:
        return first.read_bytes() == second.read_bytes()
    except OSError:
        return False
