"""How long threads that nobody told us of waited for a core: the others of this process, and those of its children.

Workers that a pool of ours made tell that themselves, see :mod:`pytest_perfgate.measure.stints`.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_TASKS = "/proc/{}/task"

Waits = Mapping[int, int]
"""Thread -> nanoseconds that it has waited for a core, since it began."""


def read_waits() -> Waits:
    """Read the accounts of all threads but the calling one; empty where the kernel keeps none."""
    if sys.platform != "linux":
        return {}
    own = threading.get_native_id()
    return {thread: waited_ns for thread, waited_ns in _waits_of("self") if thread != own}


def longest_wait_s(before: Waits, after: Waits) -> float:
    """Tell how long the thread that waited longest did so between two readings.

    Args:
        before: The first reading.
        after: The second one.  What a thread that has ended in between waited is not known, and not in it.

    Returns:
        Seconds; 0 where there is no other thread.
    """
    return max((now_ns - before.get(thread, 0) for thread, now_ns in after.items()), default=0) / 1e9


def _waits_of(process: str) -> Iterator[tuple[int, int]]:
    """List threads of a process and of all that it started, and what each waited."""
    for folder in _listed(Path(_TASKS.format(process))):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it may end while we look
            yield int(folder.name), int((folder / "schedstat").read_bytes().split()[1])
        with contextlib.suppress(OSError):  # the same, or a kernel that does not list children
            for child in (folder / "children").read_text().split():
                yield from _waits_of(child)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
