"""How many rounds of how many iterations: the schedule of a measurement, apart from how a round is run.

The schedule is a generator: it yields the number of iterations of the next round and is sent what the round took.
Whoever drives it calls a function or awaits one, and tests drive it with made-up times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from pytest_perfgate.measure.clock import Clock
from pytest_perfgate.model import Plan
from pytest_perfgate.stats import median, median_interval
from pytest_perfgate.units import SECONDS, format_value

#: A round lasts at least this long.  On shared machines precision is bought by the number of rounds, not by their
#: length, and below a millisecond the clock and the interpreter's own hiccups begin to show.
SHORTEST_ROUND_NS = 1_000_000
#: ... and this many times what the clock can tell apart, so that reading it costs less than 0.1 %.
TICKS_PER_ROUND = 1000
#: Warm-up goes on for this long: caches, the interpreter's specialisation, the processor's clock.
WARMUP_NS = 50_000_000
#: Rounds that are wanted where time allows, and the most that are kept: later ones tell about the machine's drift.
FEWEST_ROUNDS, MOST_ROUNDS = 20, 500
#: Adaptive measuring stops when the interval of the median is within this share on each side, and
NARROW = 0.01
#: this long was measured; a burst of a neighbour is often shorter.
SETTLED_NS = 200_000_000
_LOOK_EVERY = 10  # rounds, between looks at the interval

Schedule = Generator[int, int, "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a schedule ends with."""

    values_ns: tuple[float, ...]
    """Per iteration, one for each round that counts."""
    iterations: int
    """Per round."""
    first_ns: float | None
    """What the very first call took, alone; None when the first round had several."""
    warnings: tuple[str, ...] = ()


@dataclass
class _Progress:
    """What a schedule knows while it runs."""

    began_ns: int
    limit_ns: float
    values_ns: list[float] = field(default_factory=list)
    measured_ns: int = 0


def schedule(plan: Plan, *, clock: Clock, tick_ns: int) -> Schedule:
    """Plan rounds while they are run.

    Args:
        plan: What the user fixed; the rest is chosen.
        clock: For the time limit, which warm-up and everything around the rounds count against.
        tick_ns: What the clock can tell apart.

    Yields:
        Iterations of the next round; to be sent what the round took, in nanoseconds.

    Returns:
        The sample.  Rounds, iterations and warm-up that the plan fixes are kept exactly, whatever they take.
    """
    progress = _Progress(clock(), plan.max_time_s * 1e9)
    first_ns: float | None = None
    iterations = plan.iterations or 1
    if plan.warmup is None and plan.iterations is None:
        first_ns = yield 1
        if plan.rounds is None and first_ns > progress.limit_ns / 2:
            return _only_call(first_ns, plan)
        iterations = yield from _warm_up(first_ns, clock, progress, tick_ns)
    else:
        for number in range(_warmup_rounds(plan)):
            elapsed = yield iterations
            if number == 0 and iterations == 1:
                first_ns = elapsed
        if plan.iterations is None and first_ns is not None:
            iterations = yield from _calibrate(first_ns, tick_ns, clock, progress)
    while not _is_enough(plan, progress, clock):
        elapsed = yield iterations
        progress.values_ns.append(elapsed / iterations)
        progress.measured_ns += elapsed
    return Sample(tuple(progress.values_ns), iterations, first_ns, _remarks(plan, progress))


def drive(rounds: Schedule, run: Callable[[int], int]) -> Sample:
    """Run a schedule to its end.

    Args:
        rounds: From :func:`schedule`.
        run: Runs one round of so many iterations and returns what it took in nanoseconds.
    """
    try:
        iterations = next(rounds)
        while True:
            iterations = rounds.send(run(iterations))
    except StopIteration as end:
        sample: Sample = end.value
        return sample


def _warmup_rounds(plan: Plan) -> int:
    return 1 if plan.warmup is None else plan.warmup


def _only_call(first_ns: float, plan: Plan) -> Sample:
    took, limit = format_value(first_ns / 1e9, SECONDS), format_value(plan.max_time_s, SECONDS)
    warning = f"one call took {took}, so only 1 round without warm-up fits into {limit}; raise --perfgate-max-time"
    return Sample((first_ns,), 1, first_ns, (warning,))


def _calibrate(elapsed_ns: float, tick_ns: int, clock: Clock, progress: _Progress) -> Generator[int, int, int]:
    """Find iterations that make a round long enough, starting from what one call took."""
    wanted_ns = max(SHORTEST_ROUND_NS, TICKS_PER_ROUND * tick_ns)
    iterations, elapsed = 1, float(elapsed_ns)
    while elapsed < wanted_ns and not _is_late(clock, progress):
        # The first calls are slow and would suggest too few: grow by ten at most, by two at least.
        suggested = math.ceil(iterations * 1.1 * wanted_ns / max(elapsed, tick_ns))
        iterations = min(iterations * 10, max(iterations * 2, suggested))
        elapsed = yield iterations
    return iterations


def _warm_up(first_ns: float, clock: Clock, progress: _Progress, tick_ns: int) -> Generator[int, int, int]:
    """Calibrate, and go on until the target is warm; the calls that calibrate warm it up as well."""
    iterations = yield from _calibrate(first_ns, tick_ns, clock, progress)
    recent: list[float] = []
    while clock() - progress.began_ns < min(WARMUP_NS, progress.limit_ns / 4):
        recent.append((yield iterations))
    if recent:
        typical = median(recent[-5:])
        wanted_ns = max(SHORTEST_ROUND_NS, TICKS_PER_ROUND * tick_ns)
        if typical < wanted_ns:  # it became faster as it warmed up
            iterations = math.ceil(iterations * wanted_ns / max(typical, tick_ns))
    return iterations


def _is_late(clock: Clock, progress: _Progress) -> bool:
    return clock() - progress.began_ns > progress.limit_ns / 2


def _is_enough(plan: Plan, progress: _Progress, clock: Clock) -> bool:
    count = len(progress.values_ns)
    if plan.rounds is not None:
        return count >= plan.rounds
    if count == 0:
        return False
    last_ns = progress.measured_ns / count
    if clock() - progress.began_ns + last_ns > progress.limit_ns or count >= MOST_ROUNDS:
        return True
    if count < FEWEST_ROUNDS or progress.measured_ns < SETTLED_NS or count % _LOOK_EVERY:
        return False
    interval = median_interval(progress.values_ns)
    middle = median(progress.values_ns)
    if interval is None or not middle:
        return False
    return max(interval[1] - middle, middle - interval[0]) <= NARROW * middle


def _remarks(plan: Plan, progress: _Progress) -> tuple[str, ...]:
    count = len(progress.values_ns)
    if plan.rounds is None and count < FEWEST_ROUNDS // 4:
        limit = format_value(plan.max_time_s, SECONDS)
        return (
            f"only {count} round{'s' * (count != 1)} fitted into {limit}; raise --perfgate-max-time for a closer look",
        )
    return ()
