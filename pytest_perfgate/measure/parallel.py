"""The same work done serially and in parallel, made ready so that a window holds nothing but the work.

The pools are in :mod:`pytest_perfgate.measure.pools`; what the windows say is for the metric.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.clock import PERF_COUNTER, PROCESS_TIME, Clock
from pytest_perfgate.measure.contention import Load, read_load
from pytest_perfgate.measure.crew import Waits, read_waits
from pytest_perfgate.measure.runqueue import run_queue
from pytest_perfgate.measure.spinning import Spinners, open_spinners
from pytest_perfgate.measure.stints import Stint
from pytest_perfgate.words import counted

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Chunks per worker, as in ``multiprocessing.Pool.map``: few enough that sending them costs little beside the work,
#: enough that a worker with light items takes over what another has not begun.
_CHUNKS_PER_WORKER = 4

_NOTE = "raised by the task for item"
_SHOWN_CHARACTERS = 80

Task = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be done, and by how many."""

    task: Task
    items: Sequence[Any]
    workers: int
    timeout_s: float = 0.0
    """For one parallel pass; 0 means no limit."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Two ways to do the same work, both ready to run any number of times."""

    serial: Callable[[], Any]
    parallel: Callable[[], Any]
    startup_s: float | None = None
    """What making the workers took; None where there are none of ours."""
    stints: list[Stint] = field(default_factory=list)
    """Of the last parallel pass, chunk by chunk; empty where nobody tells."""


@dataclass(frozen=True, slots=True)
class Window:
    """One pass, timed."""

    wall_s: float
    cpu_s: float
    """CPU time of this process, all threads."""
    queued_s: float = 0.0
    """How long the thread that timed it could have run and was not let; 0 where that is not known."""
    stints: tuple[Stint, ...] = ()
    """What the workers of a parallel pass saw; empty where nobody tells."""
    crew_queued_s: float = 0.0
    """The same as *queued_s*, of that other thread which waited longest; for where nobody tells."""


@contextlib.contextmanager
def _no_queue() -> Iterator[Clock]:
    yield lambda: 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What is looked at before and after a window; tests put something else here."""

    wall_ns: Clock = PERF_COUNTER
    cpu_ns: Clock = PROCESS_TIME
    """Of this process, all threads: what the serial pass spends on a core."""
    queue: Callable[[], contextlib.AbstractContextManager[Clock]] = _no_queue
    """Opens what tells how long this thread has waited for a core."""
    crew: Callable[[], Waits] = dict
    """Tells how long other threads have."""
    load: Callable[[], Load] | None = None
    """Tells what other programs leave of the machine; None where nobody looks."""
    spinners: Callable[[int], contextlib.AbstractContextManager[Spinners]] | None = None
    """Starts processes that show what the machine gives perfect code; None where nobody asks."""


CLOCKS = Clocks(queue=run_queue, crew=read_waits, load=read_load, spinners=open_spinners)


def time_window(work: Callable[[], Any], clocks: Clocks = CLOCKS, queued_ns: Clock = lambda: 0) -> tuple[Window, Any]:
    """Time one pass.

    The garbage of what came before is collected first; the collector stays on, as it is in the user's program.

    Args:
        work: The pass.
        clocks: What to look at.
        queued_ns: Tells how long this thread has waited for a core.

    Returns:
        The window, and what *work* returned.
    """
    gc.collect()
    # Where a turn is over the kernel takes the core away as a system call ends, that for the account as well: read next
    # to the clock, and both times after it, the account tells of the same time as the clock.
    cpu_ns, start_ns, waited_ns = clocks.cpu_ns(), clocks.wall_ns(), queued_ns()
    outcome = work()
    end_ns, waited_end_ns, cpu_end_ns = clocks.wall_ns(), queued_ns(), clocks.cpu_ns()
    window = Window((end_ns - start_ns) / 1e9, (cpu_end_ns - cpu_ns) / 1e9, (waited_end_ns - waited_ns) / 1e9)
    return window, outcome


def check_workers(workers: object, items: int | None = None) -> None:
    """Refuse a number of workers that gives nothing to compare.

    Args:
        workers: What the user asked for.
        items: How many items there are, None when that is not known.

    Raises:
        UsageError: Not a whole number, fewer than 2, or more than there are items.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 2:  # noqa: PLR2004  # a pair
        raise UsageError(f"workers={workers!r} is not a whole number of at least 2: one worker has no speedup")
    if items is not None and workers > items:
        raise UsageError(
            f"{workers} workers for {counted(items, 'item')}: no more than {items} could work at a "
            f"time; give more items or fewer workers"
        )


def counts_of(workers: object) -> list[int]:
    """Read how many workers are asked for.

    Args:
        workers: A number, or several of them.

    Returns:
        The numbers, each once, the largest last.

    Raises:
        UsageError: One is not a whole number of at least 2, or there are none.
    """
    several = isinstance(workers, Sequence) and not isinstance(workers, str)
    counts: list[Any] = list(workers) if several else [workers]  # type: ignore[call-overload]  # several can be listed
    for count in counts:
        check_workers(count)
    if not counts:
        raise UsageError("workers=[] asks for no workers; give a number, or several for a curve")
    return sorted(set(counts))


def checked_items(items: object) -> list[Any]:
    """Take what is to be worked on.

    Raises:
        UsageError: It cannot be iterated over, or there is nothing.
    """
    if not isinstance(items, Iterable):
        raise UsageError(f"items={items!r} cannot be iterated over")
    kept = list(items)
    if not kept:
        raise UsageError("there are no items to work on")
    return kept


def split(items: Sequence[Any], workers: int) -> list[tuple[int, Sequence[Any]]]:
    """Cut items into neighbouring chunks of nearly equal length, the longer ones first.

    With items enough their number is a multiple of *workers*, so that rounding alone gives no worker more than one
    item beyond its share.

    Args:
        items: At least one.
        workers: At least one.

    Returns:
        Index of the first item, and the items, of each chunk.
    """
    chunks = min(len(items), workers * _CHUNKS_PER_WORKER)
    size, longer = divmod(len(items), chunks)
    starts = [number * size + min(number, longer) for number in range(chunks + 1)]
    return [(start, items[start:end]) for start, end in itertools.pairwise(starts)]


def run_chunk(task: Task, first: int, items: Sequence[Any]) -> list[Any]:
    """Do items one after the other, and tell which one it was when the task raises.

    Args:
        task: Called with each item.
        first: Index of the first item, for the note.
        items: The items.

    Returns:
        One result per item.
    """
    results: list[Any] = []
    try:
        for item in items:
            results.append(task(item))  # noqa: PERF401  # how far it came tells which item raised
    except BaseException as problem:
        note_item(problem, first + len(results), items[len(results)])
        raise
    return results


def note_item(problem: BaseException, index: int, item: object) -> None:
    """Note on an exception which item raised it (as ``add_note`` does, which Python 3.10 has not got)."""
    problem.__dict__.setdefault("__notes__", []).append(f"{_NOTE} {index}: {short(item)}")


def short(thing: object) -> str:
    """Write *thing* for a message, on one line that ends in time."""
    shown = " ".join(repr(thing).split())
    return shown if len(shown) <= _SHOWN_CHARACTERS else shown[: _SHOWN_CHARACTERS - 1] + "…"


def item_notes(problem: BaseException) -> list[str]:
    """List what :func:`note_item` noted; nothing when the task did not raise *problem*."""
    return [note for note in getattr(problem, "__notes__", ()) if str(note).startswith(_NOTE)]
