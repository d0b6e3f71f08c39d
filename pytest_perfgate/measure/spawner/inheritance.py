"""What makes a process of the spawner start as our own child would: where its program is, and what it inherits."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path


def inherited() -> tuple[object, ...]:
    """Return what a process inherits besides what is sent with every order: limits, priority, mask of new files."""
    import resource  # noqa: PLC0415  # does not exist on Windows

    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    limits = tuple(resource.getrlimit(getattr(resource, name)) for name in names)
    mask = [row for row in Path("/proc/self/status").read_text("utf-8").splitlines() if row.startswith("Umask:")]
    return limits, os.getpriority(os.PRIO_PROCESS, 0), tuple(mask)


def found(program: str, env: Mapping[str, str], cwd: str) -> str:
    """Find a program as :mod:`subprocess` does: on the ``PATH`` of *env*, or where its name says.

    Raises:
        OSError: It is not there, or must not be run.
    """
    if os.path.dirname(program):  # noqa: PTH120  # Path("./app") forgets the "./"
        return program
    number = errno.ENOENT
    for folder in os.get_exec_path(env):
        place = Path(cwd, os.fsdecode(folder), program)
        if place.is_file() and os.access(place, os.X_OK):
            return str(place)
        if place.exists():
            number = errno.EACCES
    raise OSError(number, os.strerror(number), program)
