"""``perfgate profile``: the machine, the profile in force, and why each other one is not."""

from __future__ import annotations

import pytest
from builders import make_machine, make_python


@pytest.fixture
def machine(monkeypatch):
    """Put a made-up machine in the place of this one."""

    def put(**fields):
        monkeypatch.setattr("pytest_perfgate.machine.current_machine", lambda: make_machine(**fields))
        monkeypatch.setattr("pytest_perfgate.machine.current_python", make_python)

    put()
    return put


def in_force(printed):
    return next(line for line in printed.out.splitlines() if line.startswith("in force:"))


def row(printed, name):
    return next(line.split() for line in printed.out.splitlines() if line.startswith(f"  {name} "))


def test_the_facts_of_the_machine_are_those_a_process_may_use(perfgate, machine):
    printed = perfgate("profile")
    assert (printed.status, printed.err) == (0, "")
    lines = printed.out.splitlines()
    assert lines[:5] == [
        "machine: Example CPU 3000, linux 6.1.0 x86_64",
        "cores: 4 of 8 (affinity and CPU quota counted)",
        "memory: 8 GiB of 16 GiB (cgroup limit counted)",
        "hosted CI: no; on battery: no",
        "python: CPython 3.12 (3.12.1)",
    ]


def test_the_real_machine_can_be_described(perfgate):
    printed = perfgate("profile")
    assert printed.status == 0
    assert in_force(printed)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "standard"),
        ({"cores": 2.0}, "cpu-constrained"),
        ({"ci": "GitHub Actions"}, "ci"),
        ({"on_battery": True}, "laptop"),
        ({"memory_bytes": 2 * 1024**3}, "memory-constrained"),
        ({"cores": 32.0, "memory_bytes": 64 * 1024**3}, "high-performance"),
    ],
)
def test_the_profile_in_force_is_the_first_that_matches(facts, name, perfgate, machine):
    machine(**facts)
    printed = perfgate("profile")
    assert in_force(printed).startswith(f"in force: {name} (")
    assert row(printed, name)[1] == "yes"


def test_each_profile_says_why_it_does_or_does_not_match(perfgate, machine):
    machine(cores=2.0)
    printed = perfgate("profile")
    assert row(printed, "ci")[1:] == ["no", "no", "hosted", "CI"]
    assert row(printed, "laptop")[1:] == ["no", "not", "on", "battery"]
    assert row(printed, "cpu-constrained")[1:] == ["yes", "cores", "2", "<=", "2"]
    assert row(printed, "standard")[1:4] == ["yes,", "but", "later"]


CONFIGURED = """
[tool.perfgate.profiles.runner]
match = {cores = "<=4", env = {RUNNER = "big"}}
scale = 1.5
max_regression = "8%"

[tool.perfgate.profiles.runner.budgets]
"tests/test_cli.py::*" = {ms = 600}
"""


def test_profiles_of_the_project_are_tried_first_and_described(perfgate, machine, shelf, monkeypatch):
    shelf.write("pyproject.toml", CONFIGURED)
    without = perfgate("profile")
    assert "RUNNER is not set" in without.out
    assert "warning: no profile of yours matches this machine" in without.out
    monkeypatch.setenv("RUNNER", "big")
    printed = perfgate("profile")
    assert in_force(printed).startswith("in force: runner (")
    assert "multiplied by 1.5" in printed.out
    assert "max_regression 8 %" in printed.out
    assert "tests/test_cli.py::*" in printed.out


def test_the_settings_are_found_from_a_folder_below_or_where_asked(perfgate, machine, shelf, monkeypatch):
    shelf.write("pyproject.toml", CONFIGURED)
    below = shelf.folder / "src" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "runner" in perfgate("profile").out
    assert "runner" not in perfgate("profile", "--rootdir", ".").out
    assert "runner" in perfgate("profile", "--rootdir", str(shelf.folder)).out


def test_a_profile_asked_for_by_name_is_in_force(perfgate, machine, monkeypatch):
    monkeypatch.setenv("PERFGATE_PROFILE", "ci")
    assert in_force(perfgate("profile")) == "in force: ci (PERFGATE_PROFILE=ci)"


def test_a_profile_that_does_not_exist_is_an_error_after_the_facts(perfgate, machine, monkeypatch):
    monkeypatch.setenv("PERFGATE_PROFILE", "standart")
    status, out, err = perfgate("profile")
    assert status == 2
    assert "machine: Example CPU 3000" in out
    assert "standart" in err
    assert '"standard"' in err


def test_a_machine_that_the_project_refuses_is_an_error_after_the_facts(perfgate, machine, shelf):
    shelf.write("pyproject.toml", '[tool.perfgate]\nunknown_profile = "fail"\n' + CONFIGURED)
    status, out, err = perfgate("profile")
    assert status == 2
    assert "RUNNER is not set" in out
    assert "no profile of yours matches this machine" in err


@pytest.mark.parametrize(
    "text",
    ["[tool.perfgate\n", "[tool.perfgate]\nmax_regresion = '5%'\n", "[tool.perfgate.profiles.a]\nmatch = {cors = 2}\n"],
    ids=["not-toml", "unknown-key", "unknown-condition"],
)
def test_a_configuration_that_cannot_be_meant_is_one_message(text, perfgate, machine, shelf):
    shelf.write("pyproject.toml", text)
    status, _, err = perfgate("profile")
    assert status == 2
    assert err.startswith("perfgate: error: ")


def test_a_folder_that_does_not_exist_is_named(perfgate, machine):
    status, out, err = perfgate("profile", "--rootdir", "none")
    assert (status, out) == (2, "")
    assert "none" in err
