"""Budgets from the marker to the failed test, in every setting."""

from __future__ import annotations

import pytest


def test_a_plain_test_over_its_budget_fails_as_that_test(project, setting):
    project.test("""
        @pytest.mark.budget(ns=1)
        def test_slow():
            sum(range(1000))

        @pytest.mark.budget(s=60)
        def test_fast():
            pass

        def test_ordinary():
            pass
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == {"test_slow#call": "over-budget", "test_fast#call": "pass"}
    assert run.json["summary"]["verdict"] == "fail"
    if "no:terminal" not in setting:
        assert "1 failed, 2 passed" in run.out
        assert "over budget" in run.out
        assert "Traceback" not in run.text
    if any("junitxml" in arg for arg in setting):
        assert run.junit_failures == 1


def test_a_test_within_its_budget_passes(project, setting):
    project.test("""
        @pytest.mark.budget(s=60)
        def test_fast(perf):
            assert perf(sum, [1, 2]) == 3
    """)
    run = project.run(*setting, autoload=True)  # as users start it, with the real entry point
    assert run.ret == 0
    assert run.verdicts == {"test_fast#perf": "pass"}
    assert run.json["summary"] == {**run.json["summary"], "verdict": "pass", "measured": 1}


def test_without_the_gate_nothing_is_measured_or_enforced(project):
    project.test("""
        calls = []

        @pytest.mark.budget(ns=1)
        def test_slow(perf):
            assert perf(lambda: calls.append(1) or 7) == 7
            assert len(calls) == 1
            assert perf.last is None
    """)
    run = project.run(gate=False)
    assert run.ret == 0
    assert not (project.path / "run.json").exists()


def test_budget_of_a_fixture_is_about_what_the_fixture_measured(project):
    project.test("""
        import time

        @pytest.mark.budget(ms=50)
        def test_setup_is_not_counted(perf):
            time.sleep(0.2)
            perf(len, "abc")
    """)
    assert project.run().ret == 0


def test_rounds_repeat_the_call_phase_and_judge_the_median(project):
    project.test("""
        calls = []

        @pytest.mark.budget(s=60, rounds=5)
        def test_repeated():
            calls.append(1)

        def test_afterwards():
            assert len(calls) == 5
    """)
    run = project.run()
    assert run.ret == 0
    assert run.cases["test_repeated#call"]["rounds"] == 5


def test_expressions_hold_all_or_fail(project):
    project.test("""
        @pytest.mark.budget("p(95) < 60s", "max < 1ns")
        def test_both(perf):
            perf(len, "abc")
    """)
    run = project.run()
    assert run.ret == 1
    case = run.cases["test_both#perf"]
    assert case["verdict"] == "over-budget"
    assert case["budget"]["expression"].startswith("max <")
    assert len(case["budgets"]) == 2


@pytest.mark.parametrize("place", ["class", "module"])
def test_class_and_module_markers_reach_their_tests(project, place):
    project.test(
        """
        pytestmark = [{module}]

        {klass}
        class TestThings:
            def test_inside(self):
                pass

            @pytest.mark.budget(s=60)
            def test_own(self):
                pass
    """.format(
            module="pytest.mark.budget(ns=1)" if place == "module" else "",
            klass="@pytest.mark.budget(ns=1)" if place == "class" else "",
        )
    )
    run = project.run()
    assert run.verdicts == {
        "TestThings::test_inside#call": "over-budget",
        "TestThings::test_own#call": "pass",
    }


def test_a_marker_at_a_parameter_is_closest(project):
    project.test("""
        @pytest.mark.budget(s=60)
        @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.budget(ns=1))])
        def test_it(n):
            pass
    """)
    assert project.run().verdicts == {"test_it[1]#call": "pass", "test_it[2]#call": "over-budget"}


def test_stacked_markers_of_other_profiles_fall_back(project):
    project.test("""
        @pytest.mark.budget(ns=1, profile="ci")
        @pytest.mark.budget(s=60)
        def test_it():
            pass
    """)
    assert project.run("--perfgate-profile=standard").verdicts == {"test_it#call": "pass"}
    strict = project.run("--perfgate-profile=ci")
    assert strict.verdicts == {"test_it#call": "over-budget"}
    assert strict.cases["test_it#call"]["budget"]["profile"] == "ci"


def test_a_budget_for_other_profiles_only_is_said_aloud(project):
    project.test("""
        @pytest.mark.budget(ns=1, profile="ci")
        def test_it():
            pass

        @pytest.mark.budget(s=1)
        def test_other():
            pass
    """)
    run = project.run("--perfgate-profile=standard")
    assert run.ret == 0
    assert "other profiles than standard" in run.out
    project.write("perfgate.toml", 'unknown_profile = "fail"\n')
    assert project.run("--perfgate-profile=standard").ret == 1


def test_a_limit_on_something_not_measured_fails(project):
    project.test("""
        @pytest.mark.budget(modules=140)
        def test_it(perf):
            perf(len, "abc")
    """)
    run = project.run()
    assert run.ret == 1
    assert "failed-to-measure" in run.verdicts.values()
    assert "did not measure" in run.out


def test_memory_of_a_plain_test_is_measured(project):
    project.test("""
        @pytest.mark.budget(gb=64)
        def test_it():
            bytearray(1000)
    """)
    run = project.run()
    assert run.ret == 0
    assert run.cases["test_it#memory.peak"]["unit"] == "B"


def test_an_expected_failure_may_be_over_budget(project):
    project.test("""
        @pytest.mark.xfail(strict=True, reason="known to be slow")
        @pytest.mark.budget(ns=1)
        def test_slow():
            sum(range(1000))

        @pytest.mark.budget(s=60)
        def test_fast():
            pass
    """)
    run = project.run()
    assert run.ret == 0
    assert "1 xfailed" in run.out
    assert run.verdicts == {"test_fast#call": "pass"}


def test_last_failed_and_exitfirst_see_a_broken_budget(project):
    project.test("""
        @pytest.mark.budget(ns=1)
        def test_slow():
            pass

        @pytest.mark.budget(s=60)
        def test_fast():
            pass
    """)
    first = project.pytester.runpytest_subprocess("--perfgate", "-x")
    first.assert_outcomes(failed=1)
    again = project.pytester.runpytest_subprocess("--perfgate", "--lf")
    again.assert_outcomes(failed=1)


def test_unittest_and_doctest_items_are_left_in_peace(project):
    project.test("""
        import unittest

        class TestOld(unittest.TestCase):
            @pytest.mark.budget(s=60, rounds=3)
            def test_budget(self):
                self.assertTrue(True)

            def test_plain(self):
                pass
    """)
    project.write("module.py", '"""\n>>> 1 + 1\n2\n"""\n')
    run = project.run("--doctest-modules")
    assert run.ret == 0
    assert run.cases["TestOld::test_budget#call"]["rounds"] == 3
    assert "3 passed" in run.out


def test_the_marker_can_be_renamed(project):
    project.write("pyproject.toml", '[tool.perfgate]\nmarker = "perf_budget"\n')
    project.test("""
        @pytest.mark.perf_budget(ns=1)
        def test_ours():
            pass

        @pytest.mark.budget(max_usd=3)
        def test_theirs():
            pass
    """)
    run = project.run()
    assert run.verdicts == {"test_ours#call": "over-budget"}


def test_only_runs_what_measures(project):
    project.test("""
        def test_ordinary():
            pass

        def test_perf(perf):
            perf(len, "abc")
    """)
    run = project.run("--perfgate-only")
    assert run.ret == 0
    assert "1 passed, 1 deselected" in run.out
