"""Which tree the action runs from, which version that is, and what installs it; nothing is installed here."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from pytest_perfgate.errors import UsageError

_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


def find_tree(file: Path) -> Path:
    """Find the source tree that a file of the package belongs to.

    Raises:
        UsageError: It belongs to an installed package.
    """
    for folder in file.resolve().parents:
        if (folder / "pyproject.toml").is_file() and (folder / "pytest_perfgate").is_dir():
            return folder
    raise UsageError(
        "this pytest-perfgate is installed and no source tree: start it with PYTHONPATH=$GITHUB_ACTION_PATH"
    )


def tree_version(tree: Path) -> str:
    """Read the version of a source tree.

    Raises:
        UsageError: There is none.
    """
    found = _VERSION.search((tree / "pyproject.toml").read_text("utf-8"))
    if found is None:
        raise UsageError(f"{tree / 'pyproject.toml'} states no version")
    return found[1]


def installed_version(tree: Path) -> str:
    """Read the version that is installed in this environment, not counting what lies in *tree*; empty for none."""
    for found in metadata.distributions(name="pytest-perfgate"):
        place = Path(str(found.locate_file(""))).resolve()
        if place != tree:
            return found.version
    return ""


def installer(python: str, tree: Path) -> list[str]:
    """Write the command that installs *tree* for an interpreter.

    Raises:
        UsageError: The environment has no pip, and there is no uv.
    """
    if PathFinder.find_spec("pip") is not None:  # not importlib.util: setuptools warns there when distutils is loaded
        return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(tree)]
    uv = shutil.which("uv")
    if uv is None:
        raise UsageError(
            f"{python} has no pip, and uv is not on PATH: let one of them be there, or set install to false"
        )
    return [uv, "pip", "install", "--quiet", "--python", python, str(tree)]
