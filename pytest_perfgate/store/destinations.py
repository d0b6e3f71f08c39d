"""Where text may go: what is at a path, and whether it can be written, told before there is anything to write.

Writing is :mod:`pytest_perfgate.store.files`'s.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from pathlib import Path

from pytest_perfgate.errors import ReportPathError

#: Opening these again would truncate what was printed before; the open stream itself is meant.
_OPEN_STREAM = re.compile(r"/dev/(?:std(?P<name>out|err)|fd/(?P<fd>\d+))|/proc/self/fd/(?P<proc>\d+)")
#: A device that takes nothing, and says so only when something is written (full(4)).
_FULL = Path("/dev/full")
_OPENED_FOR = os.O_RDONLY | os.O_WRONLY | os.O_RDWR

#: Named pipes that were found to have a reader, open: closing one would tell its reader that this was all.
_held: dict[tuple[int, int], int] = {}


def check_writable(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Make sure, before anything is measured, that *path* can be written; nothing is left there.

    Permission bits say little of root, of access lists and of what is no real folder, such as those of ``/proc``, so a
    file is made where the report will be, and taken away again.

    Returns:
        What is there already, links followed; None when there is nothing yet.

    Raises:
        ReportPathError: No file can be made there, or what is there takes no text.
    """
    name = os.fspath(path)
    if not name.strip():
        raise ReportPathError("a report needs the name of a file")
    try:
        status = _status(name)
        folder = Path(os.path.realpath(name)).parent
    except (OSError, ValueError) as problem:
        raise explained(name, problem) from None
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise refused(name, f"it is a folder; name a file in it, such as {Path(name) / 'run.json'}")
    if _OPEN_STREAM.fullmatch(name):
        _check_stream(name, status)
    elif status is not None and not stat.S_ISREG(status.st_mode):
        _check_special(name, status)
    else:
        _check_folder(name, folder, status)
    return status


def open_stream(name: str) -> int | None:
    """Return the descriptor that a path such as ``/dev/stdout`` stands for; None for any other path."""
    found = _OPEN_STREAM.fullmatch(name)
    if found is None:
        return None
    return int(found["fd"] or found["proc"] or {"out": 1, "err": 2}[found["name"]])


def take_pipe(status: os.stat_result) -> int | None:
    """Hand over the descriptor of a named pipe that :func:`check_writable` opened; None when there is none."""
    descriptor = _held.pop((status.st_dev, status.st_ino), None)
    if descriptor is not None:
        os.set_blocking(descriptor, True)  # its reader may be slow
    return descriptor


def beside(folder: Path) -> Path:
    """Name a file in *folder* that nobody has; not after the report, whose name may be as long as names can be."""
    return folder / f".perfgate-{secrets.token_hex(8)}.tmp"


def explained(name: str, problem: OSError | ValueError) -> ReportPathError:
    """Say what the system said of *name*."""
    why = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return refused(name, f"{why}; name another place")


def refused(name: str, why: str) -> ReportPathError:
    """Say why *name* cannot be written."""
    said = f"cannot write {name[:300]}: {why[:600]}"
    return ReportPathError(said.encode("utf-8", "backslashreplace").decode())


def _status(name: str) -> os.stat_result | None:
    try:
        return Path(name).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


# -- what is no file


def _check_stream(name: str, status: os.stat_result | None) -> None:
    if status is None:
        raise refused(name, "no such stream is open; name another place")
    _refuse_full(name, status)
    import fcntl  # noqa: PLC0415  # not on Windows, where no such path is an open stream

    descriptor = open_stream(name)
    assert descriptor is not None  # noqa: S101  # the caller looked
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & _OPENED_FOR == os.O_RDONLY:
        raise refused(name, "this stream is open for reading only; name another place")


def _check_special(name: str, status: os.stat_result) -> None:
    """Refuse a device, a pipe or a socket that takes no text."""
    if stat.S_ISBLK(status.st_mode):
        raise refused(name, "it is a disk, and what is on it would be lost; name another place")
    if stat.S_ISSOCK(status.st_mode):
        raise refused(name, "it is a socket, which cannot be opened as a file; name another place")
    _refuse_full(name, status)
    if not os.access(name, os.W_OK):
        raise refused(name, _about_locked(Path(name)))
    if stat.S_ISFIFO(status.st_mode):
        _hold_pipe(name, status)


def _refuse_full(name: str, status: os.stat_result) -> None:
    try:
        full = _FULL.stat()
    except OSError:  # not every system has it
        return
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == full.st_rdev:
        raise refused(name, "it is a device that is always full; name another place")


def _hold_pipe(name: str, status: os.stat_result) -> None:
    """Open a named pipe, and leave it open for the report; without a reader, writing would wait for ever."""
    place = status.st_dev, status.st_ino
    if place in _held:
        return
    try:
        _held[place] = os.open(name, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as problem:
        if problem.errno != errno.ENXIO:
            raise explained(name, problem) from None
        raise refused(name, "nobody reads from this pipe; start its reader first, or name a file") from None


# -- a file, old or new


def _check_folder(name: str, folder: Path, status: os.stat_result | None) -> None:
    if not folder.is_dir():
        raise refused(name, _about_missing(folder))
    # What is there must be ours to overwrite; it is replaced, so its folder as well.
    for place in (folder,) if status is None else (Path(name), folder):
        if not os.access(place, os.W_OK):
            raise refused(name, _about_locked(place))
    made = beside(folder)
    try:
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        made.unlink()
    except OSError as problem:
        why = problem.strerror or problem
        raise refused(name, f"no file can be made in {folder} ({why}); name another place") from None


def _about_missing(folder: Path) -> str:
    if folder.exists():
        return f"{folder} is not a folder; name another place"
    return f"the folder {folder} does not exist; create it first: mkdir -p {folder}"


def _about_locked(place: Path) -> str:
    if hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY:
        return f"{place} is on a read-only file system; name another place"
    return f"{place} is not writable by this user; change its permissions or name another place"
