"""The names that users import: each exists where the lazy table says; nothing else is offered."""

from __future__ import annotations

import ast
import inspect
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import pytest_perfgate

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", sorted(set(pytest_perfgate.__all__) - {"__version__"}))
def test_every_public_name_imports_and_is_documented(name):
    assert inspect.getdoc(getattr(pytest_perfgate, name))


def test_the_lazy_table_and_the_list_of_public_names_agree():
    assert pytest_perfgate.__all__ == [*pytest_perfgate._HOME, "__version__"]
    assert dir(pytest_perfgate) == sorted(pytest_perfgate.__all__)


def test_type_checkers_see_the_names_that_are_imported_lazily():
    tree = ast.parse(Path(pytest_perfgate.__file__).read_text("utf-8"))
    seen = {
        alias.name: node.module.removeprefix("pytest_perfgate.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("pytest_perfgate.")
        for alias in node.names
    }
    assert seen == pytest_perfgate._HOME


def test_an_unknown_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="'pytest_perfgate' has no attribute 'benchmark'"):
        _ = pytest_perfgate.benchmark


def test_the_version_is_that_of_the_project():
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        installed = version("pytest-perfgate")
    except ModuleNotFoundError:
        pytest.skip("not installed")
    project = toml.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert pytest_perfgate.__version__ == installed == project["version"]


@pytest.mark.parametrize(("group", "name"), [("pytest11", "perfgate"), ("console_scripts", "perfgate")])
def test_the_entry_points_lead_somewhere(group, name):
    found = [point for point in entry_points(group=group) if point.name == name]
    if not found:
        pytest.skip("not installed")
    assert found[0].load() is not None
