"""Cold starts: bytecode thrown away or files put out of the page cache before each run, and a proof that it was cold.

``pyc``: the bytecode of everything but the standard library is written anew by every run, in a folder of our own, so
that nobody else's is touched; that a run wrote some is the proof.  ``pagecache``: the kernel is told to forget the
files that the program was seen to read; that they were gone, and had to be read from a disk again, is the proof
(:mod:`.pagecache`).  Directories stay cached.  A run without proof is none.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.command import Command, shown
from pytest_perfgate.measure.pagecache import LIBRARY, ReadFiles
from pytest_perfgate.measure.process import ProcessRun

KINDS = ("none", "pyc", "pagecache", "both")

T = TypeVar("T")

#: What installers have every interpreter import at its start: it proves nothing about the program.
_OF_EVERY_START = re.compile(
    r"[\\/](?:_distutils_hack[\\/]|_virtualenv\.|__editable__|(?:site|user)customize[.\\/])[^\\/]*$"
)


def checked_cold(cold: object) -> str:
    """Read ``cold=``.

    Raises:
        UsageError: It is none of :data:`KINDS`.
    """
    if cold in KINDS:
        return str(cold)
    raise UsageError(f"cold={cold!r} is none of {', '.join(map(repr, KINDS))}")


class Cold:
    """Makes runs of one command cold.

    Args:
        kind: One of :data:`KINDS` but ``none``.
        command: What is run.
        folder: For bytecode; empty.
        module: What is imported, which counts even if it is of the standard library.
    """

    def __init__(self, kind: str, command: Command, folder: Path, module: str = "") -> None:
        self._kind, self._folder = kind, folder
        self._package = module.partition(".")[0]
        self._library = str(folder) + str(Path(sysconfig.get_path("stdlib")).resolve())
        self._takes_all = False
        self._compiled = 0
        self._shown = shown(command.argv)
        env = dict(command.env)
        if self._has("pyc"):
            env.pop("PYTHONDONTWRITEBYTECODE", None)
            env["PYTHONPYCACHEPREFIX"] = str(folder)
        if self._has("pagecache") and not hasattr(os, "posix_fadvise"):
            raise CannotMeasureError(
                f"cold={kind!r} has to put files out of the page cache, which is not to be had on {sys.platform}"
            )
        prefix = env.get("PYTHONPYCACHEPREFIX")
        self._files = ReadFiles(
            command,
            Path(command.cwd or ".", prefix).resolve() if prefix else None,
            lambda file: file.is_relative_to(folder),
            self._is_rewritten,
        )
        self.command = replace(command, env=env)
        """The command, to be run within :meth:`run`."""
        verbose = {"PYTHONVERBOSE": "1"} if self._has("pagecache") else {}
        self.seed = replace(command, env={**env, **verbose})
        """The command, to be run once before, and shown to :meth:`learn`."""

    def _has(self, kind: str) -> bool:
        return self._kind in (kind, "both")

    def learn(self, run: ProcessRun) -> None:
        """Learn from a first run what it reads and compiles."""
        if self._has("pyc"):
            self._takes_all = not any(True for _ in self._bytecode())
        if self._has("pagecache"):
            self._files.learn(run)

    def run(self, once: Callable[[], T], process: Callable[[T], ProcessRun]) -> T:
        """Run it cold.

        Args:
            once: Runs :attr:`command`.
            process: Takes from what that returns what the process cost.

        Raises:
            CannotMeasureError: There is no proof that it was cold.
        """
        for file in list(self._bytecode()):
            file.unlink()
        if self._has("pagecache"):
            self._files.forget()
        done = once()
        self._prove(process(done))
        return done

    def facts(self) -> dict[str, object]:
        """Say what was cold."""
        facts: dict[str, object] = {"cold": self._kind}
        if self._has("pyc"):
            facts["compiled_files"] = self._compiled
        return facts

    def remarks(self) -> tuple[str, ...]:
        """Say what is unusual about it."""
        if self._has("pyc") and self._takes_all:
            return ("nothing but the standard library was compiled, so that all of it was cold",)
        return ()

    def _prove(self, run: ProcessRun) -> None:
        if self._has("pyc"):
            self._compiled = sum(1 for _ in self._bytecode())
            if not self._compiled:
                raise CannotMeasureError(
                    f"{self._shown} could not be made cold: no bytecode was written in a run that had to compile "
                    f"everything anew; is it Python, and started without -B, -E and -I?"
                )
        if self._has("pagecache") and (why := self._files.why_warm(run)):
            raise CannotMeasureError(f"{self._shown} could not be made cold: {why}")

    def _bytecode(self) -> Iterator[Path]:
        """Find what was compiled and is to be compiled anew."""
        if not self._has("pyc"):
            return
        for file in self._folder.rglob("*.pyc"):
            if self._is_rewritten(file):
                yield file

    def _is_rewritten(self, file: Path) -> bool:
        library, name = self._library, str(file)
        is_own = _is_within(file, self._package) if self._package else False
        within = name.startswith(library + os.sep) and "-packages" + os.sep not in name[len(library) :]
        is_foreign = within or LIBRARY.search(name) or _OF_EVERY_START.search(name)
        return self._takes_all or is_own or not is_foreign


def _is_within(file: Path, package: str) -> bool:
    return package in file.parts or file.name.startswith(f"{package}.")


@contextlib.contextmanager
def cold_runs(kind: str, command: Command, module: str = "") -> Iterator[Cold | None]:
    """Prepare cold runs.

    Args:
        kind: One of :data:`KINDS`.
        command: What is run.
        module: What is imported, if that is all it does.

    Yields:
        What makes runs cold; None for ``none``.
    """
    if kind == "none":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="perfgate-cold-", ignore_cleanup_errors=True) as folder:
        yield Cold(kind, command, Path(folder).resolve(), module)
