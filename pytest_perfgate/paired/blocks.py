"""One case in one round: blocks of base and head, alternated finely on one processor.

The two workers run blocks of about a millisecond in turn, in randomised ABBA order, both on the same processor, which
changes every few pairs.  What a neighbour, the processor's clock or a slower sibling does to one block it does to the
next one as well, so that the ratio of a pair hardly feels it.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_perfgate.measure.clock import MONOTONIC_S
from pytest_perfgate.paired.line import Message
from pytest_perfgate.paired.worker import Took, Worker

#: A block lasts about this long.  Precision is bought by the number of alternations and not by their length: the
#: spread of a pair is the same for blocks of 1 to 64 ms, and longer ones leave time for the machine to change.
BLOCK_NS = 1_000_000
#: Pairs of one case in one round, for targets that allow blocks of :data:`BLOCK_NS`; fewer of slower ones.
MOST_PAIRS, FEWEST_PAIRS = 48, 6
#: A round of one case should not take longer than this, as long as :data:`FEWEST_PAIRS` fit.
ROUND_S = 0.4
#: Pairs on one processor before the next one's turn.
SEGMENT_PAIRS = 12
#: Blocks of each worker that are thrown away before the first pair of a round, and the most time spent on them.
WARMUP_BLOCKS, WARMUP_S = 5, 0.25

#: More calls in a block than this mean a clock that does not move.
_MOST_ITERATIONS = 10_000_000
#: A target whose own thread is on a processor for a smaller share of the time waits for something else.
_BUSY = 0.8
#: ... and one whose process uses more than this many times what its thread does has other threads at work.
_ALONE = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a case is measured; found in its first round and the same for both sides ever after."""

    iterations: int
    """Calls per round of the target."""
    rounds: int
    """Rounds of the target per block: more than one only where the iterations are fixed."""
    pairs: int
    warmup: int
    """Blocks of each worker thrown away first."""
    pinned: bool
    """Whether both workers share one processor."""
    why_free: str = ""
    """Why they do not, one clause; empty when they do."""
    is_untried: bool = False
    """Whether the first round has to show what kind of work it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRound:
    """What one round came to."""

    base_s: tuple[float, ...]
    """Seconds per iteration, one for each pair, in the order measured."""
    head_s: tuple[float, ...]
    shape: Shape
    """For the next round."""

    @property
    def log_ratio(self) -> float | None:
        """Median over the pairs of log(head / base); None when no pair has one."""
        ratios = [
            math.log(head / base) for base, head in zip(self.base_s, self.head_s, strict=True) if base > 0 and head > 0
        ]
        return statistics.median(ratios) if ratios else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under what a case is measured."""

    processors: tuple[int, ...]
    """That may be used; empty where processes cannot be bound to one."""
    timeout_s: float | None
    """Patience with one block; None for ever."""
    most_s: float
    """Most seconds for this case in this round."""
    rng: random.Random


def measure_pairs(base: Worker, head: Worker, told: Message, conditions: Conditions, shape: Shape | None) -> PairRound:
    """Measure one case once on both workers, which have announced it and wait.

    Args:
        base: One worker.
        head: The other.
        told: What head announced.
        conditions: Processors, patience, randomness.
        shape: Found in an earlier round; None in the first.

    Returns:
        The times of both sides, pair by pair.  The workers wait to be told what is next.

    Raises:
        CaseLostError: A target raised.
        WorkerLostError: A worker is gone or hangs.
    """
    both = (base, head)
    if shape is None:
        shape = _find_shape(both, told, conditions)
    else:
        _warm_up(both, shape, conditions)
    try:
        measured, looks = _alternate(both, shape, conditions)
    finally:
        if shape.pinned:
            for worker in both:
                worker.pin(conditions.processors)
    if measured.shape.is_untried:  # the user counts calls, so that no trial could tell
        measured = replace(measured, shape=_bound(replace(shape, is_untried=False), told, conditions, looks))
    return measured


def _alternate(both: tuple[Worker, Worker], shape: Shape, conditions: Conditions) -> tuple[PairRound, list[Took]]:
    looks: list[Took] = []
    times: dict[Worker, list[float]] = {worker: [] for worker in both}
    order = list(both)
    first = conditions.rng.randrange(max(len(conditions.processors), 1))
    ends = MONOTONIC_S() + conditions.most_s
    for pair in range(shape.pairs):
        if pair % SEGMENT_PAIRS == 0 and shape.pinned:
            processor = conditions.processors[(first + pair // SEGMENT_PAIRS) % len(conditions.processors)]
            shape = _moved(both, processor, shape, conditions, settle=pair > 0)
        # ABBA or BAAB: within two pairs each side is first once, so that a steady drift cancels.
        order = order[::-1] if pair % 2 else conditions.rng.sample(both, 2)
        for worker in order:
            looks.append(_block(worker, shape, conditions))
            times[worker].append(looks[-1].ns / 1e9 / (shape.iterations * shape.rounds))
        if MONOTONIC_S() > ends and pair + 1 >= FEWEST_PAIRS:
            break
    if shape.pinned and not all(worker.is_pinned((processor,)) for worker in both):
        shape = replace(shape, pinned=False, why_free="the target chooses the processors it runs on")
    return PairRound(base_s=tuple(times[both[0]]), head_s=tuple(times[both[1]]), shape=shape), looks


def _moved(both: Sequence[Worker], processor: int, shape: Shape, conditions: Conditions, *, settle: bool) -> Shape:
    """Move both workers to a processor and throw one block of each away: its caches know nothing of them.

    Returns:
        The shape, which changes where the system does not let them move.
    """
    if not all(worker.pin((processor,)) for worker in both):
        for worker in both:
            worker.pin(conditions.processors)
        return replace(shape, pinned=False, why_free="this system does not let us choose the processor")
    if settle and shape.warmup:
        for worker in both:
            _block(worker, shape, conditions)
    return shape


def _block(worker: Worker, shape: Shape, conditions: Conditions) -> Took:
    return worker.run_block(iterations=shape.iterations, rounds=shape.rounds, timeout_s=conditions.timeout_s)


def _warm_up(both: Sequence[Worker], shape: Shape, conditions: Conditions) -> None:
    """Run blocks that do not count: caches, the interpreter's specialisation, first calls."""
    began = MONOTONIC_S()
    for _ in range(shape.warmup):
        for worker in both:
            _block(worker, shape, conditions)
        if MONOTONIC_S() - began > WARMUP_S:
            return


# -- finding the shape


def _find_shape(both: tuple[Worker, Worker], told: Message, conditions: Conditions) -> Shape:
    """Find out how many iterations make a block, whether the case is bound to its processor, and what a pair costs."""
    fixed: int | None = told["iterations"]
    counted: int | None = told["rounds"]
    trial = Shape(iterations=fixed or 1, rounds=1, pairs=1, warmup=0, pinned=False)
    if counted is not None and fixed is not None:  # whoever counts calls wants them counted
        warmup = told["warmup"] or 0
        shape = replace(trial, pairs=min(counted, MOST_PAIRS), warmup=warmup, is_untried=True)
        _warm_up(both, shape, conditions)
        return shape
    looks: list[Took] = []
    while True:
        began = MONOTONIC_S()
        looks = [_block(worker, trial, conditions) for worker in both]
        pair_s = MONOTONIC_S() - began
        grown = _grown(trial, looks, pair_s, fixed=fixed is not None)
        if grown == trial:
            break
        trial = grown
    pairs = _pairs(pair_s, conditions) if counted is None else min(counted, MOST_PAIRS)
    # Of a call of minutes the two of the trial are warm-up enough.
    shape = replace(trial, pairs=pairs, warmup=WARMUP_BLOCKS if pair_s < max(conditions.most_s, WARMUP_S) else 0)
    began = MONOTONIC_S()
    for _ in range(shape.warmup):
        looks += [_block(worker, shape, conditions) for worker in both]
        if MONOTONIC_S() - began > WARMUP_S:
            break
    return _bound(shape, told, conditions, looks)


def _grown(trial: Shape, looks: Sequence[Took], pair_s: float, *, fixed: bool) -> Shape:
    """Make the block longer while it is too short, at most ten times at once: first calls are slow."""
    took_ns = max(1.0, statistics.mean(look.ns for look in looks))
    count = trial.rounds if fixed else trial.iterations
    # With setup= a block is mostly what is not measured: its cost bounds it as well.
    if took_ns >= 0.7 * BLOCK_NS or count >= _MOST_ITERATIONS or (fixed and pair_s > 20 * BLOCK_NS / 1e9):
        return trial
    wanted = min(count * 10, max(count + 1, round(count * BLOCK_NS / took_ns)), _MOST_ITERATIONS)
    return replace(trial, rounds=wanted) if fixed else replace(trial, iterations=wanted)


def _pairs(pair_s: float, conditions: Conditions) -> int:
    fitting = min(MOST_PAIRS, int(ROUND_S / pair_s) if pair_s > 0 else MOST_PAIRS)
    affordable = max(1, int(conditions.most_s / pair_s)) if pair_s > 0 else MOST_PAIRS
    return max(1, min(max(fitting, FEWEST_PAIRS), affordable))


def _bound(shape: Shape, told: Message, conditions: Conditions, looks: Sequence[Took]) -> Shape:
    """Decide whether both workers share one processor."""
    why = _why_free(told, looks) if conditions.processors else "this system binds no process to a processor"
    return replace(shape, pinned=not why, why_free=why)


def _why_free(told: Message, looks: Sequence[Took]) -> str:
    """Say what keeps a case from being measured on one processor; empty when nothing does.

    Fresh processes inherit the processor of the worker that starts them, so that start-up is measured on one as well.
    """
    if str(told["metric"]).startswith("startup") or not looks:
        return ""
    if min(look.process_ns / max(look.cpu_ns, 1) for look in looks) > _ALONE:
        return "the target works in several threads"
    if max(look.cpu_ns / max(look.ns, 1) for look in looks) < _BUSY:
        return "the target waits for something other than its processor"
    return ""
