"""Cold starts: bytecode thrown away or files put out of the page cache before each run, and a proof that it was cold.

``pyc``: the bytecode of everything but the standard library is written anew by every run, in a folder of our own, so
that nobody else's is touched; that a run wrote some is the proof.  ``pagecache``: the kernel is told to forget the
files that the program was seen to read; that it had to read from a disk is the proof, since it may well not forget, and
tells nobody (pages that a running process has mapped stay, and so do all on a file system in memory).  Directories stay
cached.  A run without proof is none.
"""

from __future__ import annotations

import contextlib
import importlib.util
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
from pytest_perfgate.measure.process import ProcessRun

KINDS = ("none", "pyc", "pagecache", "both")

T = TypeVar("T")

#: What ``python -v`` says of a file that it reads.
_READS = re.compile(
    r"# (?:code object from|extension module .* loaded from) '?(?P<name>.+?)'?$|# (?P<pyc>.+) matches (?P<source>.+)$"
)
#: Anybody's standard library, not only this interpreter's.
_LIBRARY = re.compile(r"[\\/]lib(?:64)?[\\/]python3(?:\.\d+)?t?[\\/](?!(?:site|dist)-packages[\\/])")

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
        self._files: tuple[str, ...] = ()
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
            self._files = tuple(dict.fromkeys(self._read_by(run)))
            for file in self._files:
                _forget(file, written_first=True)

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
            for name in self._files:
                _forget(name)
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
        if self._has("pagecache") and not (run.blocks_read or run.major_faults):
            why = "the system does not say" if run.blocks_read is None else "nothing was read from a disk"
            raise CannotMeasureError(
                f"{self._shown} could not be made cold: {why} although {len(self._files)} files of it were put out of "
                f"the page cache; are they on a file system in memory, or in use by other processes?"
            )

    def _bytecode(self) -> Iterator[Path]:
        """Find what was compiled and is to be compiled anew."""
        if not self._has("pyc"):
            return
        library = str(self._folder) + str(Path(sysconfig.get_path("stdlib")).resolve())
        for file in self._folder.rglob("*.pyc"):
            name = str(file)
            is_own = _is_within(file, self._package) if self._package else False
            within = name.startswith(library + os.sep) and "-packages" + os.sep not in name[len(library) :]
            is_foreign = within or _LIBRARY.search(name) or _OF_EVERY_START.search(name)
            if self._takes_all or is_own or not is_foreign:
                yield file

    def _read_by(self, run: ProcessRun) -> Iterator[str]:
        """List what a run was seen to read, and what it surely did."""
        for word in self.command.argv:
            path = Path(self.command.cwd or ".", word)
            with contextlib.suppress(OSError, ValueError):
                if path.is_file():
                    yield str(path.resolve())
        for row in run.stderr.decode("utf-8", "replace").splitlines():
            found = _READS.match(row)
            if found is None:
                continue
            for name in filter(None, found.groups()):
                yield from _with_bytecode(name)


def _with_bytecode(name: str) -> Iterator[str]:
    if not os.path.isfile(name):  # noqa: PTH113  # a plain string that may be anything
        return
    yield name
    if name.endswith(".py"):
        with contextlib.suppress(NotImplementedError):
            bytecode = importlib.util.cache_from_source(name)
            if os.path.isfile(bytecode):  # noqa: PTH113  # likewise
                yield bytecode


def _is_within(file: Path, package: str) -> bool:
    return package in file.parts or file.name.startswith(f"{package}.")


def _forget(name: str, *, written_first: bool = False) -> None:
    """Ask the kernel to forget what it keeps of a file; one that changed has to be written to the disk before."""
    with contextlib.suppress(OSError):
        file = os.open(name, os.O_RDONLY)
        try:
            if written_first:
                os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


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
