"""The memory fixture in a real run: growth over many calls, where a leak comes from, and what cannot be judged."""

from __future__ import annotations

import os

import pytest

LONG = """
    kept = []

    def leak():
        kept.append(b"x" * 200_000)

    def clean():
        return sorted(range(100))

    @pytest.mark.budget(growth="10%")
    def test_long_leak(memory):
        memory.growth(leak, iterations=300)

    @pytest.mark.budget(growth="25%")
    def test_long_clean(memory):
        assert memory.growth(clean, iterations=300) == list(range(100))
        assert memory.last is None or memory.last.unit == "ratio"
"""


def test_growth_as_a_share_is_enforced_in_every_setting(project, setting):
    project.test(LONG)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    assert run.verdicts == {
        "test_long_leak#memory.growth.share": "over-budget",
        "test_long_clean#memory.growth.share": "pass",
    }
    leak = run.cases["test_long_leak#memory.growth.share"]
    assert leak["unit"] == "ratio"
    assert len(leak["extra"]["memory_over_time"]["bytes"]) == 121
    assert 'kept.append(b"x" * 200_000)' in leak["extra"]["where"][0]
    if "--junitxml=pytest.xml" in setting:
        assert run.junit_failures == 1
        assert "memory over time" in run.junit_texts["test_long_leak"]
    if "-p" not in setting:
        assert "kept at test_it.py" in run.out
        assert "memory over time (" in run.out


def test_without_the_gate_the_function_is_called_once(project):
    project.test("""
        made = []

        @pytest.mark.budget(growth="10%")
        def test_it(memory):
            memory.growth(made.append, 1, iterations=1000)
            memory.growth(made.append, 1, duration="1 h", name="long")
            assert made == [1, 1]
    """)
    assert project.run(gate=False).ret == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("memory.growth(int, iterations=5)", "fewer than 24 calls"),
        ("memory.growth(int, iterations=100, duration='1 s')", "one of them"),
        ("memory.growth(int, duration='soon')", "duration="),
        ("memory.growth(int, iterations=100, calls=5)", "leave it out"),
        ("memory.growth(3)", "not callable"),
        ("memory.growth(later())", "memory.growth(fetch, url)"),
    ],
)
def test_a_mistake_is_one_message_with_its_place_and_no_traceback(project, call, said):
    project.test(f"""
        async def later():
            pass

        def test_it(memory):
            {call}
    """)
    run = project.run()
    assert run.ret == 1
    assert said in run.out
    assert "test_it.py:" in run.out
    assert "Traceback" not in run.out
    assert set(run.verdicts.values()) == {"failed-to-measure"}


def test_a_share_needs_a_stated_number_of_calls_and_says_so(project):
    project.test("""
        @pytest.mark.budget(growth="10%")
        def test_it(memory):
            memory.growth(int)
    """)
    run = project.run()
    assert run.ret == 1
    assert "memory.growth(fn, iterations=10_000)" in " ".join(run.out.split())


def test_the_place_of_a_leak_is_in_the_failure(project, setting):
    project.test("""
        kept = []

        def leak():
            kept.append(object())

        @pytest.mark.budget(growth="0 B/call")
        def test_leak(memory):
            memory.growth(leak)
    """)
    run = project.run(*setting)
    assert run.verdicts == {"test_leak#memory.growth": "over-budget"}
    place = "test_it.py:6: 1 block per call: kept.append(object())"
    assert run.cases["test_leak#memory.growth"]["extra"]["where"][0] == place
    if "no:terminal" not in setting:
        assert f"kept at {place}" in " ".join(run.out.split())


def test_a_leak_under_coverage_is_inconclusive_and_says_why(project):
    pytest.importorskip("coverage")
    project.test("""
        import coverage

        kept = []

        @pytest.fixture
        def covered():
            measuring = coverage.Coverage(data_file=None, config_file=False)
            measuring.start()
            yield
            measuring.stop()

        @pytest.mark.budget(growth="0 B/call")
        def test_leak(covered, memory):
            memory.growth(lambda: kept.append(object()))

        @pytest.mark.budget(growth="0 B/call")
        def test_clean(covered, memory):
            memory.growth(lambda: sorted([3, 1, 2]))
    """)
    run = project.run()
    assert run.verdicts == {"test_leak#memory.growth": "inconclusive", "test_clean#memory.growth": "pass"}
    assert "coverage" in run.cases["test_leak#memory.growth"]["reason"]
    assert run.ret == 0


def test_a_target_that_raises_is_told_with_the_call(project):
    project.test("""
        import itertools

        numbers = itertools.count(1)

        def sometimes():
            if next(numbers) == 70:
                raise ValueError("boom")

        def test_it(memory):
            memory.growth(sometimes)
    """)
    run = project.run()
    assert run.ret == 1
    assert "ValueError: boom" in run.out
    assert run.cases["test_it#memory.growth"]["error"].endswith("ValueError: boom (raised by call 70 of the target)")


@pytest.mark.skipif(os.name == "nt", reason="the C heap is read elsewhere")
def test_without_the_interpreters_allocator_the_heap_alone_is_watched_and_that_is_said(project, monkeypatch):
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    project.test("""
        kept = []

        @pytest.mark.budget(growth="0 B/call")
        def test_leak(memory):
            memory.growth(lambda: kept.append(bytes(64)))

        @pytest.mark.budget(growth="0 B/call")
        def test_clean(memory):
            memory.growth(lambda: sorted([3, 1, 2]))
    """)
    run = project.run("--perfgate-max-time=5s")
    assert run.verdicts == {"test_leak#memory.growth": "over-budget", "test_clean#memory.growth": "pass"}
    for case in run.cases.values():
        assert "PYTHONMALLOC" in case["warnings"][0]
        assert "blocks" not in case["extra"]["channels"]
