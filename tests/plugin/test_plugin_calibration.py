"""Calibrated values: in every run that is stored or compared with one, and in no other."""

from __future__ import annotations

import json

import pytest

TESTS = """
    import asyncio, time

    def test_work(perf):
        perf(sorted, range(2000))

    def test_awaited(perf):
        async def work():
            return sum(range(2000))

        perf(work)

    def test_as_a_benchmark(benchmark):
        benchmark(sorted, range(2000))

    def test_sleep(perf):
        perf(time.sleep, 0.002)

    def test_count(metric):
        metric("queries", 12)
"""

#: Tells whether any measurement of the run asked for calibration.
SPY = """
    import pytest_perfgate.measure.interleaving as interleaving

    def forbidden(*args, **kwargs):
        raise AssertionError("calibrated, and nobody will look")

    interleaving.Interleaved.__init__ = forbidden
"""


def test_a_json_report_carries_them(project, setting):
    project.test(TESTS)
    run = project.run(*setting)
    assert run.ret == 0, run.text
    for name in ("test_work#perf", "test_awaited#perf", "test_as_a_benchmark#perf"):
        case = run.cases[name]
        extra = case["extra"]
        assert extra["calibration"] == 1, extra
        assert extra["calibrated"] > 0
        assert extra["calibrated_processes"] == [extra["calibrated"]]
        assert len(extra["calibrated_samples"]) == case["rounds"]
        assert 1e-7 < extra["calibration_s"] < 1
    assert "calibrated" not in run.cases["test_sleep#perf"]["extra"]
    assert "it waits" in run.cases["test_sleep#perf"]["extra"]["uncalibrated"]
    assert not any("calibra" in fact for fact in run.cases["test_count#queries"]["extra"])


@pytest.mark.parametrize("args", [[], ["--perfgate-report=junit=perf.xml"]])
def test_a_run_that_only_keeps_budgets_does_not_pay(project, args):
    project.write("conftest.py", SPY)
    project.test("""
        @pytest.mark.budget("median <= 10s")
        def test_work(perf):
            perf(sorted, range(2000))
    """)
    run = project.run("--perfgate", "--perfgate-max-time=50ms", *args, gate=False)
    assert run.ret == 0, run.text


def without_report(project, *args):
    return project.run("--perfgate", "--perfgate-max-time=50ms", "--perfgate-baseline=base.json", *args, gate=False)


def test_a_comparison_with_calibrated_values_is_one_of_calibrated_values(project):
    project.test(TESTS)
    assert project.run().ret == 0
    (project.path / "base.json").write_text((project.path / "run.json").read_text())
    run = project.run("--perfgate-baseline=base.json")
    assert run.cases["test_work#perf"]["change"]["calibrated"] is True
    assert run.cases["test_sleep#perf"]["change"]["calibrated"] is False
    project.write("conftest.py", SPY)
    assert without_report(project).ret == 1, "a baseline that carries them asks for them as well"


def test_a_baseline_without_them_asks_for_none(project):
    project.test(TESTS)
    assert project.run().ret == 0
    stored = json.loads((project.path / "run.json").read_text())
    for case in stored["cases"]:
        case["extra"] = {key: fact for key, fact in case["extra"].items() if "calibra" not in key}
    (project.path / "base.json").write_text(json.dumps(stored))
    project.write("conftest.py", SPY)
    run = without_report(project)
    assert "calibrated, and nobody" not in run.text


def test_another_processor_gives_advice_and_no_verdict(project):
    project.test("def test_work(perf):\n    perf(sorted, range(2000))\n")
    assert project.run().ret == 0
    stored = json.loads((project.path / "run.json").read_text())
    stored["machine"]["cpu"] = "Another CPU"
    (case,) = stored["cases"]
    for fact in ("calibrated_samples", "calibrated_processes"):
        case["extra"][fact] = [ratio / 3 for ratio in case["extra"][fact]]
    (project.path / "base.json").write_text(json.dumps(stored))
    run = project.run("--perfgate-baseline=base.json")
    assert run.ret == 0, run.text
    assert run.verdicts["test_work#perf"] == "incomparable"
    reason = run.cases["test_work#perf"]["reason"]
    assert "on another CPU model: calibrated +" in reason
    assert reason.endswith("(advice only)")
    assert run.cases["test_work#perf"]["change"] is None
