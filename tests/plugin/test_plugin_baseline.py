"""Comparison with a stored run inside pytest."""

from __future__ import annotations

import json

import pytest

TESTS = """
    def work(n):
        return sum(range(n))

    @pytest.mark.parametrize("n", [100, 200])
    def test_work(n, perf):
        perf(work, n)

    def test_count(metric):
        metric("queries", 12)
"""


def record(project, name="base.json", *, faster=1.0, **facts):
    """Record a run and store it as *name*, its times divided by *faster* and machine facts replaced."""
    assert project.run().ret == 0
    run = json.loads((project.path / "run.json").read_text())
    for case in run["cases"]:
        if case["unit"] == "s":
            for key in ("value",):
                case[key] /= faster
            for key in ("samples", "interval", "processes"):
                case[key] = case[key] and [value / faster for value in case[key]]
            for key in ("calibrated_samples", "calibrated_processes"):
                if key in case["extra"]:
                    case["extra"][key] = [value / faster for value in case["extra"][key]]
    run["machine"].update(facts)
    (project.path / name).write_text(json.dumps(run))
    return run


def test_code_that_became_much_slower_fails_as_that_test(project, setting):
    project.test(TESTS)
    record(project, faster=1e6)
    run = project.run("--perfgate-baseline=base.json", *setting)
    assert run.ret == 1, run.text
    assert run.verdicts["test_work[100]#perf"] == "regressed"
    assert run.verdicts["test_count#queries"] == "pass"
    change = run.cases["test_work[100]#perf"]["change"]
    assert change["tolerance"] == 0.05
    assert change["against"] == "base.json"
    assert change["ratio"] > 2
    if any("junitxml" in arg for arg in setting):
        assert run.junit_failures == 2
    if "no:terminal" not in setting:
        assert "2 failed, 1 passed" in run.out
        assert "regressed" in run.out
        assert "Traceback" not in run.text


def test_an_exact_metric_is_compared_exactly(project):
    project.test(TESTS)
    record(project)
    project.test(TESTS.replace("12", "13"))
    run = project.run("--perfgate-baseline=base.json")
    assert run.verdicts["test_count#queries"] == "regressed"
    assert run.ret == 1


def test_a_marker_may_have_its_own_tolerance(project):
    project.test(TESTS)
    record(project)
    project.test(
        TESTS.replace("12", "13").replace(
            "def test_count", '@pytest.mark.budget(max_regression="10%")\n    def test_count'
        )
    )
    run = project.run("--perfgate-baseline=base.json")
    assert run.verdicts["test_count#queries"] == "pass"


def test_another_machine_is_incomparable_and_never_a_verdict(project):
    project.test(TESTS)
    record(project, faster=1e6, cpu="Some Other CPU")
    run = project.run("--perfgate-baseline=base.json")
    assert set(run.verdicts.values()) == {"incomparable"}
    assert "Some Other CPU" in run.out
    assert "verdict: inconclusive: nothing was compared (3 measured: 3 incomparable)" in run.out
    assert run.ret == 0
    assert run.json["summary"]["verdict"] == "inconclusive"
    assert project.run("--perfgate-baseline=base.json", "--perfgate-strict").ret == 1


def test_missing_new_and_renamed_cases_are_listed_and_counted(project):
    project.test(TESTS)
    record(project)
    project.test(
        TESTS.replace("def test_count(metric)", "def test_counts(metric)")
        + "\n    def test_new(perf): perf(len, 'a')\n"
    )
    run = project.run("--perfgate-baseline=base.json")
    assert run.verdicts["test_count#queries"] == "missing"
    assert run.verdicts["test_new#perf"] == "no-baseline"
    assert "renamed" in run.cases["test_count#queries"]["reason"]
    assert run.json["summary"]["counts"]["missing"] == 1
    assert run.ret == 0
    assert project.run("--perfgate-baseline=base.json", "--perfgate-strict").ret == 1


def test_a_part_of_the_suite_does_not_miss_the_rest(project):
    project.test(TESTS)
    record(project)
    project.write("test_other.py", "def test_other(perf): perf(len, 'a')\n")
    for narrowed in (["-k", "test_count"], ["test_it.py::test_count"]):
        run = project.run("--perfgate-baseline=base.json", *narrowed)
        assert run.verdicts == {"test_count#queries": "pass"}, narrowed
    only_other = project.run("--perfgate-baseline=base.json", "test_other.py")
    assert "missing" not in only_other.verdicts.values()


@pytest.mark.parametrize("more", [[], ["-n2"], ["-p", "no:terminal"]], ids=["plain", "xdist", "no-terminal"])
def test_a_baseline_none_of_whose_cases_are_here_fails(project, more):
    project.test(TESTS)
    record(project)
    project.test("def test_something_else(perf): perf(len, 'a')")
    run = project.run("--perfgate-baseline=base.json", *more)
    assert run.ret == 1
    assert "nothing could be compared" in run.text


def test_the_baseline_may_stand_in_the_configuration(project):
    project.test(TESTS)
    record(project, faster=1e6)
    project.write("perfgate.toml", 'baseline = "base.json"\n')
    (project.path / "sub").mkdir()
    assert project.run("-n2").ret == 1
    assert project.run("--rootdir=.", "--no-perfgate").ret == 0


@pytest.mark.parametrize("more", [[], ["-n2"], ["-p", "no:terminal"]], ids=["plain", "xdist", "no-terminal"])
def test_a_report_that_would_overwrite_the_baseline_is_refused(project, more):
    project.test(TESTS)
    record(project)
    stored = (project.path / "base.json").read_bytes()
    (project.path / "link.json").symlink_to("base.json")
    for path in ("base.json", "link.json"):
        run = project.run("--perfgate-baseline=base.json", f"--perfgate-report=json={path}", *more)
        assert run.ret == pytest.ExitCode.USAGE_ERROR, run.text
        assert "the baseline that the run is judged by are one file" in run.text
    assert (project.path / "base.json").read_bytes() == stored
