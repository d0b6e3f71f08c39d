"""Where a test is written, in the report: the line of its ``def``, whoever ran it."""

from __future__ import annotations

import subprocess

import pytest


def places(run):
    return {name: (case["location"]["file"], case["location"]["line"]) for name, case in run.cases.items()}


def line_of(path, text):
    return 1 + path.read_text("utf-8").splitlines().index(text)


@pytest.fixture
def suite(project):
    return project.write(
        "tests/test_it.py",
        '''
        import pytest
        from tests.shared import Shared

        @pytest.mark.parametrize("n", [
            1,
            2,
        ])
        @pytest.mark.budget(s=60)
        def test_parametrised(n, perf):
            perf(sum, range(n))

        class TestGroup:
            class TestInner:
                note = """
                def test_method(self): is not this one
                """

                @pytest.mark.budget(s=60)
                def test_method(self):
                    pass

        class TestInherited(Shared):
            pass

        def test_raises(perf):
            perf(int, "x")

        @pytest.fixture
        def broken():
            raise RuntimeError

        def test_setup_fails(broken, perf):
            perf(int)
        ''',
    )


def test_it_is_the_def_in_every_setting(project, suite, setting):
    shared = project.write("tests/shared.py", "class Shared:\n\n    def test_shared(self, perf):\n        perf(int)\n")
    project.write("tests/__init__.py", "")
    run = project.run(*setting)
    assert run.ret == 1
    here = "tests/test_it.py"
    assert places(run) == {
        "test_parametrised[1]#perf": (here, line_of(suite, "def test_parametrised(n, perf):")),
        "test_parametrised[2]#perf": (here, line_of(suite, "def test_parametrised(n, perf):")),
        "TestGroup::TestInner::test_method#call": (here, line_of(suite, "        def test_method(self):")),
        "TestInherited::test_shared#perf": ("tests/shared.py", line_of(shared, "    def test_shared(self, perf):")),
        "test_raises#perf": (here, line_of(suite, "def test_raises(perf):")),
        "test_setup_fails#perf": (here, line_of(suite, "def test_setup_fails(broken, perf):")),
    }


def test_a_test_from_outside_is_said_to_be_where_it_was_collected(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "mixed_in.py").write_text("class Mixed:\n    def test_mixed(self, perf):\n        perf(int)\n", "utf-8")
    project.write("conftest.py", f"import sys\nsys.path.insert(0, {str(outside)!r})\n")
    project.test("from mixed_in import Mixed\n\nclass TestHere(Mixed):\n    pass\n")
    project.write("pytest.ini", "[pytest]\n")
    run = project.run()
    assert places(run) == {"TestHere::test_mixed#perf": ("test_it.py", None)}


def test_the_root_is_told_from_the_top_of_the_repository(project, monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    project.write("sub/dir/pytest.ini", "[pytest]\n")
    project.write("sub/dir/test_it.py", "def test_a(perf):\n    perf(int)\n")
    subprocess.run(["git", "init", "-q", "."], cwd=project.path, check=True)
    run = project.run("sub/dir/test_it.py")
    assert run.json["settings"]["root"] == "sub/dir"
    assert places(run) == {"test_a#perf": ("test_it.py", 1)}


def test_annotations_are_printed_with_their_place(project):
    project.write(
        "tests/test_it.py", "import pytest\n\n@pytest.mark.budget(ns=1)\ndef test_a(perf):\n    perf(sorted, [1])\n"
    )
    run = project.run("--perfgate-report=github=notes.txt", "-n2")
    assert run.ret == 1
    first, last = (project.path / "notes.txt").read_text("utf-8").splitlines()
    place = "::error file=tests/test_it.py,line=4,title=perfgate%3A over-budget%3A test_a"
    assert first.startswith(f"{place}::tests/test_it.py::test_a#perf: test_a is over budget: median ")
    assert last == "perfgate: fail (1 measured: 1 over-budget)"
