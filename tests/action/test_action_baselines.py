"""Stored baselines: what is compared with, what is said where there is none, and which runs move it."""

from __future__ import annotations

import json

import pytest

SAME = {"a": 100, "b": 100}
WORSE = {"a": 100, "b": 120}
BETTER = {"a": 80, "b": 100}


def read_baseline(job, key=-1):
    (path,) = (job.folder / "cache" / job.cache.keys[key]).rglob("baseline.json")
    cases = json.loads(path.read_text("utf-8"))["cases"]
    return {case["id"].partition("::")[2]: case["value"] for case in cases}


def test_the_first_run_on_the_default_branch_compares_nothing_says_so_and_is_recorded(job):
    played = job.play(SAME)
    assert played.is_green, played.log
    assert played.outputs["status"] == "no-baseline"
    assert (played.outputs["compared"], played.outputs["worst-change"]) == ("0", "")
    assert (played.outputs["baseline-found"], played.outputs["exit-code"]) == ("false", "0")
    (warning,) = played.messages("warning")
    assert "nothing was compared: no baseline in the cache" in warning
    assert "this run becomes the baseline" in warning
    assert "perfgate: nothing was compared; budgets pass" in played.summary
    assert "perfgate: pass" not in played.summary
    assert len(job.cache.keys) == 1


def test_a_run_that_changes_nothing_passes_and_moves_the_baseline_on(job):
    job.play(SAME)
    played = job.play(SAME)
    assert played.is_green, played.log
    assert played.outputs["status"] == "pass"
    assert (played.outputs["compared"], played.outputs["regressions"]) == ("3", "0")
    assert played.outputs["baseline-found"] == "true"
    assert float(played.outputs["worst-change"]) == 0
    assert len(job.cache.keys) == 2


def test_a_regression_fails_names_the_worst_and_does_not_move_the_baseline(job):
    job.play(SAME)
    for _ in range(2):  # the second time as well: what regressed never becomes normal by itself
        played = job.play(WORSE)
        assert not played.is_green
        assert played.outputs["status"] == "fail"
        assert (played.outputs["regressions"], played.outputs["exit-code"]) == ("1", "1")
        assert float(played.outputs["worst-change"]) == pytest.approx(0.2)
        assert [step.name for step in played.steps if step.outcome == "failure"] == ["Verdict"]
        line = played.messages("error")[-2]
        assert line.startswith("perfgate: FAILED: 1 regressed")
        assert "test_it.py::test_count[b]#queries +20.0 %" in line
        assert len(job.cache.keys) == 1


def test_an_improvement_passes_and_raises_the_bar(job):
    job.play(SAME)
    played = job.play(BETTER)
    assert (played.outputs["status"], played.outputs["improvements"]) == ("pass", "1")
    assert not job.play(SAME).is_green


@pytest.mark.parametrize(
    ("policy", "is_green", "level"), [("fail", False, "error"), ("warn", True, "warning"), ("pass", True, "notice")]
)
def test_a_missing_baseline_is_what_the_policy_says(job, policy, is_green, level):
    job.on("push", "refs/heads/topic", repository={"default_branch": "main"})
    played = job.play(SAME, missing_baseline=policy)
    assert played.is_green is is_green, played.log
    assert played.outputs["status"] == "no-baseline"
    assert "nothing was compared" in played.messages(level)[0]
    assert job.cache.keys == []


def test_a_first_run_that_must_have_a_baseline_fails_once(job):
    first = job.play(SAME, missing_baseline="fail")
    assert not first.is_green
    for said in (first.messages("error")[-2], first.summary):
        assert "so it is stored: the next run compares with it" in said
    assert job.play(SAME, missing_baseline="fail").outputs["compared"] == "3"


def test_a_first_run_whose_own_budgets_fail_is_not_stored(job):
    job.write("test_more.py", "import pytest\n@pytest.mark.budget('rows < 5')\ndef test_x(metric): metric('rows', 9)\n")
    played = job.play(SAME, missing_baseline="fail")
    assert not played.is_green
    assert "stored" not in played.messages("error")[-2]
    assert job.cache.keys == []


@pytest.mark.parametrize(
    ("event", "ref", "records"),
    [
        ("push", "refs/heads/main", True),
        ("push", "refs/heads/topic", False),
        ("push", "refs/tags/v1", False),
        ("schedule", "refs/heads/main", True),
        ("workflow_dispatch", "refs/heads/main", True),
        ("workflow_dispatch", "refs/heads/topic", False),
        ("pull_request", "refs/pull/7/merge", False),
        ("merge_group", "refs/heads/gh-readonly-queue/main/pr-7", False),
    ],
)
def test_only_the_default_branch_moves_the_baseline(job, event, ref, records):
    job.on(event, ref, **({} if event == "schedule" else {"repository": {"default_branch": "main"}}))
    played = job.play(SAME, against="none")
    assert played.is_green, played.log
    assert bool(job.cache.keys) is records


@pytest.mark.parametrize(("update", "records"), [("false", False), ("true", True)])
def test_whoever_says_so_decides_about_the_baseline(job, update, records):
    job.on("push", "refs/heads/topic" if records else "refs/heads/main", repository={"default_branch": "main"})
    job.play(SAME, update_baseline=update)
    assert bool(job.cache.keys) is records


def test_a_forced_update_does_not_make_a_regression_normal(job):
    job.play(SAME)
    assert not job.play(WORSE, update_baseline="true").is_green
    assert job.play(WORSE, update_baseline="true", fail_on_regression="false").is_green
    assert len(job.cache.keys) == 1


def test_jobs_keys_and_folders_have_baselines_of_their_own(job):
    job.play(SAME)
    assert job.play(WORSE, baseline_key="other").outputs["status"] == "no-baseline"
    assert job.play(SAME, baseline_key="other-one").outputs["status"] == "no-baseline"
    job.github["job"] = "perf-2"
    assert job.play(WORSE).outputs["status"] == "no-baseline"


def test_a_broken_baseline_in_the_cache_is_told_and_replaced(job):
    job.play(SAME)
    (path,) = (job.folder / "cache").rglob("baseline.json")
    path.write_text("{", "utf-8")
    played = job.play(SAME)
    assert played.outputs["status"] == "no-baseline"
    assert any("the baseline in the cache is left out" in message for message in played.messages("warning"))
    assert job.play(SAME).outputs["status"] == "pass"


def test_a_baseline_from_another_machine_is_nothing_to_compare_with(job):
    job.play(SAME)
    (path,) = (job.folder / "cache").rglob("baseline.json")
    stored = json.loads(path.read_text("utf-8"))
    stored["machine"]["cpu"] = "another"
    path.write_text(json.dumps(stored), "utf-8")
    played = job.play(WORSE)
    assert played.is_green
    assert played.outputs["status"] == "no-baseline"
    assert any("the baseline was measured on another" in message for message in played.messages("warning"))


def test_a_new_case_is_recorded_with_the_rest(job):
    job.play({"a": 100})
    assert job.play({"a": 100, "c": 7}).outputs["status"] == "pass"
    assert read_baseline(job)["test_count[c]#queries"] == 7


def test_a_case_that_is_gone_is_counted_and_forgotten(job):
    job.play(SAME)
    played = job.play({"a": 100})
    assert played.is_green
    assert (played.outputs["status"], played.outputs["missing"]) == ("inconclusive", "1")
    assert job.play({"a": 100}).outputs["status"] == "pass"


class TestFile:
    def test_a_committed_run_is_compared_with_and_never_written(self, job):
        first = job.play(SAME, report_dir="out", baseline_storage="none")
        committed = job.write("perf/base.json", (job.workspace / "out/perfgate.json").read_text("utf-8"))
        before = committed.read_bytes()
        assert first.outputs["status"] == "pass"
        given = {"baseline_storage": "file", "baseline_path": "perf/base.json"}
        assert job.play(SAME, **given).outputs["status"] == "pass"
        assert not job.play(WORSE, **given).is_green
        assert committed.read_bytes() == before
        assert job.cache.keys == job.cache.asked == []

    def test_one_that_is_not_there_is_missing(self, job):
        played = job.play(SAME, baseline_storage="file", missing_baseline="fail")
        assert not played.is_green
        assert "there is no" in played.messages("error")[0]

    def test_an_update_leaves_it_for_whoever_commits(self, job):
        job.play(SAME, baseline_storage="file", update_baseline="true")
        assert (job.workspace / "perfgate-baseline.json").exists()
        assert not job.play(WORSE, baseline_storage="file", update_baseline="true").is_green

    def test_one_that_is_no_run_is_told_before_anything_is_measured(self, job):
        job.write("perfgate-baseline.json", "[]")
        played = job.play(SAME, baseline_storage="file")
        assert [step.name for step in played.steps if step.outcome == "failure"] == ["Plan"]
        assert "perfgate-baseline.json" in played.messages("error")[0]


@pytest.mark.parametrize("arguments", ["", "-n2"])
def test_plugins_that_are_found_by_themselves_and_workers_change_nothing(job, arguments):
    del job.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    job.play(SAME, pytest_args=arguments)
    job.write("test_more.py", "def test_wrong(): assert 1 == 2\n")
    played = job.play(WORSE, pytest_args=arguments)
    assert not played.is_green
    assert (played.outputs["regressions"], played.outputs["compared"]) == ("1", "3")
    assert "1 test failed for other reasons than performance (test_more.py::test_wrong)" in played.messages("error")[-2]


def test_without_a_comparison_budgets_alone_are_judged(job):
    played = job.play(SAME, baseline_storage="none", against="none")
    assert (played.outputs["status"], played.outputs["compared"]) == ("pass", "0")
    assert "nothing was to be compared" in played.messages("notice")[0]
