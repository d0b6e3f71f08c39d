"""The same work done serially and in parallel, made ready so that a window holds nothing but the work.

Pools are created, filled and met once before anything is timed.  What the windows say is for the metric.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import inspect
import multiprocessing
import pickle
import random
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError

#: Chunks per worker, as in ``multiprocessing.Pool.map``: few enough that sending them costs little beside the work,
#: enough that a worker with light items takes over what another has not begun.
_CHUNKS_PER_WORKER = 4

#: A pool that is not complete by then never will be.
_ASSEMBLY_S = 60.0

Task = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Passes:
    """Two ways to do the same work, both ready to run any number of times."""

    serial: Callable[[], Any]
    parallel: Callable[[], Any]
    startup_s: float | None = None
    """What making the workers took; None where there are none of ours."""


@dataclass(frozen=True, slots=True)
class Window:
    """One pass, timed."""

    wall_s: float
    cpu_s: float
    """CPU time of this process, all threads."""
    outcome: Any
    """What the pass returned."""


def time_window(
    work: Callable[[], Any],
    *,
    clock: Callable[[], int] = time.perf_counter_ns,
    cpu_clock: Callable[[], int] = time.process_time_ns,
) -> Window:
    """Time one pass.

    The garbage of what came before is collected first; the collector stays on, as it is in the user's program.

    Args:
        work: The pass.
        clock: Wall clock, in ns.
        cpu_clock: CPU clock of this process, in ns.

    Returns:
        The window; times in seconds.
    """
    gc.collect()
    cpu_ns, start_ns = cpu_clock(), clock()
    outcome = work()
    end_ns, cpu_end_ns = clock(), cpu_clock()
    return Window((end_ns - start_ns) / 1e9, (cpu_end_ns - cpu_ns) / 1e9, outcome)


def paired_orders(seed: str) -> Generator[bool, None, None]:
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


def split(items: Sequence[Any], workers: int) -> list[tuple[int, Sequence[Any]]]:
    """Cut items into neighbouring chunks of nearly equal length, the longer ones first.

    Their number is a multiple of *workers* whenever there are items enough, so that no worker ends up with a chunk
    more than another for no other reason than rounding.

    Args:
        items: At least one.
        workers: At least one.

    Returns:
        Index of the first item, and the items, of each chunk.
    """
    chunks = min(len(items), workers * _CHUNKS_PER_WORKER)
    chunks = max(chunks - chunks % workers, 1) if len(items) >= workers * _CHUNKS_PER_WORKER else chunks
    size, longer = divmod(len(items), chunks)
    starts = [number * size + min(number, longer) for number in range(chunks + 1)]
    return [(start, items[start:end]) for start, end in zip(starts, starts[1:], strict=False)]


def run_chunk(task: Task, first: int, items: Sequence[Any]) -> list[Any]:
    """Do items one after the other, and tell which one it was when the task raises.

    Args:
        task: Called with each item.
        first: Index of the first item, for the note.
        items: The items.

    Returns:
        One result per item.
    """
    results = []
    for index, item in enumerate(items, first):
        try:
            results.append(task(item))
        except BaseException as problem:
            _note_item(problem, index, item)
            raise
    return results


def _note_item(problem: BaseException, index: int, item: object) -> None:
    """Note the item on an exception (as ``add_note``, which Python 3.10 has not got, would)."""
    shown = repr(item)
    shown = shown if len(shown) <= 80 else shown[:79] + "…"  # noqa: PLR2004  # a line
    problem.__dict__.setdefault("__notes__", []).append(f"raised by the task for item {index}: {shown}")


def _run_chunk_elsewhere(task: Task, first: int, items: Sequence[Any]) -> list[Any]:
    """Do items in another process or interpreter, from where not every exception can be sent home."""
    try:
        return run_chunk(task, first, items)
    except Exception as problem:
        try:
            pickle.loads(pickle.dumps(problem))  # noqa: S301  # our own bytes
        except Exception:  # noqa: BLE001  # pickling runs the user's code, which may raise anything
            kind, notes = type(problem).__qualname__, problem.__dict__["__notes__"]
            raise CannotMeasureError(f"the task raised {kind}: {problem} ({'; '.join(notes)})") from None
        raise
