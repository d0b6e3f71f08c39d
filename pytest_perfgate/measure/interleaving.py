"""A calibration block beside every round, on the same processor: how long the rounds were in terms of that block.

Both without the time in which this thread could have run and somebody else did: a neighbour that takes the processor
away hits a round of five milliseconds and spares the block beside it.  Waiting for anything else counts.

The workload is in :mod:`pytest_perfgate.measure.calibration`, the processors are in
:mod:`pytest_perfgate.measure.pinning`; how many rounds there are is the schedule's business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_perfgate.measure.calibration import CALIBRATION, run_calibration
from pytest_perfgate.measure.clock import PROCESS_TIME, THREAD_TIME, Clock
from pytest_perfgate.measure.pinning import Processors
from pytest_perfgate.measure.runqueue import run_queue
from pytest_perfgate.stats import median

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: A block lasts as long as a round, but no longer than this: precision is bought by the number of blocks.
LONGEST_BLOCK_NS = 1_000_000
#: Rounds on one processor.
ROUNDS_PER_PROCESSOR = 12
#: Units of the first block, which finds out how long a unit takes.
_FIRST_UNITS = 8
#: Processor time of other threads and of processes, as a share of that of this thread, that is more than bookkeeping.
_OTHERS_SHARE = 0.05
#: A round that waits for longer than this share of its time, for a disk, a network, a clock, another process, is not
#: made slower by what makes the calibration slower: dividing would turn a faster machine into a slower target.
_MOST_IDLE = 0.2
#: Per-round ratios are stored with so many digits, which is more than any of them means and half the size of a file.
_DIGITS = 6

OTHERS = "other threads or processes work for it"
WAITS = "it waits for more than a fifth of its time"


@dataclass
class Interleaved:
    """Runs a calibration block next to each round and keeps both times.

    Args:
        clock: Nanoseconds, that of the rounds.
        processors: To go round.
        thread_ns: Processor time of the calling thread.
        process_ns: Processor time of this process, all threads.
        queued_ns: How long the calling thread has waited for a processor.
        block: Runs so many units of the workload and returns what they took.
    """

    clock: Clock
    processors: Processors = field(default_factory=Processors)
    thread_ns: Clock = THREAD_TIME
    process_ns: Clock = PROCESS_TIME
    queued_ns: Clock = lambda: 0
    block: Callable[[int, Clock], int] = run_calibration
    obstacle: str = ""
    """Why the ratio means nothing, to be read after "because"; empty while it does."""
    _rounds: list[_Round] = field(default_factory=list)
    _units: int = 0
    _iterations: int = 0

    def around(self, run: Callable[[int], int]) -> Callable[[int], int]:
        """Return what runs a round as *run* does, and a block before or after it."""

        def interleaved(iterations: int) -> int:
            __tracebackhide__ = True
            block = self._before()
            began = self._read()
            elapsed_ns = run(iterations)
            self._after(self._read() - began, elapsed_ns, iterations, block)
            return elapsed_ns

        return interleaved

    def around_awaited(self, run: Callable[[int], Awaitable[int]]) -> Callable[[int], Awaitable[int]]:
        """Return what awaits a round as *run* does, and runs a block before or after it."""

        async def interleaved(iterations: int) -> int:
            __tracebackhide__ = True
            block = self._before()
            began = self._read()
            elapsed_ns = await run(iterations)
            self._after(self._read() - began, elapsed_ns, iterations, block)
            return elapsed_ns

        return interleaved

    def facts(self, kept: int) -> dict[str, Any]:
        """Say what was found, for ``extra`` of the measurement.

        Args:
            kept: How many of the last rounds count.

        Returns:
            ``calibrated`` with what belongs to it, or ``uncalibrated`` with the reason.
        """
        rounds = self._rounds[-kept:]
        self._look_for_obstacles(rounds)
        if self.obstacle or not all(one.unit_ns > 0 for one in rounds):
            return {"uncalibrated": self.obstacle or "the clock is too coarse"}
        ratios = [one.ratio for one in rounds]
        middle = median(ratios)
        return {
            "calibration": CALIBRATION,
            "calibrated": middle,
            "calibrated_processes": [middle],
            "calibrated_samples": [float(f"{ratio:.{_DIGITS}g}") for ratio in ratios],
            "calibration_s": median([one.unit_ns for one in rounds]) / 1e9,
            "calibration_pinned": self.processors.is_bound,
        }

    def _before(self) -> float | None:
        """Move on when it is time, and run the block of every second round.

        Returns:
            What a unit took, in nanoseconds; None when the block comes after the round.
        """
        if len(self._rounds) % ROUNDS_PER_PROCESSOR == 0 and self._rounds:
            self._change_processor()
        return None if len(self._rounds) % 2 else self._run_block()

    def _after(self, spent: _Spent, elapsed_ns: int, iterations: int, unit_ns: float | None) -> None:
        if unit_ns is None:
            unit_ns = self._run_block()
        self._rounds.append(_Round(spent.undisturbed(elapsed_ns) / iterations, unit_ns, spent))
        if iterations != self._iterations:
            self._iterations = iterations
            self._size_block(elapsed_ns, unit_ns)

    def _change_processor(self) -> None:
        self._look_for_obstacles(self._rounds[-ROUNDS_PER_PROCESSOR:])
        if not self.obstacle and self.processors.move():
            self._run_block()  # settles: caches and predictors of the new processor know nothing yet

    def _look_for_obstacles(self, rounds: list[_Round]) -> None:
        """Stop binding a target to one processor that uses others, or none."""
        if self.obstacle:
            return
        thread_ns = sum(one.spent.thread_ns for one in rounds)
        others_ns = sum(one.spent.process_ns for one in rounds) - thread_ns
        if others_ns > _OTHERS_SHARE * max(thread_ns, 1):
            self.obstacle = OTHERS
        elif median([one.spent.idle_share for one in rounds]) > _MOST_IDLE:
            self.obstacle = WAITS
        if self.obstacle:
            self.processors.restore()

    def _run_block(self) -> float:
        """Run one block; return what a unit took, in nanoseconds."""
        if self.obstacle:
            return 0.0
        if not self._units:
            unit_ns = self.block(_FIRST_UNITS, self.clock) / _FIRST_UNITS
            self._units = _FIRST_UNITS
            self._size_block(LONGEST_BLOCK_NS, unit_ns)
        began = self._read()
        elapsed_ns = self.block(self._units, self.clock)
        return (self._read() - began).undisturbed(elapsed_ns) / self._units

    def _size_block(self, round_ns: int, unit_ns: float) -> None:
        """Choose the units of the blocks so that one lasts about as long as a round."""
        if unit_ns > 0:
            self._units = max(1, round(min(round_ns, LONGEST_BLOCK_NS) / unit_ns))

    def _read(self) -> _Spent:
        return _Spent(self.clock(), self.thread_ns(), self.process_ns(), self.queued_ns())


@dataclass(frozen=True, slots=True)
class _Spent:
    """What the clocks showed, or the difference of two looks at them."""

    wall_ns: int
    thread_ns: int
    process_ns: int
    queued_ns: int

    def __sub__(self, earlier: _Spent) -> _Spent:
        return _Spent(
            self.wall_ns - earlier.wall_ns,
            self.thread_ns - earlier.thread_ns,
            self.process_ns - earlier.process_ns,
            self.queued_ns - earlier.queued_ns,
        )

    @property
    def idle_share(self) -> float:
        """Share of its own time, that of neighbours left out, in which the thread did not want to run."""
        own_ns = self.wall_ns - self.queued_ns
        return (own_ns - self.thread_ns) / max(own_ns, 1)

    def undisturbed(self, elapsed_ns: int) -> int:
        """Take from a time within it what the thread waited for a processor.

        Some of the waiting may lie outside that time; no less is left than the thread has certainly worked.
        """
        return max(elapsed_ns - self.queued_ns, min(elapsed_ns, self.thread_ns))


@dataclass(frozen=True, slots=True)
class _Round:
    """A round and the block next to it."""

    iteration_ns: float
    unit_ns: float
    spent: _Spent

    @property
    def ratio(self) -> float:
        return self.iteration_ns / self.unit_ns


@contextlib.contextmanager
def interleaved(clock: Clock) -> Iterator[Interleaved]:
    """Hand out what puts calibration between the rounds, and give back the processors afterwards.

    Args:
        clock: That of the rounds.
    """
    with run_queue() as queued_ns:
        between = Interleaved(clock, queued_ns=queued_ns)
        try:
            yield between
        finally:
            between.processors.restore()
