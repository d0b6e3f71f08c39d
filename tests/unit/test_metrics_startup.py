"""``startup.command`` and ``startup.imports``: fake runs where figures matter, real small processes elsewhere."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.command import shown
from pytest_perfgate.measure.process import ProcessRun
from pytest_perfgate.measure.sampler import schedule
from pytest_perfgate.metrics.startup import (
    CommandResult,
    import_once,
    measure_command,
    measure_imports,
    run_command,
)
from pytest_perfgate.model import Case, Plan

COMMAND = Case("tests/test_app.py::test_start", "startup.command")
IMPORTS = Case("tests/test_app.py::test_import", "startup.imports")
PYTHON = sys.executable


def finished(wall_s=0.1, **facts):
    usual = {
        "user_s": 0.06,
        "system_s": 0.02,
        "peak_bytes": 9_000_000,
        "minor_faults": 800,
        "major_faults": 2,
        "exit_status": 0,
        "stdout": b"",
        "stderr": b"",
    }
    return ProcessRun(wall_s=wall_s, **{**usual, **facts})


def is_bare(argv):
    return tuple(argv[1:]) == ("-I", "-S", "-c", "pass")


class FakeRunner:
    """Answers with prepared runs, the last of them for ever; a bare interpreter takes next to nothing."""

    def __init__(self, *runs, bare=None):
        self.runs = list(runs)
        self.bare = bare or finished(1e-9)
        self.calls = []
        self.bare_calls = 0

    def __call__(self, argv, **options):
        if is_bare(argv):
            self.bare_calls += 1
            return self.bare[self.bare_calls % len(self.bare)] if isinstance(self.bare, list) else self.bare
        self.calls.append((argv, options))
        return self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]


def measured(*runs, plan=None, **options):
    return measure_command(plan or Plan(), COMMAND, ["app"], runner=FakeRunner(*runs), **options)[1]


# --- what a measurement of a command says


def test_values_are_wall_times_in_order_and_the_warm_up_is_not_one():
    walls = [0.9, 0.3, 0.1, 0.2]
    measurement = measured(*[finished(wall) for wall in walls], runs=3)
    assert measurement.samples == (0.3, 0.1, 0.2)
    assert measurement.value == 0.2
    assert measurement.statistic == "median"
    assert measurement.unit == "s"
    assert measurement.processes == (0.2,)
    assert measurement.extra["first_run_s"] == 0.9
    assert measurement.extra["min_s"] == 0.1
    assert measurement.extra["p95_s"] == pytest.approx(0.29)


def test_costs_are_medians_over_the_kept_runs():
    extra = measured(
        finished(user_s=9, minor_faults=99_999),
        finished(user_s=1, system_s=0.1, minor_faults=10, major_faults=5, peak_bytes=100),
        finished(user_s=2, system_s=0.3, minor_faults=13, major_faults=2, peak_bytes=300),
        finished(user_s=3, system_s=0.2, minor_faults=17, major_faults=0, peak_bytes=200),
        runs=3,
    ).extra
    assert extra["user_s"] == 2
    assert extra["system_s"] == 0.2
    assert extra["cpu_s"] == pytest.approx(2.3)
    assert extra["page_faults"] == 15
    assert extra["peak_bytes"] == 200
    assert extra["exit_status"] == 0


def test_a_fact_that_one_run_lacks_is_left_out_and_everything_is_json():
    runs = [finished(), finished(peak_bytes=None, user_s=None)]
    extra = measured(*runs, runs=2, warmup=0).extra
    assert not {"peak_bytes", "user_s", "cpu_s", "first_run_s"} & set(extra)
    assert json.loads(json.dumps(extra, allow_nan=False)) == extra


def test_processes_left_running_are_a_warning():
    measurement = measured(finished(), finished(), finished(left_behind=True), runs=2)
    assert "in 1 of 2 runs processes still ran" in measurement.warnings[0]


# --- beside a bare interpreter, on a busy machine


def busy(wall_s, queued_s, **facts):
    return finished(wall_s, on_cpu_s=0.08, queued_s=queued_s, **facts)


def test_the_ratio_to_a_bare_interpreter_is_the_median_over_pairs():
    runner = FakeRunner(finished(0.1), finished(0.3), finished(0.2), bare=finished(0.05))
    extra = measure_command(Plan(), COMMAND, ["app"], runs=3, warmup=0, runner=runner)[1].extra
    assert extra["bare_s"] == 0.05
    assert extra["ratio_to_bare"] == pytest.approx(4)


def test_the_ratio_is_one_of_times_without_waiting_where_that_is_known():
    runner = FakeRunner(busy(0.26, 0.06), bare=busy(0.12, 0.02))
    extra = measure_command(Plan(), COMMAND, ["app"], runs=3, warmup=0, runner=runner)[1].extra
    assert extra["ratio_to_bare"] == pytest.approx(2)
    assert extra["uncontended_s"] == pytest.approx(0.2)


def test_an_interpreter_that_cannot_be_run_bare_leaves_no_ratio():
    runner = FakeRunner(finished(), bare=finished(exit_status=2))
    extra = measure_command(Plan(), COMMAND, ["app"], runs=3, runner=runner)[1].extra
    assert not {"bare_s", "ratio_to_bare"} & set(extra)


def test_a_series_on_a_busy_machine_is_measured_again_and_the_calmest_one_kept():
    runs = [busy(0.2, 0.08), busy(0.3, 0.08), busy(0.3, 0.08), busy(0.1, 0.0)]
    runner = FakeRunner(*runs)
    measurement = measure_command(Plan(), COMMAND, ["app"], runs=2, runner=runner)[1]
    assert measurement.samples == (0.1, 0.1)
    assert measurement.extra["contention"] == 0
    assert "starved" not in measurement.extra
    assert measurement.extra["first_run_s"] == 0.2
    assert len(runner.calls) == 5


def test_a_machine_that_stays_busy_is_told_after_two_more_series():
    runner = FakeRunner(busy(0.2, 0.08))
    extra = measure_command(Plan(), COMMAND, ["app"], runs=2, runner=runner)[1].extra
    assert extra["contention"] == pytest.approx(0.5)
    assert extra["starved"].startswith("for 50 % of the time it wanted a processor it had to wait for one")
    assert "2 more series" in extra["starved"]
    assert len(runner.calls) == 7


def test_a_moment_is_no_waiting_however_short_the_process():
    run = finished(0.001, user_s=0.0005, system_s=0.0003, on_cpu_s=0.0008, queued_s=0.0002)
    assert "starved" not in measured(run, runs=2).extra


def shell(wall_s, queued_s):
    """Make a run of a shell that only starts what does the work."""
    return finished(wall_s, on_cpu_s=0.0008, queued_s=queued_s)


@pytest.mark.parametrize("queued_s", [0.0, 0.004])
def test_how_long_a_shell_waits_says_nothing_of_what_it_runs(queued_s):
    runner = FakeRunner(shell(0.4, queued_s), bare=busy(0.2, 0.08))
    extra = measure_command(Plan(), COMMAND, ["app"], runs=2, runner=runner)[1].extra
    assert extra["contention"] == pytest.approx(0.5)
    assert extra["starved"].startswith("for 50 % of the time a bare interpreter beside it wanted a processor")
    runner = FakeRunner(shell(0.4, queued_s), bare=busy(0.2, 0.001))
    calm = measure_command(Plan(), COMMAND, ["app"], runs=2, runner=runner)[1].extra
    assert "starved" not in calm
    assert "uncontended_s" not in calm


def test_bare_interpreters_tell_of_a_busy_machine_together():
    spared, caught = (finished(0.1, on_cpu_s=0.08, queued_s=waited_s) for waited_s in (0.0, 0.24))
    runner = FakeRunner(shell(0.4, 0.0), bare=[spared, spared, caught])
    extra = measure_command(Plan(), COMMAND, ["app"], runs=3, warmup=0, runner=runner)[1].extra
    assert extra["contention"] == pytest.approx(0.5)
    assert "starved" in extra


def test_without_an_account_of_waiting_nothing_is_said_of_it():
    extra = measured(finished(), runs=2).extra
    assert not {"contention", "starved", "uncontended_s"} & set(extra)


def test_what_a_way_of_running_cannot_tell_is_a_warning():
    assert measured(finished(untold="no idea"), runs=2).warnings == ("no idea",)


# --- hardly more than nothing


def beside_nothing(wall_s, floor_s):
    def run(argv, **_options):
        return finished(floor_s if Path(argv[0]).name == "true" else 1e-9 if is_bare(argv) else wall_s)

    return measure_command(Plan(), COMMAND, ["app"], runs=3, runner=run)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no program that does nothing")
def test_a_command_that_takes_hardly_longer_than_nothing_is_warned_of():
    close, apart = beside_nothing(0.0015, 0.0006), beside_nothing(0.0019, 0.0006)
    text = "most of it is the system's time: it takes 1.5 ms at least, a process that does nothing 600 µs"
    assert (close.warnings, close.extra["floor_s"]) == ((text,), 0.0006)
    assert (apart.warnings, apart.extra["floor_s"]) == ((), 0.0006)


def test_of_a_longer_command_or_without_such_a_program_nothing_is_said(monkeypatch):
    assert "floor_s" not in beside_nothing(0.1, 0.09).extra
    monkeypatch.setattr("shutil.which", lambda _: None)
    near = beside_nothing(0.0015, 0.0006)
    assert not near.warnings
    assert "floor_s" not in near.extra


# --- planned by a comparison


def planned(*runs, rounds=2, bare=None, **options):
    def planner(_plan, *, clock, tick_ns):
        return schedule(Plan(rounds=rounds, iterations=1, warmup=0), clock=clock, tick_ns=tick_ns)

    runner = FakeRunner(*runs, bare=bare)
    return measure_command(Plan(), COMMAND, ["app"], runner=runner, planner=planner, **options)[1], runner


def test_a_planned_series_knows_the_facts_of_any_other():
    measurement, runner = planned(finished(0.3), finished(0.1), finished(0.2), rounds=3, bare=finished(0.05))
    assert measurement.rounds == len(runner.calls) == 3
    assert measurement.extra["bare_s"] == 0.05
    assert measurement.extra["ratio_to_bare"] == pytest.approx(4)
    assert measurement.extra["first_run_s"] == 0.3
    assert "first_run_s" not in planned(finished(), warmup=0)[0].extra


def test_a_planned_series_on_a_busy_machine_says_so_and_is_not_measured_again():
    measurement, runner = planned(busy(0.2, 0.08))
    assert len(runner.calls) == 2
    assert measurement.extra["contention"] == pytest.approx(0.5)
    assert measurement.extra["starved"].startswith("for 50 % of the time it wanted a processor it had to wait for one")


def test_only_the_first_planned_runs_have_a_bare_interpreter_beside_them():
    walls = [0.1] * 10 + [9.0] * 30
    measurement, runner = planned(*map(finished, walls), rounds=40, bare=finished(0.05))
    assert (len(runner.calls), runner.bare_calls) == (40, 10)
    assert measurement.extra["ratio_to_bare"] == pytest.approx(2)


# --- how many runs


@pytest.mark.parametrize(
    ("walls", "expected"),
    [
        pytest.param([0.1], 10, id="as precise as can be"),
        pytest.param([0.01], 40, id="precise, but all within half a second"),
        pytest.param([0.02, 0.05] * 30, 40, id="never precise"),
        pytest.param([0.4], 7, id="the time is spent between six and ten"),
        pytest.param([2.0], 6, id="the time is spent at once"),
    ],
)
def test_runs_go_on_until_they_tell_enough(walls, expected):
    assert measured(*[finished(wall) for wall in walls]).rounds == expected


def test_the_number_asked_for_is_kept_whatever_it_takes():
    assert measured(finished(5.0), runs=12).rounds == 12
    assert measured(finished(0.1), runs=1).rounds == 1


def test_the_plan_stands_in_for_runs_and_warmup():
    runner = FakeRunner(finished())
    plan = Plan(rounds=4, warmup=3)
    assert measure_command(plan, COMMAND, ["app"], runner=runner)[1].rounds == 4
    assert len(runner.calls) == 7
    assert measure_command(plan, COMMAND, ["app"], runs=2, runner=runner)[1].rounds == 2


# --- the command's answer


def test_the_answer_is_a_completed_process_in_text():
    result = run_command([PYTHON, "-c", "import sys; print('out'); print('err', file=sys.stderr)"])
    assert isinstance(result, CommandResult)
    assert isinstance(result, subprocess.CompletedProcess)
    assert (result.returncode, result.stdout, result.stderr) == (0, "out\n", "err\n")
    assert result.args[0] == PYTHON
    result.check_returncode()


def test_measuring_gives_the_answer_of_the_last_run():
    runner = FakeRunner(finished(stdout=b"1"), finished(stdout=b"2"), finished(stdout=b"3\r\n\xff"))
    result, _ = measure_command(Plan(), COMMAND, ["app"], runs=2, runner=runner)
    assert result.stdout == "3\n\N{REPLACEMENT CHARACTER}"


def test_input_directory_and_paths_reach_the_command(tmp_path):
    script = tmp_path / "app.py"
    script.write_text("import os, sys; print(os.getcwd(), sys.argv[1], sys.stdin.read())")
    result = run_command([Path(PYTHON), script, Path("some/file")], stdin="text", cwd=tmp_path)
    folder, argument, text = result.stdout.split()
    assert tmp_path.samefile(folder)
    assert (argument, text) == (str(Path("some/file")), "text")


# --- environment


def environment(**options):
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    return json.loads(run_command([PYTHON, "-c", code], **options).stdout)


def test_what_pytest_xdist_and_coverage_put_into_the_environment_is_taken_out(monkeypatch):
    ours = (
        "PYTEST_XDIST_WORKER",
        "PYTEST_XDIST_TESTRUNUID",
        "COV_CORE_DATAFILE",
        "COVERAGE_PROCESS_START",
        "PYTEST_CURRENT_TEST",
    )
    for name in ours:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("OF_THE_USER", "kept")
    seen = environment()
    assert not set(ours) & set(seen)
    assert seen["OF_THE_USER"] == "kept"


def test_variables_given_win_and_none_takes_one_away(monkeypatch):
    monkeypatch.setenv("OLD", "1")
    seen = environment(env={"COVERAGE_PROCESS_START": "rc", "NEW": "2", "OLD": None})
    assert (seen["COVERAGE_PROCESS_START"], seen["NEW"]) == ("rc", "2")
    assert "OLD" not in seen


# --- mistakes in the call


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("app --version", r"\['app', '--version'\]"),
        (b"app 'a b'", r"\['app', 'a b'\]"),
        ("app 'open", "shlex.split"),
        (Path("app"), "write a list"),
        ([], "empty"),
        ([""], "empty"),
        (5, "not a list"),
        (["app", 8000], r"argument 1 of the command is 8000, of type int; write '8000'"),
        (["app", None], "argument 1"),
        (["app", "a\0b"], "NUL"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_with_a_hint(argv, message):
    for call in (run_command, lambda it: measure_command(Plan(), COMMAND, it)):
        with pytest.raises(UsageError, match=message):
            call(argv)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs=0"),
        ({"runs": True}, "runs=True"),
        ({"runs": 2.5}, "runs=2.5"),
        ({"warmup": -1}, "warmup=-1"),
        ({"timeout_s": -1}, "timeout=-1"),
        ({"timeout_s": float("nan")}, "timeout=nan"),
        ({"timeout_s": float("inf")}, "timeout=inf"),
        ({"timeout_s": "3s"}, "timeout='3s'"),
        ({"cwd": "no/such/folder"}, "does not exist"),
        ({"cwd": __file__}, "is not a directory"),
        ({"cwd": 3}, "takes a path"),
        ({"env": {"PORT": 8000}}, "PORT"),
        ({"env": ["A=1"]}, "mapping"),
        ({"stdin": 1}, "stdin"),
        ({"expect_exit": "0"}, "expect_exit"),
        ({"expect_exit": []}, "expect_exit"),
        ({"expect_exit": True}, "expect_exit"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_anything_runs(options, message):
    runner = FakeRunner(finished())
    with pytest.raises(UsageError, match=message):
        measure_command(Plan(), COMMAND, ["app"], runner=runner, **options)
    assert not runner.calls


# --- commands that fail


def test_a_program_not_found_is_explained_with_what_comes_close(tmp_path, monkeypatch):
    (tmp_path / "perfgate-demo-app").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotMeasureError, match=r"did you mean 'perfgate-demo-app'.*installed"):
        run_command(["perfgate-demo-ap"])
    with pytest.raises(CannotMeasureError, match=r"'./app' was not found: no such file"):
        run_command(["./app"], cwd=tmp_path)


def test_a_script_of_this_environment_that_is_not_on_path_is_pointed_at(tmp_path, monkeypatch):
    script = tmp_path / "app"
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    with pytest.raises(CannotMeasureError, match="activate the environment"):
        run_command(["app"])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_what_exists_but_cannot_be_run_is_told_why(tmp_path):
    (tmp_path / "plain").write_text("")
    orphan = tmp_path / "orphan"
    orphan.write_text("#!/no/such/python\n")
    orphan.chmod(0o755)
    with pytest.raises(CannotMeasureError, match="is not executable"):
        run_command([tmp_path / "plain"])
    with pytest.raises(CannotMeasureError, match=r"is a directory \(.*\); name the program"):
        run_command([tmp_path])
    with pytest.raises(CannotMeasureError, match="what its first line asks"):
        run_command([orphan])


def test_an_unexpected_exit_shows_the_status_and_the_end_of_stderr():
    errors = b"".join(b"line %d\n" % number for number in range(30))
    with pytest.raises(CannotMeasureError) as caught:
        measured(finished(exit_status=2, stderr=errors))
    message = str(caught.value)
    assert message.startswith("app exited with status 2, not 0; its stderr ends:")
    assert "line 10\n" in message
    assert message.endswith("line 29")
    assert "line 9\n" not in message


def test_without_stderr_the_end_of_stdout_is_shown():
    with pytest.raises(CannotMeasureError, match="its stdout ends:\n    usage"):
        measured(finished(exit_status=2, stdout=b"usage\n"))
    with pytest.raises(CannotMeasureError, match="it wrote nothing"):
        measured(finished(exit_status=2))


@pytest.mark.parametrize("expected", [3, [0, 3], {3}, (3,)])
def test_an_expected_exit_is_no_failure(expected):
    assert measured(finished(exit_status=3), expect_exit=expected).extra["exit_status"] == 3
    with pytest.raises(CannotMeasureError, match="status 4, not"):
        measured(finished(exit_status=4), expect_exit=expected)


def test_a_signal_is_named():
    with pytest.raises(CannotMeasureError, match=r"killed by signal 11 \(SIGSEGV\)"):
        measured(finished(exit_status=-11))


def test_a_hanging_command_is_told_with_its_last_words():
    with pytest.raises(CannotMeasureError, match=r"(?s)did not exit within 2.5 s; the process group was killed.*stuck"):
        measured(finished(timed_out=True, stderr=b"stuck\n"), timeout_s=2.5)


def test_a_real_command_that_hangs_is_killed():
    with pytest.raises(CannotMeasureError, match=r"did not exit within 0.2 s"):
        run_command([PYTHON, "-c", "import time; time.sleep(60)"], timeout_s=0.2)


# --- how a command is shown


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([PYTHON, "-m", "app"], "python -m app"),
        (["app", "a b"], "app 'a b'"),
        (["app", "-c", "one\n  two"], "app -c 'one two'"),
        (["app", "x" * 100], "app " + "x" * 55 + "…"),
    ],
)
def test_commands_are_shown_short_and_on_one_line(argv, text):
    assert shown(argv) == text


# --- what a measurement of an import says


def imported(module, **options):
    options = {"runs": 1, "warmup": 0, **options}
    return measure_imports(Plan(), IMPORTS, module, **options)


class FakeInterpreter:
    """Reports prepared import times as the child would."""

    def __init__(self, *told, **facts):
        self.told, self.facts = list(told), facts

    def __call__(self, argv, **options):
        if is_bare(argv):
            return finished(1e-9)
        if "PYTHONPROFILEIMPORTTIME" in options["env"]:
            return finished(exit_status=1)
        ask = ast.literal_eval(argv[-1].rstrip().rpartition("perfgate(")[2].removesuffix(")"))
        told = {"phase": "done", "modules": ["pkg"], "peak_bytes": None, **self.told.pop(0)}
        Path(ask["report"]).write_text(repr(told))
        return finished(**self.facts)


def test_the_import_alone_is_timed_not_the_interpreter(monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    runner = FakeInterpreter({"import_s": 0.9}, {"import_s": 0.01}, {"import_s": 0.03}, {"import_s": 0.02})
    _, measurement = measure_imports(Plan(), IMPORTS, "pkg", runs=3, runner=runner)
    assert measurement.samples == (0.01, 0.03, 0.02)
    assert measurement.value == 0.02
    assert measurement.extra["first_run_s"] == 0.9
    assert measurement.extra["target"] == "import pkg"
    assert measurement.extra["page_faults"] == 802
    assert not measurement.warnings


def test_newly_imported_modules_are_listed_without_a_bare_interpreters():
    result, measurement = imported("json")
    assert {"json", "json.decoder"} <= set(result.modules)
    assert not {"sys", "os", "builtins", "json.tool"} & set(result.modules)
    assert measurement.extra["module_names"] == sorted(result.modules)
    assert measurement.extra["modules"] == len(result.modules)
    assert measurement.value > 0
    assert json.loads(json.dumps(measurement.extra, allow_nan=False)) == measurement.extra
    assert import_once("json").modules == result.modules


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_the_childs_peak_is_its_own_even_under_a_larger_parent():
    held = bytearray(b"x") * 2**27
    _, measurement = imported("json")
    assert 2**20 < measurement.extra["peak_bytes"] < len(held)


def test_modules_the_test_can_import_the_child_can(tmp_path, monkeypatch):
    (tmp_path / "perfgate_demo_local.py").write_text("import perfgate_demo_other")
    (tmp_path / "perfgate_demo_other.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert import_once("perfgate_demo_local").modules == ("perfgate_demo_local", "perfgate_demo_other")


def test_our_path_comes_first_unless_the_call_sets_pythonpath(tmp_path, monkeypatch):
    for folder in ("ours", "given"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "perfgate_demo_twice.py").write_text(f"print({folder!r})")
    monkeypatch.syspath_prepend(tmp_path / "ours")
    assert import_once("perfgate_demo_twice").stdout == "ours\n"
    given = {"PYTHONPATH": str(tmp_path / "given")}
    assert import_once("perfgate_demo_twice", env=given).stdout == "given\n"


def test_a_given_directory_is_on_the_childs_path(tmp_path):
    (tmp_path / "perfgate_demo_here.py").write_text("")
    assert import_once("perfgate_demo_here", cwd=tmp_path).modules == ("perfgate_demo_here",)


def test_the_current_directory_is_on_the_childs_path_only_if_it_is_on_ours(tmp_path, monkeypatch):
    (tmp_path / "perfgate_demo_cwd.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    with pytest.raises(CannotMeasureError, match="No module named 'perfgate_demo_cwd'"):
        import_once("perfgate_demo_cwd")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert import_once("perfgate_demo_cwd").modules == ("perfgate_demo_cwd",)


def test_a_module_that_prints_or_closes_standard_output_disturbs_nothing(tmp_path):
    (tmp_path / "perfgate_demo_noisy.py").write_text("import os; print('hi', flush=True); os.close(1); os.close(2)")
    result, measurement = imported("perfgate_demo_noisy", cwd=tmp_path)
    assert result.stdout == "hi\n"
    assert measurement.value > 0


def test_first_use_is_timed_apart_and_its_modules_are_listed_apart():
    result, measurement = imported("json", first_use="import colorsys; json.dumps(1)")
    assert result.first_use_modules == ("colorsys",)
    assert measurement.extra["first_use_modules"] == ["colorsys"]
    assert measurement.extra["first_use_s"] > 0
    assert "colorsys" not in measurement.extra["module_names"]
    assert "first_use_s" not in imported("json")[1].extra


def test_first_use_of_a_submodule_has_its_package():
    assert import_once("xml.dom", first_use="assert xml.dom.Node").module == "xml.dom"


def test_first_use_may_exit_as_command_lines_do():
    import_once("sys", first_use="sys.exit()")
    import_once("sys", first_use="sys.exit(0)")
    with pytest.raises(CannotMeasureError, match=r"first use of sys failed.*SystemExit: 2"):
        import_once("sys", first_use="sys.exit(2)")


def test_an_import_that_fails_is_told_with_what_to_do():
    with pytest.raises(CannotMeasureError, match="No module named 'perfgate_demo_none'; is it installed"):
        import_once("perfgate_demo_none")


def test_an_import_that_raises_shows_the_end_of_its_traceback(tmp_path):
    (tmp_path / "perfgate_demo_raises.py").write_text("def configure():\n    1 / 0\nconfigure()")
    with pytest.raises(
        CannotMeasureError, match=r"(?s)import perfgate_demo_raises failed.*ZeroDivisionError.*configure"
    ):
        import_once("perfgate_demo_raises", cwd=tmp_path)


def test_an_import_that_ends_the_interpreter_is_told(tmp_path):
    (tmp_path / "perfgate_demo_ends.py").write_text("import os; os._exit(7)")
    with pytest.raises(CannotMeasureError, match=r"^import perfgate_demo_ends ended the .*: it exited with status 7;"):
        import_once("perfgate_demo_ends", cwd=tmp_path)


def test_a_first_use_that_ends_the_interpreter_is_told():
    with pytest.raises(
        CannotMeasureError, match=r"^first use of json ended the interpreter .*: it exited with status 7;"
    ):
        import_once("json", first_use="import os; os._exit(7)")


def test_an_import_that_is_killed_names_the_signal():
    class Killed:
        def __call__(self, _argv, **_options):
            return finished(exit_status=-9)

    with pytest.raises(CannotMeasureError, match=r"import json ended .*: it was killed by signal 9 \(SIGKILL\)"):
        import_once("json", runner=Killed())


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (None, "import json did not end within 1.5 s; the process group was killed; it wrote nothing"),
        ({"phase": "first use"}, "first use of json did not end within 1.5 s; the process group was killed"),
        ({"phase": "done"}, "the interpreter that imported json did not end within 1.5 s; .*no daemon"),
        (
            {"phase": "import", "problem": "ValueError: bad"},
            "import json failed in a fresh interpreter: ValueError: bad",
        ),
    ],
)
def test_an_import_that_hangs_is_told_by_its_name(told, message):
    def runner(argv, **_options):
        ask = ast.literal_eval(argv[-1].rstrip().rpartition("perfgate(")[2].removesuffix(")"))
        if told:
            Path(ask["report"]).write_text(repr(told))
        return finished(exit_status=-9, timed_out=True)

    with pytest.raises(CannotMeasureError, match=f"^{message}"):
        import_once("json", first_use="pass", timeout_s=1.5, runner=runner)


def test_an_interpreter_that_crashes_at_its_end_is_told():
    with pytest.raises(CannotMeasureError, match="exited with status 9"):
        import_once("atexit", first_use="import os; atexit.register(os._exit, 9)")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("my-package", "did you mean 'my_package'"),
        ("package/module.py", "did you mean 'package.module'"),
        ("./package.py", "did you mean 'package'"),
        ("", "not the name of a module"),
        ("a..b", "not the name of a module"),
        ("class", "not the name of a module"),
        ("os; print(1)", "not the name of a module"),
        (json, "named by a string"),
    ],
)
def test_a_name_that_is_no_module_is_refused_with_a_hint(module, message):
    with pytest.raises(UsageError, match=message):
        import_once(module)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_use": "json.("}, "is not Python"),
        ({"first_use": json.dumps}, "not a string of Python"),
        ({"forbid": "numpy"}, r"forbid=\['numpy'\]"),
        ({"forbid": ["num py"]}, "num py"),
        ({"runs": 0}, "runs=0"),
        ({"timeout_s": -2}, "timeout=-2"),
    ],
)
def test_an_option_of_imports_that_cannot_be_meant_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        imported("json", **options)


def test_forbidden_modules_are_handed_on_for_a_budget():
    _, measurement = imported("json", forbid=("numpy", "json.tool"))
    assert measurement.extra["forbid"] == ["numpy", "json.tool"]
    assert "forbid" not in imported("json")[1].extra


def test_another_interpreter_that_is_not_there_is_told():
    with pytest.raises(CannotMeasureError, match="was not found"):
        import_once("json", python="/no/such/python")


def test_runs_that_import_different_modules_are_a_warning():
    runner = FakeInterpreter(
        {"import_s": 0.1, "modules": ["pkg", "pkg.a"]}, {"import_s": 0.1, "modules": ["pkg", "pkg.b"]}
    )
    _, measurement = imported("pkg", runs=2, runner=runner)
    assert "(pkg.a, pkg.b)" in measurement.warnings[0]


def test_without_bytecode_files_the_user_is_warned(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "compiled anew" in imported("json")[1].warnings[0]
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    assert not imported("json")[1].warnings
