"""Async functions are measured per await, or refused; never silently wrong."""

from __future__ import annotations

import pytest

NAP = """
    import asyncio

    async def nap():
        await asyncio.sleep(0.01)
        return "rested"
"""


def test_a_ten_millisecond_coroutine_is_reported_as_ten_milliseconds_or_more(project):
    project.test(f"""{NAP}
    def test_nap(perf):
        assert perf(nap) == "rested"
    """)
    run = project.run()
    assert run.ret == 0
    assert run.cases["test_nap#perf"]["value"] >= 0.01


def test_the_benchmark_fixture_is_right_about_coroutines_too(project):
    project.test(f"""{NAP}
    def test_nap(benchmark):
        assert benchmark(nap) == "rested"
    """)
    assert project.run().cases["test_nap#perf"]["value"] >= 0.01


def test_plain_pytest_awaits_once(project):
    project.test(f"""{NAP}
    def test_nap(perf):
        assert perf(nap) == "rested"
    """)
    assert project.run(gate=False).ret == 0


ASYNC_TEST = """
    import anyio

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(request):
        pytest.importorskip(request.param)
        return request.param

    async def nap():
        await anyio.sleep(0.01)
        return "rested"

    @pytest.mark.anyio
    async def test_nap(perf):
        {body}
"""


@pytest.mark.parametrize("gate", [True, False])
def test_inside_a_running_loop_the_measurement_is_awaited(project, gate):
    pytest.importorskip("anyio")
    project.test(ASYNC_TEST.format(body='assert await perf(nap) == "rested"'))
    run = project.run(gate=gate, plugins=["anyio.pytest_plugin"])
    assert run.ret == 0, run.text
    if gate:
        assert run.cases["test_nap[asyncio]#perf"]["value"] >= 0.01


def test_a_forgotten_await_fails(project):
    pytest.importorskip("anyio")
    project.test(ASYNC_TEST.format(body="perf(nap)"))
    run = project.run("-k", "asyncio", "-W", "ignore", plugins=["anyio.pytest_plugin"])
    assert run.ret == 1
    assert "await perf(" in run.out
    assert run.verdicts == {"test_nap[asyncio]#perf": "failed-to-measure"}


@pytest.mark.parametrize("gate", [True, False])
def test_a_function_that_returns_a_coroutine_is_refused_with_the_remedy(project, gate):
    project.test(f"""{NAP}
    def test_nap(perf):
        perf(lambda: nap())
    """)
    run = project.run(gate=gate)
    assert run.ret == 1
    assert "perf(" in run.out
    assert "RuntimeWarning" not in run.text
