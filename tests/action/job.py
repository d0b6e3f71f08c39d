"""A job that uses the real action.yml on a little project whose numbers a test chooses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from action.runner import Cache, Played, Runner, python

ROOT = Path(__file__).parent.parent.parent
#: Exact numbers, read from a file: every change of one can be told, and nothing is timed.
SUITE = """
import json, pathlib
import pytest

HERE = pathlib.Path(__file__).parent
VALUES = json.loads((HERE / "values.json").read_text("utf-8"))


@pytest.mark.parametrize("name", VALUES)
def test_count(name, metric):
    metric("queries", VALUES[name])


@pytest.mark.budget("rows < 60")
def test_rows(metric):
    metric("rows", 50)
"""
#: Likewise in one test: its cases have names of any length, where pytest shortens the parameters of tests.
CROWD = """
import json, pathlib


def test_crowd(metric):
    for name, value in json.loads((pathlib.Path(__file__).parent / "values.json").read_text("utf-8")).items():
        metric("queries", value, name=name)
"""


class Job:
    """A job of a workflow that uses the action; one machine after the other, with one cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "work space"  # a blank, because a command that is not quoted breaks there
        self.workspace.mkdir()
        self.cache = Cache(folder / "cache")
        self.runs = 0
        self.github: dict[str, Any] = {
            "event_name": "push",
            "ref": "refs/heads/main",
            "sha": "0" * 40,
            "job": "perf",
            "repository": "o/r",
            "event": {"repository": {"default_branch": "main"}},
        }
        self.environ = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        #: Files of the runner that no step can write to.
        self.broken: set[str] = set()
        self.write("test_it.py", SUITE)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the workspace."""
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def play(self, values: Mapping[str, float] | None = None, **inputs: str) -> Played:
        """Run the action once, on a fresh machine; the inputs with underscores."""
        self.runs += 1
        if values is not None:
            self.write("values.json", json.dumps(values))
        temporary = self.folder / "machine" / "temp"
        shutil.rmtree(temporary.parent, ignore_errors=True)
        runner = Runner(
            action=ROOT,
            workspace=self.workspace,
            temporary=temporary,
            github={**self.github, "run_id": str(self.runs), "run_attempt": "1"},
            uses=self.cache.uses,
            environ=self.environ,
            broken=self.broken,
        )
        return runner.play(**{"python": python(), "install": "false", **inputs})

    def on(self, event: str, ref: str = "refs/heads/main", **payload: Any) -> None:
        """Say what starts the next runs."""
        self.github |= {"event_name": event, "ref": ref, "event": payload}
