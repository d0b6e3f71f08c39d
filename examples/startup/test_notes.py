import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOTES = [sys.executable, "notes.py"]
budget = pytest.mark.budget


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--version"], "notes 1.0", marks=budget("ratio_to_bare < 15", s=3), id="version"),
        pytest.param(["--help"], "usage:", marks=budget("ratio_to_bare < 15", s=3), id="help"),
        pytest.param(["list", "notes.json"], "Buy milk", marks=budget("page_faults < 10000", s=4), id="list"),
    ],
)
def test_a_command_answers_at_once(startup, arguments, says):
    assert says in startup.command([*NOTES, *arguments], cwd=HERE, runs=10).stdout


@budget(modules=5, forbid=["json", "http", "argparse"])
def test_importing_it_loads_nothing_that_only_some_commands_need(startup):
    startup.imports("notes", runs=5)


@budget(s=10)
@pytest.mark.parametrize("ready", ["port", re.compile(r"serving on port \d+")], ids=["port", "output"])
def test_the_server_is_soon_ready(startup, ready):
    startup.app([*NOTES, "serve", "{port}"], ready=ready, cwd=HERE, runs=5)


@budget(s=10)
def test_the_first_start_after_an_upgrade(startup):
    startup.command([*NOTES, "list", "notes.json"], cwd=HERE, runs=5, cold="pyc")
