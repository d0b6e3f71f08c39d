"""A pool of threads that the interpreter does not wait for when it ends; what they do is up to the caller."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from pytest_perfgate.measure.clock import MONOTONIC_S

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[Future[Any], Callable[[], Any]]


class DaemonPool(Executor):
    """Threads as in ``ThreadPoolExecutor``, all started at once, save that one which hangs holds nobody up.

    The interpreter joins the threads of ``concurrent.futures`` when it ends: one that hangs for ever would keep the
    whole run from ending, long after it was given up.

    Args:
        workers: How many.
        patience_s: How long to wait for them in the end, at most; 0 means no limit.
    """

    def __init__(self, workers: int, patience_s: float = 0.0) -> None:
        self._patience_s = patience_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=_work_off, args=(self._jobs,), name=f"perfgate_{index}", daemon=True)
            for index in range(workers)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as problem:  # "can't start new thread"
            self.shutdown(wait=False)
            raise OSError(str(problem)) from problem

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a thread call *fn*, as soon as one is free."""
        future: Future[T] = Future()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # inherited
        """End the threads once they have done what was submitted, or what they are at.

        Args:
            wait: Whether to wait for them.
            cancel_futures: Whether to drop what none of them has begun.
        """
        while cancel_futures:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                job[0].cancel()
        for _ in self._threads:
            self._jobs.put(None)
        until = MONOTONIC_S() + self._patience_s
        for thread in self._threads if wait else ():
            thread.join(max(0.0, until - MONOTONIC_S()) if self._patience_s else None)


def _work_off(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        future, call = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as problem:  # noqa: BLE001  # whoever waits for the future gets it, whatever it is
                future.set_exception(problem)
        del job, future, call  # a result may be large, and nothing of it is to outlive the pass
