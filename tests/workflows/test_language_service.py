"""What GitHub's own language service says of action.yml and of every workflow: ours, shown ones, those of init."""

from __future__ import annotations

import re

import pytest
from linters import complaints_of_language_service
from workflows import pages

from pytest_perfgate.starter.workflows import ACTION, comment_text, file_names, gate_text

yaml = pytest.importorskip("yaml")

WORKFLOWS = ".github/workflows"
OWN = (pages.ROOT / "action.yml").read_text("utf-8") if (pages.ROOT / "action.yml").exists() else ""
#: None in the source distribution.
OURS = {path.name: path.read_text("utf-8") for path in sorted(pages.ROOT.glob(f"{WORKFLOWS}/*.yml"))}

pytestmark = pytest.mark.skipif(not OWN, reason="there is no action.yml here")


def written(folder, branch="main", install=("--editable", ".[test]")):
    """Give the workflows that init writes."""
    gate, comment = file_names(folder)
    return {
        f"{WORKFLOWS}/{gate}": gate_text(branch=branch, python="3.13", install=install, folder=folder),
        f"{WORKFLOWS}/{comment}": comment_text(python="3.13", requirement="pytest-perfgate==1.2.3", folder=folder),
    }


#: Name -> text.  What uses the action of its own repository is shown using it by name, or nobody looks at its inputs.
RIGHT = {
    "action.yml": OWN,
    **{f"{WORKFLOWS}/{name}": text.replace("uses: ./ ", f"uses: {ACTION} ") for name, text in OURS.items()},
    **{f"shown/{place.replace(':', '/')}": text for place, text in pages.WORKFLOWS.items()},
    **written("."),
    **written("a part/of it", branch="release/[1-9]+", install=()),
}
GATE = gate_text(branch="main", python="3.13", install=(), folder="a")
COMMENT = comment_text(python="3.13", requirement="pytest-perfgate", folder=".")
#: What is changed in which text, and a word of what is said of it.
WRONG = {
    "unknown-key": (GATE, "timeout-minutes:", "timeout-minute:", "timeout-minute"),
    "no-runner": (GATE, "    runs-on: ubuntu-latest\n", "", "runs-on"),
    "unknown-event": (GATE, "  merge_group:", "  merge_groups:", "merge_groups"),
    "unknown-permission": (GATE, "contents: read", "contents: red", "red"),
    "unknown-input": (GATE, "working-directory: a\n", "working-dir: a\n", "working-dir"),
    "unknown-step": (GATE, "steps.perfgate.outputs", "steps.perfgates.outputs", "perfgates"),
    "unknown-function": (GATE, "!cancelled()", "!canceled()", "canceled"),
    "open-expression": (GATE, "report-json != ''", "report-json != '", "'"),
    "unknown-payload": (COMMENT, "workflow_run.event ==", "workflow_run.evnt ==", "evnt"),
    "unknown-context": (COMMENT, "${{ github.token }}", "${{ githb.token }}", "githb"),
    "action-without-shell": (OWN, "      shell: bash\n", "", "shell"),
    "action-with-secrets": (OWN, "${{ inputs.github-token }}", "${{ secrets.GITHUB_TOKEN }}", "secrets"),
    "action-unknown-function": (OWN, "always() &&", "allways() &&", "allways"),
    "action-unknown-key": (OWN, "continue-on-error:", "continue-on-errors:", "continue-on-errors"),
    "action-unknown-kind": (OWN, "using: composite", "using: composit", "composit"),
}


def name_of(case):
    return f"{case}/action.yml" if case.startswith("action-") else f"{WORKFLOWS}/{case}.yml"


@pytest.fixture(scope="module")
def complaints():
    """Name of a file -> what is said of it; in one go, because the service takes a second to start."""
    broken = {name_of(case): text.replace(old, new) for case, (text, old, new, _) in WRONG.items()}
    own = {ACTION.partition("@")[0]: yaml.safe_load(OWN)["inputs"]}
    return complaints_of_language_service({**RIGHT, **broken}, own)


@pytest.mark.parametrize("name", RIGHT)
def test_github_finds_nothing(complaints, name):
    assert complaints[name] == []


@pytest.mark.parametrize("case", WRONG)
def test_github_would_find_what_is_wrong_and_where(complaints, case):
    text, old, _, word = WRONG[case]
    assert old in text
    said = complaints[name_of(case)]
    assert said
    assert any(word in complaint for complaint in said), said
    line = text[: text.index(old)].count("\n") + 1
    assert any(abs(int(re.match(r"line (\d+): ", one)[1]) - line) <= 3 for one in said), said


def test_every_workflow_of_ours_is_looked_at():
    assert not OURS or OURS.keys() >= {"tests.yml", "selftest.yml", "release.yml"}
    assert not OURS or ACTION in RIGHT[f"{WORKFLOWS}/selftest.yml"]
    assert pages.WORKFLOWS
    assert "uses: ./" not in "".join(RIGHT.values())


def test_what_goes_wrong_within_the_service_does_not_count_as_nothing_found():
    with pytest.raises(AssertionError, match="Unhandled error"):
        complaints_of_language_service({f"{WORKFLOWS}/gate.yml": GATE}, {ACTION.partition("@")[0]: None})
