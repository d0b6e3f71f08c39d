"""Memory that glibc keeps for threads and cannot be asked to give back; what that means for a peak is not here."""

from __future__ import annotations

import ctypes


def kept_for_threads() -> int:
    """Return how much memory is free at the ends of the arenas of threads, in bytes; 0 where nothing tells.

    ``malloc_trim`` gives back what is free between blocks in all arenas, but the end of the main one only.  A thread
    uses it before it takes more from the system, one that is yet to start too: an arena is handed on.
    """
    try:
        return ends_of_arenas(_malloc_info())
    except (OSError, AttributeError, TypeError, SyntaxError):  # not glibc, or not one that can be understood
        return 0


def ends_of_arenas(told: str) -> int:
    """Sum up the free ends of all arenas but the main one from what ``malloc_info`` tells.

    Its total of free blocks includes the end; each other free block is in one of the sizes.
    """
    import xml.etree.ElementTree as ET  # noqa: PLC0415  # milliseconds that only this measurement should pay

    ends = 0
    for arena in ET.fromstring(told).findall("heap"):  # noqa: S314  # by the C library of this process
        free = {total.get("type"): int(total.get("size", "0")) for total in arena.findall("total")}
        listed = sum(int(size.get("total", "0")) for size in arena.findall("sizes/*"))
        if arena.get("nr") != "0":
            ends += max(0, free.get("fast", 0) + free.get("rest", 0) - listed)
    return ends


def _malloc_info() -> str:
    library = ctypes.CDLL(None)
    library.open_memstream.restype = ctypes.c_void_p
    text, size = ctypes.c_void_p(), ctypes.c_size_t()
    stream = library.open_memstream(ctypes.byref(text), ctypes.byref(size))
    if not stream:
        raise OSError("no memory for what malloc_info tells")
    failed = library.malloc_info(0, ctypes.c_void_p(stream))
    library.fclose(ctypes.c_void_p(stream))
    try:
        if failed or not text.value:
            raise OSError("malloc_info tells nothing")
        return ctypes.string_at(text.value, size.value).decode("ascii", "replace")
    finally:
        library.free(text)
