"""``perfgate trust``: what it prints and refuses; the verdicts of a live trial are not asserted."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time

import pytest

from pytest_perfgate.cli import main
from pytest_perfgate.cli.trust import _Bar
from pytest_perfgate.model import Verdict
from pytest_perfgate.paired.trials import Experiment, TrialProgress, fitting_suite
from pytest_perfgate.paired.trials.workloads import SLOWDOWNS, WORKLOADS, measure_costs, operations_for


def test_a_short_trial_prints_its_error_rates_with_bounds_and_writes_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pytest_perfgate.paired.trials.experiment.measure_costs", lambda: measure_costs(1))
    file = tmp_path / "trust.json"
    assert main(["trust", "--time", "1s", "--cases", "2", "--changes", "100%", "--json", str(file)]) in (0, 1)
    printed = capsys.readouterr()
    head, _, unchanged, *_ = printed.out.splitlines()
    assert " ".join(head.split()) == "slower by compared failed 95 % bounds passed undecided rounds seconds 95th"
    assert unchanged.split()[:2] == ["unchanged", "2"]
    assert " of 1 failed (95 % bound " in printed.out
    assert "noise: one process pair differs from the next by" in printed.out
    assert printed.err == "suites of 2 cases, for 1s\n", "no bar where nobody looks"
    facts = json.loads(file.read_text("utf-8"))
    assert facts["format"] == "perfgate-trust"
    assert [tally["true_change"] for tally in facts["tallies"]] == [0.0, 1.0]
    assert len(facts["tallies"][0]["rounds"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time", "soon"], "--time 'soon' is not"),
        (["--time", "0.2s"], "give it at least a second"),
        (["--changes", "fast"], "--changes 'fast' is not a percentage"),
        (["--changes", "0%"], "unchanged code is tried by itself"),
        (["--max-regression", "0%"], "no gate can tell"),
        (["--cases", "0"], "at least one case"),
        (["--json", "no/such/folder/trust.json"], "the folder"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(capsys, arguments, said):
    assert main(["trust", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "planted", "cases"),
    [(1, [0.1], 4), (60, [0.02, 0.1], 15), (60, [], 50), (300, [0.02, 0.1], 50), (8, [0.02, 0.03, 0.04, 0.05, 0.1], 5)],
)
def test_a_suite_is_as_large_as_there_is_time_for(seconds, planted, cases):
    assert fitting_suite(seconds, planted) == cases


def test_the_cost_of_every_slowdown_is_measured_in_every_workload():
    costs = measure_costs(1)
    assert costs.keys() == WORKLOADS.keys()
    assert all(of_workload.keys() == SLOWDOWNS.keys() for of_workload in costs.values())


@pytest.mark.parametrize(("share", "cost", "operations"), [(0.04, 0.05, 32), (0.02, 0.15, 5), (0.1, 0.016, 250)])
def test_so_many_operations_are_planted_as_make_the_share(share, cost, operations):
    assert operations_for(share, cost) == operations


def test_no_suite_is_begun_that_would_not_end_in_time(monkeypatch):
    now, played = [0.0], []
    monkeypatch.setattr("pytest_perfgate.paired.trials.experiment.measure_costs", dict)

    def run_suite(self, changes, *_):
        now[0] += 30.0 if any(changes) else 10.0
        played.append(changes)

    monkeypatch.setattr(Experiment, "_run_suite", run_suite)
    Experiment(planted=[0.1], suite=4, clock=lambda: now[0]).run(60.0)
    assert [any(changes) for changes in played] == [False, True, False]


def test_an_interrupted_trial_says_what_it_found_so_far(monkeypatch, capsys):
    def run(self, seconds):
        self.tallies[0.0].verdicts[Verdict.PASS] += 4
        self.tallies[0.0].rounds += [5] * 4
        self.tallies[0.0].seconds += [0.5] * 4
        self.tallies[0.0].suites += 1
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "run", run)
    assert main(["trust"]) == 130
    printed = capsys.readouterr()
    assert "suites of unchanged code: 0 of 1 failed" in printed.out
    assert printed.err.endswith("perfgate: interrupted\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_tells_the_time_that_is_left_and_what_is_under_way():
    stream = Terminal()
    facts = {"suite": 2, "cases": 50, "comparisons": 50, "budget_s": 300.0}
    with contextlib.closing(_Bar(stream)) as bar:
        for elapsed, undecided in ((30.0, 50), (270.0, 7), (310.0, 1)):
            bar.show(TrialProgress(undecided=undecided, elapsed_s=elapsed, **facts))
    first, second, third, last = stream.getvalue().replace("\x1b[K", "").split("\r")[1:]
    assert first == "[##--------------] 4 min left, suite 2: 50 of 50 undecided, 50 done"
    assert second == "[##############--] 30 s left, suite 2: 7 of 50 undecided, 50 done"
    assert third == "[################] time is up, suite 2: 1 of 50 undecided, 50 done"
    assert not last
    assert all(len(line) < 80 for line in (first, second, third))


def test_the_bar_stands_before_anything_is_measured(monkeypatch):
    shown = []

    def costs():
        assert [(one.suite, one.undecided, one.elapsed_s) for one in shown] == [(1, 7, 0.0)]
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_perfgate.paired.trials.experiment.measure_costs", costs)
    with pytest.raises(KeyboardInterrupt):
        Experiment(suite=7, report=shown.append).run(60.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal of this kind")
def test_a_trial_that_is_asked_to_end_removes_its_folders(tmp_path):
    command = [sys.executable, "-m", "pytest_perfgate", "trust", "--time", "60s"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not list(tmp_path.glob("pytest-perfgate-round-*")) and time.monotonic() < until:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(60) == 143
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1.5h", 5400), ("2min", 120)])
def test_times_are_read_in_seconds_minutes_and_hours(text, seconds):
    from pytest_perfgate.cli.trust import _seconds

    assert _seconds(text) == seconds
