"""Which modules and packages stand beside those of a project, and can be imported as soon as its top is on the path."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pytest_perfgate.paired.environment.project import Locate
from pytest_perfgate.paired.environment.roots import NOT_PACKAGES, entries, is_package, is_test_module, names_in

#: Names that are no packages of their own accord, and yet hold what the packages of an application import.
_PERHAPS = frozenset({"python", "tasks", "tools", "util", "utils"})
#: Where modules stand that tests import by their bare names, those of the same name at the top notwithstanding.
_TEST_FOLDERS = ("test", "tests", "testing", "bench", "benchmark", "benchmarks")


def beside(tree: Path, project: Path, roots: Mapping[str, str], locate: Locate) -> dict[str, str]:
    """Find what can be imported from the top of a project, apart from its packages.

    Args:
        tree: A side, laid out as it is developed.
        project: The user's own folder.
        roots: What has been found; none of it is found again.
        locate: Says where the environment imports a name from; what it has elsewhere is left alone.

    Returns:
        As for :func:`~pytest_perfgate.paired.environment.roots.find_roots`.
    """
    taken = {where.partition("/")[0] for where in roots.values()} | {root.partition(".")[0] for root in roots}
    taken |= _of_tests(tree) | (NOT_PACKAGES - _PERHAPS)
    found: dict[str, str] = {}
    for name, path in entries(tree):
        if name in taken or name in sys.stdlib_module_names or name.startswith("__") or is_test_module(path.name):
            continue
        if not path.is_dir():
            found[name] = "."
        elif not any(is_test_module(inner.name) for inner in path.iterdir()):  # a folder of tests, however called
            found |= {name: "."} if is_package(path) else _in_namespace(path, name)
    return {name: where for name, where in found.items() if not _is_elsewhere(locate(name), project)}


def _in_namespace(path: Path, name: str) -> dict[str, str]:
    inner = names_in(path, name, f"{name}.", 2)
    return {
        root: where
        for root, where in inner.items()
        if not NOT_PACKAGES.intersection(root.split(".")[1:-1]) and not is_test_module(f"{root.rpartition('.')[2]}.py")
    }


def _of_tests(tree: Path) -> set[str]:
    """Give the names of modules that lie among the tests."""
    names: set[str] = set()
    for folder in _TEST_FOLDERS:
        for _, folders, files in os.walk(tree / folder):
            names.update(folders, (file.partition(".")[0] for file in files))
    return names


def _is_elsewhere(place: Path | None, project: Path) -> bool:
    return place is not None and not place.resolve().is_relative_to(project)
