"""Budgets that are not written above a test: a ``conftest.py`` adds them, in time or too late."""

from __future__ import annotations

import pytest

_ADDS = """
    import pytest

    {hook}
    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.budget({budget}))
"""
_TESTS = """
    def test_fixture(perf):
        perf(len, "abc")

    def test_plain():
        pass
"""
_LATE = """
    @pytest.fixture(autouse=True)
    def limits(request):
        request.node.add_marker(pytest.mark.budget(s=60))

    def test_fixture(perf):
        perf(len, "abc")

    def test_plain():
        pass
"""


@pytest.mark.parametrize("hook", ["", "@pytest.hookimpl(tryfirst=True)", "@pytest.hookimpl(trylast=True)"])
def test_a_budget_added_by_a_hook_is_enforced_whenever_the_hook_is_called(project, hook):
    project.write("conftest.py", _ADDS.format(hook=hook, budget="ns=1"))
    project.test(_TESTS)
    run = project.run()
    assert run.ret == 1, run.text
    assert run.verdicts == {"test_fixture#perf": "over-budget", "test_plain#call": "over-budget"}


def test_a_budget_added_by_a_hook_is_enforced_in_every_setting(project, setting):
    project.write("conftest.py", _ADDS.format(hook="", budget="ns=1"))
    project.test(_TESTS)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    assert run.verdicts == {"test_fixture#perf": "over-budget", "test_plain#call": "over-budget"}


def test_a_mistake_in_an_added_budget_is_told_before_anything_runs(project, setting):
    project.write("conftest.py", _ADDS.format(hook="", budget="mss=1"))
    project.test("def test_it():\n    print('it ran')")
    for gate in (True, False):
        run = project.run("-s", *setting, gate=gate)
        assert run.ret == 4, run.text
        assert "mss" in run.text
        assert "it ran" not in run.text


def test_a_mistake_in_the_budget_of_a_deselected_test_is_told_all_the_same(project):
    project.test("""
        @pytest.mark.budget(mss=1)
        def test_wrong():
            pass

        def test_right():
            pass
    """)
    for gate in (True, False):
        assert project.run("-k", "right", gate=gate).ret == 4


def test_only_what_has_an_added_budget_runs_when_only_what_measures_is_asked_for(project):
    project.write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.budget(s=60))
        """,
    )
    project.test("def test_first(): pass\ndef test_second(): assert False")
    run = project.run("--perfgate-only")
    assert run.ret == 0, run.text
    assert run.verdicts == {"test_first#call": "pass"}


def test_a_budget_at_a_parameter_is_closer_than_an_added_one(project):
    project.write("conftest.py", _ADDS.format(hook="", budget="ns=1"))
    project.test("""
        @pytest.mark.parametrize("which", [pytest.param(1, marks=pytest.mark.budget(s=60)), 2])
        def test_it(which):
            pass
    """)
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_it[1]#call": "pass", "test_it[2]#call": "over-budget"}


def test_a_row_of_the_table_speaks_of_a_test_that_xdist_adds_a_group_to(project):
    project.write("perfgate.toml", '[profiles.ci.budgets]\n"test_it.py::test_plain" = {ns = 1}\n')
    project.test('@pytest.mark.xdist_group("disk")\ndef test_plain(): pass')
    run = project.run("-n2", "--dist=loadgroup", "--perfgate-profile=ci")
    assert run.ret == 1, run.text
    assert list(run.verdicts.values()) == ["over-budget"]


def test_a_budget_added_while_the_test_runs_is_refused(project, setting):
    project.test(_LATE)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    assert run.verdicts == {
        "test_fixture#perf": "pass",
        "test_fixture#late-budget": "failed-to-measure",
        "test_plain#late-budget": "failed-to-measure",
    }
    told = [case["reason"] for case in run.json["cases"] if case["verdict"] != "pass"]
    assert all("add it in pytest_collection_modifyitems" in reason for reason in told)
    assert project.run(*setting, gate=False).ret == 0
