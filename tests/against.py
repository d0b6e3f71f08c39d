"""Real comparisons of small repositories with `pytest --perfgate --perfgate-against`, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

import psutil
from checkouts import Repository

#: A change of twice the time is far beyond it, and noise far within: decisions are quick and certain.
TOLERANCE = "30%"
#: Plugins of the environment that runs these tests would only make each of many workers slower to start.
PLUGINS = {"xdist": "xdist.plugin", "anyio": "anyio.pytest_plugin"}
_FOREIGN = ("PYTEST_", "PERFGATE_", "COV_CORE_", "GITHUB_", "PYTHONPATH", "NO_COLOR", "FORCE_COLOR")


class Compared:
    """What one run came to."""

    def __init__(self, ret: int, out: str, err: str, folder: Path) -> None:
        self.ret, self.out, self.err, self.folder = ret, out, err, folder
        self.text = f"{out}\n{err}"
        report = folder / "run.json"
        self.json = json.loads(report.read_text("utf-8")) if report.exists() else {}
        self.cases = {case["id"].partition("::")[2]: case for case in self.json.get("cases", ())}
        self.verdicts = {name: case["verdict"] for name, case in self.cases.items()}

    def outcome(self, test: str) -> str:
        """Say how a test ended in pytest's own JUnit file, with its message."""
        for case in ET.parse(self.folder / "pytest.xml").getroot().iter("testcase"):
            if case.attrib["name"] == test:
                return next((f"{child.tag}: {child.attrib.get('message', '')}" for child in case), "passed")
        return "missing"


class Trial:
    """A repository with a package ``pkg`` and tests, compared with another version of itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = Repository(folder / "project")
        self.path = self.repository.path
        self.tmp = folder / "tmp"
        self.tmp.mkdir()

    def base(self, files: dict[str, str]) -> None:
        self.repository.commit({".gitignore": "run.json\npytest.xml\n.pytest_cache\n__pycache__\nlog.txt\n"})
        self.repository.commit({name: textwrap.dedent(text) for name, text in files.items()})

    def head(self, files: dict[str, str]) -> None:
        """Change the working tree; nothing is committed."""
        self.repository.write({name: textwrap.dedent(text) for name, text in files.items()})

    def command(self, *arguments: str, against: str | None = "HEAD", plugins=()) -> list[str]:
        chosen = [word for name in plugins for word in ("-p", PLUGINS[name])]
        gate = ["--perfgate", "--perfgate-report=json=run.json", f"--perfgate-max-regression={TOLERANCE}"]
        asked = [f"--perfgate-against={against}"] if against else []
        return [sys.executable, "-m", "pytest", "-p", "pytest_perfgate.plugin", *chosen, *gate, *asked, *arguments]

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        own = {"TMPDIR": str(self.tmp), "PERFGATE_CACHE_DIR": str(self.folder / "cache"), "COLUMNS": "200"}
        return {**kept, **own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def start(self, *arguments: str, **how) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments, **how),
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, timeout: float = 240.0, **how) -> Compared:
        (self.path / "run.json").unlink(missing_ok=True)
        process = self.start(*arguments, **how)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return Compared(process.returncode, out, err, self.path)

    def workers(self) -> list[psutil.Process]:
        """Find the workers of this project that run anywhere on this machine."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            ended = process.info["status"] == psutil.STATUS_ZOMBIE
            if any("side_worker" in word for word in words) and str(self.tmp) in words[-1] and not ended:
                found.append(process)
        return found
