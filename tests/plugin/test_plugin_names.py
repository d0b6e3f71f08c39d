"""Tests that use the names of the measuring fixtures for something of their own."""

from __future__ import annotations

_OWN = """
    import pytest

    @pytest.fixture(scope="module")
    def perf():
        return 5
"""
_NAMES = """
    @pytest.mark.parametrize("metric", ["l1", "l2"])
    def test_parameter(metric):
        assert metric

    @pytest.mark.parametrize(("startup", "other"), [(1, 2)])
    def test_one_of_two_parameters(startup, other):
        assert startup < other

    @pytest.fixture
    def memory():
        yield "own"

    def test_fixture_of_the_module(memory):
        assert memory == "own"

    def test_fixture_of_the_conftest(perf):
        assert perf == 5

    class TestClass:
        @pytest.fixture
        def benchmark(self):
            return 3

        def test_fixture_of_the_class(self, benchmark):
            assert benchmark == 3
"""


def test_a_parameter_or_fixture_of_the_users_own_is_no_meter(project, setting):
    project.write("conftest.py", _OWN)
    project.test(_NAMES)
    run = project.run(*setting)
    assert run.ret == 0, run.text
    assert run.verdicts == {}


def test_a_budget_on_a_test_with_such_a_name_is_that_of_its_call_phase(project):
    project.write("conftest.py", _OWN)
    project.test("""
        @pytest.mark.parametrize("speedup", [1])
        @pytest.mark.budget(ns=1)
        def test_parameter(speedup):
            speedup(len, [], workers=10_000) if speedup != 1 else None

        @pytest.mark.budget(ns=1)
        def test_fixture(perf):
            assert perf == 5
    """)
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_parameter[1]#call": "over-budget", "test_fixture#call": "over-budget"}


def test_a_fixture_that_hands_the_overridden_one_on_is_a_meter(project):
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture
        def perf(perf):
            return perf
        """,
    )
    project.test("""
        @pytest.mark.budget(s=60)
        def test_calls(perf):
            perf(len, "abc")

        def test_forgets(perf):
            pass
    """)
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_calls#perf": "pass", "test_forgets#perf": "failed-to-measure"}


def test_indirect_parameters_reach_the_users_own_fixture(project):
    project.test("""
        @pytest.fixture
        def memory(request):
            return request.param

        @pytest.mark.parametrize("memory", [1], indirect=True)
        def test_it(memory):
            assert memory == 1
    """)
    run = project.run()
    assert run.ret == 0, run.text
