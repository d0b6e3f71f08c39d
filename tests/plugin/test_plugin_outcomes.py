"""What the plugin of `perfgate ci measure` leaves behind: which tests failed, and in which phase."""

from __future__ import annotations

import json

SUITE = """
    import os

    @pytest.fixture
    def broken():
        raise OSError

    @pytest.fixture
    def breaking():
        yield
        raise OSError

    def test_fine():
        assert "PERFGATE_OUTCOMES" not in os.environ

    def test_wrong():
        assert 1 == 2

    def test_setup(broken): pass

    def test_teardown(breaking): pass

    @pytest.mark.budget("rows < 5")
    def test_budget(metric):
        metric("rows", 9)

    @pytest.mark.xfail
    def test_expected(): assert 0

    @pytest.mark.skip
    def test_skipped(): pass
"""


def left_behind(project, monkeypatch, *arguments):
    path = project.path / "outcomes.json"
    monkeypatch.setenv("PERFGATE_OUTCOMES", str(path))
    result = project.run("-p", "pytest_perfgate.plugin.outcomes", *arguments)
    return result, json.loads(path.read_text("utf-8"))["failed"]


def test_every_failed_test_is_named_with_its_phase(project, setting, monkeypatch):
    project.test(SUITE)
    result, failed = left_behind(project, monkeypatch, *setting)
    assert result.ret == 1
    assert sorted(map(tuple, failed)) == [
        ("test_it.py::test_budget", "call"),
        ("test_it.py::test_setup", "setup"),
        ("test_it.py::test_teardown", "teardown"),
        ("test_it.py::test_wrong", "call"),
    ]


def test_a_file_that_cannot_be_collected_is_named(project, setting, monkeypatch):
    project.test("import nothing_of_that_name")
    _, failed = left_behind(project, monkeypatch, *setting)
    assert ["test_it.py", "collect"] in failed


def test_a_worker_that_dies_fails_its_test(project, monkeypatch):
    project.test("import os\ndef test_dies(): os._exit(1)\ndef test_lives(): pass")
    _, failed = left_behind(project, monkeypatch, "-n2")
    assert ["test_it.py::test_dies", "???"] in failed


def test_nothing_is_written_for_nobody(project, monkeypatch):
    monkeypatch.delenv("PERFGATE_OUTCOMES", raising=False)
    project.test("def test_fine(): pass")
    assert project.run("-p", "pytest_perfgate.plugin.outcomes", gate=False).ret == 0
    assert not list(project.path.glob("*.json"))


def test_the_report_names_what_could_not_be_collected_and_the_error(project, setting):
    project.test("import nothing_of_that_name")
    assert project.run(*setting).ret
    notes = json.loads((project.path / "run.json").read_text("utf-8"))["summary"]["notes"]
    assert notes[0].startswith("nothing was measured: test_it.py could not be collected: ModuleNotFoundError: ")
