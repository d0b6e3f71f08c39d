"""The acceptance tests that each fail on a tool people use today."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: So much that no noise of a loaded machine can hide it: these tests are about what becomes of a verdict.
SLOWER = 1e6


def slower(project, factor):
    """Store a run, then pretend that everything took *factor* times less then."""
    assert project.run().ret == 0
    run = json.loads((project.path / "run.json").read_text())
    for case in run["cases"]:
        case["value"] /= factor
        for key in ("samples", "interval", "processes"):
            case[key] = case[key] and [value / factor for value in case[key]]
        for key in ("calibrated_samples", "calibrated_processes"):
            case["extra"][key] = [value / factor for value in case["extra"][key]]
    (project.path / "base.json").write_text(json.dumps(run))


WORK = """
    def work():
        return sum(range(2000))

    def test_work(perf):
        perf(work)
"""


def test_a_slowdown_under_workers_is_not_a_green_build(project):
    """pytest-benchmark: exit status 0."""
    project.test(WORK)
    slower(project, SLOWER)
    assert project.run("-n2", "--perfgate-baseline=base.json").ret == 1


def test_a_slowdown_is_a_failure_in_junit(project):
    """pytest-benchmark, pytest-speedguard: failures="0"."""
    project.test(WORK)
    slower(project, SLOWER)
    run = project.run("--perfgate-baseline=base.json", "--junitxml=pytest.xml")
    assert run.junit_failures == 1


def test_a_slowdown_is_told_without_a_traceback_of_the_tool(project):
    """pytest-benchmark: a raw PerformanceRegression traceback."""
    project.test(WORK)
    slower(project, SLOWER)
    run = project.run("--perfgate-baseline=base.json")
    assert "test_work regressed" in run.out
    assert "Traceback" not in run.text
    assert "pytest_perfgate/" not in run.text


def test_a_gate_that_measures_nothing_of_its_baseline_is_not_green(project):
    """pytest-benchmark (renamed), pytest-benchmem (no baseline): a silent pass."""
    project.test(WORK)
    slower(project, 1)
    project.test("def test_nothing(): pass")
    run = project.run("--perfgate-baseline=base.json")
    assert run.ret == 1
    assert "nothing" in run.out


def test_everything_skipped_is_not_green(project):
    project.test("@pytest.mark.skip\ndef test_it(perf): perf(len, 'a')")
    run = project.run()
    assert run.ret == 1
    assert "nothing was measured" in run.out


def test_no_test_that_measures_is_said(project):
    project.test("def test_it(): pass")
    run = project.run()
    assert run.ret == 0
    assert "nothing was measured" in run.out
    assert run.json["summary"]["verdict"] == "error"
    assert project.run("--perfgate-strict").ret == 1


def test_twenty_microseconds_are_shown_as_about_twenty_microseconds(project):
    """pytest-codspeed: 776 ns, divided by the iterations twice."""
    project.test("""
        import time

        def busy():
            end = time.perf_counter_ns() + 20_000
            while time.perf_counter_ns() < end:
                pass

        def test_busy(perf):
            perf(busy)
    """)
    run = project.run()
    case = run.cases["test_busy#perf"]
    assert case["iterations"] > 1, "the case of the mistake: several iterations per round"
    assert case["value"] >= 20e-6
    assert min(case["samples"]) >= 20e-6
    shown = next(line for line in run.out.splitlines() if "test_busy" in line and "s" in line)
    assert "ns" not in shown.split("test_busy", 1)[1]


def test_a_hundredfold_slowdown_fails(project):
    """pytest-perf: its verdict is never read."""
    project.test(WORK)
    slower(project, SLOWER)
    assert project.run("--perfgate-baseline=base.json").ret == 1


def test_another_machines_baseline_is_not_compared_silently(project):
    """pytest-benchmark, pytest-speedguard: compared as if it were this one."""
    project.test(WORK)
    slower(project, SLOWER)
    run = json.loads((project.path / "base.json").read_text())
    run["machine"]["cpu"] = "Some Other CPU"
    (project.path / "base.json").write_text(json.dumps(run))
    result = project.run("--perfgate-baseline=base.json")
    assert result.verdicts == {"test_work#perf": "incomparable"}
    assert "Some Other CPU" in result.out


IDLE = """
    import sys

    spawned = []

    def hook(event, args):
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec", "os.system", "pty.spawn"):
            spawned.append(event)

    sys.addaudithook(hook)
    import pytest

    status = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
    heavy = sorted({"psutil", "tabulate", "junit_xml", "pytest_perfgate.model"} & set(sys.modules))
    print("spawned", spawned, "heavy", heavy, "status", int(status))
"""


def test_an_idle_start_spawns_nothing_and_loads_nothing_heavy(project):
    """pytest-benchmark: 8 subprocesses; pytest-performance: a missing extra kills pytest."""
    project.test("def test_it(): pass")
    script = project.write("start.py", IDLE)
    said = {}
    for arguments in ([], ["-p", "no:perfgate"]):  # other installed plugins may do what they like
        command = [sys.executable, str(script), *arguments]
        result = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
        said[bool(arguments)] = result.stdout.splitlines()[-1]
    assert said[False] == said[True]
    assert "heavy [] status 0" in said[False]


def test_without_xdist_everything_else_works(project):
    """A missing extra never breaks pytest."""
    project.test(WORK)
    run = project.run("-p", "no:xdist", autoload=True)
    assert run.ret == 0
    assert run.json["summary"]["measured"] == 1


@pytest.mark.parametrize("name", ["psutil", "tabulate", "junit_xml"])
def test_a_broken_dependency_does_not_break_an_idle_pytest(project, name, monkeypatch):
    project.write(f"broken/{name}.py", "raise ImportError('broken on purpose')\n")
    monkeypatch.setenv("PYTHONPATH", str(project.path / "broken"))
    project.test("def test_it(perf): assert perf(len, 'abc') == 3")
    result = project.pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
