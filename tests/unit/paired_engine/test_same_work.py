"""What a comparison says of targets that do not return the same kind of thing, and of PYTHONPATH that a test sets."""

import os
import sys

import pytest

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.command import make_command, make_environment
from pytest_perfgate.measure.redirection import COPIES, FIRST_ON_PATH, replace_script
from pytest_perfgate.paired.facts import differences


def test_another_kind_of_result_in_every_round_is_told():
    (said,) = differences([{"result_type": "list"}] * 3, [{"result_type": "generator"}] * 3)
    assert said == "the target returns generator, and list at base: the two may not do the same work"


def test_results_that_vary_or_agree_or_are_not_known_are_not():
    assert not differences([{"result_type": "list"}] * 2, [{"result_type": "list"}] * 2)
    assert not differences([{"result_type": "list"}] * 2, [{"result_type": "int"}, {"result_type": "list"}])
    assert not differences([{}] * 2, [{"result_type": "int"}] * 2)


def test_a_test_that_sets_pythonpath_still_measures_its_side(monkeypatch):
    monkeypatch.setenv(FIRST_ON_PATH, "/side/boot")
    assert make_environment({"PYTHONPATH": "/mine"})["PYTHONPATH"] == os.pathsep.join(["/side/boot", "/mine"])
    assert make_environment({"PYTHONPATH": None})["PYTHONPATH"] == "/side/boot"
    monkeypatch.setenv("PYTHONPATH", "/side/boot")
    assert make_environment({"OTHER": "1"})["PYTHONPATH"] == "/side/boot"


def test_without_a_comparison_pythonpath_is_what_the_test_says(monkeypatch):
    monkeypatch.delenv(FIRST_ON_PATH, raising=False)
    assert make_environment({"PYTHONPATH": "/mine"})["PYTHONPATH"] == "/mine"
    assert "PYTHONPATH" not in make_environment({"PYTHONPATH": None})


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """A project with scripts, and the copies of it that a comparison makes; this process measures base."""
    for folder in ("project", "0", "1"):
        for file in ("app.py", "tools/run.sh", "tests/probe.py"):
            (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / file).touch()
    (tmp_path / "project/ignored.py").touch()
    monkeypatch.setenv(COPIES, "\n".join(str(tmp_path / folder) for folder in ("project", "0", "1")))
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "cwd", "place"),
    [
        (["python", "app.py", "app.py"], None, 1),
        (["/usr/bin/python3.12", "-X", "utf8", "-u", "{}/project/app.py"], None, 4),
        (["python", "../app.py"], "tools", 1),
        (["tools/run.sh", "--fast"], None, 0),
        (["./app.py"], None, 0),
    ],
)
def test_a_script_of_the_project_is_that_of_the_side(copies, words, cwd, place):
    words = [word.format(copies) for word in words]
    name = "run.sh" if "run.sh" in words[place] else "app.py"
    expected = [*words]
    expected[place] = str(copies / "0" / ("tools/run.sh" if name == "run.sh" else name))
    assert replace_script(words, cwd) == tuple(expected)


@pytest.mark.parametrize(
    "words",
    [
        ["python", "-m", "app"],
        ["python", "-c", "pass", "app.py"],
        ["python"],
        ["python", "tests/probe.py"],
        ["python", "ignored.py"],
        ["python", "/etc/passwd"],
        ["app", "app.py"],
    ],
)
def test_everything_else_stays_what_the_test_says(copies, words):
    assert replace_script(words, None) == tuple(words)


def test_outside_a_comparison_scripts_are_the_users_own(copies, monkeypatch):
    monkeypatch.delenv(COPIES)
    assert replace_script(["python", "app.py"], None) == ("python", "app.py")


@pytest.mark.parametrize("flags", [["-I"], ["-E"], ["-S"], ["-bE"], ["-Xutf8", "-I"], ["-Werror", "-I"]])
def test_a_python_that_would_ignore_its_side_is_refused_in_a_comparison(monkeypatch, flags):
    argv = [sys.executable, *flags, "-c", "pass"]
    monkeypatch.delenv(FIRST_ON_PATH, raising=False)
    assert make_command(argv).argv == tuple(argv)
    monkeypatch.setenv(FIRST_ON_PATH, "/side/boot")
    with pytest.raises(CannotMeasureError, match="both sides would measure the same code"):
        make_command(argv)


@pytest.mark.parametrize(
    "argv", [[sys.executable, "-c", "pass", "-I"], [sys.executable, "-m", "app", "-E"], ["app", "-I"], [sys.executable]]
)
def test_flags_of_the_program_are_its_own(monkeypatch, argv):
    monkeypatch.setenv(FIRST_ON_PATH, "/side/boot")
    assert make_command(argv).argv == tuple(argv)
