"""What holds for every subcommand: help, usage errors, unreadable runs, errors that are and are not a user's."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from builders import ordinary_run

import pytest_perfgate
from pytest_perfgate.cli import COMMANDS, entry_point, main

commands = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)

#: Everything that a run is read by; the good run is g.json, the other one stands for b.json.
READERS = {
    "gate": ["gate", "b.json"],
    "baseline": ["gate", "g.json", "--baseline", "b.json"],
    "compare-base": ["compare", "b.json", "g.json"],
    "compare-run": ["compare", "g.json", "b.json"],
    "show": ["show", "b.json"],
    "merge": ["merge", "g.json", "b.json", "-o", "out.json"],
}
UNREADABLE = {
    "empty": "",
    "blank": " \n",
    "truncated": '{"format": "perfgate-run", "version": 1, "cases": [{"id": "a',
    "not-json": "median 3 ms\n",
    "nan": '{"format": "perfgate-run", "version": 1, "duration": NaN}',
    "newer": '{"format": "perfgate-run", "version": 2}',
    "list": "[1, 2]",
    "number": "17",
    "other-object": '{"benchmarks": [], "machine_info": {}}',
    "missing-fields": '{"format": "perfgate-run", "version": 1}',
    "binary": b"\x80\x81\xff\x00",
    "deep": "[" * 100_000,
}


@commands
def test_help_of_each_command_shows_an_example_and_the_exit_status(command, perfgate):
    status, out, err = perfgate(command.name, "--help")
    assert (status, err) == (0, "")
    assert f"\n  perfgate {command.name}" in out.partition("example:")[2]
    assert "exit status:" in out
    assert max(map(len, out.splitlines())) <= 80


@commands
def test_each_command_is_listed_by_the_general_help_with_its_summary(command, perfgate):
    status, out, _ = perfgate("--help")
    assert status == 0
    assert f"{command.name} " in out
    assert command.summary in out
    assert "\n  perfgate gate run.json" in out.partition("example:")[2]


@commands
def test_each_command_is_one_file_named_after_it(command):
    module = import_module(command.module)
    assert module.__name__.rpartition(".")[2] == command.name
    assert module.__doc__.startswith(f"``perfgate {command.name}``")
    assert callable(module.add_arguments)
    assert callable(module.run)


@commands
@pytest.mark.parametrize("nonsense", [["--nonsense"], ["a", "b", "c", "--d"]], ids=["option", "words"])
def test_nonsense_is_a_usage_error_that_names_itself(command, nonsense, perfgate):
    status, out, err = perfgate(command.name, *nonsense)
    assert (status, out) == (2, "")
    assert f"perfgate {command.name}: error:" in err or "perfgate: error:" in err
    assert f"usage: perfgate {command.name}" in err


def test_options_are_not_abbreviated_because_new_ones_would_change_their_meaning(perfgate, shelf):
    run = shelf.put("run.json", shelf.counted(1))
    assert perfgate("gate", run, "--stri").status == 2


def test_no_command_at_all_prints_the_help_as_an_error(perfgate):
    status, out, err = perfgate()
    assert (status, out) == (2, "")
    assert "usage: perfgate" in err


@pytest.mark.parametrize(("word", "meant"), [("gaet", "gate"), ("comapre", "compare"), ("Show", "show")])
def test_a_misspelt_command_is_told_what_was_probably_meant(word, meant, perfgate):
    status, out, err = perfgate(word, "run.json", "--help")
    assert (status, out) == (2, "")
    assert f"'{word}'" in err
    assert f'did you mean "{meant}"?' in err


def test_a_command_like_no_other_is_told_which_there_are(perfgate):
    status, _, err = perfgate("xyzzy")
    assert status == 2
    assert "did you mean" not in err
    assert all(command.name in err for command in COMMANDS)


@pytest.mark.parametrize("word", ["convert", "doctor"])
def test_a_command_of_a_later_version_says_so(word, perfgate):
    status, out, err = perfgate(word, "--help")
    assert (status, out) == (2, "")
    assert err.startswith(f"perfgate: error: the command '{word}' is not available in this version")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_is_no_stored_run_is_one_line_that_names_the_file(content, reader, perfgate, shelf):
    shelf.put("g.json", run=ordinary_run())
    shelf.write("b.json", content)
    status, out, err = perfgate(*READERS[reader])
    assert (status, out) == (2, "")
    assert err.startswith("perfgate: error: b.json: ")
    assert err.count("\n") == 1
    assert shelf.names() == ["b.json", "g.json"]


@pytest.mark.parametrize("reader", READERS)
def test_a_run_that_is_missing_or_a_folder_is_named(reader, perfgate, shelf):
    shelf.put("g.json", run=ordinary_run())
    status, out, err = perfgate(*READERS[reader])
    assert (status, out) == (2, "")
    assert "b.json: there is no such file" in err
    (shelf.folder / "b.json").mkdir()
    status, out, err = perfgate(*READERS[reader])
    assert (status, out) == (2, "")
    assert "b.json: this is a folder" in err


def test_an_interrupted_command_leaves_with_the_status_of_shells(perfgate, shelf, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_perfgate.store.load_run", interrupt)
    assert perfgate("show", "run.json") == (130, "", "perfgate: interrupted\n")


def test_a_mistake_of_ours_keeps_its_traceback(perfgate, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("pytest_perfgate.store.load_run", fail)
    with pytest.raises(ZeroDivisionError):
        perfgate("show", "run.json")


def test_the_entry_point_leaves_with_the_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["perfgate", "doctor"])
    try:
        with pytest.raises(SystemExit) as leaving:
            entry_point()
    finally:
        gc.enable()  # the process was to end; this one goes on
    assert leaving.value.code == 2


def test_the_version_is_that_of_the_distribution(perfgate, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: {"pytest-perfgate": "1.2.3"}[name])
    assert perfgate("--version") == (0, "perfgate 1.2.3\n", "")


def test_a_working_copy_has_no_version(perfgate, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    status, out, err = perfgate("--version")
    assert (status, out) == (2, "")
    assert "not installed" in err


def in_fresh_python(*arguments: str) -> str:
    """Run a fresh interpreter on the package that is tested; return what it printed."""
    env = os.environ | {"PYTHONPATH": str(Path(pytest_perfgate.__file__).parent.parent)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout


@pytest.mark.parametrize("arguments", [["--help"], *([command.name, "--help"] for command in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_that_is_slow(arguments):
    code = (
        "import sys, argparse, contextlib; before = set(sys.modules)\n"
        f"from pytest_perfgate.cli import main; main({arguments!r}); print('new:', *set(sys.modules) - before)"
    )
    new = set(in_fresh_python("-c", code).rpartition("new:")[2].split())
    ours = {name for name in new if name.startswith("pytest_perfgate")}
    here = {f"pytest_perfgate.cli.{name}" for name in ["_command", *arguments]}
    assert ours <= {"pytest_perfgate", "pytest_perfgate.errors", "pytest_perfgate.cli", *here}
    slow = {"dataclasses", "json", "pathlib", "importlib.metadata", "subprocess", "psutil", "tabulate", "pytest"}
    # An editable install or a tool of the environment may have loaded some of them before.
    assert new & slow <= {"pathlib"}


def test_the_module_is_the_same_command():
    assert in_fresh_python("-m", "pytest_perfgate", "--help").startswith("usage: perfgate ")


def test_streams_given_stand_in_for_those_of_the_process(capsys):
    import io

    out, err = io.StringIO(), io.StringIO()
    assert main(["--help"], stdout=out, stderr=err) == 0
    assert main(["doctor"], stdout=out, stderr=err) == 2
    assert out.getvalue().startswith("usage: perfgate")
    assert "doctor" in err.getvalue()
    assert capsys.readouterr() == ("", "")
