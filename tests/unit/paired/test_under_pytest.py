"""A pytest process that imports a side: with conftest files, tests inside packages, rewriting and ``pythonpath``."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from checkouts import nowhere

from pytest_perfgate.paired.environment import prepared

CONFTEST = "import pkg, sys\nsys.path.insert(0, 'src')\n"
TEST = "import os, pkg.sub\ndef test_it():\n    assert (pkg.V, pkg.sub.V) == (0, 0)\n"


def verdicts(repository, *arguments):
    """What the tests saw on each side; they are head's."""
    answers = []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *arguments]
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        for side in (sides.base, sides.head):
            environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
            done = subprocess.run(
                command, env=side.environ(environ), cwd=repository.path, capture_output=True, text=True, check=False
            )
            line = next((line for line in done.stdout.splitlines() if line.startswith("E ")), done.stdout + done.stderr)
            answers.append(line.removeprefix("E").strip())
    return answers


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
@pytest.mark.parametrize("where", ["src/", ""], ids=["src", "flat"])
def test_head_s_tests_see_each_side(repository, mode, where):
    for value, write in ((1, repository.commit), (2, repository.write)):
        write({f"{where}pkg/__init__.py": f"V = {value}", f"{where}pkg/sub.py": f"V = {value}"})
    repository.write({"conftest.py": CONFTEST, "tests/test_it.py": TEST})
    repository.write({"pytest.ini": f"[pytest]\npythonpath = {where or '.'}\n"})
    seen = verdicts(repository, f"--import-mode={mode}", "tests")
    assert seen == ["assert (1, 1) == (0, 0)", "assert (2, 2) == (0, 0)"]


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_head_s_tests_inside_the_package_see_each_side(repository, mode):
    for value, write in ((1, repository.commit), (2, repository.write)):
        write({"pkg/__init__.py": f"V = {value}", "pkg/sub.py": f"V = {value}", "pkg/tests/__init__.py": ""})
    repository.write({"pkg/tests/test_it.py": TEST, "pkg/tests/conftest.py": "from pkg import V"})
    seen = verdicts(repository, f"--import-mode={mode}", "pkg")
    assert seen == ["assert (1, 1) == (0, 0)", "assert (2, 2) == (0, 0)"]


def test_a_plugin_that_is_tested_is_imported_from_each_side(repository):
    for value, write in ((1, repository.commit), (2, repository.write)):
        write({"pkg/__init__.py": f"V = {value}", "pkg/sub.py": f"V = {value}"})
    repository.write({"conftest.py": "pytest_plugins = ['pkg', 'pkg.sub']", "tests/test_it.py": TEST})
    seen = verdicts(repository, "-p", "pkg", "tests")
    assert seen == ["assert (1, 1) == (0, 0)", "assert (2, 2) == (0, 0)"]
