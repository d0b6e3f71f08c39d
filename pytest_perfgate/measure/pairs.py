"""Serial and parallel windows timed next to each other, in a balanced random order; knows no pool and no metric."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_perfgate.measure.clock import Clock
from pytest_perfgate.measure.crew import longest_wait_s
from pytest_perfgate.measure.outcomes import check_same, refuse_unfinished
from pytest_perfgate.measure.parallel import CLOCKS, Clocks, Passes, Window, time_window
from pytest_perfgate.measure.repetition import count
from pytest_perfgate.model import Plan

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

_PAIRS = 9
#: Even when the case's time is spent: the median of fewer is one of its values' luck.
_FEWEST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose about repetition and checking."""

    repeats: int | None = None
    """Pairs to keep, >= 1; None to choose."""
    warmup: int | None = None
    """Pairs to throw away first, >= 0; None for one."""
    check: bool = True
    """Whether each parallel pass must give what its serial one gave."""


@dataclass(slots=True)
class Pairs:
    """Windows of both kinds, the i-th of one timed next to the i-th of the other."""

    serial: list[Window] = field(default_factory=list)
    parallel: list[Window] = field(default_factory=list)
    outcome: Any = None
    """What the last parallel pass returned; of the others nothing is kept, it may be large."""

    @property
    def serial_s(self) -> list[float]:
        """Wall times of the serial windows."""
        return [window.wall_s for window in self.serial]

    @property
    def parallel_s(self) -> list[float]:
        """Wall times of the parallel windows."""
        return [window.wall_s for window in self.parallel]

    @property
    def ratios(self) -> list[float]:
        """Serial over parallel, pair by pair."""
        # A clock too coarse to see the parallel pass must not divide by zero.
        return [one / max(other, 1e-9) for one, other in zip(self.serial_s, self.parallel_s, strict=True)]


def measure_pairs(  # each is another thing
    plan: Plan,
    passes: Passes,
    choice: Choice,
    *,
    seed: str,
    clocks: Clocks = CLOCKS,
    beside: Callable[[Window], None] = lambda _: None,
) -> Pairs:
    """Time pairs of windows until there are enough.

    Args:
        plan: ``rounds`` and ``warmup`` stand in for what *choice* leaves open; without either, 9 pairs within
            ``max_time_s`` (3 at least).
        passes: What to time.
        choice: What the user chose.
        seed: Decides the orders, see :func:`paired_orders`.
        clocks: What to look at.
        beside: Called after each pair, thrown away or not, with its serial window: to measure something next to it.

    Returns:
        The pairs that were kept.

    Raises:
        UsageError: A number of pairs cannot be meant, or a pass returns work still to be done.
        CannotMeasureError: The outcomes of a pair differ.
    """
    wanted = count(plan.rounds if choice.repeats is None else choice.repeats, "repeats", least=1)
    discarded = count(plan.warmup if choice.warmup is None else choice.warmup, "warmup", least=0)
    give_up_ns = clocks.wall_ns() + round(plan.max_time_s * 1e9)
    orders = paired_orders(seed)
    with clocks.queue() as queued_ns:

        def pair(into: Pairs) -> Pairs:
            _time_pair(into, passes, clocks, queued_ns, serial_first=next(orders), check=choice.check)
            beside(into.serial[-1])
            return into

        for _ in range(1 if discarded is None else discarded):
            pair(Pairs())
        pairs = Pairs()
        while not _is_enough(len(pairs.serial), wanted, is_late=clocks.wall_ns() >= give_up_ns):
            pair(pairs)
    return pairs


def paired_orders(seed: str) -> Iterator[bool]:
    """Decide pair by pair whether the serial window comes first, without end.

    Every two pairs hold both orders, which of them first is random: drift cancels, and so does any rhythm of the
    machine's.

    Args:
        seed: The same seed gives the same orders.

    Yields:
        True for serial first.
    """
    draw = random.Random(seed)  # noqa: S311  # no secret: a shuffle that can be repeated
    while True:
        first = draw.random() < 0.5  # noqa: PLR2004  # a coin
        yield first
        yield not first


def _is_enough(pairs: int, wanted: int | None, *, is_late: bool) -> bool:
    if wanted is not None:
        return pairs >= wanted
    return pairs >= (_FEWEST_PAIRS if is_late else _PAIRS)


def _time_pair(  # each is another thing
    pairs: Pairs, passes: Passes, clocks: Clocks, queued_ns: Clock, *, serial_first: bool, check: bool
) -> None:
    """Time one window of each kind, and compare their outcomes when both are over."""
    if serial_first:
        serial, expected = time_window(passes.serial, clocks, queued_ns)
    before = clocks.crew()
    parallel, outcome = time_window(passes.parallel, clocks, queued_ns)
    crew_queued_s = longest_wait_s(before, clocks.crew())
    if not serial_first:
        serial, expected = time_window(passes.serial, clocks, queued_ns)
    refuse_unfinished(serial=expected, parallel=outcome)
    if check:
        check_same(expected, outcome)
    pairs.serial.append(serial)
    pairs.parallel.append(replace(parallel, stints=tuple(passes.stints), crew_queued_s=crew_queued_s))
    pairs.outcome = outcome
