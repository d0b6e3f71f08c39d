"""The one temporary folder that everything of a run lives in, and how those of killed runs go away."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_LOCK = ".lock"


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Make a folder that is removed at the end, also after Ctrl-C; what killed runs have left is removed first.

    While the folder is in use its owner holds a file lock beside it, which the system drops when the process dies.

    Yields:
        The folder, its path without symbolic links.
    """
    parent = _parent()
    sweep(parent)
    with _locked_new(parent) as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove the folders whose owner is gone.

    Args:
        parent: The folder that they are in.
    """
    for lock in parent.glob(f"*{_LOCK}"):
        with contextlib.suppress(OSError), lock.open("r+b") as file:
            if _try_lock(file):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                _unlink(lock)


def _parent() -> Path:
    """Make the folder of all runs of this user, closed to others: what lies there gets imported."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in a container
        user = "user"
    base = Path(tempfile.gettempdir()).resolve()
    parent = base / f"perfgate-{user}"
    parent.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid"):
        facts = parent.lstat()
        if facts.st_uid != os.getuid() or facts.st_mode & 0o077:  # somebody else's: use one nobody can have guessed
            return Path(tempfile.mkdtemp(prefix="perfgate-", dir=base))
    return parent


@contextlib.contextmanager
def _locked_new(parent: Path) -> Iterator[Path]:
    while True:
        folder = parent / secrets.token_hex(4)
        lock = folder.with_name(folder.name + _LOCK)
        with lock.open("x+b") as file:
            if not _try_lock(file) or not _is_still(lock, file):  # a sweep was quicker
                continue
            try:
                folder.mkdir(mode=0o700)
                yield folder
            finally:
                _unlink(lock)
            return


def _is_still(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _unlink(lock: Path) -> None:
    with contextlib.suppress(OSError):  # Windows keeps open files: the next sweep takes it
        lock.unlink()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            # Unlike lockf, also between two runs of one process; a forked child that outlives us keeps its files.
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
