"""The drop-in ``benchmark`` fixture, call-compatible with pytest-benchmark's and pytest-codspeed's.

Registered only when neither of them is active, so that a suite written for them runs unchanged.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.measure.clock import PERF_COUNTER_S

if TYPE_CHECKING:
    from pytest_perfgate.model import Measurement
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class BenchmarkStats:
    """The numbers of one measurement under the names that suites read, in seconds per iteration."""

    def __init__(self, values: Sequence[float], iterations: int) -> None:
        self.data = list(values)
        self.iterations = iterations
        self.rounds = len(values)

    @property
    def stats(self) -> BenchmarkStats:
        """Itself: pytest-benchmark keeps the numbers one level down."""
        return self

    @property
    def sorted_data(self) -> list[float]:
        """The values in ascending order."""
        return sorted(self.data)

    @property
    def total(self) -> float:
        """Sum of the values."""
        return sum(self.data)

    @property
    def ops(self) -> float:
        """Iterations per second, from the mean."""
        return 1 / self.mean if self.mean else 0.0

    @property
    def iqr(self) -> float:
        """Distance between the quartiles."""
        return self._percentile(75) - self._percentile(25)

    def __getattr__(self, name: str) -> float:
        from pytest_perfgate import stats

        if name in ("min", "max"):
            return float({"min": min, "max": max}[name](self.data))
        if name in ("mean", "median", "stddev"):
            return float(getattr(stats, name)(self.data))
        if name in ("q1", "q3"):
            return self._percentile(25 if name == "q1" else 75)
        raise AttributeError(f"benchmark.stats has no {name!r}")

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def _percentile(self, percent: float) -> float:
        from pytest_perfgate.stats import percentile

        return percentile(self.data, percent)


class Benchmark:
    """``benchmark(fn, *args, **kwargs)`` and ``benchmark.pedantic(fn, ...)``."""

    def __init__(self, recorder: Recorder | None, node: pytest.Item) -> None:
        from pytest_perfgate.plugin.meters import Perf

        marker = node.get_closest_marker("benchmark")
        self._options: Mapping[str, Any] = marker.kwargs if marker else {}
        self._recorder, self._perf = recorder, Perf(recorder)
        self._used = False
        self.name, self.fullname = node.name, node.nodeid
        self.group: str | None = self._options.get("group")
        self.extra_info: dict[str, Any] = {}
        self.stats: BenchmarkStats | None = None
        callspec = getattr(node, "callspec", None)
        self.params: dict[str, Any] | None = dict(callspec.params) if callspec else None
        self.param: str | None = callspec.id if callspec else None

    @property
    def enabled(self) -> bool:
        """Whether calls are measured."""
        return self._recorder is not None

    @property
    def disabled(self) -> bool:
        """Whether calls are just made."""
        return self._recorder is None

    @property
    def last(self) -> Measurement | None:
        """The newest measurement of this test; None when nothing is measured."""
        return self._perf.last

    def __call__(self, target: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Measure ``target(*args, **kwargs)`` and return what it returned."""
        __tracebackhide__ = True
        return self._run(target, args=args, kwargs=kwargs)

    def pedantic(  # noqa: PLR0917  # pytest-benchmark's signature
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Measure with exactly the rounds, warm-up rounds and iterations given; return what *target* returned."""
        __tracebackhide__ = True
        return self._run(
            target,
            args=args,
            kwargs=kwargs,
            setup=setup,
            teardown=teardown,
            rounds=rounds,
            iterations=iterations,
            warmup=warmup_rounds,
        )

    def _run(self, target: Callable[..., Any], **how: Any) -> Any:
        __tracebackhide__ = True
        if self._recorder is not None:
            self._announce(self._recorder)
        before = PERF_COUNTER_S()
        result = self._perf.run(target, **how)
        if hasattr(result, "__await__"):
            return self._awaited(result, before)
        self._keep(before)
        return result

    def _announce(self, recorder: Recorder) -> None:
        """Tell the recorder of the one call that there may be, and fail the test if it was made before."""
        __tracebackhide__ = True
        if self._used:
            from pytest_perfgate.plugin.meters._front import told_clearly

            told_clearly(recorder.refuse)(
                "perf",
                "benchmark was called twice in one test, and it measures one call per test, as in pytest-benchmark; "
                'write a test for each, or use the perf fixture for the others: perf(..., name="another")',
            )
        self._used = True
        recorder.called.add("benchmark")
        if "max_time" in self._options:
            recorder.plan = replace(recorder.plan, max_time_s=float(self._options["max_time"]))

    async def _awaited(self, measuring: Any, before: float) -> Any:
        result = await measuring
        self._keep(before)
        return result

    def _keep(self, before: float) -> None:
        measured = self.last
        if measured is not None:
            self.stats = BenchmarkStats(measured.samples, measured.iterations)
        elif self.stats is None:
            # Not measured, yet tests read stats: the one call that was made stands for it.
            self.stats = BenchmarkStats([PERF_COUNTER_S() - before], 1)


@pytest.fixture
def benchmark(request: pytest.FixtureRequest) -> Any:
    """Time a function, under the name and with the call that pytest-benchmark gave it."""
    from pytest_perfgate.plugin.measuring import recorder_of

    return _front(recorder_of(request.node), request.node)


def _front(recorder: Recorder | None, item: pytest.Item) -> Benchmark:
    front = Benchmark(recorder, item)
    if recorder is not None:
        recorder.describe = lambda: {"group": front.group, "extra_info": front.extra_info}
    return front


@contextlib.contextmanager
def measured_whole(recorder: Recorder, item: pytest.Function) -> Iterator[None]:
    """Have the function of a marked test that uses no fixture of ours measured, as pytest-codspeed does.

    Args:
        recorder: Of the item.
        item: The test; whoever calls its function meanwhile calls it many times.
    """
    function = item.obj
    front = _front(recorder, item)

    def whole(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return front(function, *args, **kwargs)

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return await front(function, *args, **kwargs)

    item.obj = functools.wraps(function)(awaited if inspect.iscoroutinefunction(function) else whole)
    try:
        yield
    finally:
        item.obj = function
