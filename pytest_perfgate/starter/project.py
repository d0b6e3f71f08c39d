"""What a folder says of the project in it, as far as a first set-up needs it; only reads, and runs nothing of it."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import AgainstError, SettingsError
from pytest_perfgate.paired.environment.declared import Declared, read_declared, table_in
from pytest_perfgate.paired.environment.git import GitError, git, toplevel
from pytest_perfgate.paired.environment.locating import locate_module
from pytest_perfgate.paired.environment.roots import find_roots
from pytest_perfgate.starter.pythons import allowed_python

#: Where pytest looks for its configuration, in its order, and in which table or section.
_PYTEST_FILES = {
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pyproject.toml": "",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
_USUAL_TEST_FOLDERS = ("tests", "test")
_USUAL_TEST_FILES = ("test_*.py", "*_test.py")
_TEST_FILE = "test_performance.py"
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_USUAL_BRANCHES = ("main", "master")
#: What projects call the dependencies of their tests.
_EXTRAS = ("test", "tests", "testing", "dev")
_REQUIREMENTS = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements-dev.txt",
    "test-requirements.txt",
    "dev-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/dev.txt",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a first set-up needs to know."""

    root: Path
    """The folder that everything is for."""
    top: Path | None
    """Of the git working tree it lies in; None outside of any."""
    branch: str
    """The default branch, as far as git knows it, else ``main``."""
    tests: str
    """Folder of the tests, relative to the root with ``/``; ``.`` for the root itself.  It may not exist yet."""
    test_file: str
    """Name for a module of tests that pytest collects here."""
    package: str | None
    """A package of the project that tests can import; None when there is none."""
    unreachable: str | None
    """A package of the project that tests cannot import, such as one that is not installed."""
    has_table: bool
    """Whether its ``pyproject.toml`` has a table of ours."""
    install: tuple[str, ...]
    """Arguments of ``pip install`` for the project and what its tests need; empty when there is nothing to install."""
    python: str
    """A version of Python that the project allows, such as ``3.13``: the running one where it does."""

    @property
    def below_top(self) -> str:
        """The root relative to the top of the repository, with ``/``; ``.`` when they are one."""
        return self.root.relative_to(self.top).as_posix() if self.top else "."


def read_project(root: Path) -> Project:
    """Look at a folder.

    Args:
        root: An existing folder; it may be empty.

    Returns:
        What was found.

    Raises:
        SettingsError: Its ``pyproject.toml`` is not TOML, so nobody could read what would be added to it.
    """
    root = root.resolve()
    top = toplevel(root)
    document = _read_toml(root / "pyproject.toml")
    pytest = _pytest_options(root, document)
    declared = read_declared(root)
    tests = _test_folder(root, pytest)
    package, unreachable = _packages(root, declared, pytest, tests)
    return Project(
        root=root,
        top=top,
        branch=_default_branch(top),
        tests=tests,
        test_file=_test_file(pytest),
        package=package,
        unreachable=unreachable,
        has_table="perfgate" in table_in(document, "tool"),
        install=tuple(_install(root, document)),
        python=allowed_python(_requires_python(root, document)),
    )


def _read_toml(path: Path) -> Mapping[str, Any]:
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        found: Mapping[str, Any] = toml.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise SettingsError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except (ValueError, RecursionError) as problem:
        raise SettingsError(f"{path} is not valid TOML: {problem}; correct it first") from None
    return found


def _pytest_options(root: Path, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the options of pytest from the first file that has some."""
    for name, section in _PYTEST_FILES.items():
        options = _section(root / name, section) if section else table_in(document, "tool", "pytest")
        if options:
            nested = options.get("ini_options")
            return nested if isinstance(nested, Mapping) else options
    return {}


def _section(path: Path, section: str) -> Mapping[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text("utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return dict(parser[section]) if section in parser else {}


def _words(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name, [])
    return value.split() if isinstance(value, str) else [word for word in value if isinstance(word, str)]


def _test_folder(root: Path, pytest: Mapping[str, Any]) -> str:
    """Find where tests are: where pytest is told to look, else where they usually are, else beside the code."""
    for pattern in _words(pytest, "testpaths"):
        try:
            found = sorted(path for path in root.glob(pattern) if path.is_dir()) if pattern != "." else [root]
        except (ValueError, NotImplementedError):  # an absolute path, which pytest understands
            continue
        for folder in found:
            if folder.resolve().is_relative_to(root):
                return folder.resolve().relative_to(root).as_posix()
    for name in _USUAL_TEST_FOLDERS:
        if (root / name).is_dir():
            return name
    beside = any(fnmatch(path.name, usual) for path in root.glob("*.py") for usual in _USUAL_TEST_FILES)
    return "." if beside else _USUAL_TEST_FOLDERS[0]


def _test_file(pytest: Mapping[str, Any]) -> str:
    patterns = _words(pytest, "python_files")
    if not patterns or any(fnmatch(_TEST_FILE, pattern) for pattern in patterns):
        return _TEST_FILE
    fitting = patterns[0].replace("*", "performance")
    return fitting if re.fullmatch(r"\w+\.py", fitting) else _TEST_FILE


def _packages(root: Path, declared: Declared, pytest: Mapping[str, Any], tests: str) -> tuple[str | None, str | None]:
    """Find a package, or a module, that tests can import, and else one that they cannot."""
    try:
        folders = find_roots(root, declared)
        imported = _imported_by_tests(root / tests)
    except OSError:  # a folder that this user may not look into
        return None, None
    names = [name for name in folders if name not in sys.stdlib_module_names]
    # A module beside the code may be a script that does its work when it is imported.
    names = [name for name in names if name in imported or (root / folders[name] / name.rpartition(".")[2]).is_dir()]
    names.sort(key=lambda name: (name != (declared.name or "").replace("-", "_"), name not in imported))
    on_path = _on_path(root, pytest, tests)
    for name in names:
        if folders[name] in on_path or _is_installed(name, root):
            return name, None
    return None, next(iter(names), None)


def _imported_by_tests(folder: Path) -> set[str]:
    """Return the top-level names that test modules import."""
    texts = (path.read_text("utf-8", errors="replace") for usual in _USUAL_TEST_FILES for path in folder.glob(usual))
    return {found for text in texts for found in _IMPORT.findall(text)}


def _on_path(root: Path, pytest: Mapping[str, Any], tests: str) -> set[str]:
    """Return the folders that pytest puts on the path."""
    folders = {Path(folder).as_posix() for folder in _words(pytest, "pythonpath")}
    if not any("importlib" in word for word in _words(pytest, "addopts")):
        # It imports test modules and conftest.py, and puts their folders on the path for that.
        folders |= {"."} if (root / "conftest.py").is_file() else set()
        folders |= {tests} if not (root / tests / "__init__.py").is_file() else set()
    return folders


def _is_installed(name: str, root: Path) -> bool:
    """Tell whether a package is found without the help of the current folder, which pytest does not look in."""
    before = sys.path[:]
    sys.path[:] = [entry for entry in before if Path(entry or ".").resolve() != root]
    try:
        return locate_module(name) is not None
    finally:
        sys.path[:] = before


def _default_branch(top: Path | None) -> str:
    return next(_branches(top), _USUAL_BRANCHES[0]) if top else _USUAL_BRANCHES[0]


def _branches(top: Path) -> Iterator[str]:
    """Give what may be the default branch, the best guess first."""
    for reference, usual in (("refs/remotes/origin/HEAD", False), ("HEAD", True)):
        try:
            found = git(top, "symbolic-ref", "--short", reference).strip().removeprefix("origin/")
        except (GitError, AgainstError, OSError):
            continue
        if found and (not usual or found in _USUAL_BRANCHES):
            yield found
    for name in _USUAL_BRANCHES:
        try:
            git(top, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}")
        except (GitError, AgainstError, OSError):
            continue
        yield name


def _requires_python(root: Path, document: Mapping[str, Any]) -> str:
    """Read which versions of Python the project says it runs on; empty when it does not say."""
    written = table_in(document, "project").get("requires-python")
    return str(written or _section(root / "setup.cfg", "options").get("python_requires", ""))


def _install(root: Path, document: Mapping[str, Any]) -> Iterator[str]:
    """Give the arguments of ``pip install``, from what the project's files say."""
    installable = "project" in document or "build-system" in document or (root / "setup.py").is_file()
    if installable:
        extra = next((name for name in _EXTRAS if name in table_in(document, "project", "optional-dependencies")), None)
        yield from ("--editable", f".[{extra}]" if extra else ".")
    group = next((name for name in _EXTRAS if name in table_in(document, "dependency-groups")), None)
    if group:
        yield from ("--group", group)
    needed = [name for name in _REQUIREMENTS if (root / name).is_file()]
    if not installable and (root / "requirements.txt").is_file():
        needed.insert(0, "requirements.txt")
    for name in needed:
        yield from ("--requirement", name)
