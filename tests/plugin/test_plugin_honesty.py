"""What a run must not hide: that it was cut short, repeated, measured twice, or measured something else."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
def test_when_every_worker_dies_for_good_the_cases_are_not_forgotten(project, more):
    project.test("""
        import os

        @pytest.mark.budget(s=60)
        def test_dies(perf):
            perf(os._exit, 9)

        @pytest.mark.budget(s=60)
        def test_never_runs(perf):
            perf(len, "abc")
    """)
    if not more:
        assert project.run().ret == 9, "the only process is gone"
        return
    run = project.run("-n1", "--max-worker-restart=0")
    assert run.ret == 1
    assert run.verdicts == {"test_dies#call": "failed-to-measure"}
    assert "cut short" in run.text
    assert "no test of this run" not in run.text


def test_an_interrupted_run_says_that_it_was_cut_short(project):
    project.test("""
        def test_first(perf):
            perf(len, "abc")

        def test_second(perf):
            perf(len, "abc")
            raise KeyboardInterrupt

        def test_third(perf):
            perf(len, "abc")
    """)
    run = project.run()
    assert run.ret == 2
    assert run.json["summary"]["verdict"] == "fail"
    assert run.json["summary"]["failures"] == [
        "the run was cut short: 2 tests that should measure did not run to the end: "
        "test_it.py::test_second, test_it.py::test_third"
    ]
    assert run.verdicts == {"test_first#perf": "pass", "test_second#call": "failed-to-measure"}
    assert "interrupted while the test ran" in run.cases["test_second#call"]["reason"]


@pytest.mark.parametrize("phase", ["before", "after"])
def test_an_interruption_around_the_call_is_told_as_far_as_it_matters(project, phase):
    project.test(f"""
        @pytest.fixture
        def interrupted():
            if "{phase}" == "before":
                raise KeyboardInterrupt
            yield
            raise KeyboardInterrupt

        def test_it(perf, interrupted):
            perf(len, "abc")
    """)
    run = project.run()
    assert run.ret == 2
    assert run.verdicts == ({} if phase == "before" else {"test_it#perf": "pass"})
    assert ("test_it.py::test_it" in " ".join(run.json["summary"]["failures"])) is (phase == "before")


def test_the_interrupted_test_is_named_also_where_a_worker_ran_it(project):
    project.test("""
        def test_first(perf):
            perf(len, "abc")

        def test_second(perf):
            raise KeyboardInterrupt
    """)
    run = project.run("-n2")
    assert run.ret == 2
    assert run.verdicts["test_second#call"] == "failed-to-measure"
    assert run.json["summary"]["verdict"] in ("fail", "error")


def test_a_run_that_stops_at_the_first_failure_says_so(project):
    project.test("""
        def test_fails():
            assert False

        @pytest.mark.budget(ns=1)
        def test_slow(perf):
            perf(len, "abc")

        def test_measured_before(perf):
            perf(len, "abc")
    """)
    run = project.run("-x")
    assert run.ret == 1
    assert run.json["summary"]["verdict"] in ("fail", "error")
    assert "cut short" in " ".join(run.json["summary"]["failures"])


def test_a_second_measurement_without_a_name_is_in_the_report(project):
    project.test("""
        def test_twice(perf):
            perf(len, "a")
            perf(len, "b")
    """)
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_twice#perf": "pass", "test_twice#perf:perf-again": "failed-to-measure"}
    assert run.json["summary"]["verdict"] == "fail"
    assert run.out.count("measured twice") <= 3
    assert "During handling" not in run.out


def test_a_test_that_is_run_again_starts_afresh(project):
    pytest.importorskip("pytest_rerunfailures")
    project.test("""
        attempts = []

        @pytest.mark.budget(s=60)
        def test_flaky(perf):
            perf(len, "abc")
            attempts.append(1)
            assert len(attempts) > 1

        @pytest.mark.budget(s=60)
        def test_flaky_plain():
            attempts.append(1)
            assert len(attempts) > 3
    """)
    run = project.run("--reruns=5", plugins=["pytest_rerunfailures"])
    assert run.ret == 0, run.text
    assert run.verdicts == {"test_flaky#perf": "pass", "test_flaky_plain#call": "pass"}


def test_of_two_tests_with_one_id_the_failing_one_counts(project):
    for folder, budget in (("a", "ns=1"), ("b", "s=60")):
        project.write(
            f"{folder}/test_same.py",
            f"import pytest\n@pytest.mark.budget({budget})\ndef test_it(perf): perf(len, 'a')\n",
        )
    project.write("a/pytest.ini", "[pytest]\n")
    for order in (["a", "b"], ["b", "a"]):
        run = project.run("--import-mode=importlib", "--rootdir=a", *order)
        assert run.ret == 1
        assert run.json["summary"]["verdict"] == "fail"


def test_a_fixture_asked_for_by_name_takes_the_budget(project):
    project.test("""
        @pytest.mark.budget(ms=50)
        def test_it(request):
            request.getfixturevalue("perf")(len, "abc")
    """)
    run = project.run()
    assert run.verdicts == {"test_it#perf": "pass"}


def test_a_closer_median_takes_the_place_of_the_classes_limit(project):
    project.test("""
        @pytest.mark.budget(ns=1)
        class TestIt:
            @pytest.mark.budget("median < 60s")
            def test_it(self, perf):
                perf(len, "abc")
    """)
    assert project.run().verdicts == {"TestIt::test_it#perf": "pass"}


def test_a_row_of_another_profile_is_checked_as_well(project):
    project.write(
        "pyproject.toml",
        """
        [tool.perfgate.profiles.there]
        match = {cores = ">=99999"}
        [tool.perfgate.profiles.there.budgets]
        "test_it.py::test_it" = {mss = 1}
        """,
    )
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run()
    assert run.ret == 4
    assert "profiles.there" in run.text
    assert "mss" in run.text


def test_reports_of_the_configuration_stand_beside_it(project, monkeypatch):
    project.write("perfgate.toml", 'enabled = true\nreport = "json=own.json"\n')
    project.test("def test_it(perf): perf(len, 'a')")
    (project.path / "sub").mkdir()
    monkeypatch.chdir(project.path / "sub")
    assert project.run("--rootdir=..", "..", gate=False).ret == 0
    assert (project.path / "own.json").exists()


def test_an_error_of_the_target_ends_in_the_users_own_code(project):
    project.test("""
        def boom():
            raise ValueError("mine")

        def test_it(perf):
            perf(boom)
    """)
    run = project.run()
    assert "ValueError: mine" in run.out
    assert "pytest_perfgate/" not in run.out
    assert "perfgate loop" not in run.out


@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
def test_a_suite_with_nothing_to_measure_is_told_so_and_is_no_error(project, more):
    project.test("def test_ordinary(): pass")
    run = project.run(*more)
    assert run.ret == 0, run.text
    assert (
        "no test of this run uses a perfgate fixture or carries a budget, so there is nothing to measure"
        in " ".join(run.out.split())
    )
    assert "no verdict: nothing was measured" in run.out
    assert "verdict: error" not in run.out
    assert project.run("--perfgate-strict", *more).ret == 1


def test_what_was_measured_before_a_skip_is_told_and_not_judged(project, setting):
    project.test("""
        @pytest.mark.budget(ns=1)
        def test_over(perf, memory):
            perf(sorted, [2, 1])
            pytest.skip("later")

        def test_earlier(perf):
            pytest.skip("now")
            perf(len, "abc")

        def test_measured(perf):
            perf(len, "abc")
    """)
    run = project.run(*setting)
    assert run.ret == 0, run.text
    assert run.verdicts == {"test_measured#perf": "pass"}
    notes = run.json["summary"]["notes"]
    [over] = [note for note in notes if "test_over" in note]
    assert over.startswith(
        "test_it.py::test_over skipped after it had measured, so this counts for nothing: test_over is over budget"
    )
    assert "not measured, because skipped or failed as expected: test_it.py::test_earlier" in notes
    assert "memory" not in over, "that it was not called says nothing of a test that skipped"
