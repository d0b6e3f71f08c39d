"""What memory this process holds: blocks of the interpreter, the C heap, the resident set and its peak."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Reads a number that grows when something is kept.
Channel = Callable[[], int]

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
#: Kernels before 6.17 count pages per processor and add them up late.
_KERNEL_BATCH_BYTES = 1024**2
#: Fewer frozen objects are the interpreter's own: 3.12 starts with some hundreds.
_FROZEN_BY_PYTHON = 1000


def channels() -> dict[str, Channel]:
    """Find what can be read on this machine.

    Returns:
        ``blocks``: memory blocks of the interpreter (exact after a collection; absent where the interpreter does not
        count them, as under ``PYTHONMALLOC=malloc``).  ``heap``: bytes in use in the C allocator, which also sees
        extension modules (absent on musl, and while tracemalloc runs, which keeps its own books there).
    """
    found: dict[str, Channel] = {}
    blocks = getattr(sys, "getallocatedblocks", None)  # CPython
    if blocks is not None and blocks() > 0:
        found["blocks"] = blocks
    heap = None if tracemalloc.is_tracing() else _psutil_heap() or _glibc_heap()
    if heap is not None:
        found["heap"] = heap
    return found


def _psutil_heap() -> Channel | None:
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


class _Mallinfo2(ctypes.Structure):
    """``struct mallinfo2`` of glibc 2.33 and newer."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
        )
    ]


def _glibc_heap() -> Channel | None:
    """Read what psutil reads, where it is too old to."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError, TypeError):
        return None
    mallinfo2.restype = _Mallinfo2

    def heap_bytes() -> int:
        heap = mallinfo2()
        return int(heap.uordblks + heap.hblkhd)

    return heap_bytes


def process_memory() -> tuple[str, Channel] | None:
    """Find what tells how much memory this process holds.

    Returns:
        ``unique set``, memory that would be free if the process ended, or else ``resident set``, which shared libraries
        and their pages are part of; and how to read it in bytes.  None where neither can be read.
    """
    import psutil  # noqa: PLC0415  # milliseconds that only this measurement should pay

    process = psutil.Process()
    # psutil 8 calls it memory_footprint.
    detailed = getattr(process, "memory_footprint", None) or getattr(process, "memory_full_info", None)
    ways: dict[str, Channel] = {"resident set": lambda: int(process.memory_info().rss)}
    if detailed is not None:
        ways = {"unique set": lambda: int(detailed().uss), **ways}
    for kind, read in ways.items():
        with contextlib.suppress(psutil.Error, OSError, AttributeError, NotImplementedError):
            if read() > 0:
                return kind, read
    return None


@contextlib.contextmanager
def collected(*, automatic: bool = False) -> Iterator[None]:
    """Put everything that is alive out of the collector's sight, so that collecting costs what the target costs.

    Args:
        automatic: Whether collections that nobody asked for go on within the block.
    """
    was_enabled = gc.isenabled()
    # What somebody else has put away (before a fork, say) must not come back by our hand.
    can_freeze = hasattr(gc, "freeze") and gc.get_freeze_count() < _FROZEN_BY_PYTHON
    gc.collect()
    if not automatic:
        gc.disable()
    if can_freeze:
        gc.freeze()
    try:
        yield
    finally:
        if can_freeze:
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def trim() -> None:
    """Give free memory back to the system, where it can be asked to: taking it again would add nothing to a peak."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> bool:
    """Begin a new peak of the resident set; tell whether the system did (Linux, ``clear_refs``)."""
    try:
        _CLEAR_REFS.write_text("5")
        status = _status_bytes()
    except OSError:
        return False
    # A kernel that takes the request and does nothing leaves the old peak.
    return status["VmHWM"] <= status["VmRSS"] + _KERNEL_BATCH_BYTES


def resident_bytes() -> int:
    """Return the resident set of this process in bytes, as counted for its peak (Linux)."""
    return _status_bytes()["VmRSS"]


def peak_bytes() -> int:
    """Return the peak of the resident set since the last :func:`reset_peak`, in bytes (Linux)."""
    return _status_bytes()["VmHWM"]


def _status_bytes() -> dict[str, int]:
    found = {}
    for line in _STATUS.read_text("ascii", "replace").splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmHWM", "VmRSS"):
            found[name] = int(rest.split()[0]) * 1024
    if len(found) != 2:  # noqa: PLR2004  # both
        raise OSError("/proc/self/status tells no resident set")
    return found


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
