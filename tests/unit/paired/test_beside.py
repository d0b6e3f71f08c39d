"""What stands at the top of a project beside its packages is swapped with them, as far as that is safe."""

from __future__ import annotations

import pytest
from checkouts import nowhere

from pytest_perfgate.paired.environment import prepared

SETUPTOOLS = '[tool.setuptools]\npackages = ["twoa"]\n'
#: Layout -> files, what changes, its import name.
LAYOUTS = {
    "utils of a flat project": ({"app/__init__.py": ""}, "utils/text.py", "utils.text"),
    "tools that are a package": ({"app/__init__.py": "", "tools/__init__.py": ""}, "tools/text.py", "tools.text"),
    "a package beside src": ({"src/twoa/__init__.py": "", "twob/__init__.py": ""}, "twob/core.py", "twob.core"),
    "a module beside src": ({"src/twoa/__init__.py": ""}, "helpermod.py", "helpermod"),
    "a module with an underscore": ({"twoa/__init__.py": ""}, "_fast.py", "_fast"),
    "a package beside a declared one": (
        {"pyproject.toml": SETUPTOOLS, "twoa/__init__.py": "", "twob/__init__.py": ""},
        "twob/core.py",
        "twob.core",
    ),
    "a module beside a declared package": (
        {"pyproject.toml": SETUPTOOLS, "twoa/__init__.py": ""},
        "helpermod.py",
        "helpermod",
    ),
    "a folder without __init__": ({"twoa/__init__.py": ""}, "twob/core.py", "twob.core"),
    "a folder in one without __init__": ({"twoa/__init__.py": ""}, "twob/deep/core.py", "twob.deep.core"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_stands_beside_the_packages_is_swapped(repository, both, layout):
    files, changed, name = LAYOUTS[layout]
    repository.commit({**files, changed: "V = 1", "tests/test_a.py": ""})
    repository.write({changed: "V = 2"})
    assert both(name, f"{name}.V", cwd=repository.path) == [1, 2]


@pytest.mark.parametrize(
    "files",
    [
        {"tests/unit/utils.py": "", "utils.py": ""},  # which of them a test means is not known
        {"tests/helpers/__init__.py": "", "helpers/__init__.py": ""},
        {"docs/conf.py": "", "examples/a.py": "", "setup.py": "", "noxfile.py": "", "conftest.py": "", "test_a.py": ""},
        {"perf/test_it.py": "", "perf/helper.py": ""},
        {"more/test_it.py": "", "more/__init__.py": ""},
        {"data/x.json": "", "data/deep/y.txt": ""},
        {"json.py": ""},
    ],
)
def test_what_is_left_alone(repository, files):
    repository.commit({"src/app/__init__.py": "", **files})
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert sides.head.roots == ("app",)


def test_what_the_environment_has_under_that_name_stays(repository, tmp_path):
    repository.commit({"src/app/__init__.py": "", "twob.py": "", "here.py": ""})
    places = {"twob": tmp_path / "site-packages" / "twob.py", "here": repository.path / "here.py"}
    with prepared("HEAD", root=repository.path, locate=places.get) as sides:
        assert sides.head.roots == ("app", "here")


def test_named_packages_are_all_there_is(repository):
    repository.commit({"src/app/__init__.py": "", "twob.py": ""})
    with prepared("HEAD", root=repository.path, locate=nowhere, packages=["app"]) as sides:
        assert sides.head.roots == ("app",)
