"""The ``speedup`` fixture: serial against parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_perfgate.model import DEFAULT_WORKERS, Case
from pytest_perfgate.plugin.markers import refuse_impossible
from pytest_perfgate.plugin.meters._front import Front, refuse_unknown, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: What both measurements pass on.
_OPTIONS = ("repeats", "warmup", "check")

T = TypeVar("T")


class Speedup(Front):
    """Serial against parallel: ``speedup(task, items, workers=4, backend="thread")``."""

    METRICS = ("speedup",)

    @told_clearly
    def __call__(
        self,
        task: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        workers: int | Sequence[int] = DEFAULT_WORKERS,
        backend: str = "thread",
        name: str = "",
        **options: Any,
    ) -> list[Any]:
        """Measure how much faster a pool of workers is than one after the other.

        Args:
            task: Called with each item.
            items: What to work on; at least as many as workers.
            workers: Size of the pool, at least 2; several, such as ``[2, 4, 8]``, for a curve.
            backend: ``thread``, ``process``, ``asyncio`` or ``interpreter``.
            name: Tells several cases of one test apart.
            **options: ``repeats warmup check``, see the reference of fixtures.

        Returns:
            The results in the order of *items*.
        """
        __tracebackhide__ = True
        refuse_unknown("speedup", options, (*_OPTIONS, "workers", "backend", "name"))
        from pytest_perfgate.measure.parallel import counts_of
        from pytest_perfgate.metrics import speedup

        begun = self._begin_with(counts_of(workers)[-1], name)
        if begun is None:
            return speedup.run_parallel_once(task, items, workers=workers, backend=backend)
        return self._measured(
            begun,
            lambda recorder, case: speedup.measure_speedup(
                recorder.plan,
                case,
                task,
                items,
                workers=workers,
                backend=backend,
                capacity=_capacity(),
                **options,
            ),
        )

    @told_clearly
    def of(
        self,
        serial: Callable[[], T],
        parallel: Callable[[], T],
        *,
        workers: int = DEFAULT_WORKERS,
        name: str = "",
        **options: Any,
    ) -> T:
        """Measure any pair of functions that do the same work.

        Args:
            serial: Does the work with one worker.
            parallel: Does the same work with *workers*.
            workers: How many *parallel* uses.
            name: Tells several cases of one test apart.
            **options: ``repeats warmup check``, see the reference of fixtures.

        Returns:
            What *parallel* returned last.
        """
        __tracebackhide__ = True
        refuse_unknown("speedup.of", options, (*_OPTIONS, "workers", "name"))
        from pytest_perfgate.metrics import speedup

        begun = self._begin_with(workers, name)
        if begun is None:
            return speedup.run_parallel_of_once(serial, parallel, workers=workers)
        return self._measured(
            begun,
            lambda recorder, case: speedup.measure_speedup_of(
                recorder.plan,
                case,
                serial,
                parallel,
                workers=workers,
                capacity=_capacity(),
                **options,
            ),
        )

    def _begin_with(self, workers: int, name: str) -> tuple[Recorder, Case] | None:
        if self._recorder is not None and self._recorder.budget is not None:
            refuse_impossible(self._recorder.budget, workers)
        return self._begin("speedup", "speedup", name)


def _capacity() -> float:
    from pytest_perfgate.machine import capacity

    return capacity()
