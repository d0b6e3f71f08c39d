"""A paired comparison fails the test that became slower and no other, in every setting."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import pytest
from against import Trial

import pytest_perfgate

SETTINGS = {
    "plain": ([], ()),
    "xdist": (["-n2"], ("xdist",)),
    "no-terminal": (["-p", "no:terminal"], ()),
    "junitxml": (["-q", "--tb=short", "-rA", "--junitxml=pytest.xml"], ()),
}

PACKAGE = """
    HITS = {hits}

    def slow():
        return sum(range({n}))

    def same():
        return sum(range(1000))
"""
TESTS = """
    import os
    import pathlib
    import pkg

    def note(request):
        with pathlib.Path(__file__).with_name("log.txt").open("a") as log:
            log.write(f"{request.node.name} {os.environ.get('PERFGATE_PADDING') is not None}\\n")

    def test_slow(perf):
        perf(pkg.slow)

    def test_same(perf):
        assert perf(pkg.same) == 499500

    def test_ordinary(request):
        note(request)

    def test_ordinary_failing(request):
        note(request)
        raise ValueError("of its own")

    def test_hits(metric):
        metric("hits", pkg.HITS)
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("settings"))
    trial.base({"pkg.py": PACKAGE.format(hits=100, n=1000), "test_it.py": TESTS})
    trial.head({"pkg.py": PACKAGE.format(hits=150, n=2500)})
    return trial


@pytest.fixture(scope="module", params=list(SETTINGS))
def run(request, trial):
    """One run in one setting, with the state of the checkout before and after."""
    arguments, plugins = SETTINGS[request.param]
    (trial.path / "log.txt").unlink(missing_ok=True)
    before = trial.repository.state()
    run = trial.run(*arguments, plugins=plugins)
    run.setting, run.untouched = request.param, trial.repository.state() == before
    return run


def test_what_became_slower_fails_as_that_test_and_nothing_else_does(run):
    assert run.ret == 1, run.text
    assert run.verdicts == {
        "test_slow#perf": "regressed",
        "test_same#perf": "pass",
        "test_hits#hits": "regressed",
    }
    if run.setting != "no-terminal":
        assert "3 failed, 2 passed" in run.out
        assert "test_slow regressed: +" in run.out
        assert "process pairs" in run.out
    assert "Traceback" not in run.text


def test_the_json_report_carries_the_evidence(run):
    schema = json.loads((Path(pytest_perfgate.__file__).parent / "schema" / "perfgate-run-1.json").read_text())
    jsonschema.validate(run.json, schema)
    assert run.json["settings"]["against"] == "HEAD"
    line = 1 + textwrap.dedent(TESTS).splitlines().index("def test_slow(perf):")
    assert run.cases["test_slow#perf"]["location"] == {"file": "test_it.py", "line": line}
    change = run.cases["test_slow#perf"]["change"]
    assert 1.5 < change["ratio"] < 5
    assert change["interval"][0] <= change["ratio"] <= change["interval"][1]
    assert change["interval"][0] > 1.3
    assert change["tolerance"] == 0.3
    assert "HEAD" in change["against"]
    assert change["processes"] >= 16
    assert change["pairs"] > change["processes"]
    exact = run.cases["test_hits#hits"]["change"]
    assert exact["ratio"] == pytest.approx(1.5)
    assert exact["interval"] == [exact["ratio"]] * 2


def test_the_gate_fails_from_the_json_report(run):
    command = [sys.executable, "-m", "pytest_perfgate", "gate", "run.json"]
    done = subprocess.run(command, cwd=run.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "test_slow" in done.stdout


def test_the_junit_file_of_pytest_has_the_failures(run):
    if run.setting != "junitxml":
        assert not (run.folder / "pytest.xml").exists() or run.setting != "plain", "a worker wrote it"
        return
    assert "regressed: +" in run.outcome("test_slow")
    assert run.outcome("test_slow").startswith("failure")
    assert run.outcome("test_same") == "passed"
    assert run.outcome("test_ordinary") == "passed"


def test_ordinary_tests_run_once_and_not_in_a_worker(run):
    assert sorted((run.folder / "log.txt").read_text().splitlines()) == [
        "test_ordinary False",
        "test_ordinary_failing False",
    ]


def test_nothing_of_the_users_is_touched(run, trial):
    assert run.untouched
    remembered = json.loads((run.folder / ".pytest_cache/v/cache/lastfailed").read_text())
    assert {name.partition("::")[2] for name in remembered} == {
        "test_slow",
        "test_hits",
        "test_ordinary_failing",
    }
    assert not trial.workers()
    assert [path for path in trial.tmp.rglob("*") if "worker.json" in path.name or path.name == "tree"] == []


def test_the_same_code_passes_and_is_said_to_be_the_same(tmp_path):
    trial = Trial(tmp_path)
    trial.base({"pkg.py": PACKAGE.format(hits=100, n=1000), "test_it.py": TESTS})
    run = trial.run("-k", "hits")
    assert run.ret == 0, run.text
    assert set(run.verdicts.values()) == {"pass"}
    assert "hold the same code" in run.out
    assert any("hold the same code" in note for note in run.json["summary"]["notes"])


def test_groups_of_xdist_are_compared_as_well(tmp_path):
    trial = Trial(tmp_path)
    marked = """
        import pkg
        import pytest

        @pytest.mark.xdist_group("one")
        def test_hits(metric):
            metric("hits", pkg.HITS)
    """
    trial.base({"pkg.py": "HITS = 2", "test_it.py": marked})
    trial.head({"pkg.py": "HITS = 3"})
    run = trial.run("-n2", "--dist=loadgroup", plugins=["xdist"])
    assert list(run.verdicts.values()) == ["regressed"], run.text
    assert run.ret == 1
