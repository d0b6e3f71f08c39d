"""What a process holds besides memory: open files, threads, child processes, objects the collector cannot free."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Rounds that have to add to what is held, each of them, to prove a leak: a pool of connections fills and stops.
_PROVING_ROUNDS = 2

WORDS: Mapping[str, str] = {
    "fds": "file descriptor",
    "handles": "handle",
    "threads": "thread",
    "children": "child process",
    "uncollectable": "uncollectable object",
}
"""What a count is called for people, one of it."""


def count_resources() -> dict[str, int]:
    """Count what this process holds.

    Returns:
        ``fds`` (``handles`` on Windows), ``threads``, ``children`` and ``uncollectable`` (``gc.garbage``); without what
        this system does not tell.
    """
    return {name: count for name, count in _counts() if count is not None}


def _counts() -> Iterator[tuple[str, int | None]]:
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    process = psutil.Process()
    yield ("handles" if os.name == "nt" else "fds"), _open_files(process)
    yield "threads", threading.active_count()
    children = None
    with contextlib.suppress(psutil.Error, OSError):
        children = len(process.children())
    yield "children", children
    yield "uncollectable", len(gc.garbage)


def _open_files(process: psutil.Process) -> int | None:
    import psutil  # noqa: PLC0415  # as above

    read = getattr(process, "num_handles" if os.name == "nt" else "num_fds", None)
    if read is None:
        return None
    with contextlib.suppress(psutil.Error, OSError):
        return int(read())
    return None


def left_behind(before: Mapping[str, int], run: Callable[[], object]) -> dict[str, int]:
    """Find out which resources each round of calls leaves open.

    Args:
        before: :func:`count_resources` before a number of calls that have been made since.
        run: Makes a round of calls; called only where something has grown, to see whether it goes on.

    Returns:
        For every resource that can be counted how many one more round leaves open; 0 for what does not grow with
        every round.
    """
    levels = [dict(before), count_resources()]
    if any(levels[1].get(name, 0) > count for name, count in before.items()):
        for _ in range(_PROVING_ROUNDS):
            run()
            gc.collect()
            levels.append(count_resources())
    return {name: _growth([level[name] for level in levels]) for name in before if name in levels[-1]}


def _growth(counts: list[int]) -> int:
    """Return what the last round added if every round added something."""
    if len(counts) < 2 + _PROVING_ROUNDS or any(later <= earlier for earlier, later in itertools.pairwise(counts)):
        return 0
    return counts[-1] - counts[-2]
