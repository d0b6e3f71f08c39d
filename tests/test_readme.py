"""Runs what README.md and docs/ show, so that neither says anything the program does not do.

A page is one little project: a code block whose first line is a comment with a file name is that file, and a Python
block with a test function is a test file anyway.  ``<!-- not run: reason -->`` before a block leaves it out.
"""

from __future__ import annotations

import ast
import itertools
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import pytest_perfgate
from pytest_perfgate import Verdict, cli
from pytest_perfgate.budgets.keywords import KEYWORDS
from pytest_perfgate.budgets.limits import STATISTICS
from pytest_perfgate.cli.ci import VERBS
from pytest_perfgate.metrics.startup import COMMAND_OPTIONS, IMPORTS_OPTIONS
from pytest_perfgate.plugin import options
from pytest_perfgate.profiles.conditions import PUBLIC
from pytest_perfgate.reports import FORMATS
from pytest_perfgate.settings.table import BY_NAME

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/**/*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

FENCE = re.compile(
    r"(?P<skip><!-- not run: .+? -->\n)?^(?P<indent> *)```(?P<language>[\w-]+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
FILE_NAME = re.compile(r"# ([\w/.-]+\.(?:py|toml))\n")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    is_run: bool

    @property
    def file_name(self):
        found = FILE_NAME.match(self.text)
        return found[1] if found else None

    @property
    def has_tests(self):
        return self.language == "python" and re.search(r"^\s*(async )?def test_", self.text, re.MULTILINE) is not None


def blocks_of(page):
    for found in FENCE.finditer(page.read_text("utf-8")):
        indent = len(found["indent"])
        text = "".join(line[indent:] for line in found["text"].splitlines(keepends=True))
        yield Block(found["language"], text, is_run=not found["skip"])


def project_of(page):
    """Return file name -> text of what *page* shows."""
    files, number = {}, itertools.count(1)
    for block in blocks_of(page):
        if not block.is_run or block.language not in ("python", "toml"):
            continue
        name = block.file_name
        if name is None and block.has_tests:
            name = f"test_block_{next(number)}.py"
        if name is not None:
            assert name not in files, f"two blocks of {page.name} are called {name}"
            files[name] = block.text
    return files


PROJECTS = {name: project_of(page) for name, page in zip(NAMES, PAGES, strict=True)}
PROJECTS = {name: files for name, files in PROJECTS.items() if any("def test_" in text for text in files.values())}


@pytest.fixture
def run(pytester, monkeypatch):
    """Write a page's project and run pytest on it in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(pytest_perfgate.__file__).parent.parent))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # what others install here is nothing a page relies on
    monkeypatch.delenv("PERFGATE_PROFILE", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    plugin = ("-p", "pytest_perfgate.plugin", "-p", "no:cacheprovider")

    def run_project(files, *arguments):
        for name, text in files.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return pytester.runpytest_subprocess(*plugin, *arguments)

    return run_project


@pytest.mark.parametrize("mode", ["pytest", "pytest --perfgate"])
@pytest.mark.parametrize("name", PROJECTS)
def test_the_examples_of_every_page_pass(run, name, mode):
    quickly = ["--perfgate-max-time=200ms"] if "--perfgate" in mode else []
    outcomes = run(PROJECTS[name], *mode.split()[1:], *quickly).parseoutcomes()
    assert set(outcomes) == {"passed"}, outcomes


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_code_block_can_be_read(page):
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    for block in blocks_of(page):
        if block.language == "python":
            ast.parse(block.text)
        elif block.language == "toml":
            toml.loads(block.text)


class Options(list):
    """Stands in for pytest's parser and its group, and keeps what is declared."""

    def getgroup(self, *_):
        return self

    def addoption(self, name, **_):
        self.append(name)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_names_an_option_that_does_not_exist(page):
    known = Options()
    options.add_options(known)
    mentioned = set(re.findall(r"--(?:no-)?perfgate[a-z-]*[a-z]", page.read_text("utf-8")))
    assert mentioned - set(known) == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_gives_pytest_a_file_that_it_takes_for_a_place_of_tests(page):
    assert re.findall(r"--perfgate-baseline +[\w./-]+", page.read_text("utf-8")) == []


def test_every_option_is_in_the_reference():
    known = Options()
    options.add_options(known)
    reference = (ROOT / "docs/reference/options.md").read_text("utf-8")
    assert [option for option in known if f"| `{option}" not in reference] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("configuration.md", [*BY_NAME, *PUBLIC]),
        ("fixtures.md", [*COMMAND_OPTIONS, *IMPORTS_OPTIONS]),
        ("markers.md", [*KEYWORDS, *STATISTICS]),
        ("options.md", [known.name for known in FORMATS]),
        ("../explanation/verdict.md", [verdict.value for verdict in Verdict]),
    ],
)
def test_the_documentation_knows_every_name_that_can_be_written(page, names):
    words = set(re.findall(r"[\w-]+", (ROOT / "docs/reference" / page).read_text("utf-8")))
    assert set(names) - words == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_names_a_subcommand_that_does_not_exist(page):
    known = {command.name for command in cli.COMMANDS}
    mentioned = set(re.findall(r"(?:^\$ |`)perfgate ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))
    assert mentioned - known == set()


def plain(text):
    """Undo what differs between versions of argparse: line breaks and ``-o OUT, --output OUT``."""
    return re.sub(r"(-\w) ([A-Z]+), (--[\w-]+) \2", r"\1, \3 \2", " ".join(text.split()))


def test_the_command_line_page_shows_the_real_help(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = [block.text for block in blocks_of(ROOT / "docs/reference/command-line.md") if block.language == "text"]
    verbs = (f"ci {verb.name}" for verb in VERBS)
    for name in ("", *(command.name for command in cli.COMMANDS), *verbs):
        command = ["perfgate", *name.split(), "--help"]
        assert cli.main(command[1:]) == 0
        printed = f"$ {' '.join(command)}\n{capsys.readouterr().out}"
        assert plain(printed) in map(plain, shown), f"docs/reference/command-line.md should show:\n{printed}"


@pytest.mark.parametrize("session", ["tests", "examples"])
def test_the_readme_holds_each_command_once(session):
    found = re.findall(rf"^python3 -m venv .*-s {session}$", README.read_text("utf-8"), re.MULTILINE)
    activated = ".venv/bin/python -m pip install nox && .venv/bin/nox"
    assert found == [f"python3 -m venv .venv && {activated} -s {session}"]


def test_the_checks_call_the_commands_of_the_readme():
    script = ROOT / ".ci/run"
    if not script.exists():
        pytest.skip("not part of the source distribution")
    assert os.name == "nt" or script.stat().st_mode & stat.S_IXUSR
    text = script.read_text("utf-8")
    assert "readme_command tests" in text
    assert "readme_command examples" in text
