"""What the machine gives perfect code here and now: a few processes that only spin, timed beside the windows.

Nominal cores promise more than there is where two of them share one processor's insides, or a host gives a virtual
machine less than it shows.  What follows for a speedup is not here.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Protocol

#: An interpreter that has read nothing but what it needs to start; each line asks for so many turns of an empty loop.
#: The clock is one for all processes of a machine.
_PROGRAM = """
import sys, time
def spin(turns):
    began = time.perf_counter_ns()
    for _ in range(turns):
        pass
    return began, time.perf_counter_ns()
for line in iter(sys.stdin.readline, ""):
    print(*spin(int(line)), flush=True)
"""
_COMMAND = (sys.executable, "-I", "-S", "-E", "-c", _PROGRAM)

#: One spin: long beside waking up, short beside the windows.
_SPIN_NS = 8_000_000
_FIRST_TURNS = 20_000


class Spinners(Protocol):
    """Processes that spin when they are told to."""

    def gain(self, *, alone_first: bool) -> float | None:
        """Let one spin alone and all together, in either order; return how much more all get done in a time."""


class _Crew:
    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes
        self._turns = 0

    def gain(self, *, alone_first: bool) -> float | None:
        everyone = self._processes
        try:
            if not self._turns:
                self._calibrate()
            if alone_first:
                alone_ns, together_ns = self._spin(everyone[:1]), self._spin(everyone)
            else:
                together_ns, alone_ns = self._spin(everyone), self._spin(everyone[:1])
        except (OSError, ValueError):  # one of them has ended
            return None
        return len(everyone) * alone_ns / max(together_ns, 1)

    def _calibrate(self) -> None:
        self._turns = _FIRST_TURNS
        self._spin(self._processes)  # until it answers, an interpreter is still starting
        self._turns = max(_FIRST_TURNS, round(_FIRST_TURNS * _SPIN_NS / max(self._spin(self._processes[:1]), 1)))

    def _spin(self, processes: Sequence[subprocess.Popen[bytes]]) -> int:
        """Return the nanoseconds from the first one's beginning to the last one's end."""
        for process in processes:
            _there(process.stdin).write(b"%d\n" % self._turns)
        answers = [_there(process.stdout).readline().split() for process in processes]
        spans = [(int(began), int(ended)) for began, ended in answers]
        return max(ended for _, ended in spans) - min(began for began, _ in spans)


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("a pipe that was asked for is not there")
    return stream


def _start() -> subprocess.Popen[bytes]:
    """Start one; without a buffer there is nothing that closing the pipe to a dead one could still fail to send."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(_COMMAND, bufsize=0, stdin=pipe, stdout=pipe, stderr=nowhere)  # noqa: S603  # our own


@contextlib.contextmanager
def open_spinners(count: int) -> Iterator[Spinners]:
    """Start *count* processes that wait to be told to spin, and end them afterwards.

    Raises:
        OSError: The machine gives no more processes.
    """
    with contextlib.ExitStack() as stack:
        yield _Crew([stack.enter_context(_start()) for _ in range(count)])


class Probe:
    """Spins next to every pair of windows whose work needs cores, and keeps what came of it.

    In turns with the windows, because what a machine gives changes: a figure of a minute ago may be that of another.
    """

    def __init__(
        self, stack: contextlib.ExitStack, begin: Callable[[], contextlib.AbstractContextManager[Spinners]] | None
    ) -> None:
        self.gains: list[float] = []
        """How much more several processes got done than one, next to each pair of windows; empty where not needed."""
        self._stack = stack
        self._begin = begin
        self._crew: Spinners | None = None

    def beside(self, *, is_needed: bool) -> None:
        """Measure once, where that is of any use."""
        if not is_needed or self._begin is None:
            return
        try:
            self._crew = self._crew or self._stack.enter_context(self._begin())
        except OSError:  # no more processes; then nothing is known, which makes nothing wrong
            self._begin = None
            return
        gain = self._crew.gain(alone_first=len(self.gains) % 2 == 0)
        if gain is None:
            self._begin = None
        else:
            self.gains.append(gain)


@contextlib.contextmanager
def probing(
    spinners: Callable[[int], contextlib.AbstractContextManager[Spinners]] | None, count: int
) -> Iterator[Probe]:
    """Hand out a probe with *count* processes, started when it is first needed.

    Args:
        spinners: Starts them; None to measure nothing.
        count: How many could work at a time; a single one gains nothing.
    """
    begin = None if spinners is None or count < 2 else lambda: spinners(count)  # noqa: PLR2004  # a pair
    with contextlib.ExitStack() as stack:
        yield Probe(stack, begin)
