"""The peak of memory within a block, as the system or else the interpreter tells it."""

from __future__ import annotations

import threading
import tracemalloc

from pytest_perfgate.measure import arenas, memory

_BY_SYSTEM, _BY_TRACING = "resident set", "tracemalloc"


class Peak:
    """The most memory held within a block, above what was held when it began.

    On Linux that is the peak of the resident set; elsewhere the peak of what the interpreter allocates, as
    tracemalloc counts it.  Memory that was free but not given back when the block began (holes in the interpreter's
    arenas, the ends of those that the C library keeps for threads) is used without adding anything.

    Blocks may be nested or overlap: there is one peak per process, so each block that is open takes note of the peak
    so far before another one begins a new one.
    """

    _open: list[Peak] = []  # noqa: RUF012  # shared on purpose
    _lock = threading.RLock()

    def __init__(self) -> None:
        self.method = ""
        """``resident set`` or ``tracemalloc``; set by :meth:`start`."""
        self.highest_bytes = 0
        """Held at the peak, by *method*."""
        self.uncounted_bytes = 0
        """Free before, kept for threads, and used by them without adding anything; set by :meth:`start`."""
        self._before_bytes = 0
        self._traces = False

    @property
    def added_bytes(self) -> int:
        """Held at the peak above what was held before, at least 0."""
        return max(0, self.highest_bytes - self._before_bytes)

    @property
    def sees_the_process(self) -> bool:
        """Whether all memory of the process counts, not only the interpreter's."""
        return self.method == _BY_SYSTEM

    def start(self) -> None:
        """Begin the block."""
        with self._lock:
            for other in self._open:
                other._look()  # noqa: SLF001  # one of us
            memory.trim()
            kept_for_threads = arenas.kept_for_threads()  # first: reading it allocates
            if memory.reset_peak():
                self.uncounted_bytes = kept_for_threads
                self.method, self._before_bytes = _BY_SYSTEM, memory.resident_bytes()
            else:
                self.method = _BY_TRACING
                self._begin_tracing()
            self.highest_bytes = self._before_bytes
            self._open.append(self)

    def stop(self) -> None:
        """End the block."""
        with self._lock:
            self._look()
            self._open.remove(self)
            self._end_tracing()

    def _look(self) -> None:
        seen = memory.peak_bytes() if self.sees_the_process else tracemalloc.get_traced_memory()[1]
        self.highest_bytes = max(self.highest_bytes, seen)

    def _begin_tracing(self) -> None:
        if tracemalloc.is_tracing():
            tracemalloc.reset_peak()
        else:
            tracemalloc.start()
            self._traces = True
        self._before_bytes = tracemalloc.get_traced_memory()[0]

    def _end_tracing(self) -> None:
        """Stop tracing when it was begun by us and no other block needs it any more."""
        if not self._traces:
            return
        for other in self._open:
            if not other.sees_the_process:
                other._traces = True  # noqa: SLF001  # one of us, and the one to stop it now
                return
        tracemalloc.stop()
