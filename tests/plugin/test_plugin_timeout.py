"""The setting ``timeout``: whatever is measured and hangs is given up with one message, and the run goes on."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")

HANGING = """
    import asyncio
    import contextlib
    import threading

    def hang(*_):
        while threading.current_thread() is threading.main_thread():
            with contextlib.suppress(Exception):
                threading.Event().wait(60)

    async def hang_async(_):
        await asyncio.Event().wait()

    @pytest.mark.budget(s=100)
    def test_plain(): hang()

    @pytest.mark.budget(s=100, rounds=2, mb=900)
    def test_again(seen=[]):
        seen.append(1)
        if len(seen) > 1:
            hang()

    def test_speedup(speedup): speedup(hang, [1, 2], workers=2)

    def test_speedup_async(speedup): speedup(hang_async, [1, 2], workers=2, backend="asyncio")

    def test_speedup_of(speedup): speedup.of(lambda: 1, hang, workers=2)

    def test_peak(memory):
        with memory.peak():
            hang()

    def test_nested(memory, perf):
        with memory.peak():
            perf(hang)

    @pytest.mark.budget(s=100)
    def test_good(): pass
"""


def test_whatever_hangs_is_given_up_and_the_run_goes_on(project, setting):
    project.write("perfgate.toml", 'timeout = "200ms"\n')
    project.test(HANGING)
    run = project.run(*setting)
    assert run.ret == 1, run.text
    good = run.cases["test_good#call"]
    assert good["verdict"] == "pass"
    hung = {name: case for name, case in run.cases.items() if name != "test_good#call"}
    assert {case["verdict"] for case in hung.values()} == {"failed-to-measure"}
    assert {name.partition("#")[0] for name in hung} == {
        "test_plain",
        "test_again",
        "test_speedup",
        "test_speedup_async",
        "test_speedup_of",
        "test_peak",
        "test_nested",
    }
    for name, case in hung.items():
        if name != "test_again#memory.peak":
            told = "the workers did not finish within 0.2 s", "the target did not return within 200 ms"
            assert any(text in case["reason"] for text in told), name
    assert "During handling" not in run.text
    assert "Traceback" not in run.text
    assert "TargetGivenUp" not in run.text
