"""In each layout that projects have, a real run catches a planted slowdown, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from checkouts import (
    EXTENSION,
    HATCHLING,
    IMPORT_HOOK,
    PROJECT,
    SETUPTOOLS,
    Environment,
    Repository,
    extension_source,
    needs_compiler,
    only_wheels_in,
    write_wheel,
)

pytestmark = pytest.mark.slow

TESTS = """
from {package} import changed, steady

def test_changed(perf):
    perf(changed)

def test_steady(perf):
    perf(steady)
"""
GENERATED = "__pycache__\n*.egg-info\nbuild\n"


def code(times):
    """Write a package whose changed() takes *times* as long as its steady(), in a module of its own."""
    return f"""
from .inner import spin

def changed():
    return spin({1000 * times})

def steady():
    return spin(1000)
"""


INNER = "def spin(times):\n    return sum(range(times))\n"


class Layout:
    """A project in a repository, and the environment that it is developed in."""

    def __init__(self, folder):
        self.repository = Repository(folder / "project")
        self.environment = Environment(folder / "env")
        self.environment.borrow()
        self.folder = folder

    def plant(self, where, *, package=None, **more):
        """Commit a package and its tests, and make one of its functions take twice as long in the working tree."""
        package = package or where.rpartition("/")[2]
        files = {f"{where}/inner.py": INNER, "tests/test_it.py": TESTS.format(package=package), ".gitignore": GENERATED}
        self.repository.commit({**files, f"{where}/__init__.py": code(1), **more})
        self.repository.write({f"{where}/__init__.py": code(2)})

    def gate(self, against="HEAD", label="", **environ):
        """Run pytest as its user would, and look at the verdicts, at what is left behind, and at what must not change.

        Returns:
            The JSON report.
        """
        before = self._state()
        report, temporary = self.folder / "run.json", self.folder / "tmp"
        temporary.mkdir()
        arguments = ["--perfgate", f"--perfgate-against={against}", f"--perfgate-report=json={report}", "-q"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        done = subprocess.run(
            [self.environment.python, "-m", "pytest", "-p", "pytest_perfgate.plugin", *arguments],
            cwd=self.repository.path,
            env={
                **kept,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PERFGATE_CACHE_DIR": str(self.folder / "cache"),
                "TMPDIR": str(temporary),
                **environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert self._state() == before
        assert list(temporary.glob("*/*")) == []
        assert done.returncode == 1, said
        assert "1 failed, 1 passed" in said, said
        assert "FAILED tests/test_it.py::test_changed" in said, said
        cases = {case["id"]: case for case in json.loads(report.read_text("utf-8"))["cases"]}
        changed, steady = (cases[f"tests/test_it.py::test_{name}#perf"] for name in ("changed", "steady"))
        assert (changed["verdict"], steady["verdict"] == "regressed") == ("regressed", False), said
        assert 1.5 < changed["change"]["ratio"] < 2.6  # of those two, only the body of the function doubled
        label = label or f"{self.repository.git('rev-parse', '--short=7', against)} ({against})"
        assert {changed["change"]["against"], steady["change"]["against"]} == {label}
        return json.loads(report.read_text("utf-8"))

    def _state(self):
        """Tell everything that a comparison must leave alone; bytecode is what Python writes in any run."""
        contents = {}
        for top in (self.repository.path, self.environment.path):
            for path in top.rglob("*"):
                if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts):
                    contents[path] = path.read_bytes()
        return self.repository.state(), contents


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def test_a_flat_package_in_the_source_tree(layout):
    layout.plant("pkg")
    layout.gate()


def test_a_conftest_that_imports_the_package(layout):
    conftest = "import pkg\nfrom pkg import steady\n\nPRECOMPUTED = pkg.changed()\n"
    layout.plant("pkg", **{"conftest.py": conftest, "tests/conftest.py": "import pkg.inner\n"})
    layout.gate()


def test_a_package_in_src_that_is_installed_as_a_copy(layout):
    layout.plant("src/pkg", **{"pyproject.toml": SETUPTOOLS + PROJECT})
    layout.environment.write({"pkg/__init__.py": code(1), "pkg/inner.py": INNER})
    notes = layout.gate()["summary"]["notes"]
    assert any("pkg is installed in" in note and "head is the working tree" in note for note in notes)


@pytest.mark.parametrize("where", ["src/pkg", "pkg"], ids=["pth", "finder"])
def test_an_editable_install_by_setuptools(layout, where):
    pytest.importorskip("setuptools", minversion="64")
    pytest.importorskip("wheel")
    layout.plant(where, **{"pyproject.toml": SETUPTOOLS + PROJECT})
    layout.environment.editable(layout.repository.path)
    assert bool(list(layout.environment.site.glob("__editable___*_finder.py"))) == (where == "pkg")
    layout.gate()


def test_an_editable_install_by_hatchling(layout):
    pytest.importorskip("hatchling")
    pytest.importorskip("editables")
    wheel = '[tool.hatch.build.targets.wheel]\npackages = ["src/pkg"]\n'
    layout.plant("src/pkg", **{"pyproject.toml": HATCHLING + PROJECT + wheel})
    layout.environment.editable(layout.repository.path)
    layout.gate()


def test_an_import_hook(layout):
    layout.plant("src/pkg")
    source = layout.repository.path / "src" / "pkg"
    known = {"pkg": f"{source}/__init__.py", "pkg.inner": f"{source}/inner.py"}
    layout.environment.write({"_hook.py": IMPORT_HOOK.format(known=known), "_hook.pth": "import _hook"})
    layout.gate()


def test_the_pythonpath_of_the_ini_file(layout):
    layout.plant("code/pkg", **{"pytest.ini": "[pytest]\npythonpath = code\n"})
    layout.gate()


def test_a_namespace_with_a_sibling_elsewhere(layout):
    tests = "import ns.other\n" + TESTS.format(package="ns.mine")
    layout.plant("src/ns/mine", package="ns.mine", **{"tests/test_it.py": tests})
    layout.environment.write({"ns/other/__init__.py": "", "ns.pth": str(layout.repository.path / "src")})
    layout.gate()


def test_another_folder(layout):
    layout.plant("pkg")
    other = layout.folder / "other"
    (other / "pkg").mkdir(parents=True)
    (other / "pkg" / "__init__.py").write_text(code(1))
    (other / "pkg" / "inner.py").write_text(INNER)
    layout.repository.commit()  # the slowdown: git knows of no difference
    layout.gate(f"path:{other}", label=str(other))


def test_a_release(layout):
    pyproject = '[project]\nname = "probe-dist"\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    layout.plant("src/pkg", **{"pyproject.toml": pyproject})
    write_wheel(layout.folder / "index", "1.0", {"pkg/__init__.py": code(1), "pkg/inner.py": INNER})
    layout.gate("dist:probe-dist==1.0", label="probe-dist 1.0", **only_wheels_in(layout.folder / "index"))


@needs_compiler
def test_a_compiled_extension(layout):
    layout.repository.commit({**EXTENSION, **extension_source(1), "tests/test_it.py": TESTS.format(package="fast")})
    layout.repository.write(extension_source(2))
    layout.environment.editable(layout.repository.path)
    layout.gate()
