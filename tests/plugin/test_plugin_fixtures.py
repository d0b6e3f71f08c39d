"""The fixtures in a real run: what they return, what they record, with and without the gate."""

from __future__ import annotations

import pytest

MODES = [True, False]


@pytest.mark.parametrize("gate", MODES, ids=["gate", "idle"])
def test_each_fixture_returns_what_its_target_returns(project, gate):
    project.write("mypackage/__init__.py", "import json\n")
    project.test("""
        import sys

        def double(n):
            return 2 * n

        def test_perf(perf):
            assert perf(double, 4) == 8
            assert perf.run(double, args=(4,), rounds=2, iterations=2, warmup=0, name="controlled") == 8
            assert perf.run(dict, kwargs={"name": 3}, name="kwargs") == {"name": 3}

        def test_command(startup):
            done = startup.command([sys.executable, "-c", "print('hello')"], runs=2)
            assert done.returncode == 0
            assert done.stdout == "hello\\n"

        def test_exit_status(startup):
            done = startup.command([sys.executable, "-c", "raise SystemExit(3)"], runs=2, expect_exit=3)
            assert done.returncode == 3

        def test_imports(startup):
            done = startup.imports("mypackage", runs=2, env={"PYTHONPATH": "."})
            assert "mypackage" in done.modules

        def test_speedup(speedup):
            import time
            assert speedup(slow_double, range(4), workers=2, repeats=3) == [0, 2, 4, 6]
            assert speedup.of(lambda: time.sleep(0.02) or 1, lambda: time.sleep(0.01) or 1,
                              workers=2, repeats=3, name="own") == 1

        def slow_double(n):
            import time
            time.sleep(0.01)
            return 2 * n

        def test_memory(memory):
            assert memory.growth(double, 4) == 8
            with memory.peak() as p:
                block = bytearray(50_000_000)
            del block
            assert len(memory.allocations(bytearray, 1_000_000)) == 1_000_000
            assert len(memory.per_object(lambda: bytearray(1000), n=100)) == 1000

        def test_metric(metric):
            assert metric("hits", 0.93, unit="%", better="higher") == 0.93
            assert metric("latency", [3, 4, 5], unit="ms") == [3, 4, 5]
    """)
    run = project.run(gate=gate)
    assert run.ret == 0, run.text
    if not gate:
        return
    cases = run.cases
    assert set(cases) == {
        "test_perf#perf",
        "test_perf#perf:controlled",
        "test_perf#perf:kwargs",
        "test_command#startup.command",
        "test_exit_status#startup.command",
        "test_imports#startup.imports",
        "test_speedup#speedup",
        "test_speedup#speedup:own",
        "test_memory#memory.growth",
        "test_memory#memory.peak",
        "test_memory#memory.allocations",
        "test_memory#memory.per_object",
        "test_metric#hits",
        "test_metric#latency",
    }
    assert cases["test_perf#perf:controlled"]["rounds"] == 2
    assert cases["test_perf#perf:controlled"]["iterations"] == 2
    assert cases["test_memory#memory.growth"]["value"] == 0
    assert cases["test_memory#memory.peak"]["value"] >= 49_000_000
    assert cases["test_memory#memory.allocations"]["value"] == pytest.approx(1_000_000, rel=0.001)
    assert cases["test_memory#memory.per_object"]["value"] == pytest.approx(1050, abs=60)
    assert cases["test_metric#latency"]["value"] == 0.004
    assert cases["test_metric#latency"]["unit"] == "s"
    assert cases["test_metric#hits"]["unit"] == "ratio"


def test_last_is_the_measurement(project):
    project.test("""
        def test_it(perf, memory, metric):
            assert perf.last is None
            perf(len, "abc")
            assert perf.last.unit == "s"
            assert perf.last.value == perf.last.processes[0] > 0
            with memory.peak("outer") as p:
                pass
            assert p.last is memory.last is p.measurement
            assert p.last.case.name == "outer"
            metric("n", 3)
            assert metric.last.value == 3
    """)
    assert project.run().ret == 0


def test_forbidden_imports_and_module_counts_are_budgets(project):
    project.write("mypackage/__init__.py", "import decimal\n")
    project.test("""
        @pytest.mark.budget(forbid=["decimal"])
        def test_marker(startup):
            startup.imports("mypackage", runs=2, env={"PYTHONPATH": "."})

        def test_argument(startup):
            startup.imports("mypackage", runs=2, env={"PYTHONPATH": "."}, forbid=["decimal"])

        @pytest.mark.budget(modules=1)
        def test_count(startup):
            startup.imports("mypackage", runs=2, env={"PYTHONPATH": "."})

        @pytest.mark.budget(modules=500, forbid=["numpy"])
        def test_fine(startup):
            startup.imports("mypackage", runs=2, env={"PYTHONPATH": "."})
    """)
    run = project.run()
    verdicts = {name.partition("#")[0]: verdict for name, verdict in run.verdicts.items()}
    assert verdicts == {
        "test_marker": "over-budget",
        "test_argument": "over-budget",
        "test_count": "over-budget",
        "test_fine": "pass",
    }
    assert "decimal" in run.out


def test_a_leak_is_found_and_a_clean_function_passes(project):
    project.test("""
        kept = []

        def leak():
            kept.append(object())

        @pytest.mark.budget(growth="0 B/call")
        def test_leak(memory):
            memory.growth(leak)

        @pytest.mark.budget(growth="0 B/call")
        def test_clean(memory):
            memory.growth(sorted, [3, 1, 2])
    """)
    run = project.run()
    assert run.verdicts == {"test_leak#memory.growth": "over-budget", "test_clean#memory.growth": "pass"}


def test_a_test_that_asks_for_a_fixture_and_does_not_call_it_fails(project, setting):
    project.test("""
        def test_forgot(perf):
            pass
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == {"test_forgot#perf": "failed-to-measure"}


def test_a_failing_test_stays_its_own_failure(project):
    project.test("""
        @pytest.mark.budget(s=60)
        def test_wrong(perf):
            assert perf(len, "abc") == 4

        @pytest.fixture
        def broken():
            raise RuntimeError("no database")

        @pytest.mark.budget(s=60)
        def test_setup(broken):
            pass

        @pytest.mark.budget(s=60)
        def test_skips():
            pytest.skip("not today")
    """)
    run = project.run()
    assert run.ret == 1
    assert "assert 3 == 4" in run.out
    assert run.verdicts["test_wrong#perf"] == "pass"
    assert run.verdicts["test_setup#call"] == "failed-to-measure"
    assert not any("skips" in name for name in run.verdicts)
    assert "skipped" in run.out


def test_garbage_collection_is_as_it_was(project):
    project.test("""
        import gc

        def test_on(perf):
            perf(len, "abc")
            assert gc.isenabled()

        def test_off(perf):
            gc.disable()
            try:
                perf(len, "abc")
                assert not gc.isenabled()
            finally:
                gc.enable()
    """)
    assert project.run().ret == 0
