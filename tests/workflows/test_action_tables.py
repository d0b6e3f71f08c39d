"""What README.md and the documentation say of the Action's inputs and outputs is what action.yml says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent.parent
ACTION = ROOT / "action.yml"
PAGES = ["README.md", "docs/reference/action.md"]
ROW = re.compile(r"^\| `(?P<name>[a-z-]+)` \| (?P<cells>.+) \|$")
#: Fixed: workflows of others are made of them.
INPUTS = """pytest-args working-directory python install max-regression against baseline-storage baseline-path
baseline-key missing-baseline update-baseline fail-on-regression strict summary annotations comment comment-id
github-token report-dir"""
OUTPUTS = """status regressions improvements over-budget inconclusive compared missing worst-change exit-code
baseline-found baseline-commit report-json report-markdown report-junit"""

pytestmark = pytest.mark.skipif(not ACTION.exists(), reason="there is no action.yml here")


@pytest.fixture(scope="module")
def action():
    return yaml.load(ACTION.read_text("utf-8"), yaml.BaseLoader)


def table(page, kind):
    """Return the rows of the table whose first column is called *kind*: name -> cells."""
    text = (ROOT / page).read_text("utf-8")
    (found,) = re.findall(rf"^\| {kind} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [ROW.match(line) for line in found.splitlines()]
    assert all(rows), [line for line, row in zip(found.splitlines(), rows, strict=True) if row is None]
    return {row["name"]: row["cells"].split(" | ") for row in rows}


def described(entry):
    return " ".join(entry["description"].split())


def test_the_names_are_those_that_were_promised(action):
    assert list(action["inputs"]) == INPUTS.split()
    assert list(action["outputs"]) == OUTPUTS.split()


def test_no_description_would_break_a_table(action):
    entries = [*action["inputs"].values(), *action["outputs"].values()]
    assert [entry for entry in entries if "|" in described(entry) or not described(entry).endswith(".")] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_inputs_has_the_names_defaults_and_descriptions(page, action):
    wanted = {
        name: [f"`{entry['default']}`" if entry["default"] else "", described(entry)]
        for name, entry in action["inputs"].items()
    }
    found = table(page, "input")
    assert list(found) == list(wanted)
    assert found == wanted


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_outputs_has_the_names_and_descriptions(page, action):
    wanted = {name: [described(entry)] for name, entry in action["outputs"].items()}
    found = table(page, "output")
    assert list(found) == list(wanted)
    assert found == wanted


def steps_in(shown):
    """Give the steps of a workflow, of a job, or of a list of steps."""
    if isinstance(shown, list):
        return [step for step in shown if isinstance(step, dict)]
    jobs = shown.get("jobs", {}).values() if isinstance(shown, dict) and isinstance(shown.get("jobs"), dict) else ()
    return [step for job in jobs for step in job.get("steps", [])]


def test_no_page_gives_the_action_an_input_that_it_does_not_have(action):
    used = set()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for step in steps_in(yaml.load(block, yaml.BaseLoader)):
                used |= set(step.get("with", {})) if "pytest-perfgate@" in step.get("uses", "") else set()
    assert used
    assert used - set(action["inputs"]) == set()


def test_no_workflow_reads_an_output_that_the_action_does_not_have(action):
    sources = [*sorted(ROOT.glob(".github/workflows/*.yml")), *sorted((ROOT / "docs").rglob("*.md"))]
    names = {
        name
        for source in sources
        for name in re.findall(r"steps\.(?:perfgate|gate|first|second)\.outputs\.([\w-]+)", source.read_text("utf-8"))
    }
    assert names
    assert names - set(action["outputs"]) == set()
