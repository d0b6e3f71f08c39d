"""Memory over time: what the process holds while a target is called for long; what it means is not here."""

from __future__ import annotations

import array
import contextlib
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import memory
from pytest_perfgate.measure.batches import Batch
from pytest_perfgate.measure.clock import PERF_COUNTER_S
from pytest_perfgate.measure.timeout import given_up_after

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Looks at the memory in one course, besides the first: a quarter of them at each end makes a good line.
LOOKS = 120
#: Of the calls, or of the time, that go before the first look; caches fill then.
_WARMUP = 0.05
_FEWEST_WARMUP_CALLS = 3
#: Calls made at once are half of what seems to fit until the next look, and a few times as many as were made before:
#: the first calls may be quicker than the rest.
_HALF, _FASTER = 0.5, 4
#: Ten seconds are 119.99999999999999 steps of a twelfth.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Course:
    """Memory over time: one entry for each look, the first before the first call."""

    kind: str
    """What is counted: ``unique set`` or ``resident set``."""
    calls: tuple[int, ...]
    """Made until then, warm-up not included."""
    seconds: tuple[float, ...]
    """Since the first look."""
    held_bytes: tuple[int, ...]
    """By the process."""
    blocks: tuple[int, ...] = ()
    """Of the interpreter; empty where it does not count them."""
    heap_bytes: tuple[int, ...] = ()
    """In use in the C heap, also in what was free before; empty where that cannot be read."""


@dataclass(slots=True)
class _Looks:
    """Takes down what is held, into room that was there before."""

    kind: str
    held: memory.Channel
    blocks: memory.Channel | None
    heap: memory.Channel | None
    clock: Callable[[], float]
    count: int = 0
    began: float = 0.0
    _calls: array.array[int] = field(default_factory=lambda: array.array("q", [0]) * (LOOKS + 1))
    _seconds: array.array[float] = field(default_factory=lambda: array.array("d", [0.0]) * (LOOKS + 1))
    _held: array.array[int] = field(default_factory=lambda: array.array("q", [0]) * (LOOKS + 1))
    _blocks: array.array[int] = field(default_factory=lambda: array.array("q", [0]) * (LOOKS + 1))
    _heap: array.array[int] = field(default_factory=lambda: array.array("q", [0]) * (LOOKS + 1))

    def start(self) -> None:
        """Take the first look, from which time counts."""
        self.began = self.clock()
        self.look(0)

    def look(self, calls: int) -> None:
        """Add one look, garbage not counted: it is not kept by anybody."""
        gc.collect()
        place = self.count
        self._calls[place] = calls
        self._seconds[place] = self.clock() - self.began
        self._blocks[place] = self.blocks() if self.blocks is not None else 0
        self._heap[place] = self.heap() if self.heap is not None else 0
        self._held[place] = self.held()
        self.count += 1

    def course(self) -> Course:
        seen = slice(0, self.count)
        return Course(
            kind=self.kind,
            calls=tuple(self._calls[seen]),
            seconds=tuple(self._seconds[seen]),
            held_bytes=tuple(self._held[seen]),
            blocks=tuple(self._blocks[seen]) if self.blocks is not None else (),
            heap_bytes=tuple(self._heap[seen]) if self.heap is not None else (),
        )


def follow_calls(
    batch: Batch, iterations: int, *, timeout_s: float = 0.0, clock: Callable[[], float] = PERF_COUNTER_S
) -> Course:
    """Call a target so many times and look at the memory in between.

    Args:
        batch: Calls the target.
        iterations: Calls between the first look and the last.
        timeout_s: Patience with the calls between two looks; 0 for ever.
        clock: Seconds.

    Raises:
        CannotMeasureError: Nothing tells what this process holds, or the target hangs.
        BaseException: Whatever the target raises.
    """
    with _looking(clock) as looks:
        with given_up_after(timeout_s):
            batch(max(_FEWEST_WARMUP_CALLS, int(iterations * _WARMUP)))
        looks.start()
        wanted = min(iterations, LOOKS)
        done = 0
        for number in range(1, wanted + 1):
            goal = iterations * number // wanted
            with given_up_after(timeout_s):
                batch(goal - done)
            done = goal
            looks.look(done)
    return looks.course()


def follow_time(
    batch: Batch, duration_s: float, *, timeout_s: float = 0.0, clock: Callable[[], float] = PERF_COUNTER_S
) -> Course:
    """Call a target for so long and look at the memory in between, at equal distances.

    A call under way is not cut off: the last look may be late, and fewer are had where a call takes longer than the
    time between two.

    Args:
        batch: Calls the target.
        duration_s: Time between the first look and the last, > 0.
        timeout_s: Patience with the calls between two looks; 0 for ever.
        clock: Seconds.

    Raises:
        CannotMeasureError: Nothing tells what this process holds, or the target hangs.
        BaseException: Whatever the target raises.
    """
    step_s = duration_s / LOOKS
    with _looking(clock) as looks:
        with given_up_after(timeout_s):
            _call_until(batch, clock, clock(), duration_s * _WARMUP)
        looks.start()
        done = number = 0
        while number < LOOKS:
            with given_up_after(timeout_s):
                done += _call_until(batch, clock, looks.began, (number + 1) * step_s)
            looks.look(done)
            # What the call took longer than planned is time in which other looks were due.
            number = max(number + 1, min(LOOKS, int((clock() - looks.began) / step_s + _ROUNDING)))
    return looks.course()


@contextlib.contextmanager
def _looking(clock: Callable[[], float]) -> Iterator[_Looks]:
    """Find what can be looked at, and keep the collector as a course needs it."""
    found = memory.process_memory()
    if found is None:
        raise CannotMeasureError("this system does not tell how much memory a process holds, so growth is not seen")
    channels = memory.channels()
    with memory.collected(automatic=True):
        # What an earlier test has freed would be used first, and its growth be hidden.  Before the warm-up, which takes
        # back what the target needs for its work.
        memory.trim()
        yield _Looks(*found, channels.get("blocks"), channels.get("heap"), clock)


def _call_until(batch: Batch, clock: Callable[[], float], began: float, due_s: float) -> int:
    """Call at least once, and until *due_s* seconds have passed since *began*; tell how often."""
    first = clock()
    batch(1)
    calls = 1
    while (now := clock()) - began < due_s:
        pace = calls / (now - first) if now > first else float(calls)
        more = max(1, min(_FASTER * calls, int(pace * (due_s - (now - began)) * _HALF)))
        batch(more)
        calls += more
    return calls
