"""Finds the project that is tested, and which import names of it are compared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.declared import Declared, read_declared
from pytest_perfgate.paired.environment.git import toplevel
from pytest_perfgate.paired.environment.locating import installed_files
from pytest_perfgate.paired.environment.roots import find_roots, place_roots

Locate = Callable[[str], Path | None]
_SETTING = '[tool.perfgate] packages = ["name"]'
#: Where packages are, apart from what a project says.
_USUAL_FOLDERS = ("src", ".", "lib", "python")


def find_project(root: Path, packages: Sequence[str], locate: Locate) -> Path:
    """Find the folder to compare: the root of pytest, or the nearest folder above it that holds the packages.

    Args:
        root: pytest's rootdir.
        packages: Import names that the user wants compared; empty to find them.
        locate: Says where the environment imports a name from.

    Returns:
        A folder, at most the top of the git working tree, its path without symbolic links.

    Raises:
        AgainstError: There is no such folder; the message names the setting.
    """
    root = root.resolve()
    for folder in _candidates(root):
        declared = read_declared(folder)
        if packages:
            found = place_roots(folder, packages, folders_to_look_in(folder, packages, declared, locate))
            if len(found) == len(packages):
                return folder
        elif find_roots(folder, declared):
            return folder
    if packages:
        absent = [name for name in packages if not _is_in_reach(root, name, locate)] or list(packages)
        raise AgainstError(
            f"{' and '.join(map(repr, absent))} of [tool.perfgate] packages cannot be found in {root}; correct the "
            f"name, or compare an installed distribution with dist:NAME==VERSION"
        )
    raise AgainstError(f"no package to compare was found in {root}; name it: {_SETTING}")


def _candidates(root: Path) -> Iterator[Path]:
    top = toplevel(root)
    yield root
    if top is not None and root != top:
        yield from (folder for folder in root.parents if folder.is_relative_to(top))


def _is_in_reach(root: Path, name: str, locate: Locate) -> bool:
    folders = folders_to_look_in(root, [name], read_declared(root), locate)
    return bool(place_roots(root, [name], folders))


def folders_to_look_in(project: Path, names: Iterable[str], declared: Declared, locate: Locate) -> list[str]:
    """Give the folders of a project that may hold its packages.

    Args:
        project: The user's own folder.
        names: Import names; where they are imported from comes first.
        declared: What the project says of itself.
        locate: Says where the environment imports a name from.

    Returns:
        Paths relative to the project.
    """
    hints = (_above(locate(name), name) for name in names)
    inside = [hint.relative_to(project).as_posix() for hint in hints if hint and hint.is_relative_to(project)]
    parents = [place.rpartition("/")[0] or "." for place in declared.packages]
    return list(dict.fromkeys([*inside, *declared.folders, *_USUAL_FOLDERS, *parents]))


def _above(place: Path | None, name: str) -> Path | None:
    """Give the folder that would be on ``sys.path`` for *name* to be imported from *place*."""
    if place is None:
        return None
    place = place.resolve()
    package = place.parent if place.is_file() and place.stem.partition(".")[0] == "__init__" else place
    return package.parents[name.count(".")] if len(package.parents) > name.count(".") else None


def without_foreign(roots: Mapping[str, str], project: Path, declared: Declared, locate: Locate) -> dict[str, str]:
    """Leave out what has the name of something else: of the standard library, or of another distribution.

    Args:
        roots: Dotted name -> folder, as found by looking.
        project: The user's own folder.
        declared: What the project says of itself.
        locate: Says where the environment imports a name from.

    Returns:
        The rest.
    """
    own = installed_files(declared.name) if declared.name else None
    mine = {str(own[0] / file) for file in own[1]} if own else set()

    def is_foreign(name: str) -> bool:
        if name.partition(".")[0] in sys.stdlib_module_names:
            return True
        place = locate(name)
        if place is None or place.resolve().is_relative_to(project) or not place.is_file() or not declared.name:
            return False
        return "site-packages" in place.parts and bool(mine) and str(place.resolve()) not in mine

    return {name: where for name, where in roots.items() if not is_foreign(name)}
