"""Workers: parallel where it can be, alone while measuring, and nothing is lost on the way."""

from __future__ import annotations

import pytest

DISTRIBUTIONS = ["load", "loadscope", "loadfile", "loadgroup", "worksteal", "each"]


@pytest.mark.parametrize("dist", DISTRIBUTIONS)
def test_every_measurement_arrives_whatever_the_distribution(project, dist):
    project.test("""
        @pytest.mark.parametrize("n", range(6))
        def test_measured(n, perf):
            perf(sum, range(n))

        @pytest.mark.parametrize("n", range(20))
        def test_ordinary(n):
            pass
    """)
    run = project.run("-n2", f"--dist={dist}")
    assert run.ret == 0, run.text
    assert run.json["summary"]["measured"] == 6
    assert run.verdicts == {f"test_measured[{n}]#perf": "pass" for n in range(6)}


def test_nothing_else_runs_while_a_case_is_measured(project):
    """Every test notes when it starts and ends; no ordinary test may overlap a measurement."""
    project.test("""
        import os, time, pathlib

        log = pathlib.Path(__file__).with_name("log.txt")

        def note(kind):
            with log.open("a") as file:
                file.write(f"{time.monotonic_ns()} {kind} {os.getpid()}\\n")

        def occupy(kind):
            note(f"{kind}-begins")
            time.sleep(0.01)
            note(f"{kind}-ends")

        @pytest.mark.parametrize("n", range(30))
        def test_ordinary(n):
            occupy("ordinary")

        @pytest.mark.parametrize("n", range(6))
        def test_measured(n, perf):
            note("measured-begins")
            perf.run(time.sleep, args=(0.01,), rounds=3, iterations=1, warmup=0)
            note("measured-ends")

        @pytest.mark.parametrize("n", range(4))
        @pytest.mark.budget(s=60)
        def test_plain_budget(n):
            occupy("measured")

        @pytest.mark.parametrize("n", range(4))
        def test_indirect(n, request):
            request.getfixturevalue("perf").run(occupy, args=("measured",), rounds=2, iterations=1, warmup=0)
    """)
    run = project.run("-n3")
    assert run.ret == 0, run.text
    events = sorted(
        (int(at), kind, pid)
        for at, kind, pid in (line.split() for line in (project.path / "log.txt").read_text().splitlines())
    )
    running: dict[str, str] = {}
    overlapping_ordinary = 0
    for _, event, pid in events:
        kind, _, edge = event.partition("-")
        if edge == "ends":
            running.pop(pid)
            continue
        others = {other: what for other, what in running.items() if other != pid}
        if kind == "measured":
            assert not others, "something ran beside a measurement"
        else:
            assert "measured" not in others.values(), "something began beside a measurement"
            overlapping_ordinary += bool(others)
        running[pid] = kind
    assert overlapping_ordinary, "ordinary tests stay parallel"
    assert {pid for _, event, pid in events if event.startswith("measured")} != set()


def test_a_crashed_worker_is_a_failed_measurement_and_the_rest_goes_on(project):
    project.test("""
        import os

        def test_dies(perf):
            perf(os._exit, 9)

        @pytest.mark.parametrize("n", range(6))
        def test_measured(n, perf):
            perf(sum, range(n))

        def test_ordinary_dies():
            os._exit(3)
    """)
    run = project.run("-n2")
    assert run.ret == 1
    assert run.json["summary"]["verdict"] == "fail"
    assert run.json["summary"]["measured"] == 6
    failed = [name for name, verdict in run.verdicts.items() if verdict == "failed-to-measure"]
    assert [name.partition("#")[0] for name in failed] == ["test_dies"]
    assert "failed-to-measure: test_dies could not be measured: worker 'gw" in run.out


def test_a_timed_out_worker_is_a_failed_measurement_and_not_a_hang(project):
    pytest.importorskip("pytest_timeout")
    project.test("""
        import time

        @pytest.mark.timeout(0.5, method="thread")
        def test_hangs(perf):
            perf(time.sleep, 600)

        @pytest.mark.parametrize("n", range(4))
        def test_measured(n, perf):
            perf(sum, range(n))
    """)
    run = project.run("-n2", plugins=["pytest_timeout"], timeout=100)
    assert run.ret == 1
    assert run.json["summary"]["measured"] == 4
    assert "failed-to-measure" in run.verdicts.values()


def test_when_every_worker_dies_the_run_fails_and_says_that_nothing_was_measured(project):
    project.test("""
        import os

        def test_dies(perf):
            os._exit(9)
    """)
    run = project.run("-n1", "--max-worker-restart=0")
    assert run.ret == 1
    assert run.json["summary"]["verdict"] == "error"
    assert run.json["summary"]["measured"] == 0


def test_waiting_for_the_machine_does_not_count_against_a_timeout(project):
    pytest.importorskip("pytest_timeout")
    project.test("""
        import time

        @pytest.mark.parametrize("n", range(3))
        def test_long(n):
            time.sleep(4)

        @pytest.mark.timeout(3)
        def test_measured(perf):
            perf(len, "abc")
    """)
    assert project.run("-n4", plugins=["pytest_timeout"]).ret == 0


def test_the_lock_directory_is_gone_afterwards(project, monkeypatch):
    scratch = project.path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("-n2")
    assert run.ret == 0
    assert not list(scratch.glob("pytest-perfgate-*"))
