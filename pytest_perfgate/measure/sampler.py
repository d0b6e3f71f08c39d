"""How many rounds of how many iterations: the schedule of a measurement, apart from how a round is run.

The schedule is a generator: it yields the number of iterations of the next round and is sent what the round took.
Whoever drives it calls a function or awaits one, and tests drive it with made-up times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

from pytest_perfgate.measure.clock import Clock
from pytest_perfgate.model import Plan
from pytest_perfgate.stats import median, median_interval
from pytest_perfgate.units import SECONDS, format_value

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: A round lasts at least this long.  On shared machines precision is bought by the number of rounds, not by their
#: length, and below a millisecond the clock and the interpreter's own hiccups begin to show.
SHORTEST_ROUND_NS = 1_000_000
#: ... and this many times what the clock can tell apart, so that reading it costs less than 0.1 %.
TICKS_PER_ROUND = 1000
#: Warm-up goes on for this long: caches, the interpreter's specialisation, the processor's clock.
WARMUP_NS = 50_000_000
#: ... and warm-up and calibration for no more than these shares of the time limit.
_WARMUP_SHARE, _CALIBRATION_SHARE = 0.25, 0.5
#: Rounds that are wanted where time allows, and the most that are kept: later ones tell about the machine's drift.
FEWEST_ROUNDS, MOST_ROUNDS = 20, 500
#: Fewer have no 95 % interval of the median.
_FEWEST_FOR_AN_INTERVAL = 6
#: Adaptive measuring stops when the interval of the median is within this share on each side, and
NARROW = 0.01
#: this long was measured; a burst of a neighbour is often shorter.
SETTLED_NS = 200_000_000
#: Rounds between looks at the interval: looking sorts all values.
_LOOK_EVERY = 10
#: Ends calibration on a clock that does not move; the emptiest call makes a round of these last a quarter second.
MOST_ITERATIONS = 10_000_000

Schedule = Generator[int, int, "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a schedule ends with."""

    values_ns: tuple[float, ...]
    """Per iteration, one for each round that counts."""
    iterations: int
    """Per round."""
    warnings: tuple[str, ...] = ()


class Planner(Protocol):
    """What plans the rounds of a case: :func:`schedule`, or somebody who knows better."""

    def __call__(self, plan: Plan, *, clock: Clock, tick_ns: int) -> Schedule:
        """Plan rounds while they are run, as :func:`schedule` does."""


@dataclass
class _Progress:
    """What a schedule knows while it runs."""

    plan: Plan
    clock: Clock
    shortest_round_ns: float
    iterations: int
    began_ns: int = field(init=False)
    limit_ns: float = field(init=False)
    values_ns: list[float] = field(default_factory=list)
    measured_ns: int = 0

    def __post_init__(self) -> None:
        self.began_ns = self.clock()
        self.limit_ns = self.plan.max_time_s * 1e9

    @property
    def spent_ns(self) -> int:
        return self.clock() - self.began_ns

    def keep(self, elapsed_ns: int) -> None:
        self.values_ns.append(elapsed_ns / self.iterations)
        self.measured_ns += elapsed_ns


def schedule(plan: Plan, *, clock: Clock, tick_ns: int) -> Schedule:
    """Plan rounds while they are run.

    Args:
        plan: What the user fixed; the rest is chosen.
        clock: For the time limit, which warm-up and everything around the rounds count against.
        tick_ns: What the clock can tell apart.

    Yields:
        Iterations of the next round; to be sent what the round took, in nanoseconds.

    Returns:
        The sample.  Rounds, iterations and warm-up that the plan fixes are kept exactly, whatever they take; only
        rounds that find out how many iterations a round needs may add to the warm-up.
    """
    shortest_ns = max(SHORTEST_ROUND_NS, TICKS_PER_ROUND * tick_ns)
    progress = _Progress(plan, clock, shortest_ns, plan.iterations or 1)
    if plan.iterations is None or plan.warmup != 0:
        yield from _warm_up(progress)
    only_call = bool(progress.values_ns) and plan.warmup is None
    while not _is_enough(progress):
        elapsed = yield progress.iterations
        progress.keep(elapsed)
    return Sample(tuple(progress.values_ns), progress.iterations, _remarks(progress, without_warmup=only_call))


def drive(rounds: Schedule, run: Callable[[int], int]) -> Sample:
    """Run a schedule to its end.

    Args:
        rounds: From :func:`schedule`.
        run: Runs one round of so many iterations and returns what it took in nanoseconds; may raise anything.
    """
    iterations = next(rounds)
    while True:
        elapsed = run(iterations)  # not within the try: a target may raise StopIteration of its own
        try:
            iterations = rounds.send(elapsed)
        except StopIteration as end:
            sample: Sample = end.value
            return sample


def _warm_up(progress: _Progress) -> Generator[int, int, None]:
    """Find out how many iterations a round needs, and go on until the target is warm.

    The calls that calibrate warm up as well.  A first round that says enough already is kept instead.
    """
    done = 0
    while True:
        elapsed = yield progress.iterations
        done += 1
        if done == 1 and _counts(elapsed, progress):
            progress.keep(elapsed)
            return
        if elapsed < progress.shortest_round_ns and _may_grow(progress):
            progress.iterations = _more_iterations(elapsed, progress)
        elif _is_warm(done, progress):
            return


def _counts(first_ns: int, progress: _Progress) -> bool:
    """Tell whether the very first round is one to keep: nothing is to be thrown away, or there is no time for more."""
    plan = progress.plan
    if plan.warmup == 0:
        return plan.iterations is not None or first_ns >= progress.shortest_round_ns
    return plan.warmup is None and plan.rounds is None and first_ns > progress.limit_ns / 2


def _may_grow(progress: _Progress) -> bool:
    is_early = progress.spent_ns <= progress.limit_ns * _CALIBRATION_SHARE
    return progress.plan.iterations is None and progress.iterations < MOST_ITERATIONS and is_early


def _more_iterations(elapsed_ns: int, progress: _Progress) -> int:
    """Choose the iterations of the next round from what this one took.

    The first calls are slow and would suggest too few, and a call that a neighbour held up too: so ten times as
    many at most, a tenth in hand, and the next round is looked at again.
    """
    tried = progress.iterations
    suggested = math.ceil(tried * 1.1 * progress.shortest_round_ns / elapsed_ns) if elapsed_ns > 0 else tried * 10
    return min(tried * 10, max(tried + 1, suggested), MOST_ITERATIONS)


def _is_warm(done: int, progress: _Progress) -> bool:
    plan = progress.plan
    if plan.warmup is not None or plan.iterations is not None:
        # Whoever counts calls wants them counted: one round, not as many as fit into a while.
        return done >= (1 if plan.warmup is None else plan.warmup)
    return progress.spent_ns >= min(WARMUP_NS, progress.limit_ns * _WARMUP_SHARE)


def _is_enough(progress: _Progress) -> bool:
    plan, count = progress.plan, len(progress.values_ns)
    if plan.rounds is not None:
        return count >= plan.rounds
    if count == 0:
        return False
    typical_ns = progress.measured_ns / count
    if progress.spent_ns + typical_ns > progress.limit_ns or count >= MOST_ROUNDS:
        return True
    if count < FEWEST_ROUNDS or progress.measured_ns < SETTLED_NS or count % _LOOK_EVERY:
        return False
    return _is_narrow(progress.values_ns)


def _is_narrow(values_ns: list[float]) -> bool:
    interval, middle = median_interval(values_ns), median(values_ns)
    if interval is None or not middle:
        return False
    return max(interval[1] - middle, middle - interval[0]) <= NARROW * middle


def _remarks(progress: _Progress, *, without_warmup: bool) -> tuple[str, ...]:
    count = len(progress.values_ns)
    if progress.plan.rounds is not None or count >= _FEWEST_FOR_AN_INTERVAL:
        return ()
    took = format_value(progress.measured_ns / count / 1e9, SECONDS)
    limit = format_value(progress.plan.max_time_s, SECONDS)
    rounds = f"{count} round{'s' * (count != 1)}{' without warm-up' * without_warmup}"
    return (f"only {rounds} of {took} fit into {limit}; raise --perfgate-max-time for a closer look",)
