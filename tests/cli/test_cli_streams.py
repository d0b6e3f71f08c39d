"""Where a command reads from and prints to: pipes, full disks, terminals, encodings, closed streams."""

from __future__ import annotations

import errno
import io
import sys

import pytest
from builders import every_verdict_run, ordinary_run

from pytest_perfgate.cli import main
from pytest_perfgate.store import run_to_text


class Unwritable(io.StringIO):
    """A stream that fails; at once, or when what is buffered is written."""

    def __init__(self, problem: OSError, *, buffered: bool = False) -> None:
        super().__init__()
        self._problem, self._buffered = problem, buffered

    def write(self, text: str) -> int:
        """Write *text*."""
        if not self._buffered:
            raise self._problem
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        if self._buffered:
            raise self._problem


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Tell a lie."""
        return True


def piped(monkeypatch, content: bytes) -> None:
    """Put *content* on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))


@pytest.fixture
def failing(perfgate, shelf):
    """A stored run that fails the gate."""
    return shelf.put("run.json", run=every_verdict_run())


# -- in


@pytest.mark.parametrize(
    "arguments",
    [
        ["gate", "-"],
        ["gate", "-", "--baseline", "run.json"],
        ["gate", "run.json", "--baseline", "-"],
        ["compare", "-", "run.json"],
        ["compare", "run.json", "-"],
        ["show", "-"],
    ],
    ids=" ".join,
)
def test_a_dash_reads_standard_input(arguments, perfgate, shelf, monkeypatch):
    shelf.put("run.json", run=ordinary_run())
    piped(monkeypatch, run_to_text(ordinary_run()).encode())
    printed = perfgate(*arguments)
    assert printed.status == 0
    assert "test_parse" in printed.out


def test_standard_input_is_called_so_in_messages(perfgate, shelf, monkeypatch):
    run = shelf.put("run.json", shelf.counted(13), started="later")
    piped(monkeypatch, run_to_text(ordinary_run()).encode())
    assert "standard input" in perfgate("compare", "-", run).out


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"], ids=["empty", "truncated", "binary", "list"])
def test_standard_input_that_is_no_run_is_one_line(content, perfgate, monkeypatch):
    piped(monkeypatch, content)
    status, out, err = perfgate("show", "-")
    assert (status, out) == (2, "")
    assert err.startswith("perfgate: error: standard input")
    assert err.count("\n") == 1


def test_standard_input_is_read_once(perfgate, monkeypatch):
    piped(monkeypatch, b"{}")
    for arguments in (["compare", "-", "-"], ["gate", "-", "--baseline", "-"], ["merge", "-", "-", "-o", "x"]):
        status, out, err = perfgate(*arguments)
        assert (status, out) == (2, "")
        assert "only once" in err


def test_a_process_without_standard_input_is_told_so(perfgate, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    status, out, err = perfgate("show", "-")
    assert (status, out) == (2, "")
    assert "standard input cannot be read" in err


# -- out


@pytest.mark.parametrize("buffered", [False, True])
@pytest.mark.parametrize(("arguments", "status"), [(["gate", "run.json"], 1), (["show", "run.json"], 0)])
def test_a_reader_that_left_changes_neither_status_nor_standard_error(arguments, status, buffered, failing):
    err = io.StringIO()
    out = Unwritable(BrokenPipeError(errno.EPIPE, "Broken pipe"), buffered=buffered)
    assert main(arguments, stdout=out, stderr=err) == status
    assert err.getvalue() == ""


def test_a_reader_of_a_report_that_left_is_told_apart_from_a_verdict(failing):
    err = io.StringIO()
    out = Unwritable(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert main(["gate", failing, "--report", "json=-"], stdout=out, stderr=err) == 141


def test_help_for_a_reader_that_left_is_silent():
    err = io.StringIO()
    out = Unwritable(BrokenPipeError(errno.EPIPE, "Broken pipe"), buffered=True)
    assert main(["--help"], stdout=out, stderr=err) == 0
    assert err.getvalue() == ""


@pytest.mark.parametrize("arguments", [["show", "run.json"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_an_error_of_one_line(arguments, failing):
    err = io.StringIO()
    out = Unwritable(OSError(errno.ENOSPC, "No space left on device"), buffered=True)
    assert main(arguments, stdout=out, stderr=err) == 2
    assert err.getvalue() == "perfgate: error: cannot print: No space left on device\n"


def test_nowhere_to_complain_is_no_reason_for_a_traceback():
    full = Unwritable(OSError(errno.ENOSPC, "No space left on device"))
    assert main(["doctor"], stdout=full, stderr=full) == 2


def test_a_process_with_closed_streams_keeps_its_status(failing, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["gate", failing]) == 1
    assert main(["doctor"]) == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8", "utf-16"])
@pytest.mark.parametrize("arguments", [["gate", "run.json"], ["compare", "run.json", "run.json"]], ids=lambda a: a[0])
def test_any_encoding_will_do(arguments, encoding, perfgate, shelf):
    shelf.put("run.json", run=ordinary_run())
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    assert main(arguments, stdout=out) == 0
    printed = raw.getvalue().decode(encoding)
    assert "43.1 us" in printed or "43.1 µs" in printed


@pytest.mark.parametrize(
    ("variable", "value", "coloured"),
    [("PERFGATE_PROFILE", "", True), ("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_colour_is_for_terminals_that_want_it(variable, value, coloured, failing, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    for command in ("gate", "show"):
        out = Terminal()
        main([command, failing], stdout=out)
        assert ("\x1b[" in out.getvalue()) is coloured


def test_what_is_no_terminal_gets_no_colour(perfgate, failing):
    assert "\x1b[" not in perfgate("gate", failing).out


def test_a_terminal_that_does_not_know_its_width_gets_one(failing):
    out = Terminal()
    assert main(["show", failing], stdout=out) == 0
    assert 80 < max(map(len, out.getvalue().splitlines())) <= 140


@pytest.mark.parametrize("columns", ["0", "-5", "wide", "²"])
def test_a_width_that_is_none_is_ignored(columns, failing, perfgate, monkeypatch):
    usual = perfgate("show", failing).out
    monkeypatch.setenv("COLUMNS", columns)
    assert perfgate("show", failing).out == usual
