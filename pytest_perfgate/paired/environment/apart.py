"""Which modules of the two trees differ, swapped or not: what a worker must not load from anywhere but its side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib.machinery import BYTECODE_SUFFIXES, all_suffixes
from pathlib import Path

from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.roots import is_test_module
from pytest_perfgate.paired.environment.trees import walked

#: Folders of tests, if they hold any: what else is in them serves the tests, which are head's on both sides.
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "bench", "benches", "benchmark", "benchmarks"})
_BENCHMARKS = ("bench_*.py", "*_bench.py", "benchmark_*.py", "*_benchmark.py", "perf_*.py", "*_perf.py")
_MODULES = tuple(set(all_suffixes()) - set(BYTECODE_SUFFIXES))


def differing(base: Draft, head: Draft) -> tuple[str, ...]:
    """List the modules that are not the same in both trees.

    Args:
        base: One side.
        head: The other.

    Returns:
        Relative paths with ``/``, sorted, tests left out; nothing where a side is not laid out as it is developed.
    """
    if base.installed or head.installed:
        return ()
    files = {name for draft in (base, head) for name in _modules(draft.tree)}
    return tuple(sorted(name for name in files if _content(base.tree / name) != _content(head.tree / name)))


def outside(files: tuple[str, ...], *drafts: Draft) -> tuple[str, ...]:
    """Keep the files that lie in no root of any side.

    Args:
        files: Relative paths.
        drafts: The sides, as their trees were when the files were listed.

    Returns:
        The others are swapped.
    """
    places = {
        f"{where}/{root.rpartition('.')[2]}".removeprefix("./")
        for draft in drafts
        for root, where in draft.roots.items()
    }
    return tuple(file for file in files if not any(file.startswith((f"{place}/", f"{place}.")) for place in places))


def _modules(tree: Path) -> Iterator[str]:
    names = list(walked(tree))
    tests = tuple(f"{folder}/" for folder in _folders_of_tests(names))
    for name in names:
        if name.endswith(_MODULES) and not is_test_module(_last(name)) and not name.startswith(tests):
            yield name


def _folders_of_tests(names: Iterable[str]) -> set[str]:
    """Find the folders that bear a usual name and hold a test, out of the files of a tree."""
    found: set[str] = set()
    for name in names:
        folders = name.split("/")[:-1]
        if is_test_module(_last(name)) or any(fnmatch(_last(name), pattern) for pattern in _BENCHMARKS):
            found |= {"/".join(folders[: at + 1]) for at, folder in enumerate(folders) if folder in _TEST_FOLDERS}
    return found


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
