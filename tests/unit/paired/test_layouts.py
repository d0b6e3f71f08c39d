"""Each layout that people have: base is imported as committed, head as it lies in the working tree."""

from __future__ import annotations

import sys

import pytest
from checkouts import Repository, nowhere, run

from pytest_perfgate.paired.environment import prepared
from pytest_perfgate.paired.origin import loaded_from, wrong_origins


def test_a_flat_package_is_not_shadowed_by_the_folder_it_lies_in(repository, both):
    repository.commit({"pkg/__init__.py": "from .inner import V", "pkg/inner.py": "V = 1", "tests/test_a.py": ""})
    repository.write({"pkg/inner.py": "V = 2"})
    assert both("pkg", "pkg.V", cwd=repository.path) == [1, 2]  # `python -c` puts the working directory first


def test_a_conftest_that_puts_the_project_first_on_the_path_changes_nothing(repository, both):
    repository.commit({"pkg/__init__.py": "V = 1"})
    repository.write({"pkg/__init__.py": "V = 2"})
    first = f"sys.path.insert(0, {str(repository.path)!r}) or __import__('pkg').V"
    assert both("sys", first, cwd=repository.path) == [1, 2]


def test_uncommitted_and_untracked_files_are_head_and_ignored_ones_are_not(repository, both):
    repository.commit({"src/pkg/__init__.py": "", "src/pkg/a.py": "V = 1", ".gitignore": "junk/\n", "junk/x.py": ""})
    repository.write({"src/pkg/a.py": "V = 2", "src/pkg/b.py": "W = 3"})
    assert both("pkg.a", "pkg.a.V") == [1, 2]
    base, head = both("pkg.b", "pkg.b.W")
    assert head == 3
    assert base.startswith("ModuleNotFoundError: No module named 'pkg.b' in base (")


def test_staged_and_deleted_files_are_as_they_lie_there(repository, both):
    repository.commit({"pkg/__init__.py": "", "pkg/a.py": "V = 1", "pkg/gone.py": "V = 1"})
    repository.write({"pkg/a.py": "V = 2"})
    repository.git("add", "pkg/a.py")
    repository.write({"pkg/a.py": "V = 3"})
    (repository.path / "pkg/gone.py").unlink()
    assert both("pkg.a", "pkg.a.V") == [1, 3]
    base, head = both("pkg.gone", "pkg.gone.V")
    assert base == 1
    assert head == "ModuleNotFoundError: No module named 'pkg.gone' in head (the working tree)"


def test_a_module_that_neither_side_has_is_missing_in_the_usual_way(repository, both):
    repository.commit({"pkg/__init__.py": ""})
    assert both("importlib.util", "str(importlib.util.find_spec('pkg.none'))") == ["None", "None"]
    assert both("pkg.none", "1") == ["ModuleNotFoundError: No module named 'pkg.none'"] * 2


def test_a_package_only_in_head_and_one_only_in_base(repository, both):
    repository.commit({"src/one/__init__.py": "V = 1", "src/old/__init__.py": "V = 1"})
    repository.write({"src/new/__init__.py": "V = 2"})
    (repository.path / "src/old/__init__.py").unlink()
    base, head = both("new", "new.V")
    assert (head, base.partition(" (")[0]) == (2, "ModuleNotFoundError: No module named 'new' in base")
    base, head = both("old", "old.V")
    assert (base, head) == (1, "ModuleNotFoundError: No module named 'old' in head (the working tree)")


def test_a_package_that_one_side_lacks_is_not_taken_from_the_environment(repository, both, environment):
    repository.commit({"src/one/__init__.py": ""})
    repository.write({"src/new/__init__.py": "V = 2"})
    environment.write({"new/__init__.py": "V = 'environment'"})
    base, head = both("new", "new.V", python=environment.python)
    assert head == 2
    assert "No module named 'new' in base (" in base


def test_src_that_is_installed_as_a_copy_is_noted_when_it_is_stale(repository, both, environment):
    repository.commit({"src/pkg/__init__.py": "V = 1", "src/pkg/a.py": ""})
    environment.write({"pkg/__init__.py": "V = 1", "pkg/a.py": ""})
    options = {"python": environment.python, "locate": environment.locate}
    assert both("pkg", "pkg.V", **options) == [1, 1]
    repository.write({"src/pkg/__init__.py": "V = 2"})
    assert both("pkg", "pkg.V", **options) == [1, 2]
    with prepared("HEAD", root=repository.path, locate=environment.locate) as sides:
        assert [note[:19] for note in sides.notes] == ["pkg is installed in"]
        assert "src/pkg/__init__.py" in sides.notes[0]


@pytest.mark.parametrize("ini", ["pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"])
def test_the_pythonpath_of_pytest_is_looked_in(repository, both, ini):
    table = {"pyproject.toml": "tool.pytest.ini_options", "setup.cfg": "tool:pytest"}.get(ini, "pytest")
    value = '["code", "tests"]' if ini == "pyproject.toml" else "code tests"
    files = {ini: f"[{table}]\npythonpath = {value}\n", "code/thing.py": "V = 1", "tests/fakes.py": "V = 1"}
    repository.commit(files)
    repository.write({"code/thing.py": "V = 2"})
    assert both("thing", "thing.V") == [1, 2]
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert sides.head.roots == ("thing",)


def test_what_poetry_puts_into_source_distributions_only_is_no_package(repository):
    repository.commit(
        {
            "pyproject.toml": """
                [tool.poetry]
                name = "probe"
                packages = [
                    { include = "pkg", from = "src" },
                    { include = "tests", format = "sdist" },
                    { include = "docs", format = ["sdist"] },
                    { include = "extra", format = ["sdist", "wheel"] },
                ]
            """,
            **{f"{name}/__init__.py": "" for name in ("src/pkg", "tests", "docs", "extra")},
        }
    )
    with prepared("HEAD", root=repository.path) as sides:
        assert sides.head.roots == ("extra", "pkg")


def test_one_part_of_a_namespace_is_replaced_and_its_siblings_stay(repository, both, environment):
    repository.commit({"src/ns/mine/__init__.py": "V = 1"})
    repository.write({"src/ns/mine/__init__.py": "V = 2"})
    environment.write({"ns/other/__init__.py": "V = 'other'", "ns/mine/__init__.py": "V = 'environment'"})
    options = {"python": environment.python, "locate": environment.locate}
    assert both("ns.mine, ns.other", "[ns.mine.V, ns.other.V]", **options) == [[1, "other"], [2, "other"]]
    assert both("ns.mine", "ns.mine.V") == [1, 2]  # nobody else has the namespace


def test_a_namespace_of_the_old_kind(repository, both, environment):
    extend = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
    repository.commit({"ns/__init__.py": extend, "ns/mine/__init__.py": "V = 1"})
    repository.write({"ns/mine/__init__.py": "V = 2"})
    environment.write({"ns/__init__.py": extend, "ns/other.py": "V = 'other'"})
    options = {"python": environment.python, "locate": environment.locate}
    assert both("ns.mine, ns.other", "[ns.mine.V, ns.other.V]", **options) == [[1, "other"], [2, "other"]]


def test_a_part_of_a_repository_is_enough(repository, both):
    repository.commit(
        {"services/app/src/app/__init__.py": "V = 1", "services/app/pyproject.toml": "", "huge/x.bin": ""}
    )
    repository.write({"services/app/src/app/__init__.py": "V = 2"})
    assert both("app", "app.V", root=repository.path / "services" / "app") == [1, 2]
    with prepared("HEAD", root=repository.path / "services" / "app", locate=nowhere) as sides:
        assert not [*sides.base.location.rglob("x.bin"), *sides.head.location.rglob("x.bin")]


def test_a_root_that_holds_only_tests_is_looked_above(repository, both):
    repository.commit({"pkg/__init__.py": "V = 1", "tests/pytest.ini": "[pytest]\n", "tests/test_a.py": ""})
    repository.write({"pkg/__init__.py": "V = 2"})
    assert both("pkg", "pkg.V", root=repository.path / "tests") == [1, 2]


def test_packages_named_by_the_user_are_found_where_they_are_imported_from(repository, both):
    repository.commit({"odd/place/pkg/__init__.py": "V = 1", "src/other/__init__.py": "V = 1"})
    repository.write({"odd/place/pkg/__init__.py": "V = 2"})

    def locate(name):
        return repository.path / "odd/place/pkg/__init__.py" if name == "pkg" else None

    assert both("pkg", "pkg.V", packages=["pkg"], locate=locate) == [1, 2]


def test_tests_inside_the_package_are_the_working_trees_on_both_sides(repository, both):
    tests = {"pkg/tests/__init__.py": "", "pkg/tests/test_a.py": "V = 1", "pkg/conftest.py": "V = 1"}
    tests[".gitignore"] = "__pycache__"  # from where the tests are run there may be some
    repository.commit({"pkg/__init__.py": "V = 1", "pkg/test/__init__.py": "V = 1", **tests})
    repository.write({"pkg/__init__.py": "V = 2", "pkg/test/__init__.py": "V = 2", "pkg/tests/test_a.py": "V = 3"})
    values = "[pkg.V, pkg.test.V, pkg.tests.test_a.V, pkg.conftest.__file__]"
    conftest = str(repository.path / "pkg" / "conftest.py")
    imported = "pkg.test, pkg.tests.test_a, pkg.conftest"
    assert both(imported, values) == [[1, 1, 3, conftest], [2, 2, 3, conftest]]


def test_a_change_of_tests_only_leaves_the_sides_identical(repository):
    repository.commit({"pkg/__init__.py": "V = 1", "pkg/tests/test_a.py": "", "tests/test_b.py": ""})
    repository.write({"pkg/tests/test_a.py": "x = 1", "pkg/tests/test_c.py": "", "tests/test_b.py": "x = 1"})
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert sides.identical
    repository.write({"pkg/data.txt": "1"})
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert not sides.identical


def test_a_submodule_is_base_as_recorded_and_head_as_it_lies_there(repository, both, tmp_path):
    vendored = Repository(tmp_path / "vendored")
    vendored.commit({"inside.py": "V = 1"})
    repository.commit({"pkg/__init__.py": ""})
    repository.git("submodule", "--quiet", "add", str(vendored.path), "pkg/vendor")
    repository.commit()
    assert both("pkg.vendor.inside", "pkg.vendor.inside.V") == [1, 1]
    repository.write({"pkg/vendor/inside.py": "V = 2", "pkg/vendor/new.py": ""})
    assert both("pkg.vendor.inside", "pkg.vendor.inside.V") == [1, 2]
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        assert sides.notes == ("the submodule pkg/vendor is not as it is committed; head is measured with it as it is",)


def test_another_folder_is_base_as_it_lies_there(repository, both, tmp_path):
    repository.commit({"pkg/__init__.py": "V = 1"})
    other = tmp_path / "other"
    (other / "pkg").mkdir(parents=True)
    (other / "pkg" / "__init__.py").write_text("V = 'other'")
    assert both("pkg", "pkg.V", f"path:{other}") == ["other", 1]


def test_no_repository_is_needed_to_compare_with_a_folder(tmp_path):
    for name, value in (("here", 2), ("there", 1)):
        for file in ("pkg/__init__.py", ".venv/pyvenv.cfg", "env/pyvenv.cfg", "env/lib/x.py"):
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(f"V = {value}")
    with prepared(f"path:{tmp_path / 'there'}", root=tmp_path / "here", locate=nowhere) as sides:
        assert [run(side, "import pkg; print(pkg.V)") for side in (sides.base, sides.head)] == ["1", "2"]
        assert sides.head.roots == ("pkg",)
        assert not list(sides.head.location.rglob("x.py"))


def test_export_ignore_loses_no_file(repository, both):
    repository.commit({"pkg/__init__.py": "", "pkg/a.py": "V = 1", ".gitattributes": "a.py export-ignore\n"})
    assert both("pkg.a", "pkg.a.V") == [1, 1]


def test_the_variables_of_a_hook_are_not_listened_to(repository, both, monkeypatch, tmp_path):
    repository.commit({"pkg/__init__.py": "V = 1"})
    repository.write({"pkg/__init__.py": "V = 2"})
    with monkeypatch.context() as patch, prepared("HEAD", root=repository.path, locate=nowhere):
        patch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
        patch.setenv("GIT_INDEX_FILE", str(tmp_path / "nowhere" / "index"))
        with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
            assert sides.base.label == f"{sides.base.label[:7]} (HEAD)"


def test_a_generated_file_that_git_ignores_is_heads_on_both_sides(repository, both, environment):
    repository.commit(
        {"src/pkg/__init__.py": "from .gen import G\nfrom ._version import V", ".gitignore": "gen.py\n_version.py"}
    )
    repository.write({"src/pkg/gen.py": "G = 1"})
    environment.write({"pkg/__init__.py": "", "pkg/_version.py": "V = '1.0'", "pkg/deleted.py": ""})
    options = {"python": environment.python, "locate": environment.locate}
    assert both("pkg", "[pkg.G, pkg.V]", **options) == [[1, "1.0"]] * 2
    with prepared("HEAD", root=repository.path, locate=environment.locate) as sides:
        assert any("generated and ignored by git, is head's on both sides" in note for note in sides.notes)
        assert not list(sides.head.location.rglob("deleted.py"))


def test_nothing_is_compiled_in_a_worker(repository):
    repository.commit({"pkg/__init__.py": "from . import a", "pkg/a.py": "", "pkg/template.py": "{{ no python }}"})
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        made = "import sys, pkg.a; print(sys.dont_write_bytecode)"
        before = sorted(sides.base.location.parent.rglob("*.pyc"))
        assert [path.name.partition(".")[0] for path in before] == ["sitecustomize", "__init__", "a"]
        times = [path.stat().st_mtime_ns for path in before]
        assert run(sides.base, made) == "False"
        assert [path.stat().st_mtime_ns for path in sorted(sides.base.location.parent.rglob("*.pyc"))] == times
        assert run(sides.base, "import pkg.a; print(pkg.a.__loader__.get_code('pkg.a').co_filename)").endswith("a.py")


def test_a_process_that_a_test_starts_imports_the_same_side(repository, both):
    repository.commit({"pkg/__init__.py": "V = 1"})
    repository.write({"pkg/__init__.py": "V = 2"})
    child = "int(subprocess.check_output([sys.executable, '-c', 'import pkg; print(pkg.V)']))"
    assert both("subprocess", child) == [1, 2]


def test_the_origin_of_what_a_worker_imports_is_proved(repository):
    repository.commit({"pkg/__init__.py": "", "other/__init__.py": ""})
    with prepared("HEAD", root=repository.path, locate=nowhere) as sides:
        right = {"pkg": str(sides.head.location / "pkg" / "__init__.py")}
        assert wrong_origins(sides.head, right) == []
        (sentence,) = wrong_origins(sides.base, right)
        assert sentence.startswith("pkg was to be loaded from base (")
        assert str(sides.head.location) in sentence
        (sentence,) = wrong_origins(sides.base, {"pkg": ""})
        assert "came from nowhere" in sentence


def test_only_what_is_imported_has_an_origin():
    assert loaded_from(["json", "not_imported_by_anybody", "sys"]) == {
        "json": sys.modules["json"].__file__,
        "sys": "",
    }
