"""Fixtures of the whole suite: a project in a temporary folder, run with the gate in each of four settings."""

from __future__ import annotations

import json
import re
import signal
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

#: What an example takes says nothing here: neighbours take time from tests as well.
hypothesis.settings.register_profile("unhurried", deadline=None, derandomize=True)
hypothesis.settings.load_profile("unhurried")

pytest_plugins = ["pytester"]

#: Where other tools lose a verdict: nothing about it may differ between these.
SETTINGS = {
    "plain": [],
    "xdist": ["-n2"],
    "no-terminal": ["-p", "no:terminal"],
    "junitxml": ["--junitxml=pytest.xml"],
}


def pytest_configure() -> None:
    """Take Ctrl-C for what it is also where the shell had it ignored, as it does for what runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Gated:
    """One run of pytest in a subprocess, with what it left behind."""

    def __init__(self, result: pytest.RunResult, folder: Path) -> None:
        self.ret = int(result.ret)
        self.out = "\n".join(result.outlines)
        self.err = "\n".join(result.errlines)
        self.text = f"{self.out}\n{self.err}"
        self._folder = folder

    @property
    def json(self) -> dict[str, Any]:
        """The JSON report."""
        return json.loads((self._folder / "run.json").read_text("utf-8"))

    @property
    def cases(self) -> dict[str, dict[str, Any]]:
        """The cases of the JSON report by id, with the test file cut off."""
        return {case["id"].partition("::")[2]: case for case in self.json["cases"]}

    @property
    def verdicts(self) -> dict[str, str]:
        """Case id without the test file -> verdict."""
        return {name: case["verdict"] for name, case in self.cases.items()}

    @property
    def junit_failures(self) -> int:
        """Failures in pytest's own JUnit file."""
        suite = next(ET.parse(self._folder / "pytest.xml").getroot().iter("testsuite"))
        return int(suite.attrib["failures"])

    @property
    def junit_texts(self) -> dict[str, str]:
        """Name of a test -> what pytest's own JUnit file says of it."""
        root = ET.parse(self._folder / "pytest.xml").getroot()
        return {case.attrib["name"]: "".join(case.itertext()) for case in root.iter("testcase")}


class Project:
    """A small project that is tested with the gate."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path

    def write(self, name: str, text: str) -> Path:
        """Write a file, dedented."""
        import textwrap

        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    def test(self, text: str) -> Path:
        """Write the test module."""
        return self.write("test_it.py", f"import pytest\n{_dedented(text)}")

    def run(
        self,
        *args: str,
        gate: bool = True,
        plugins: Sequence[str] = (),
        autoload: bool = False,
        timeout: float = 120,
    ) -> Gated:
        """Run pytest in a subprocess, by default with the gate on, short measurements and a JSON report.

        Args:
            args: More arguments.
            gate: Whether to measure.
            plugins: Modules of other plugins that the test needs; xdist's is there wherever workers are asked for.
            autoload: Whether to find plugins by their entry points, as users do; takes more than twice as long.
            timeout: Seconds.
        """
        asked = ["--perfgate", "--perfgate-report=json=run.json", "--perfgate-max-time=100ms"] if gate else []
        with pytest.MonkeyPatch.context() as patch:
            if not autoload:
                patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
                workers = ["xdist.plugin"] if any(re.match(r"-n\d", arg) for arg in args) else []
                asked += [f"-p{name}" for name in ("pytest_perfgate.plugin", *workers, *plugins)]
            result = self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *asked, *args, timeout=timeout)
        return Gated(result, self.path)


def _dedented(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a temporary folder, shielded from the environment of this suite."""
    for name in ("PYTEST_ADDOPTS", "PERFGATE_PROFILE", "PYTEST_XDIST_WORKER", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return Project(pytester)


@pytest.fixture(params=list(SETTINGS), ids=list(SETTINGS))
def setting(request: pytest.FixtureRequest) -> list[str]:
    """The arguments of one of the four settings."""
    return SETTINGS[request.param]
