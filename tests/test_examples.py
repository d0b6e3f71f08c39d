"""Every example is a small real project that works with and without the gate."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
#: pytest leaves a README in its cache folder, too.
PROJECTS = sorted(
    folder.name for folder in EXAMPLES.iterdir() if (folder / "README.md").exists() and folder.name[0] != "."
)

#: What each of them is there to show.
MEASURES = {
    "async_client": {"perf"},
    "cache": {"memory.growth", "memory.peak"},
    "command_line": {"startup.command", "startup.imports"},
    "library": {"perf"},
    "plain": {"call"},
    "profiles": {"perf"},
    "startup": {"startup.command", "startup.imports", "startup.app"},
    "two_versions": {"perf"},
    "worker_pool": {"speedup"},
}


def test_every_example_is_listed():
    assert set(PROJECTS) == set(MEASURES)
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"`{name}/`" in readme for name in PROJECTS)


@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_passes_its_gate(pytester, name):
    folder = pytester.path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    os.chdir(folder)
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "--rootdir=.", "--perfgate", "--perfgate-report=json=run.json"
    )
    assert result.ret == 0, result.outlines
    run = json.loads((folder / "run.json").read_text("utf-8"))
    assert run["summary"]["measured"] == len(run["cases"]) > 0
    assert {case["metric"] for case in run["cases"]} == MEASURES[name]
    assert {case["verdict"] for case in run["cases"]} <= {"pass", "inconclusive"}


@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_is_an_ordinary_suite_without_it(pytester, name):
    folder = pytester.path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    os.chdir(folder)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--rootdir=.")
    assert result.ret == 0


def test_the_example_of_two_versions_finds_what_became_faster(pytester):
    folder = pytester.path / "two_versions"
    shutil.copytree(EXAMPLES / "two_versions", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    os.chdir(folder)
    command = ("--perfgate", "--perfgate-against=path:before", "--perfgate-report=json=run.json")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--rootdir=.", *command)
    assert result.ret == 0, result.outlines
    cases = json.loads((folder / "run.json").read_text("utf-8"))["cases"]
    verdicts = {case["test"].rpartition("::")[2]: case["verdict"] for case in cases}
    assert verdicts["test_counting"] == "improved"
    assert verdicts["test_the_most_common"] in ("pass", "inconclusive")
    assert all(case["change"]["against"] for case in cases)
