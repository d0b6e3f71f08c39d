"""Which import names a project has, and in which folder each is: from what it declares, else from its layout."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from importlib.machinery import all_suffixes
from pathlib import Path

from pytest_perfgate.paired.environment.declared import Declared

#: What setuptools leaves out of a flat layout, and what else stands there for the project's own use.
# fmt: off
NOT_PACKAGES = frozenset([
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog", "test",
    "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils", "python",
    "build", "dist", "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile",
    "site_scons", "setup", "conftest", "toxfile", "noxfile", "pavement", "dodo", "SConstruct", "conanfile",
    "manage", "typings", "stubs",
])
# fmt: on
#: Modules of tests, wherever they are.
TEST_MODULES = ("test_*.py", "*_test.py", "conftest.py")
#: How deep namespaces are looked into: ``company.area.package``.
_DEEPEST = 4
_LEGACY_NAMESPACE = re.compile(r"extend_path\(|declare_namespace\(")


def find_roots(tree: Path, declared: Declared) -> dict[str, str]:
    """Find the import names of a project.

    Args:
        tree: The project.
        declared: What it says of itself.

    Returns:
        Dotted name -> folder, relative to the tree with ``/`` (``.`` for its top), that holds the name's last part.
    """
    roots: dict[str, str] = {}
    for written in declared.packages:
        roots |= _declared_root(tree, written)
    folders = [os.path.normpath(folder).replace(os.sep, "/") for folder in declared.folders]
    inside = [folder for folder in folders if not set(Path(folder).parts) & (NOT_PACKAGES - {"python"})]
    for folder in dict.fromkeys(folder for folder in [*inside, "src"] if folder != "." and ".." not in folder):
        if not roots or folder in inside:
            roots |= names_in(tree / folder, folder)
    return roots or _flat(tree)


def _declared_root(tree: Path, written: str) -> dict[str, str]:
    """Turn the place of a package into its name: everything above it that is no package is a folder, or a namespace."""
    folder, _, last = written.rpartition("/")
    last = last.removesuffix(".py")
    if not _holds(tree / (folder or "."), last):
        return {}
    names = [last]
    above, _, parent = folder.rpartition("/")
    while parent and (tree / folder / "__init__.py").exists():
        names, folder = [parent], above
        above, _, parent = folder.rpartition("/")
    found = tree / folder / names[0]
    if found.is_dir() and not is_package(found):  # a namespace
        return names_in(found, f"{folder}/{names[0]}".lstrip("/"), f"{names[0]}.")
    return {names[0]: folder or "."}


def _holds(folder: Path, name: str) -> bool:
    return (folder / name).is_dir() or any((folder / f"{name}{suffix}").is_file() for suffix in all_suffixes())


def is_package(folder: Path) -> bool:
    """Tell whether a folder is a package of its own, not one portion of a namespace.

    Args:
        folder: Any folder.

    Returns:
        Whether it has an ``__init__`` that does not declare a namespace in the old way.
    """
    if not any((folder / f"__init__{suffix}").is_file() for suffix in all_suffixes()):
        return False
    init = folder / "__init__.py"
    return not (init.is_file() and _LEGACY_NAMESPACE.search(init.read_text("utf-8", errors="replace")))


def is_test_module(file: str) -> bool:
    """Tell by the name of a file whether it holds tests, or what serves them."""
    return any(fnmatch(file, pattern) for pattern in TEST_MODULES)


def names_in(folder: Path, relative: str = ".", prefix: str = "", depth: int = 1) -> dict[str, str]:
    """List what can be imported from a folder, as if it were on ``sys.path``.

    Args:
        folder: The folder.
        relative: What it is called in the answer.
        prefix: The namespace that it is, with a dot at its end.
        depth: How deep in namespaces it is.

    Returns:
        As for :func:`find_roots`; packages, modules, and what is inside namespaces.
    """
    roots: dict[str, str] = {}
    for name, path in entries(folder):
        if not path.is_dir() or is_package(path):
            roots[prefix + name] = relative
        elif depth < _DEEPEST:
            below = name if relative == "." else f"{relative}/{name}"
            roots |= names_in(path, below, f"{prefix}{name}.", depth + 1)
    return roots


def entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give what has the name of a module.

    Args:
        folder: Where to look; it may be missing.

    Yields:
        Name and place of each module and folder, in order.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        name = path.name.partition(".")[0]
        if not name.isidentifier() or name in {"__init__", "__pycache__", "__main__"}:
            continue
        if path.is_dir() == (path.name == name) and (path.is_dir() or path.name.endswith(tuple(all_suffixes()))):
            yield name, path


def _flat(tree: Path) -> dict[str, str]:
    """Find the names at the top of a tree, where much else stands."""
    roots: dict[str, str] = {}
    for name, path in entries(tree):
        if name in NOT_PACKAGES or name.startswith("_") or is_test_module(path.name):
            continue
        if path.is_dir() and not is_package(path):  # a namespace only if there are packages in it
            inner = names_in(path, name, f"{name}.", 2)
            roots |= {root: where for root, where in inner.items() if (tree / where / root.rpartition(".")[2]).is_dir()}
        else:
            roots[name] = "."
    return roots


def place_roots(tree: Path, names: Sequence[str], folders: Sequence[str]) -> dict[str, str]:
    """Find where a tree holds given names.

    Args:
        tree: The project.
        names: Dotted import names.
        folders: Folders to look in, relative to the tree, the likeliest first.

    Returns:
        As for :func:`find_roots`, without the names that are nowhere.
    """
    places: dict[str, str] = {}
    for name in names:
        above, _, last = name.rpartition(".")
        for folder in folders:
            where = os.path.normpath(Path(folder, *above.split("."))).replace(os.sep, "/")
            if _holds(tree / where, last):
                places[name] = where
                break
    return places
