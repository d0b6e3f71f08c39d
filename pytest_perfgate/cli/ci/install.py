"""``perfgate ci install``: put the package of this very tree into the environment of the interpreter that runs it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import PASSED, say
from pytest_perfgate.cli.ci._step import annotated
from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci install``."""
    parser.description = """\
Install pytest-perfgate into the environment of this interpreter, from the
tree that this command was started from.  With PERFGATE_INPUT_INSTALL=false,
only make sure that it is installed in the version of the tree."""
    parser.epilog = """\
example:
  PYTHONPATH="$GITHUB_ACTION_PATH" python -m pytest_perfgate ci install

exit status: 0; 2 it cannot be installed, or is not there"""


@annotated
def run(namespace: argparse.Namespace) -> int:
    """Install, or look whether it is installed.

    Returns:
        0.
    """
    import pathlib

    from pytest_perfgate.ci.inputs import INSTALL, read_input
    from pytest_perfgate.ci.installing import find_tree, installed_version, tree_version

    del namespace
    wanted = read_input(INSTALL, os.environ)
    tree = find_tree(pathlib.Path(__file__))
    version = tree_version(tree)
    if wanted:
        _install(tree)
        say(f"perfgate: installed pytest-perfgate {version} into {sys.prefix}")
        return PASSED
    found = installed_version(tree)
    if found != version:
        there = f"pytest-perfgate {found} is installed" if found else "pytest-perfgate is not installed"
        raise UsageError(
            f"{there} for {sys.executable}, and this action is version {version}: "
            f"leave install at true, or install pytest-perfgate=={version} before"
        )
    return PASSED


def _install(tree: Path) -> None:
    import subprocess

    from pytest_perfgate.ci.installing import installer

    command = installer(sys.executable, tree)
    # Without our own place on the path, which is that of the tree and not of what gets installed.
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environ, check=False)  # noqa: S603  # our own words
    if done.returncode:
        raise UsageError(
            f"installing pytest-perfgate into {sys.prefix} failed (exit status {done.returncode}, see the log): "
            "give the input python an interpreter whose environment can be written, such as a virtual environment"
        )
