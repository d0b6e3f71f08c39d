"""A model of GitHub's runner, for one composite action: what its steps get, in which order, what becomes of them.

Steps with ``run:`` are run by bash as the runner does; those with ``uses:`` are played by functions of a test, and one
that nobody plays is an error: nothing is ever downloaded.  That the real runner does the same cannot be shown here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from action.expressions import as_text, expand, holds
from action.wire import Annotation, FileCommandError, annotations, assignments, kept

MOST_SUMMARY_BYTES = 1024 * 1024
_FILES = ("output", "env", "path", "state", "step_summary")

Used = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Plays a nested action: its inputs become its outputs."""


@dataclass
class Step:
    """What became of a step."""

    name: str
    id: str = ""
    outcome: str = "skipped"
    conclusion: str = "skipped"
    """As *outcome*, but a step that may fail has succeeded."""
    log: str = ""
    script: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass
class Played:
    """What became of the action."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    said: list[Annotation] = field(default_factory=list)

    @property
    def is_green(self) -> bool:
        """Whether the job goes on."""
        return all(step.conclusion != "failure" for step in self.steps)

    @property
    def log(self) -> str:
        """Everything that was printed."""
        return "\n".join(f"## {step.name}\n{step.log}" for step in self.steps)

    @property
    def summary(self) -> str:
        """What the page of the run shows."""
        return "".join(step.summary for step in self.steps)

    @property
    def shown(self) -> list[Annotation]:
        """The annotations that the page of the run shows."""
        return kept(self.said)

    def messages(self, level: str) -> list[str]:
        """Return the messages of the annotations of one level that are shown."""
        return [one.message for one in self.shown if one.level == level]

    def step(self, name: str) -> Step:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)


@dataclass
class Runner:
    """A job on a machine: a workspace, an event, and what plays the nested actions.

    Attributes:
        action: The folder of ``action.yml``.
        workspace: Where the repository was checked out.
        temporary: ``RUNNER_TEMP``.
        github: The context, with the payload under ``event``.
        uses: Name of a nested action, without its version -> what plays it.
        environ: Of the job.
        broken: Files of the runner that a step cannot write to.
    """

    action: Path
    workspace: Path
    temporary: Path
    github: dict[str, Any]
    uses: dict[str, Used] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    broken: Collection[str] = ()

    def play(self, **inputs: str) -> Played:
        """Run the action."""
        spec = yaml.safe_load((self.action / "action.yml").read_text("utf-8"))
        self.temporary.mkdir(parents=True, exist_ok=True)
        payload = self.temporary.parent / "event.json"
        payload.write_text(json.dumps(self.github.get("event", {})), "utf-8")
        facts = {"action_path": str(self.action), "workspace": str(self.workspace), "event_path": str(payload)}
        contexts: dict[str, Any] = {
            "github": {"token": "ghs_token", **facts, **self.github},
            "runner": {"os": "Linux", "arch": "X64", "temp": str(self.temporary)},
            "steps": {},
            "env": {},
        }
        played = Played()
        contexts["inputs"] = self._inputs(spec, inputs, contexts, played)
        for written in spec["runs"]["steps"]:
            self._do(written, contexts, played)
        # They are worked out after a failure as well.
        functions = _functions(played)
        played.outputs = {
            name: expand(output["value"], contexts, functions) for name, output in spec["outputs"].items()
        }
        return played

    def _inputs(
        self, spec: Mapping[str, Any], given: Mapping[str, str], contexts: Mapping[str, Any], played: Played
    ) -> dict[str, str]:
        given = {name.replace("_", "-"): text for name, text in given.items()}
        for name in set(given) - set(spec["inputs"]):
            played.warnings.append(f"Unexpected input {name!r}")
        functions = _functions(played)
        return {
            name: given.get(name, expand(about.get("default", ""), contexts, functions))
            for name, about in spec["inputs"].items()
        }

    def _do(self, written: Mapping[str, Any], contexts: dict[str, Any], played: Played) -> None:
        functions = _functions(played)
        step = Step(written.get("name", written.get("uses", "run")), written.get("id", ""))
        own = {name: expand(text, contexts, functions) for name, text in written.get("env", {}).items()}
        here = {**contexts, "env": own}
        if holds(written.get("if"), here, functions):
            if "uses" in written:
                step.outcome = self._use(written, step, here, functions)
            else:
                step.outcome = self._run(written, step, own, here, functions, played)
        may_fail = written.get("continue-on-error") and step.outcome == "failure"
        step.conclusion = "success" if may_fail else step.outcome
        played.steps.append(step)
        if step.id:
            told = {"outputs": step.outputs, "outcome": step.outcome, "conclusion": step.conclusion}
            contexts["steps"][step.id] = told

    def _use(
        self,
        written: Mapping[str, Any],
        step: Step,
        contexts: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> str:
        name, _, version = written["uses"].partition("@")
        assert len(version) == 40, f"{name} is not pinned by a commit"
        asked = {key: expand(text, contexts, functions) for key, text in written.get("with", {}).items()}
        step.outputs = dict(self.uses[name](asked))
        return "success"

    def _run(
        self,
        written: Mapping[str, Any],
        step: Step,
        own: Mapping[str, str],
        contexts: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
        played: Played,
    ) -> str:
        assert written["shell"] == "bash"
        folder = self.temporary.parent / "runner" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        files = {name: folder / name for name in _FILES}
        for name, path in files.items():
            path.mkdir() if name in self.broken else path.touch()
        step.script = expand(written["run"], contexts, functions)
        script = folder / "script.sh"
        script.write_text(step.script, "utf-8")
        step.environ = {**self._environ(contexts["github"]), **own}
        for name, path in files.items():
            step.environ[f"GITHUB_{name.upper()}"] = str(path)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace / written.get("working-directory", "."),
            env=step.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        step.log = done.stdout.decode("utf-8", "replace")
        played.said += annotations(step.log)
        status = done.returncode
        try:
            step.outputs = assignments(files["output"].read_text("utf-8"))
            assert not files["env"].read_text("utf-8"), "a step writes to GITHUB_ENV"
        except FileCommandError as problem:
            played.said.append(Annotation("error", f"Unable to process file command: {problem}", {}))
            status = status or 1
        summary = b"" if "step_summary" in self.broken else files["step_summary"].read_bytes()
        if len(summary) > MOST_SUMMARY_BYTES:
            played.said.append(Annotation("error", "$GITHUB_STEP_SUMMARY upload aborted", {}))
        else:
            step.summary = summary.decode("utf-8")
        if status:
            played.said.append(Annotation("error", f"Process completed with exit code {status}.", {}))
        return "failure" if status else "success"

    def _environ(self, github: Mapping[str, Any]) -> dict[str, str]:
        """Make the environment of a step: what the runner sets, and nothing of the machine that runs the tests."""
        system = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
        context = {
            f"GITHUB_{name.upper()}": as_text(value)
            for name, value in github.items()
            if name not in ("token", "event") and not isinstance(value, Mapping)
        }
        own = {"CI": "true", "GITHUB_ACTIONS": "true", "RUNNER_OS": "Linux", "RUNNER_TEMP": str(self.temporary)}
        return {**system, "HOME": str(self.temporary), **own, **context, **self.environ}


def _functions(played: Played) -> dict[str, Callable[..., Any]]:
    return {
        "success": lambda: played.is_green,
        "failure": lambda: not played.is_green,
        "cancelled": lambda: False,
        "always": lambda: True,
    }


class Cache:
    """Plays actions/cache: keys are written once, and found by their beginning, the newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys: list[str] = []
        self.asked: list[str] = []

    @property
    def uses(self) -> dict[str, Used]:
        """The two nested actions."""
        return {"actions/cache/restore": self.restore, "actions/cache/save": self.save}

    def restore(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """Put the newest content whose key begins as asked into the folder it was saved from."""
        self.asked.append(asked["key"])
        wanted = [asked["key"], *asked.get("restore-keys", "").split()]
        place = asked["path"].replace(os.sep, "|")
        matched = [key for start in wanted for key in reversed(self.keys) if key.startswith(start)]
        matched = [key for key in matched if (self._folder / key / place).is_dir()]
        if not matched:
            return {"cache-primary-key": asked["key"], "cache-matched-key": "", "cache-hit": ""}
        shutil.copytree(self._folder / matched[0] / place, asked["path"], dirs_exist_ok=True)
        hit = as_text(matched[0] == asked["key"])
        return {"cache-primary-key": asked["key"], "cache-matched-key": matched[0], "cache-hit": hit}

    def save(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """Keep the content of a folder, unless the key is taken."""
        assert "," not in asked["key"]
        assert len(asked["key"]) <= 512
        if asked["key"] not in self.keys:
            self.keys.append(asked["key"])
            shutil.copytree(asked["path"], self._folder / asked["key"] / asked["path"].replace(os.sep, "|"))
        return {}


def python() -> str:
    """Name the interpreter that runs the tests, as the input ``python``."""
    return sys.executable.replace("\\", "/")
