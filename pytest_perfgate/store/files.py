"""How text gets onto the disk: completely or not at all; knows nothing of what the text says."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from pytest_perfgate.errors import ReportPathError

#: Opening these again would truncate what was printed before; the open stream itself is meant.
_OPEN_STREAM = re.compile(r"/dev/(?:std(?P<name>out|err)|fd/(?P<fd>\d+))|/proc/self/fd/(?P<proc>\d+)")


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Write *text* to *path* as UTF-8, completely or not at all.

    A symbolic link is followed; a file that exists keeps its permission bits, a new one gets the
    usual ones.  Devices, pipes and open streams such as ``/dev/stdout`` are written directly.

    Args:
        path: Where; an existing file is replaced.
        text: The whole content; what no encoding can hold is written as an escape.

    Raises:
        ReportPathError: It cannot be written there; the message says why and what to do.
    """
    name = os.fspath(path)
    content = text.encode("utf-8", "backslashreplace")
    status = check_writable(name)
    try:
        if _OPEN_STREAM.fullmatch(name):
            _write_stream(name, content)
        elif status is not None and not stat.S_ISREG(status.st_mode):
            Path(name).write_bytes(content)
        else:
            _replace(Path(os.path.realpath(name)), content, status)
    except OSError as problem:
        raise _explained(name, problem) from None


def check_writable(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Make sure, before anything is measured, that *path* can be written; nothing is created.

    Returns:
        What is there already, links followed; None when there is nothing yet.

    Raises:
        ReportPathError: The folder does not exist or cannot be written, or *path* is a folder.
    """
    name = os.fspath(path)
    if not name.strip():
        raise ReportPathError("a report needs the name of a file")
    try:
        status = _status(name)
        folder = Path(os.path.realpath(name)).parent
    except (OSError, ValueError) as problem:
        raise _explained(name, problem) from None
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise _refused(name, f"it is a folder; name a file in it, such as {Path(name) / 'run.json'}")
    if _OPEN_STREAM.fullmatch(name):
        if status is None:
            raise _refused(name, "no such stream is open; name another place")
        return status
    if not folder.is_dir():
        raise _refused(name, _about_missing(folder))
    # What is there must be ours to overwrite; a plain file is replaced, so its folder as well.
    touched = [] if status is None else [Path(name)]
    if status is None or stat.S_ISREG(status.st_mode):
        touched.append(folder)
    for place in touched:
        if not os.access(place, os.W_OK):
            said = "is not writable by this user; change its permissions or name another place"
            raise _refused(name, f"{place} {said}")
    return status


def _status(name: str) -> os.stat_result | None:
    try:
        return Path(name).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _about_missing(folder: Path) -> str:
    if folder.exists():
        return f"{folder} is not a folder; name another place"
    return f"the folder {folder} does not exist; create it first: mkdir -p {folder}"


def _write_stream(name: str, content: bytes) -> None:
    found = _OPEN_STREAM.fullmatch(name)
    assert found is not None  # noqa: S101  # the caller looked
    number = found["fd"] or found["proc"] or {"out": 1, "err": 2}[found["name"]]
    with os.fdopen(os.dup(int(number)), "wb") as stream:
        stream.write(content)


def _replace(target: Path, content: bytes, status: os.stat_result | None) -> None:
    """Write beside *target*, then move into its place, which the system does in one step."""
    # Not named after the target, which may be as long as names can be.
    temporary = target.with_name(f".perfgate-{secrets.token_hex(8)}.tmp")
    # Unlike tempfile, os.open leaves the permission bits to the umask, as for any file.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if status is not None:
            temporary.chmod(stat.S_IMODE(status.st_mode))
        temporary.replace(target)
    except BaseException:  # KeyboardInterrupt as well: nothing half-written stays behind
        temporary.unlink(missing_ok=True)
        raise


def _explained(name: str, problem: OSError | ValueError) -> ReportPathError:
    why = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return _refused(name, f"{why}; name another place")


def _refused(name: str, why: str) -> ReportPathError:
    said = f"cannot write {name[:300]}: {why[:600]}"
    return ReportPathError(said.encode("utf-8", "backslashreplace").decode())
