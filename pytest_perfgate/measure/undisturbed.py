"""Between which ends a speedup lies once it is known what kept the machine from giving all it has.  Pure.

Others who take cores make the serial pass slower as well as the parallel one, so a ratio may be too small or too large.
The lower end is what the serial pass took of a core, over all that the parallel one took; the upper end the other way
round.  On an idle machine they meet.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_perfgate.measure.parallel import Window
from pytest_perfgate.measure.scaling import ONLY_CORES, ONLY_WAITS
from pytest_perfgate.stats import median, median_interval

#: Gains of a probe that differ by more than this share of their median are those of a machine that changes.
_STEADY = 0.1
#: Work that is on a core for less of its time waits for something else, even beside a dozen hogs.
_NEEDS_NONE = 0.05
#: What neighbours may cost work that needs cores for little, beyond what it is seen to wait for them: waking up late.
_LATE = 1.3
#: The same of work that needs none, whose workers tell what they waited for: so much for each chunk of a worker's.
_LATE_S = 0.002
#: CPU time of this process in a parallel pass, as a share of that in the serial one, with which it has done the work.
_DONE_HERE = 0.8
#: Cores that threads kept busy together, up to which they took turns.
_IN_TURNS = 1.1
#: By then two threads that were woken on one core have one each, where there are two: after a few ticks of 4 ms.
_PARTED_S = 0.02
#: A clock too coarse to see a pass must not divide by zero.
_LEAST_S = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else was known while the windows were timed."""

    able: float
    """The most that perfect code could reach on an idle machine."""
    capacity: float
    """Cores this process may use."""
    workers: int
    is_crowded: bool = False
    """Whether other programs took a good part of the cores."""
    lost: float = 0.0
    """Cores that they took of what the workers could use, on average."""
    gains: tuple[float, ...] = ()
    """What spinning processes gained next to the pairs; empty where none did."""


def alone_s(serial: Window) -> float:
    """Take from a serial pass what its thread waited for a core; no less is left than it has certainly worked."""
    return max(serial.wall_s - serial.queued_s, min(serial.wall_s, serial.cpu_s), _LEAST_S)


def core_share(serial: Window) -> float:
    """Tell which share of a serial pass was spent on a core, out of the time in which there was one for it."""
    return serial.cpu_s / alone_s(serial)


def ends(serial: Sequence[Window], parallel: Sequence[Window], around: Surroundings) -> tuple[float, float]:
    """Tell between what a speedup lies when nobody else uses the machine.

    Args:
        serial: Serial windows.
        parallel: The i-th next to the i-th serial one.
        around: What was known of the machine.

    Returns:
        Lower and upper end, with the median of the ratios between them.  The upper one allows for how well few pairs
        tell a median: those hit by others may be most of them.
    """
    pairs = list(zip(serial, parallel, strict=True))
    value = median([_ratio(one, other.wall_s) for one, other in pairs])
    least_s = _least_s if around.is_crowded and not _is_told(serial) else alone_s
    lower = median([least_s(one) / max(other.wall_s, _LEAST_S) for one, other in pairs])
    upper = value
    only_waits, able = _only_waits(serial, parallel), around.able
    if around.is_crowded and only_waits:  # cores are not what such work is short of, so a crowd is a small excuse
        upper = min(_at_most([_ratio(one, other.wall_s - held_up_s(other)) for one, other in pairs]) * _LATE, able)
        if max(map(core_share, serial)) < _NEEDS_NONE and all(window.stints for window in parallel):
            punctual = [_ratio(one, other.wall_s - held_up_s(other) - _late_s(other)) for one, other in pairs]
            upper = min(upper, _at_most(punctual))
    elif around.is_crowded:
        upper = able
    elif around.workers <= around.capacity:  # else workers wait for each other, which tells nothing
        upper = min(_at_most([_ratio(one, _unhindered_s(one, other, around.lost)) for one, other in pairs]), able)
    else:
        upper = _at_most([_ratio(one, other.wall_s) for one, other in pairs])
    if around.lost and not only_waits and not any(window.stints for window in parallel):
        # Nobody knows whom it hit: at worst one worker, for whom all others waited.
        upper = max(upper, min(value / max(1 - around.lost, _LEAST_S), able))
    if around.gains:
        usable = min(around.capacity, around.workers)
        as_if_given = value * usable / min(median(around.gains), usable)
        upper = max(upper, min(able, as_if_given))
    return min(lower, value), max(upper, value)


def held_up_s(parallel: Window) -> float:
    """Tell for how long a parallel pass was held up at most: its slowest worker by others, and who waited for all."""
    if not parallel.stints:
        return parallel.queued_s + parallel.crew_queued_s
    waited_ns: Counter[tuple[int, int]] = Counter()
    for stint in parallel.stints:
        waited_ns[stint.worker] += stint.waited_ns
    return parallel.queued_s + max(waited_ns.values(), default=0) / 1e9


def _late_s(parallel: Window) -> float:
    """Tell what nobody saw a worker wait for, though it may have begun its chunks that much too late."""
    return max(Counter(stint.worker for stint in parallel.stints).values(), default=0) * _LATE_S


def steady_gain(gains: Sequence[float], *, is_crowded: bool) -> float | None:
    """Give what the machine gives perfect code, where that was the same throughout.

    Args:
        gains: What spinning processes gained, next to each pair of windows.
        is_crowded: Whether other programs took a good part of the cores: what is left differs from moment to moment.

    Returns:
        The upper end of the interval of their median; None where they are few or differ.
    """
    interval = median_interval(gains) if gains else None
    if interval is None or is_crowded:
        return None
    low, high = interval
    return high if high - low <= _STEADY * median(gains) else None


def with_cores_enough(
    serial: Sequence[Window], parallel: Sequence[Window], workers: int, *, had_several: bool = True
) -> float | None:
    """Estimate the speedup on a machine with a core for each worker.

    The workers' own time, without waiting for cores, is shared out evenly, but no chunk is cut; what memory and caches
    would make of it is not known.  Nor is how far threads that kept one core busy between them would use several: of
    those that wait for a lock, others who take cores make the waiting look like waiting for a core.

    Args:
        serial: Serial windows.
        parallel: The i-th next to the i-th serial one, with what the workers saw.
        workers: How many there are.
        had_several: Whether the workers could have kept more than one core busy, or had one to themselves.

    Returns:
        The median over the pairs; None where the workers told nothing, or took turns though they need not have.
    """
    if had_several and all(itertools.starmap(_take_turns, zip(serial, parallel, strict=True))):
        return None
    ratios = []
    for one, other in zip(serial, parallel, strict=True):
        longest_ns = max((stint.own_ns for stint in other.stints), default=0)
        if longest_ns:
            share_ns = sum(stint.own_ns for stint in other.stints) / workers
            ratios.append(alone_s(one) * 1e9 / max(share_ns, longest_ns))
    return median(ratios) if ratios else None


def _ratio(serial: Window, parallel_s: float) -> float:
    return serial.wall_s / max(parallel_s, _LEAST_S)


def _unhindered_s(serial: Window, parallel: Window, lost: float) -> float:
    """Tell what a parallel pass took at least, had the kernel given each worker a core at once.

    Threads that take turns anyhow gain nothing by cores of their own: while one waited for a core another had it, and
    the lock as well.  They are known by the cores that they kept busy together, where it is this process that worked;
    but a kernel takes a while to part two threads that it woke on one core, so a short pass tells nothing of that.
    """
    held_s = held_up_s(parallel)
    if parallel.wall_s >= _PARTED_S and _take_turns(serial, parallel):
        held_s = min(held_s, lost * parallel.wall_s)
    return parallel.wall_s - held_s


def _take_turns(serial: Window, parallel: Window) -> bool:
    """Tell whether threads of this process, each of which needs a core, kept one busy between them."""
    is_done_here = core_share(serial) >= ONLY_CORES and parallel.cpu_s >= _DONE_HERE * serial.cpu_s
    return is_done_here and parallel.cpu_s <= _IN_TURNS * parallel.wall_s


def _at_most(ratios: Sequence[float]) -> float:
    """Tell how large the median of more pairs may be; of too few for an interval any may be the typical one."""
    interval = median_interval(ratios)
    return max(ratios) if interval is None else interval[1]


def _only_waits(serial: Sequence[Window], parallel: Sequence[Window]) -> bool:
    """Tell whether cores hardly matter to the work; where no worker tells what it waited for, it has to need none."""
    share = max(map(core_share, serial))
    return share < (ONLY_WAITS if all(window.stints for window in parallel) else _NEEDS_NONE)


def _is_told(serial: Sequence[Window]) -> bool:
    """Tell whether it is known what serial passes waited for: cores, or, as they hardly needed any, something else."""
    return any(window.queued_s for window in serial) or max(map(core_share, serial)) < _NEEDS_NONE


def _least_s(serial: Window) -> float:
    """Take what a serial pass has certainly worked: anything else may have been waiting for a core."""
    return max(min(serial.wall_s, serial.cpu_s), _LEAST_S)
