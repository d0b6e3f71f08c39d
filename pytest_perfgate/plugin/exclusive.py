"""Nothing else of this test run executes on the machine while a case is being timed.

A readers-writer lock between the processes of one test run, made of ordinary exclusive file locks so that it works on
every platform and a crashed worker never leaves it locked (the system drops a dead process's locks):

* every process owns one *slot* file and holds it while it runs something (a worker an ordinary test, the controller
  the start of a worker that replaces a dead one);
* whoever measures takes the *turnstile* and then every slot of the run, so it waits for what is running and nothing
  new starts; an ordinary test passes through the turnstile before it takes its own slot, so measuring never starves.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

TURNSTILE = "turnstile"
SLOT_SUFFIX = ".slot"

#: Where no lock can block, it is polled this often; a measurement is milliseconds at the least.
_POLL_S = 0.005


class Locks(Protocol):
    """What the plugin asks of a lock."""

    def shared(self) -> contextlib.AbstractContextManager[None]:
        """Hold while something runs that must not disturb a measurement."""

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Hold while measuring; may be entered inside :meth:`shared` and inside itself."""


class NoLocks:
    """For a run in one process: nothing else of it can be running."""

    def shared(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing."""
        return contextlib.nullcontext()

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing."""
        return contextlib.nullcontext()


class FileLocks:
    """The lock of one process of a test run.

    Args:
        directory: Shared by all processes of the run on this machine; made when it is not there.
        slot: Name of this process within the run, such as ``gw0``.
    """

    def __init__(self, directory: Path, slot: str) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._own = directory / f"{slot}{SLOT_SUFFIX}"
        self._files: dict[Path, IO[bytes]] = {}
        self._holds = ""  # "", "shared" or "exclusive"
        # A slot that appears while somebody measures need not be known to them: it is taken behind the turnstile.
        self._open(self._own)

    def close(self) -> None:
        """Let go of everything; the files stay for the owner of the directory to remove."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Hold this process's slot."""
        if self._holds:
            yield
            return
        self.acquire_shared()
        try:
            yield
        finally:
            self.release_shared()

    def acquire_shared(self) -> None:
        """Take this process's slot, waiting behind whoever measures."""
        with self._held(self._directory / TURNSTILE):
            _lock(self._open(self._own))
        self._holds = "shared"

    def release_shared(self) -> None:
        """Let go of this process's slot; harmless when it is not held."""
        if self._holds == "shared":
            _unlock(self._open(self._own))
            self._holds = ""

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the turnstile and every slot of the run."""
        if self._holds == "exclusive":
            yield
            return
        was_shared = self._holds == "shared"
        if was_shared:  # two processes upgrading must not wait for each other's slot
            self.release_shared()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._held(self._directory / TURNSTILE))
            for slot in sorted(self._directory.glob(f"*{SLOT_SUFFIX}")):
                stack.enter_context(self._held(slot, keep=was_shared and slot == self._own))
            self._holds = "exclusive"
            try:
                yield
            finally:
                self._holds = "shared" if was_shared else ""

    @contextlib.contextmanager
    def _held(self, path: Path, *, keep: bool = False) -> Iterator[None]:
        file = self._open(path)
        _lock(file)
        try:
            yield
        finally:
            if not keep:
                _unlock(file)

    def _open(self, path: Path) -> IO[bytes]:
        if path not in self._files:
            self._files[path] = path.open("a+b")
        return self._files[path]


if os.name == "nt":  # pragma: no cover  # written for Windows, measured on Linux only
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        while True:
            file.seek(0)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows
            except OSError:
                time.sleep(_POLL_S)
            else:
                return

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX)  # unlike flock, not inherited by a forked child that outlives us

    def _unlock(file: IO[bytes]) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN)
