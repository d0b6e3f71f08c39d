"""Writes several files as one step: all of them, or none; knows nothing of what they say."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.errors import PerfgateError, UsageError
from pytest_perfgate.store import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that is to be made, or text at the end of one that is there."""

    path: Path
    before: bytes | None
    """What stands there; None for nothing at all."""
    added: str
    """The text, with the line breaks of the file."""

    @property
    def after(self) -> bytes:
        """What will stand there."""
        return (self.before or b"") + self.added.encode()


def write_all(changes: Sequence[Change]) -> None:
    """Make every change, or none.

    Raises:
        UsageError: One cannot be made; nothing is left behind of the others.
    """
    try:
        for change in changes:
            _check(change)
        _write(changes)
    except PerfgateError as problem:
        raise UsageError(f"{problem}; nothing was written") from None


def _write(changes: Sequence[Change]) -> None:
    """Write, and take everything back when something goes wrong, Ctrl-C included."""
    started: list[Change] = []
    folders: list[Path] = []
    try:
        for change in changes:
            _make(change, started, folders)
    except BaseException:
        _take_back(reversed(started), reversed(folders))
        raise


def _make(change: Change, started: list[Change], folders: list[Path]) -> None:
    """Make one change; *started* and *folders* learn of what may have to be taken back."""
    try:
        _make_folders(change.path.parent, folders)
        _check_unchanged(change)
        started.append(change)
        write_atomically(change.path, change.after.decode())
    except OSError as problem:
        raise _refused(change, problem.strerror or str(problem)) from None


def _refused(change: Change, why: str) -> UsageError:
    return UsageError(f"cannot write {change.path}: {why}")


def _check(change: Change) -> None:
    """Find what would fail, before anything is done."""
    _check_unchanged(change)
    folder = change.path.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise _refused(change, f"{folder} is not a folder")
    touched = [folder] if change.before is None else [folder, change.path]
    for place in touched:
        if not os.access(place, os.W_OK):
            raise _refused(change, f"{place} is not writable by this user; change its permissions")


def _check_unchanged(change: Change) -> None:
    """Make sure that nobody wrote there since the change was planned."""
    if change.before is None:
        if os.path.lexists(change.path):
            raise _refused(change, "something is there by now; run it again")
        return
    try:
        now = change.path.read_bytes()
    except OSError as problem:
        raise _refused(change, f"it can no longer be read ({problem.strerror or problem}); run it again") from None
    if now != change.before:
        raise _refused(change, "it was changed by somebody else meanwhile; run it again")


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it; *made* learns of each as soon as it is there."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _take_back(changes: Iterable[Change], folders: Iterable[Path]) -> None:
    """Undo what was done; what cannot be undone is left, and the first problem is the one that is told."""
    for change in changes:
        with contextlib.suppress(OSError, PerfgateError):
            if not change.path.exists() or change.path.read_bytes() != change.after:
                continue  # it was not written, or is somebody else's by now
            if change.before is None:
                change.path.unlink()
            else:
                write_atomically(change.path, change.before.decode())
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
