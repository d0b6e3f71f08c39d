"""Workers of every kind, created and all met once before anything is timed, and gone afterwards.

Work is sent in chunks (:func:`pytest_perfgate.measure.parallel.split`), so that a window holds the work and what a
pool cannot do it without.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import difflib
import multiprocessing
import multiprocessing.process
import multiprocessing.synchronize
import pickle
import platform
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.clock import MONOTONIC_S, PERF_COUNTER
from pytest_perfgate.measure.loops import open_coroutines
from pytest_perfgate.measure.orphans import end_with_parent
from pytest_perfgate.measure.parallel import Passes, Task, Work, item_notes, run_chunk, short, split
from pytest_perfgate.measure.stints import Stint, timed_stint
from pytest_perfgate.measure.targets import is_async
from pytest_perfgate.measure.threads import DaemonPool

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: A pool that is not complete by then never will be.
_ASSEMBLY_S = 60.0
#: A worker process that takes longer to heed its termination is killed.
_ENDING_S = 5.0
#: How often it is looked at whether killed processes have ended.
_REAPING_S = 0.01
#: Long enough that a pool, given one per worker, has to create every worker.
_BUSY_S = 0.05


def open_passes(work: Work, backend: str) -> contextlib.AbstractContextManager[Passes]:
    """Make workers of a kind.

    Args:
        work: What they will do.
        backend: A key of :data:`BACKENDS`.

    Returns:
        A context manager that gives the serial and the parallel pass, both returning results in the order of the
        items, and ends the workers.

    Raises:
        UsageError: There is no such backend, or not for this task or Python.
        CannotMeasureError: The task or an item cannot be sent to the workers, or they cannot be had.
    """
    if backend not in BACKENDS:
        close = difflib.get_close_matches(str(backend), BACKENDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, BACKENDS))}"
        raise UsageError(f"backend={backend!r} is none; {hint}")
    if not callable(work.task):
        raise UsageError(f"the task is {work.task!r}, which cannot be called")
    awaited = is_async(work.task)
    if awaited and backend != "asyncio":
        raise UsageError(f"the task is async; backend={backend!r} would not await it, use backend='asyncio'")
    if not awaited and backend == "asyncio":
        raise UsageError("backend='asyncio' needs an async task; for this one use backend='thread' or 'process'")
    return BACKENDS[backend](work)


def _threads(work: Work) -> contextlib.AbstractContextManager[Passes]:
    everyone = threading.Barrier(work.workers)
    return _pooled(
        work,
        lambda: DaemonPool(work.workers, work.timeout_s),
        lambda pool: pool.submit(everyone.wait, _ASSEMBLY_S),
        run_chunk,
    )


def _processes(work: Work) -> contextlib.AbstractContextManager[Passes]:
    """Use the platform's own way of starting processes, as the user's program would."""
    _check_sendable(work, "process")

    def make() -> Executor:
        context = multiprocessing.get_context()
        return concurrent.futures.ProcessPoolExecutor(
            work.workers, mp_context=context, initializer=_expect, initargs=(context.Barrier(work.workers),)
        )

    return _pooled(work, make, lambda pool: pool.submit(_meet), _run_chunk_elsewhere)


#: In a worker process: where all workers meet.
_meetings: list[multiprocessing.synchronize.Barrier] = []


def _expect(meeting: multiprocessing.synchronize.Barrier) -> None:
    end_with_parent()
    _meetings.append(meeting)


def _meet() -> None:
    _meetings[-1].wait(_ASSEMBLY_S)


def _interpreters(work: Work) -> contextlib.AbstractContextManager[Passes]:
    make = getattr(concurrent.futures, "InterpreterPoolExecutor", None)
    if make is None:
        raise UsageError(
            f"backend='interpreter' needs Python 3.14 or newer; this is {platform.python_version()}, "
            f"where 'process' comes closest"
        )
    _check_sendable(work, "interpreter")
    # No barrier spans interpreters; a pool with every worker busy creates the next one.
    return _pooled(
        work, lambda: make(work.workers), lambda pool: pool.submit(time.sleep, _BUSY_S), _run_chunk_elsewhere
    )


@contextlib.contextmanager
def _pooled(
    work: Work,
    make: Callable[[], Executor],
    greet: Callable[[Executor], Future[Any]],
    run: Callable[[Task, int, Sequence[Any]], list[Any]],
) -> Iterator[Passes]:
    chunks = split(work.items, work.workers)
    started_ns = PERF_COUNTER()
    with _open(make) as pool:
        with warnings.catch_warnings():
            # Said of fork beside threads, which others (xdist) started and the user cannot help here.
            warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
            _collect((greet(pool) for _ in range(work.workers)), _ASSEMBLY_S)
        startup_s = (PERF_COUNTER() - started_ns) / 1e9

        stints: list[Stint] = []

        def parallel() -> list[Any]:
            submitting = (pool.submit(timed_stint, run, work.task, *chunk) for chunk in chunks)
            parts = _collect(submitting, work.timeout_s)
            stints[:] = [stint for _, stint in parts if stint is not None]
            return [result for part, _ in parts for result in part]

        yield Passes(lambda: run_chunk(work.task, 0, work.items), parallel, startup_s, stints)


@contextlib.contextmanager
def _open(make: Callable[[], Executor]) -> Iterator[Executor]:
    """Make a pool and end it: in peace when all went well, by force when its work may hang."""
    others = set(multiprocessing.active_children())
    try:
        pool = make()
    except (ImportError, OSError, NotImplementedError) as problem:
        raise CannotMeasureError(f"this machine gives no workers: {problem}") from problem
    try:
        yield pool
    except BaseException as problem:
        children = set(multiprocessing.active_children()) - others
        for child in children:
            child.terminate()
        # A task that raised leaves others under way, which end soon; one that hangs never does.
        ends = isinstance(problem, Exception) and not isinstance(problem, CannotMeasureError)
        pool.shutdown(wait=ends, cancel_futures=True)
        for child in children:
            child.join(_ENDING_S)
            child.kill()
        _await_reaping(children)
        raise
    pool.shutdown()


def _await_reaping(children: set[multiprocessing.process.BaseProcess]) -> None:
    """Wait until killed processes are known to have ended.

    The pool's own thread waits for them too: while it has collected an exit status and not yet noted it, ``join``
    returns at once and the child still counts as alive.
    """
    until = MONOTONIC_S() + _ENDING_S
    while children & set(multiprocessing.active_children()) and MONOTONIC_S() < until:
        time.sleep(_REAPING_S)


def _collect(submitting: Iterable[Future[Any]], timeout_s: float) -> list[Any]:
    """Submit all, and wait for all or for the first that fails.

    Raises:
        CannotMeasureError: The time was up, a worker died, or a result could not be sent back.
    """
    try:
        futures = list(submitting)  # a worker may die before the last one is handed over
    except BrokenExecutor as death:
        raise _about_death(death) from death
    first_failure = concurrent.futures.FIRST_EXCEPTION
    done, pending = concurrent.futures.wait(futures, timeout_s or None, first_failure)
    problem = next((failed for one in futures if one in done and (failed := one.exception())), None)
    if problem is None and not pending:
        return [one.result() for one in futures]
    # Nothing is cancelled here: a pool whose processes are ended sets an exception on every future it still has, and
    # its own thread would fail where one is cancelled.  What nobody has begun is dropped as the pool ends.
    if problem is None:
        raise CannotMeasureError(f"the workers did not finish within {timeout_s:g} s; they were given up")
    if isinstance(problem, BrokenExecutor):
        raise _about_death(problem) from problem
    if isinstance(problem, CannotMeasureError) or item_notes(problem):
        raise problem
    raise CannotMeasureError(
        f"a result could not be sent back from its worker: {type(problem).__name__}: {problem}; return plain data, or "
        f"use backend='thread'"
    ) from problem


def _about_death(problem: BrokenExecutor) -> CannotMeasureError:
    return CannotMeasureError(
        f"a worker died ({problem}); the task ended it, ran out of memory, or could not be imported there: a fresh "
        f"process must be able to import the task's module"
    )


def _check_sendable(work: Work, backend: str) -> None:
    """Refuse what cannot be pickled before any worker chokes on it."""
    named = [("the task", work.task), *((f"item {index}", item) for index, item in enumerate(work.items))]
    for name, thing in named:
        problem = _pickling_problem(thing)
        if problem is not None:
            remedy = "define it at the top level of a module" if name == "the task" else "use plain data"
            raise CannotMeasureError(
                f"{name}, {short(thing)}, cannot be sent to a worker ({type(problem).__name__}: {problem}); {remedy}, "
                f"or use another backend than {backend!r}"
            )


def _pickling_problem(thing: object) -> Exception | None:
    try:
        pickle.dumps(thing)
    except Exception as problem:  # noqa: BLE001  # pickling runs the user's code, which may raise anything
        return problem
    return None


def _run_chunk_elsewhere(task: Task, first: int, items: Sequence[Any]) -> list[Any]:
    """Do items in another process or interpreter, from where not every exception can be sent home."""
    try:
        return run_chunk(task, first, items)
    except Exception as problem:
        try:
            pickle.loads(pickle.dumps(problem))  # noqa: S301  # our own bytes
        except Exception:  # noqa: BLE001  # pickling runs the user's code, which may raise anything
            notes = "; ".join(item_notes(problem))
            raise CannotMeasureError(f"the task raised {type(problem).__qualname__}: {problem} ({notes})") from None
        raise


BACKENDS: dict[str, Callable[[Work], contextlib.AbstractContextManager[Passes]]] = {
    "thread": _threads,
    "process": _processes,
    "asyncio": open_coroutines,
    "interpreter": _interpreters,
}
