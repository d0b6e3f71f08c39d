"""Profiles, configuration and reports as a project uses them."""

from __future__ import annotations

import json
import os
import re

import pytest

PROJECT = """
    [tool.perfgate]
    max_regression = "7%"

    [tool.perfgate.profiles.here]
    match = {env = {PLACE = "here"}, cores = ">=0.1"}
    scale = 2
    max_regression = "9%"

    [tool.perfgate.profiles.here.budgets]
    "test_it.py::test_own" = {ns = 1}
    "test_it.py::test_param*" = {s = 60}

    [tool.perfgate.profiles.there]
    match = {env = {PLACE = "there"}}
"""

TESTS = """
    @pytest.mark.budget(s=30)
    def test_scaled():
        pass

    @pytest.mark.budget(s=30)
    def test_own():
        pass

    @pytest.mark.parametrize("n", [1, 2])
    def test_param(n):
        pass
"""


def test_a_profile_has_its_own_budgets_scale_and_tolerance(project, monkeypatch):
    monkeypatch.setenv("PLACE", "here")
    project.write("pyproject.toml", PROJECT)
    project.test(TESTS)
    run = project.run()
    assert run.json["profile"] == {"name": "here", "matched_by": run.json["profile"]["matched_by"]}
    assert "PLACE=here" in run.json["profile"]["matched_by"]
    assert run.verdicts == {
        "test_scaled#call": "pass",
        "test_own#call": "over-budget",
        "test_param[1]#call": "pass",
        "test_param[2]#call": "pass",
    }
    assert run.cases["test_scaled#call"]["budget"]["limit"] == 60
    assert run.cases["test_own#call"]["budget"]["profile"] == "here"
    assert run.json["settings"]["max_regression"] == 0.09
    assert "profile here" in run.out


ROWS = """
    [tool.perfgate.profiles.here]
    match = {env = {PLACE = "here"}}

    [tool.perfgate.profiles.here.budgets]
    "test_it.py::test_param" = {s = 60}
    "test_it.py::test_pram" = {s = 60}
    "test_its.py::*" = {s = 60}
    "*::test_own" = {s = 60}
    "test_later.py::test_known_elsewhere" = {s = 60}

    [tool.perfgate.profiles.there.budgets]
    "test_it.py::test_of_another_profile" = {s = 60}
"""


def idle_rows(run):
    return [note for note in run.json["summary"]["notes"] if "matches no test" in note]


@pytest.fixture
def rows(project, monkeypatch):
    monkeypatch.setenv("PLACE", "here")
    project.write("pyproject.toml", ROWS)
    project.test(TESTS)
    project.write("test_later.py", "import pytest\n\npytest.importorskip('not_there')\n")
    return project


@pytest.mark.parametrize("more", [[], ["-n2"], ["--perfgate-only"], ["."]], ids=["plain", "xdist", "only", "folder"])
def test_a_budget_row_that_matches_no_test_is_said(rows, more):
    run = rows.run(*more)
    assert run.ret == 0, run.text
    assert idle_rows(run) == [
        'the budget row "test_it.py::test_pram" of profile here matches no test; '
        'did you mean "test_it.py::test_param"?',
        'the budget row "test_its.py::*" of profile here matches no test; did you mean "test_it.py::*"?',
    ]
    assert "matches no test" in run.out


@pytest.mark.parametrize(
    "more",
    ["-k own", "test_it.py", "test_it.py::test_own", "--deselect test_it.py::test_own", "sub", "-k own -n2"],
)
def test_a_part_of_the_suite_says_nothing_of_budget_rows(rows, more):
    rows.write("sub/test_sub.py", "def test_sub(): pass")
    assert idle_rows(rows.run(*more.split())) == []


def test_the_header_names_the_profile_and_what_matched_it(project, monkeypatch):
    monkeypatch.setenv("PLACE", "there")
    project.write("pyproject.toml", PROJECT)
    project.test(TESTS)
    run = project.run()
    header = next(line for line in run.out.splitlines() if line.startswith("perfgate: profile"))
    assert "there" in header
    assert "PLACE=there" in header


@pytest.mark.parametrize(("policy", "status"), [("warn", 0), ("ignore", 0), ("fail", 4)])
def test_the_policy_for_a_machine_that_matches_none_of_the_users_profiles(project, policy, status):
    project.write(
        "pyproject.toml", PROJECT.replace("[tool.perfgate]\n", f'[tool.perfgate]\n    unknown_profile = "{policy}"\n')
    )
    project.test(TESTS)
    run = project.run()
    assert run.ret == status, run.text
    assert ("here" in run.text) == (policy != "ignore")


def test_the_environment_chooses_a_profile_and_the_option_is_stronger(project, monkeypatch):
    project.test("def test_it(perf): perf(len, 'a')")
    monkeypatch.setenv("PERFGATE_PROFILE", "laptop")
    assert project.run().json["profile"]["name"] == "laptop"
    assert project.run("--perfgate-profile=ci").json["profile"]["name"] == "ci"


def test_enabled_in_the_configuration_is_the_option_and_no_perfgate_wins(project):
    project.write("perfgate.toml", 'enabled = true\nreport = ["json=own.json"]\n')
    project.test("@pytest.mark.budget(ns=1)\ndef test_it(): pass")
    assert project.run(gate=False).ret == 1
    assert (project.path / "own.json").exists()
    assert project.run("--no-perfgate", gate=False).ret == 0


@pytest.mark.parametrize("option", [[], ["--perfgate-strict"], ["--perfgate"]], ids=["enabled", "strict", "option"])
def test_a_run_whose_tests_are_all_skipped_fails_however_the_gate_was_switched_on(project, option):
    project.write("perfgate.toml", "enabled = true\n")
    project.test("@pytest.mark.skip\ndef test_it(perf): perf(len, 'a')")
    run = project.run(*option, gate=False)
    assert run.ret == 1, run.text
    told = " ".join(run.text.split())
    assert "nothing was measured: each of the tests that should have been (1) was skipped" in told
    assert ("pass --no-perfgate" in told) is ("--perfgate" not in option)


def test_enabled_in_the_configuration_does_not_fail_a_run_without_a_test_that_measures(project, setting):
    project.write("perfgate.toml", "enabled = true\n")
    project.test("def test_it(): pass")
    project.write("test_slow.py", "def test_slow(perf): perf(len, 'a')")
    run = project.run(*setting, "test_it.py", "--perfgate-strict", gate=False)
    assert run.ret == 0, run.text


def test_several_reports_of_one_run(project):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--perfgate-report=junit=a.xml", "--perfgate-report=text=-", "--perfgate-report=json=b.json")
    assert run.ret == 0
    assert "<testsuites" in (project.path / "a.xml").read_text()
    assert json.loads((project.path / "b.json").read_text()) == run.json
    assert "test_it" in run.out


def test_relative_paths_count_from_where_pytest_was_called(project):
    project.test("def test_it(perf): perf(len, 'a')")
    (project.path / "sub").mkdir()
    os.chdir(project.path / "sub")
    for more in ([], ["-n2"]):
        run = project.run("..", "--perfgate-report=json=here.json", *more)
        assert run.ret == 0, run.text
        assert (project.path / "sub" / "here.json").exists()
        run = project.run("..", "--perfgate-baseline=here.json", *more)
        assert run.ret in (0, 1), run.text


@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
def test_a_test_that_goes_elsewhere_takes_no_report_along(project, more):
    project.test("""
        import os

        def test_it(perf, tmp_path):
            perf(len, "a")
            os.chdir(tmp_path)
    """)
    run = project.run("--perfgate-report=junit=own.xml", *more)
    assert run.ret == 0, run.text
    assert (project.path / "own.xml").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_usage_error(project):
    project.test("def test_it(perf): perf(len, 'a')")
    locked = project.path / "locked"
    locked.mkdir(mode=0o500)
    assert project.run("--perfgate-report=json=locked/run.json").ret == 4


def test_quiet_narrow_and_colourless_output_is_readable(project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    project.test("""
        @pytest.mark.budget(ns=1)
        def test_with_a_very_long_name_that_goes_on_and_on_until_it_does_not_fit_into_eighty_columns():
            pass
    """)
    run = project.run("--color=no")
    table = run.out[run.out.index("= perfgate =") : run.out.index("= short test summary")]
    assert max(len(line) for line in table.splitlines()) <= 80
    assert "\x1b" not in run.out


def test_collect_only_judges_nothing(project):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--collect-only")
    assert run.ret == 0
    assert not (project.path / "run.json").exists()


def test_an_interrupted_run_still_writes_what_it_has(project):
    project.test("""
        def test_first(perf):
            perf(len, "a")

        def test_second():
            raise KeyboardInterrupt

        def test_third(perf):
            perf(len, "a")
    """)
    run = project.run()
    assert run.ret == 2
    assert run.json["summary"]["measured"] == 1


IDLE = [
    "--perfgate-baseline=base.json",
    "--perfgate-report=json=typed.json",
    "--perfgate-strict",
    "--perfgate-max-regression=5%",
    "--perfgate-max-time=1s",
    "--perfgate-profile=ci",
    "--perfgate-only",
]


@pytest.mark.parametrize("option", IDLE)
def test_an_option_typed_without_the_gate_is_refused(project, option):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run(option, gate=False)
    assert run.ret == pytest.ExitCode.USAGE_ERROR, run.text
    assert f"{option.partition('=')[0]} " in run.text
    assert "without --perfgate; give both" in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize("more", [["-n2"], ["-p", "no:terminal"]], ids=["xdist", "no-terminal"])
def test_an_option_and_its_value_apart_are_refused_as_well(project, more):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--perfgate-baseline", "base.json", *more, gate=False)
    assert run.ret == pytest.ExitCode.USAGE_ERROR, run.text
    assert "--perfgate-baseline compares nothing without --perfgate" in run.text


def test_options_of_the_configuration_may_wait_for_a_gate(project, monkeypatch):
    project.test("def test_it(perf): perf(len, 'a')")
    project.write("pytest.ini", f"[pytest]\naddopts = {' '.join(option for option in IDLE if 'base' not in option)}\n")
    assert project.run(gate=False).ret == 0
    monkeypatch.setenv("PYTEST_ADDOPTS", "--perfgate-baseline=base.json")
    assert project.run(gate=False).ret == 0
    assert not (project.path / "typed.json").exists()
    typed = ("--perfgate-report=json=asked.json", "--perfgate-strict")
    assert project.run(*typed, "--no-perfgate", gate=False).ret == 0
    monkeypatch.delenv("PYTEST_ADDOPTS")
    project.write("perfgate.toml", "enabled = true\n")
    assert project.run(*typed, gate=False).ret == 0
    assert (project.path / "asked.json").exists()


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_nothing_is_asked_of_a_run_that_only_shows_how_tests_are_set_up(project, option):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run(option)
    assert run.ret == 0, run.text
    assert "nothing was measured" not in run.text
    assert not (project.path / "run.json").exists()


def test_each_known_profile_is_named_once(project):
    project.test("@pytest.mark.budget(s=1, profile='cii')\ndef test_it(): pass")
    run = project.run("--perfgate-profile=ci")
    known = re.search(r"known are (.*?)\)", " ".join(run.text.split())).group(1).split(", ")
    assert "ci" in known
    assert sorted(set(known)) == sorted(known)
