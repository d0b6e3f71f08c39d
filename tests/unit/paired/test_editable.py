"""Packages that the environment links to, in every way in which that is done: the link never wins over a side."""

from __future__ import annotations

import sys

import pytest
from checkouts import HATCHLING, IMPORT_HOOK, PROJECT, SETUPTOOLS, nowhere, run

from pytest_perfgate.paired.environment import prepared


def changed(repository, files):
    """Commit a package in ``src`` and change both of its modules."""
    for value, write in ((1, repository.commit), (2, repository.write)):
        write({"src/pkg/__init__.py": f"V = {value}", "src/pkg/sub.py": f"V = {value}", **files})


def asked(both, environment):
    options = {"python": environment.python, "locate": environment.locate}
    return both("pkg.sub", "[pkg.V, pkg.sub.V]", **options)


def test_a_path_file(repository, both, environment):
    changed(repository, {})
    environment.write({"pkg.pth": str(repository.path / "src")})
    assert asked(both, environment) == [[1, 1], [2, 2]]


@pytest.mark.parametrize("where", ["src/", ""], ids=["src", "flat"])
def test_setuptools(repository, both, environment, where):
    pytest.importorskip("setuptools", minversion="64")
    pytest.importorskip("wheel")
    for value, write in ((1, repository.commit), (2, repository.write)):
        files = {f"{where}pkg/__init__.py": f"V = {value}", f"{where}pkg/sub.py": f"V = {value}"}
        write({"pyproject.toml": SETUPTOOLS + PROJECT, ".gitignore": "*.egg-info\nbuild\n__pycache__\n", **files})
    environment.editable(repository.path)
    assert environment.locate("pkg") == repository.path / where / "pkg" / "__init__.py"
    assert bool(list(environment.site.glob("__editable___*_finder.py"))) == (not where)
    assert asked(both, environment) == [[1, 1], [2, 2]]


@pytest.mark.parametrize("exact", [False, True], ids=["pth", "hook"])
def test_hatchling(repository, both, environment, exact):
    for needed in ("hatchling", "editables"):
        pytest.importorskip(needed)
    mode = "[tool.hatch.build]\ndev-mode-exact = true\n" if exact else ""
    wheel = '[tool.hatch.build.targets.wheel]\npackages = ["src/pkg"]\n'
    changed(repository, {"pyproject.toml": HATCHLING + PROJECT + mode + wheel, ".gitignore": "__pycache__"})
    environment.editable(repository.path)
    if exact:  # what it writes needs the editables package in the environment
        import editables

        source = editables.__path__[0]
        environment.write({"aaa.pth": str(source).removesuffix("editables")})
    assert environment.locate("pkg") == repository.path / "src" / "pkg" / "__init__.py"
    assert asked(both, environment) == [[1, 1], [2, 2]]


def test_an_import_hook_that_knows_every_module(repository, both, environment):
    changed(repository, {})
    source = repository.path / "src" / "pkg"
    known = {"pkg": f"{source}/__init__.py", "pkg.sub": f"{source}/sub.py", "pkg.new": f"{source}/new.py"}
    environment.write({"_hook.py": IMPORT_HOOK.format(known=known), "_hook.pth": "import _hook"})
    repository.write({"src/pkg/new.py": "V = 2"})
    assert asked(both, environment) == [[1, 1], [2, 2]]
    base, head = both("pkg.new", "pkg.new.V", python=environment.python)
    assert head == 2
    assert base.startswith("ModuleNotFoundError: No module named 'pkg.new' in base (")


def test_a_hook_that_comes_later_is_not_asked_first(repository, both):
    changed(repository, {})
    known = {"pkg": str(repository.path / "src/pkg/__init__.py")}
    late = f"[exec({IMPORT_HOOK.format(known=known)!r}), __import__('colorsys'), __import__('pkg').V][-1]"
    assert both("os", late) == [1, 2]


def test_a_package_that_a_path_file_has_imported_already_is_dropped(repository, both, environment):
    changed(repository, {".gitignore": "__pycache__"})
    environment.write({"a.pth": str(repository.path / "src"), "b.pth": "import pkg.sub"})
    assert asked(both, environment) == [[1, 1], [2, 2]]


def test_a_package_with_a_hook_of_its_own_keeps_it(repository, both):
    lazy = """
import sys, types, importlib.machinery
class Lazy:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "pkg.moves":
            return importlib.machinery.ModuleSpec(name, Lazy)
    create_module = staticmethod(lambda spec: types.ModuleType(spec.name))
    exec_module = staticmethod(lambda module: None)
sys.meta_path.append(Lazy)
"""
    repository.commit({"pkg/__init__.py": lazy})
    assert both("pkg.moves", "pkg.moves.__name__") == ["pkg.moves"] * 2


def test_the_sitecustomize_of_the_environment_still_runs(repository, both, environment):
    changed(repository, {})
    environment.write({"sitecustomize.py": "import builtins, sys; builtins.ran = sys.modules[__name__].__file__"})
    ran = both("sitecustomize", "[ran, sitecustomize.__file__]", python=environment.python)
    assert ran == [[str(environment.site / "sitecustomize.py")] * 2] * 2


def test_the_redirection_imports_nothing(repository):
    changed(repository, {})
    listed = "import sys; print(*sorted(sys.modules))"
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        with_it = set(run(sides.base, listed).split())
        override = sides.base.bootstrap / "sitecustomize.py"
        override.write_text("")
        override.with_name("__pycache__").rename(override.with_name("away"))
        assert with_it - set(run(sides.base, listed).split()) <= {"sitecustomize"}
    assert sys.flags.no_site == 0
