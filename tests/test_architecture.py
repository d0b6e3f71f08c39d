"""Holds the structure of the package to what docs/explanation/architecture.md says of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_perfgate
from pytest_perfgate import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pytest_perfgate"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 330
#: A program that is run by its path can import none of ours.
LONGER_FILES = {"measure/spawner/program.py": 400}

pytestmark = pytest.mark.skipif(not SOURCES, reason="the source tree is not here")


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def python(code, *, cwd):
    """Run *code* in a fresh interpreter away from the source tree and return its output."""
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_PLUGINS"}
    # In a working copy this is the tree, under nox the installed wheel: the child does what we do.
    env["PYTHONPATH"] = str(Path(pytest_perfgate.__file__).parent.parent)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_contracts_are_kept():
    pytest.importorskip("importlinter")
    code = "import sys, importlinter.cli as c; sys.exit(c.lint_imports(no_cache=True, no_logo=True))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_a_place_for_everything():
    forbidden = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [name for path, name in zip(SOURCES, names(SOURCES), strict=True) if path.stem.strip("_") in forbidden] == []


def test_the_command_line_works_without_pytest(tmp_path):
    listed = python("import sys, pytest_perfgate.cli; print(*sys.modules)", cwd=tmp_path).split()
    assert "pytest_perfgate.cli" in listed
    assert {"pytest", "_pytest", "pluggy"}.isdisjoint(listed)


def test_an_idle_plugin_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import pytest_perfgate.plugin; print(*set(sys.modules) - before)"
    )
    added = set(python(code, cwd=tmp_path).split())
    assert "pytest_perfgate.plugin" in added
    heavy = {
        "psutil",
        "tabulate",
        "junit_xml",
        "json",
        "subprocess",
        "multiprocessing",
        "asyncio",
        "statistics",
    }
    heavy |= {
        "tomllib",
        "tomli",
        "importlib.metadata",
        "pytest_perfgate.model",
        "pytest_perfgate.stats",
    }
    assert added & heavy == set()


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_nobody_imports_the_private_package_of_pytest(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert {name for name in imported if name.partition(".")[0] == "_pytest"} == set()


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_files_stay_short_and_say_what_belongs_in_them(path):
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGER_FILES.get(str(path.relative_to(PACKAGE)), LONGEST_FILE)
    assert ast.get_docstring(ast.parse(text))


def subclasses(cls):
    return [cls, *(found for child in cls.__subclasses__() for found in subclasses(child))]


def test_every_error_is_explained_in_the_documentation_and_nothing_else_is():
    page = (ROOT / "docs/reference/messages.md").read_text("utf-8")
    explained = re.findall(r"^\(message-([a-z-]+)\)=$", page, re.MULTILINE)
    ours = [cls for cls in subclasses(errors.PerfgateError) if cls.__module__ == errors.__name__]
    slugs = [cls.slug for cls in ours]
    assert len(set(slugs)) == len(slugs), "two errors share a slug"
    assert sorted(explained) == sorted(slugs)


def test_the_runtime_dependencies_are_the_five_of_the_design():
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = toml.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    always = [need for need in project["dependencies"] if "python_version" not in need]
    found = {re.match(r"[\w-]+", need)[0] for need in always}
    assert found == {"pytest", "pluggy", "psutil", "tabulate", "junit-xml"}
    assert set(project["optional-dependencies"]) >= {"xdist"}


@pytest.mark.skipif("PERFGATE_EXPECT_INSTALLED" not in os.environ, reason="only where nox installed the wheel")
def test_it_is_the_installed_wheel_that_is_tested():
    loaded = Path(pytest_perfgate.__file__).resolve()
    assert PACKAGE.resolve() not in loaded.parents
    assert "site-packages" in loaded.parts
