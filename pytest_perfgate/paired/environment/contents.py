"""What belongs to a root: its files, their digest, their bytecode, and which of them are tests."""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import EXTENSION_SUFFIXES, all_suffixes
from importlib.util import cache_from_source
from pathlib import Path

from pytest_perfgate.paired.environment.roots import is_test_module

_TEST_FOLDERS = frozenset({"tests", "test"})


def files_of(tree: Path, root: str, where: str, aside: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """Give the files of a root, without bytecode and tests.

    Args:
        tree: The side.
        root: Dotted name.
        where: Folder of the tree that holds its last part.
        aside: Modules of tests, as :func:`tests_inside` finds them.

    Yields:
        A name that does not depend on where it lies, and the file; in no particular order.
    """
    last = root.rpartition(".")[2]
    folder = tree / where / last
    if not folder.is_dir():
        for path in (tree / where).glob(f"{last}.*"):
            if path.name[len(last) :] in all_suffixes() and path.is_file():
                yield f"{root}{path.name[len(last) :]}", path
        return
    for current, folders, names in os.walk(folder):
        here = Path(current)
        dotted = ".".join([root, *here.relative_to(folder).parts])
        folders[:] = [name for name in folders if name != "__pycache__" and f"{dotted}.{name}" not in aside]
        for name in names:
            if f"{dotted}.{name.partition('.')[0]}" not in aside or not name.endswith(".py"):
                yield f"{dotted.replace('.', '/')}/{name}", here / name


def digest(files: Iterable[tuple[str, Path]]) -> str:
    """Sum up files by name and content.

    Args:
        files: Name and place of each; the order does not matter.

    Returns:
        SHA-256, hexadecimal.
    """
    total = hashlib.sha256()
    for name, path in sorted(files):
        content = os.fsencode(path.readlink()) if path.is_symlink() and not path.is_file() else path.read_bytes()
        total.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def tests_inside(project: Path, roots: Mapping[str, str]) -> dict[str, Path]:
    """Find the tests that lie inside the packages: those are head's on both sides, from where pytest runs them.

    Args:
        project: The user's own folder, not a copy: pytest insists on that place.
        roots: Dotted name -> folder of the project that holds its last part.

    Returns:
        Dotted name of a folder or module of tests -> folder that holds it.
    """
    aside: dict[str, Path] = {}
    for root, where in roots.items():
        top = project / where / root.rpartition(".")[2]
        for current, folders, names in os.walk(top):
            here = Path(current)
            dotted = ".".join([root, *here.relative_to(top).parts])
            tests = [name for name in folders if name in _TEST_FOLDERS and _holds_tests(here / name)]
            aside |= {f"{dotted}.{name}": here for name in tests}
            folders[:] = [name for name in folders if name not in tests and name != "__pycache__"]
            aside |= {f"{dotted}.{name.removesuffix('.py')}": here for name in names if is_test_module(name)}
    return aside


def _holds_tests(folder: Path) -> bool:
    """Tell tests of a package from a package that is called so, like ``django.test``."""
    return any(is_test_module(name) for _, _, names in os.walk(folder) for name in names)


def extensions(files: Iterable[tuple[str, Path]]) -> list[Path]:
    """Pick the compiled extension modules.

    Args:
        files: As from :func:`files_of`.

    Returns:
        Those that this Python can load.
    """
    return [path for _, path in files if path.name.endswith(tuple(EXTENSION_SUFFIXES))]


def compile_both(first: Iterable[tuple[str, Path]], second: Iterable[tuple[str, Path]]) -> None:
    """Make the bytecode of both sides, so that no worker compiles; what is the same is compiled once.

    It is never checked against its source, and bears neutral file names, which Python replaces as it loads them: on
    both sides alike.

    Args:
        first: The files of one side.
        second: Those of the other.
    """
    made: dict[tuple[str, bytes], str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about other people's code, and pytest may make errors of them
        for name, path in [*first, *second]:
            if path.suffix == ".py" and path.is_file():
                _compile(name, path, made)


def _compile(name: str, path: Path, made: dict[tuple[str, bytes], str]) -> None:
    key = (name, path.read_bytes())
    target = Path(path.parent, "__pycache__", Path(cache_from_source(path.name)).name)
    if key in made:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(made[key], target)
        return
    try:
        py_compile.compile(
            str(path),
            cfile=str(target),
            dfile=name,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, ValueError):  # a template, another Python: it fails where it is imported
        return
    made[key] = str(target)
