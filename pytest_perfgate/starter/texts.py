"""The texts of a first set-up but those of workflows: settings and a module of tests."""

from __future__ import annotations

_SETTINGS = """\
max_regression = "5%"  # how much slower a test may become than the same test at the base of a comparison
# max_time = "3s"      # most seconds spent on one case; 20s when two versions are compared
# packages = ["name"]  # the code under test, where it is not found by itself
"""

_TEST = '''\
"""What this project may cost: `pytest` runs these tests once, `pytest --perfgate` measures and holds the budgets."""

{imports}

@pytest.mark.{marker}(ms=50)
def test_an_example(perf):
    # Put a call of your own here: perf(function, *arguments) returns what the function returns.  A budget may be
    # generous: what becomes slower than the base of a pull request fails without one.
    {example}
'''

_NO_PACKAGE = ("import json\n\nimport pytest\n", 'assert perf(json.loads, "[1, 2, 3]") == [1, 2, 3]')
_PACKAGE = ("import pytest\n\nimport {package}\n", 'assert perf(getattr, {package}, "__name__") == "{package}"')

_IMPORT_TEST = """

@pytest.mark.{marker}(s=10)
def test_importing_{name}(startup):
    startup.imports("{package}")
"""


def settings_text(*, table: bool) -> str:
    """Write the settings.

    Args:
        table: Whether they stand in a file with other tables.
    """
    return f"[tool.perfgate]\n{_SETTINGS}" if table else _SETTINGS


def first_test_text(marker: str, package: str | None) -> str:
    """Write a module of tests that pass as they are.

    Args:
        marker: What the marker is called in this project.
        package: What the tests import, here and in fresh processes: without it a comparison of two versions would
            find that no test touches the project.  None when there is none.
    """
    imports, example = (part.format(package=package) for part in (_PACKAGE if package else _NO_PACKAGE))
    text = _TEST.format(marker=marker, imports=imports, example=example)
    if package:
        text += _IMPORT_TEST.format(marker=marker, package=package, name=package.replace(".", "_"))
    return text
