"""The console command in process, in a temporary folder with stored runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from builders import make_finding, make_measurement, make_run

from pytest_perfgate.cli import main
from pytest_perfgate.model import Finding, Run
from pytest_perfgate.store import store_run


class Printed(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """Of standard output."""
        return self.out.splitlines()[-1]


class Shelf:
    """Stored runs in the current folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, *findings: Finding, run: Run | None = None, **fields: object) -> str:
        """Store *run*, or one of *findings*, and return its name."""
        store_run(run or make_run(*findings, **fields), self.folder / name)
        return name

    def write(self, name: str, text: str | bytes) -> str:
        """Write what is no run."""
        (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def names(self) -> list[str]:
        """Everything in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    @staticmethod
    def counted(value: float, test: str = "t.py::test_queries", **fields: object) -> Finding:
        """An exact number: any change of it can be told."""
        return make_finding(
            make_measurement(test, "queries", value=value, unit="count", samples=(value,), interval=None, **fields)
        )

    @staticmethod
    def timed(value: float, test: str = "t.py::test_time") -> Finding:
        """One process of a time: no change of a few percent can be told."""
        return make_finding(make_measurement(test, value=value))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Stored runs in the current folder."""
    return Shelf(tmp_path)


@pytest.fixture
def perfgate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Printed]:
    """Run the command in the temporary folder; a traceback in its output is a bug of ours in any test."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "PERFGATE_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    def call(*argv: str) -> Printed:
        status = main(argv)
        printed = Printed(status, *capsys.readouterr())
        assert "Traceback" not in printed.out + printed.err
        return printed

    return call
