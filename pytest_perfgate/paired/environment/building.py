"""Decides whether the sides have to be built to be what users run, and builds both the same way."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.cache import obtain
from pytest_perfgate.paired.environment.contents import digest, extensions
from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.installer import InstallError, build, build_key
from pytest_perfgate.paired.environment.locating import installed_files, installed_version
from pytest_perfgate.paired.environment.project import Locate
from pytest_perfgate.paired.environment.roots import names_in

#: Do not enter a build: after a change of tests only, the same code is not built again.
# fmt: off
_NOT_BUILT = frozenset([
    "tests", "test", "docs", "doc", "benchmarks", "benchmark", "examples", ".github", ".gitlab", "changelog.d",
    "newsfragments",
])
# fmt: on


def needs_building(head: Draft, base: Draft, locate: Locate) -> bool:
    """Tell whether the raw trees lack compiled modules that the package has when it is used.

    Args:
        head: The side that is a copy of a working tree.
        base: The other side.
        locate: Says where the environment imports a name from.

    Returns:
        Whether what is developed has to be built.
    """
    if extensions(head.files({})):  # they are committed
        return False
    if head.declared.compiles or (base.declared.compiles and not base.installed):
        return True
    return any(_holds_extensions(place) for place in [*head.folders(), *_located(head, locate)]) or _distributes(head)


def _located(draft: Draft, locate: Locate) -> Iterable[Path]:
    for root in draft.roots:
        place = locate(root)
        if place is not None:
            yield place.parent if place.stem.partition(".")[0] == "__init__" else place


def _holds_extensions(place: Path) -> bool:
    if place.is_dir():
        return any(path.name.endswith(tuple(EXTENSION_SUFFIXES)) for path in place.rglob("*"))
    return place.name.endswith(tuple(EXTENSION_SUFFIXES)) or any(
        place.with_name(place.name + suffix).exists() for suffix in EXTENSION_SUFFIXES
    )


def _distributes(draft: Draft) -> bool:
    own = installed_files(draft.declared.name) if draft.declared.name else None
    return any(name.endswith(tuple(EXTENSION_SUFFIXES)) for name in own[1]) if own else False


def build_draft(draft: Draft, cache: Path, say: Callable[[str], None]) -> None:
    """Replace the tree of a side by what building and installing it gives.

    Args:
        draft: The side; its roots become all that it installs.
        cache: Where builds are kept.
        say: Receives a line when it takes long.

    Raises:
        AgainstError: It does not build; the message ends with the end of the output.
    """
    version = installed_version(draft.declared.name) or draft.declared.version or "0.0.0"

    def make(folder: Path) -> None:
        say(f"building {draft.name} ({draft.label}) ...")
        build(draft.tree, folder, requires=draft.declared.requires, version=version)

    key = build_key(digest(_build_files(draft.tree)) + version)
    try:
        entry = obtain(cache, key, make)
    except InstallError as problem:
        raise AgainstError(
            f"{draft.name} ({draft.label}) has compiled modules and does not build here; make `pip install .` work in "
            f"it; its output ends with\n{problem}"
        ) from None
    shutil.rmtree(draft.tree)
    shutil.copytree(entry, draft.tree, symlinks=True)
    draft.roots, draft.installed = installed_roots(draft.tree), True


def _build_files(tree: Path) -> Iterable[tuple[str, Path]]:
    for path in tree.rglob("*"):
        name = path.relative_to(tree)
        if name.parts[0] not in _NOT_BUILT and not path.is_dir():
            yield name.as_posix(), path


def installed_roots(tree: Path) -> dict[str, str]:
    """List the import names of what is laid out as installed.

    Args:
        tree: The folder.

    Returns:
        Dotted name -> folder that holds its last part.
    """
    return {name: where for name, where in names_in(tree).items() if name.partition(".")[0] != "bin"}
