"""Everything that can be measured can be compared: each kind gets twice as bad at head, or stays what it was."""

from __future__ import annotations

import pytest
from against import Trial

PACKAGE = """
    import time

    FACTOR = {factor}
    HITS = {hits}
    leaked = []

    def work():
        return sum(range(1000 * FACTOR))

    async def work_async():
        return sum(range(1000 * FACTOR))

    def same():
        return sum(range(1000))

    def consume(items):
        return sum(items)

    def items():
        return (range(1000 * FACTOR),), {{}}

    def leak():
        leaked.append(bytes(1000 * FACTOR))

    def serially():
        time.sleep(0.02)

    def in_parallel():
        time.sleep(0.004 * FACTOR ** 2)
"""
SLOW_START = """
    import time
    time.sleep(0.03 * {factor})
"""
TESTS = """
    import os
    import sys
    import time
    import pytest
    import pkg

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    def test_async(perf):
        perf(pkg.work_async)

    @pytest.mark.anyio
    async def test_in_a_loop(perf):
        assert await perf(pkg.work_async) > 0

    def test_benchmark(benchmark):
        benchmark(pkg.work)
        assert benchmark.stats.mean > 0

    def test_pedantic(benchmark):
        benchmark.pedantic(pkg.consume, setup=pkg.items, rounds=10)

    def test_command(startup):
        startup.command([sys.executable, "app.py"], runs=2)

    def test_script(startup):
        startup.command([sys.executable, "script.py"], runs=2)

    def test_app(startup):
        startup.app([sys.executable, "server.py"], ready="output", runs=2)

    def test_imports(startup):
        startup.imports("starting", runs=2)

    def test_growth(memory):
        memory.growth(pkg.leak)

    def test_speedup(speedup):
        speedup.of(pkg.serially, pkg.in_parallel, workers=8)

    def test_number(metric):
        metric("hits", pkg.HITS)
        metric("hits", pkg.HITS, name="more-is-better", better="higher")
        metric("hits", 100, name="same")
        metric("hits", pkg.HITS - 100, name="from-zero")

    @pytest.mark.budget(max_regression="200%")
    def test_own_tolerance(metric):
        metric("hits", pkg.HITS)

    @pytest.mark.budget(s=10, mb=500)
    def test_plain_budget():
        time.sleep(0.01 * pkg.FACTOR)
        bytearray(1_000_000 * pkg.FACTOR)

    @pytest.mark.budget("max < 1ns")
    def test_over_budget_and_regressed(perf):
        perf(pkg.work)

    @pytest.mark.budget(ms=1000)
    def test_within_budget_and_unchanged(request):
        request.getfixturevalue("perf")(pkg.same)
"""


SCRIPT = "import time; time.sleep({seconds})"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("kinds"))
    trial.base(
        {
            "pkg.py": PACKAGE.format(factor=1, hits=100),
            "starting.py": SLOW_START.format(factor=1),
            "app.py": "import starting",
            "script.py": SCRIPT.format(seconds=0),
            "server.py": "import starting, time; print('up'); time.sleep(60)",
            "test_it.py": TESTS,
        }
    )
    trial.head(
        {
            "pkg.py": PACKAGE.format(factor=2, hits=200),
            "starting.py": SLOW_START.format(factor=3),
            "script.py": SCRIPT.format(seconds=0.1),
        }
    )
    return trial.run("--junitxml=pytest.xml", plugins=["anyio"], timeout=500.0)


REGRESSED = [
    "test_async#perf",
    "test_in_a_loop#perf",
    "test_benchmark#perf",
    "test_pedantic#perf",
    "test_command#startup.command",
    "test_script#startup.command",
    "test_app#startup.app",
    "test_imports#startup.imports",
    "test_growth#memory.growth",
    "test_number#hits",
    "test_number#hits:from-zero",
    "test_plain_budget#call",
    "test_plain_budget#memory.peak",
]


def test_the_run_comes_to_its_end(run):
    assert run.ret == 1, run.text
    assert "Traceback" not in run.text
    assert "failed-to-measure" not in run.verdicts.values(), run.text


@pytest.mark.parametrize("case", REGRESSED)
def test_what_became_worse_is_regressed(run, case):
    assert run.verdicts[case] == "regressed", run.cases[case]["reason"]
    assert run.outcome(case.partition("#")[0]).startswith("failure")


UNCHANGED = {
    "test_number#hits:same": "pass",
    "test_number#hits:more-is-better": "improved",
    "test_own_tolerance#hits": "pass",
    "test_within_budget_and_unchanged#perf": "pass",
}


@pytest.mark.parametrize(("case", "verdict"), list(UNCHANGED.items()))
def test_what_did_not_is_not(run, case, verdict):
    assert run.verdicts[case] == verdict, run.cases[case]["reason"]


def test_a_marker_has_its_own_tolerance(run):
    assert run.cases["test_own_tolerance#hits"]["change"]["tolerance"] == 2.0
    assert run.cases["test_number#hits"]["change"]["tolerance"] == 0.3


def test_over_budget_and_regressed_are_both_told(run):
    case = run.cases["test_over_budget_and_regressed#perf"]
    assert case["verdict"] == "over-budget"
    assert case["change"]["ratio"] > 1.5
    failure = run.outcome("test_over_budget_and_regressed")
    assert "over budget" in failure
    assert "HEAD" in case["reason"]


def test_a_speedup_that_is_lost_is_seen(run):
    case = run.cases["test_speedup#speedup"]
    assert case["verdict"] in {"regressed", "inconclusive"}, (
        "parallel work on a busy machine may not be settled in time"
    )
    assert case["change"]["ratio"] < 0.7
    assert case["change"]["better"] == "higher"


def test_a_change_from_zero_is_told_without_a_ratio(run):
    case = run.cases["test_number#hits:from-zero"]
    assert "0" in case["reason"]
    assert case["change"] is None or "inf" not in str(case["change"])
