"""What memory this process holds: blocks of the interpreter, the C heap, the resident set and its peak."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

#: Reads a number that grows when something is kept.
Channel = Callable[[], int]

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def channels() -> dict[str, Channel]:
    """Find what can be read on this machine.

    Returns:
        ``blocks``: memory blocks of the interpreter (exact after a collection; absent where the interpreter does not
        count them, as under ``PYTHONMALLOC=malloc``).  ``heap``: bytes in use in the C allocator, which also sees
        extension modules (absent on musl).
    """
    found: dict[str, Channel] = {}
    blocks = getattr(sys, "getallocatedblocks", None)
    if blocks is not None and blocks() > 0:
        found["blocks"] = blocks
    heap = _heap_channel()
    if heap is not None:
        found["heap"] = heap
    return found


def _heap_channel() -> Channel | None:
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    heap_info = getattr(psutil, "heap_info", None)  # psutil 7.2
    if heap_info is None:
        return None

    def heap_bytes() -> int:
        heap = heap_info()
        return int(heap.heap_used + heap.mmap_used)

    try:
        heap_bytes()
    except (OSError, RuntimeError, NotImplementedError, AttributeError):
        return None
    return heap_bytes


@contextlib.contextmanager
def collected() -> Iterator[None]:
    """Put everything that is alive out of the collector's sight, so that collecting costs what the target costs."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def resident_bytes() -> int:
    """Return the resident set of this process in bytes."""
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    return int(psutil.Process().memory_info().rss)


def trim() -> None:
    """Give free memory of the C allocator back to the system, where it can be asked to."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> bool:
    """Begin a new peak of the resident set; tell whether the system can (Linux, ``clear_refs``)."""
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Return the peak of the resident set since the last :func:`reset_peak`, in bytes (Linux)."""
    for line in _STATUS.read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


@contextlib.contextmanager
def traced(frames: int = 1) -> Iterator[bool]:
    """Trace the interpreter's allocations in the block; yields False when somebody traces already."""
    if tracemalloc.is_tracing():
        yield False
        return
    tracemalloc.start(frames)
    try:
        yield True
    finally:
        tracemalloc.stop()
