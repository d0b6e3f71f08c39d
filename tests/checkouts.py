"""Real repositories, real environments and real processes: nothing about imports is worth believing otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

_IDENTITY = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_LOCATE = """
import importlib.util, sys
spec = importlib.util.find_spec(sys.argv[1])
print((spec.origin if spec.has_location else next(iter(spec.submodule_search_locations))) if spec else "")
"""


def nowhere(name):
    """Locate nothing: the environment has no copy."""


class Repository:
    """A git repository in a temporary folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        environ = {**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_OPTIONAL_LOCKS": "0"}
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit(self, files: dict[str, str] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=.")
        return self.git("rev-parse", "HEAD")

    def state(self) -> tuple[str, ...]:
        """Everything of the user's that must not change."""
        index = (self.path / ".git" / "index").read_bytes().hex()
        return index, self.git("status", "--porcelain"), self.git("worktree", "list"), self.git("for-each-ref")


class Environment:
    """A virtual environment without anything in it."""

    def __init__(self, path: Path) -> None:
        venv.create(path, symlinks=sys.platform != "win32")
        self.path = path
        self.python = next(path.glob("bin/python")) if os.name != "nt" else path / "Scripts" / "python.exe"
        self.site = next(path.glob("[Ll]ib/**/site-packages"))

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.site / name).parent.mkdir(parents=True, exist_ok=True)
            (self.site / name).write_text(text, "utf-8")

    def locate(self, name: str) -> Path | None:
        done = subprocess.run([self.python, "-c", _LOCATE, name], capture_output=True, text=True, check=False)
        return Path(done.stdout.strip()) if done.stdout.strip() else None

    def editable(self, project: Path, *options: str) -> None:
        """Install as a developer does, with the backends of the environment that runs the tests."""
        command = [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
        command += ["--disable-pip-version-check", "--prefix", str(self.path), *options, "--editable", str(project)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def run(side, code, *, python=sys.executable, cwd=None, **environ):
    """Run *code* in a process that imports *side*."""
    done = subprocess.run(
        [python, "-c", code],
        env={**side.environ(os.environ), **environ},
        cwd=cwd or side.bootstrap,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]
