"""A suite written for pytest-benchmark or pytest-codspeed runs unchanged."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from pytest_perfgate.plugin import standins

SUITE = """
    def test_call(benchmark):
        assert benchmark(sorted, [3, 1, 2]) == [1, 2, 3]

    def test_keywords(benchmark):
        assert benchmark(sorted, [1, 2], reverse=True) == [2, 1]

    def test_decorator(benchmark):
        @benchmark
        def result():
            return 7
        assert result == 7

    def test_pedantic(benchmark):
        made = []
        def setup():
            made.append(1)
            return ([3, 1],), {"reverse": True}
        result = benchmark.pedantic(sorted, setup=setup, rounds=3, warmup_rounds=0)
        assert result == [3, 1]

    @pytest.mark.benchmark(group="sorting", min_rounds=3, max_time=0.1, disable_gc=True, warmup=False)
    def test_marked(benchmark):
        benchmark.extra_info["size"] = 3
        benchmark.extra_info["what"] = object
        benchmark.group = "sorting"
        benchmark(sorted, [3, 1, 2])
        assert benchmark.stats.stats.min <= benchmark.stats["median"] <= benchmark.stats.stats.max
        assert benchmark.stats.stats.rounds >= 1
        assert benchmark.stats.stats.mean > 0

    @pytest.mark.benchmark
    def test_whole():
        sorted([3, 1, 2])

    def test_conditional(benchmark):
        if benchmark.enabled:
            benchmark(sorted, [3, 1, 2])
        else:
            sorted([3, 1, 2])
"""


def test_pedantic_takes_everything_by_position_as_pytest_benchmark_does(project):
    project.test("""
        def test_positional(benchmark):
            seen = []
            def target(*args, **kwargs):
                seen.append((args, kwargs))
                return args
            def teardown(*args, **kwargs):
                seen.append("teardown")
            assert benchmark.pedantic(target, (1,), {"x": 2}, None, teardown, 3, 1, 1) == (1,)
            assert seen == [((1,), {"x": 2}), "teardown"] * 4
            assert benchmark.stats.rounds == 3
    """)
    run = project.run()
    assert run.ret == 0, run.text


@pytest.mark.parametrize("gate", [True, False], ids=["gate", "idle"])
def test_the_suite_runs_unchanged(project, gate):
    project.test(SUITE)
    run = project.run("--strict-markers", gate=gate)
    assert run.ret == 0, run.text
    assert "7 passed" in run.out


def test_its_numbers_are_recorded(project):
    project.test(SUITE)
    run = project.run()
    assert set(run.verdicts) == {
        "test_call#perf",
        "test_keywords#perf",
        "test_decorator#perf",
        "test_pedantic#perf",
        "test_marked#perf",
        "test_whole#perf",
        "test_conditional#perf",
    }
    assert run.cases["test_whole#perf"]["rounds"] > 1
    assert run.cases["test_pedantic#perf"]["rounds"] == 3
    marked = run.cases["test_marked#perf"]
    assert marked["group"] == "sorting"
    assert marked["extra"]["extra_info"]["size"] == 3


def test_the_fixture_that_nobody_calls_is_no_pass(project):
    project.test("def test_unused(benchmark): pass")
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_unused#benchmark": "failed-to-measure"}
    assert "the test asks for the benchmark fixture but never calls it" in run.text
    assert project.run(gate=False).ret == 0


def test_a_second_call_is_refused_in_the_words_of_the_fixture(project):
    project.test("""
        def test_twice(benchmark):
            benchmark(len, "a")
            benchmark(len, "a")
    """)
    run = project.run()
    assert run.ret == 1
    assert "test_it.py:5: benchmark was called twice in one test" in run.text
    assert "def test_twice" not in run.text  # no traceback
    assert "perf was measured" not in run.text


@pytest.mark.parametrize("more", [[], ["-n2"], ["-p", "no:terminal"]], ids=["plain", "xdist", "no terminal"])
def test_a_misspelt_option_of_the_marker_is_remarked_on_once(project, more):
    project.test("""
        pytestmark = pytest.mark.benchmark(grup="x", rate_of_the_future=1, min_rounds=3)

        def test_one(benchmark): benchmark(len, "a")

        def test_two(benchmark): benchmark(len, "a")
    """)
    run = project.run(*more)
    assert run.ret == 0, run.text
    (note,) = [note for note in run.json["summary"]["notes"] if "benchmark" in note]
    assert note.endswith('::test_one: @pytest.mark.benchmark(grup=...) is ignored; did you mean "group"?')


def test_a_skipped_test_needs_no_call(project):
    project.test("""
        def test_measured(benchmark): benchmark(len, "a")

        def test_skipped(benchmark): pytest.skip("not here")
    """)
    run = project.run()
    assert run.ret == 0, run.text


MARKED = """
    import asyncio
    pytestmark = pytest.mark.benchmark(group="all")

    class TestMethods:
        called = 0

        def test_with_fixture_and_parameter(self, tmp_path, request):
            assert tmp_path.is_dir()
            type(self).called += 1

        def test_many_calls_of_one(self):
            assert self.called > 3

    @pytest.mark.parametrize("size", [1, 10])
    def test_parameters(size):
        sorted(range(size))

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_awaited(anyio_backend):
        await asyncio.sleep(0)

    def test_wrong():
        assert 1 == 2

    @pytest.mark.budget(s=10)
    def test_with_a_budget():
        pass
"""


def test_marked_tests_without_the_fixture_are_called_many_times(project):
    project.test(MARKED)
    run = project.run("-o", "filterwarnings=error", "-p", "anyio.pytest_plugin")
    assert run.verdicts == {
        "TestMethods::test_with_fixture_and_parameter#perf": "pass",
        "TestMethods::test_many_calls_of_one#perf": "pass",
        "test_parameters[1]#perf": "pass",
        "test_parameters[10]#perf": "pass",
        "test_awaited[asyncio]#perf": "pass",
        "test_wrong#perf": "failed-to-measure",
        "test_with_a_budget#perf": "pass",
    }
    assert run.cases["test_with_a_budget#perf"]["rounds"] > 1
    assert "assert 1 == 2" in run.text
    assert run.cases["test_parameters[1]#perf"]["group"] == "all"


def test_a_budget_beside_the_marker_speaks_of_the_many_calls_and_one_on_memory_of_one(project):
    project.test("""
        called = []

        @pytest.mark.benchmark
        @pytest.mark.budget("count > 1")
        def test_time(): pass

        @pytest.mark.benchmark
        @pytest.mark.budget(gb=100)
        def test_memory():
            called.append(1)
            assert len(called) == 1

        @pytest.mark.benchmark
        @pytest.mark.budget("call max < 1h")
        def test_call(): pass
    """)
    run = project.run()
    assert run.ret == 0, run.text
    assert set(run.verdicts) == {"test_time#perf", "test_memory#call", "test_memory#memory.peak", "test_call#call"}


def test_marked_tests_run_once_when_the_gate_is_off(project):
    project.test(MARKED.replace("> 3", "== 1"))
    run = project.run("-p", "anyio.pytest_plugin", gate=False)
    assert "1 failed, 6 passed" in run.out


def test_the_real_thing_keeps_its_fixture(project):
    pytest.importorskip("pytest_benchmark.plugin")
    project.test("def test_it(benchmark): assert 'pytest_benchmark' in type(benchmark).__module__")
    assert project.run(gate=False).ret == 0


def test_another_plugin_called_benchmark_is_not_shadowed(project):
    project.write(
        "fake_codspeed.py",
        """
        import pytest

        @pytest.fixture
        def benchmark():
            return lambda f: "theirs"
        """,
    )
    project.write("conftest.py", "def pytest_configure(config): pass\n")
    project.write(
        "runner.py",
        """
        import sys, pytest, fake_codspeed
        class Theirs:
            def pytest_configure(self, config): pass
        sys.exit(pytest.main(["-p", "no:cacheprovider", "test_it.py"], plugins=[]))
        """,
    )
    project.test("def test_it(benchmark): assert benchmark(len) == 'theirs'")
    project.write("conftest.py", "from fake_codspeed import benchmark\n")
    assert project.run(gate=False).ret == 0


IMPORTING = """
    import pytest
    from pytest_benchmark.fixture import BenchmarkFixture as Older
    pytest.importorskip("pytest_codspeed")
    try:
        from pytest_codspeed import BenchmarkFixture
    except ImportError:
        pytestmark = pytest.mark.skip("pytest-codspeed needs to be installed")

    def test_call(benchmark: BenchmarkFixture):
        assert isinstance(benchmark, BenchmarkFixture)
        assert isinstance(benchmark, Older)
        assert benchmark(sorted, [3, 1]) == [1, 3]
"""


@pytest.mark.parametrize("gate", [True, False], ids=["gate", "idle"])
def test_a_suite_that_imports_the_type_of_the_fixture_runs_without_the_other_plugin(project, gate):
    if any(find_spec(name).origin != "pytest-perfgate" for name in ("pytest_benchmark", "pytest_codspeed")):
        pytest.skip("the real thing is found first")
    project.test(IMPORTING)
    project.write("conftest.py", "from pytest_codspeed.plugin import BenchmarkFixture\n")
    run = project.run(gate=gate)
    assert run.ret == 0, run.text
    assert "1 passed" in run.out


def test_the_real_thing_is_imported_where_it_is_installed(project):
    project.write("pytest_codspeed.py", "class BenchmarkFixture: real = True\n")
    project.test("""
        from pytest_codspeed import BenchmarkFixture
        def test_it(benchmark):
            assert BenchmarkFixture.real
    """)
    assert project.run("-p", "no:codspeed", gate=False).ret == 0


def test_nothing_of_a_stand_in_is_left_behind():
    standins.offer()
    standins.offer()
    import pytest_codspeed

    standins.withdraw()
    assert pytest_codspeed.BenchmarkFixture.__name__ == "Benchmark"
    assert "pytest_codspeed" not in sys.modules
    assert not any(isinstance(finder, standins.StandIns) for finder in sys.meta_path)
    standins.offer()  # for the session that runs this


THEIRS = """
    import pytest

    __name__ = "pytest_codspeed.plugin"  # where the fixture says that it is defined

    @pytest.fixture
    def benchmark():
        return lambda function, *args: function(*args)
"""


def test_a_fixture_that_is_somebody_elses_is_said_to_measure_nothing(project):
    project.write("theirs.py", THEIRS)
    project.write(
        "conftest.py",
        """
        import theirs
        def pytest_configure(config):
            config.pluginmanager.register(theirs, "codspeed")
    """,
    )
    project.test("""
        def test_theirs(benchmark):
            benchmark(sorted, [1])

        def test_ours(perf):
            perf(sorted, [1])
    """)
    run = project.run()
    assert set(run.verdicts) == {"test_ours#perf"}
    assert "because it is that of pytest-codspeed" in " ".join(run.text.split())
    assert "-p no:codspeed" in run.text


@pytest.mark.parametrize(("option", "status"), [([], 0), (["--perfgate"], 1)], ids=["enabled", "option"])
def test_where_all_measure_with_that_fixture_an_enabled_gate_is_content(project, option, status):
    project.write("theirs.py", THEIRS)
    project.write("perfgate.toml", "enabled = true\n")
    project.write(
        "conftest.py",
        """
        import theirs
        def pytest_configure(config):
            config.pluginmanager.register(theirs, "codspeed")
    """,
    )
    project.test("def test_theirs(benchmark): benchmark(sorted, [1])")
    run = project.run(*option, gate=False)
    assert run.ret == status, run.text
    assert "because it is that of pytest-codspeed" in " ".join(run.text.split())


def test_nothing_is_said_of_it_where_no_test_uses_it(project):
    project.write("theirs.py", THEIRS)
    project.write(
        "conftest.py",
        """
        import theirs
        def pytest_configure(config):
            config.pluginmanager.register(theirs, "codspeed")
    """,
    )
    project.test("def test_ours(perf): perf(sorted, [1])")
    assert "no:codspeed" not in project.run().text
