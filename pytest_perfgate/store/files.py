"""How text gets onto the disk: completely or not at all; knows nothing of what the text says.

Whether it can be, is :mod:`pytest_perfgate.store.destinations`'s to find out.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_perfgate.store.destinations import beside, check_writable, explained, open_stream, take_pipe


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
        stream = open_stream(name)
        if stream is not None:
            _write(os.dup(stream), content)
        elif status is not None and not stat.S_ISREG(status.st_mode):
            pipe = take_pipe(status)
            _write(name if pipe is None else pipe, content)
        else:
            _replace(Path(os.path.realpath(name)), content, status)
    except OSError as problem:
        raise explained(name, problem) from None


def _write(place: str | int, content: bytes) -> None:
    with open(place, "wb") as stream:  # noqa: PTH123  # a path or a descriptor
        stream.write(content)


def _replace(target: Path, content: bytes, status: os.stat_result | None) -> None:
    """Write beside *target*, then move into its place, which the system does in one step."""
    temporary = beside(target.parent)
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
