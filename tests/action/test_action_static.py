"""action.yml as it is written: schema, security, shell, references, and that no logic is in it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from action.job import ROOT
from action.references import mistakes

from pytest_perfgate.ci.inputs import INPUTS, INSTALL

ACTION = ROOT / "action.yml"

pytestmark = pytest.mark.skipif(not ACTION.exists(), reason="action.yml is not here")


@pytest.fixture(scope="module")
def spec():
    return yaml.safe_load(ACTION.read_text("utf-8"))


def tool(name):
    """Find a tool beside the interpreter, or skip."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


def finds_nothing(*command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_of_actions_is_kept():
    finds_nothing(tool("check-jsonschema"), "--builtin-schema", "vendor.github-actions", str(ACTION))


def test_the_security_linter_finds_nothing():
    finds_nothing(tool("zizmor"), "--offline", "--strict-collection", "--persona=auditor", str(ACTION))


def test_the_shell_linter_finds_nothing(spec, tmp_path):
    for number, step in enumerate(step for step in spec["runs"]["steps"] if "run" in step):
        script = tmp_path / f"{number}.sh"
        script.write_text(f"#!/usr/bin/env bash\n{step['run']}\n", "utf-8")
        finds_nothing(tool("shellcheck"), "--enable=all", "--severity=style", "--exclude=SC2154,SC2250", str(script))


def test_every_reference_leads_somewhere(spec, job):
    written = {step.id: set(step.outputs) for step in job.play({"a": 1}).steps if step.id}
    assert list(mistakes(spec, written)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps.measure.outputs.compared", "steps.measure.outputs.comparred", "writes no comparred"),
        ("steps.plan.outputs.restores", "steps.plans.outputs.restores", "no earlier step plans"),
        ("inputs.strict", "inputs.stict", "there is no input stict"),
        ("id: measure", "id: plan", "two steps are called plan"),
        ("  strict:\n", "  Strict_:\n", "is not written with dashes"),
    ],
)
def test_a_reference_to_nothing_would_be_found(old, new, said):
    text = ACTION.read_text("utf-8")
    assert old in text
    written = {"plan": {"plan", "restores", "cache-key", "cache-prefix", "cache-folder", "comment", "comment-id"}}
    assert any(said in mistake for mistake in mistakes(yaml.safe_load(text.replace(old, new)), written))


def test_every_input_reaches_the_one_who_reads_it_once_and_has_the_same_default(spec):
    forwarded = [(name, text) for step in spec["runs"]["steps"] for name, text in step.get("env", {}).items()]
    for wanted in (*INPUTS, INSTALL):
        assert [text for name, text in forwarded if name == wanted.variable] == [f"${{{{ inputs.{wanted.name} }}}}"]
        assert spec["inputs"][wanted.name]["default"] == wanted.default
    assert {wanted.name for wanted in (*INPUTS, INSTALL)} == set(spec["inputs"]) - {"python", "github-token"}


def test_every_step_is_one_quoted_call(spec):
    words = r'(?: --[a-z]+| "\$[A-Z_]+")*'
    call = re.compile(
        r'(?:PYTHONPATH="\$GITHUB_ACTION_PATH" )?"\$PERFGATE_PYTHON" -m pytest_perfgate ci [a-z]+' + words
    )
    for step in spec["runs"]["steps"]:
        if "run" in step:
            assert call.fullmatch(step["run"].strip()), step["name"]
        else:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]), step["name"]


def test_nested_actions_say_which_version_their_commit_is():
    for line in ACTION.read_text("utf-8").splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
