"""The ``memory`` fixture: growth per call and the peak of a block."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.plugin.meters._front import Front, begin, loop_is_running, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.metrics.memory import PeakMeter
    from pytest_perfgate.model import Measurement
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class Memory(Front):
    """Leak per call and peak: ``memory.growth(fn)`` and ``with memory.peak() as p:``."""

    METRICS = ("memory.growth", "memory.peak")

    @told_clearly
    def growth(
        self,
        target: Callable[..., Any],
        /,
        *args: Any,
        name: str = "",
        calls: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Measure what each call of a function leaves behind.

        Args:
            target: A function or an async function.
            *args: Passed on.
            name: Tells several cases of one test apart.
            calls: Calls per round; chosen when None.
            **kwargs: Passed on.

        Returns:
            What the last call of *target* returned.
        """
        __tracebackhide__ = True
        from pytest_perfgate.metrics import memory, timing

        if timing.is_async(target) and loop_is_running():
            raise CannotMeasureError(
                "memory.growth runs an async function on a loop of its own; call it from an ordinary (not async) test"
            )
        begun = self._begin("memory", "memory.growth", name)
        if begun is None:
            call = timing.call_in_loop_once if timing.is_async(target) else timing.call_once
            return call(target, args, kwargs)
        recorder, case = begun
        with recorder.measuring(case):
            result, measurement = memory.measure_growth(recorder.plan, case, target, args, kwargs, calls=calls)
        recorder.add(measurement)
        return result

    def peak(self, *, name: str = "") -> Peak:
        """Measure how much memory a ``with`` block adds at its peak.

        Args:
            name: Tells several cases of one test apart.
        """
        return Peak(self._recorder, name)


class Peak:
    """A ``with`` block whose peak memory is measured; :attr:`measurement` holds the result afterwards."""

    def __init__(self, recorder: Recorder | None, name: str) -> None:
        self._recorder, self._name = recorder, name
        self._meter: PeakMeter | None = None
        self.measurement: Measurement | None = None

    @property
    def last(self) -> Measurement | None:
        """The measurement, as every fixture names it."""
        return self.measurement

    @property
    def value(self) -> float | None:
        """Bytes the block added at its peak; None when nothing is measured."""
        return self.measurement.value if self.measurement else None

    @told_clearly
    def __enter__(self) -> Peak:  # noqa: PYI034  # typing.Self is newer than 3.10
        __tracebackhide__ = True
        if self._recorder is not None:
            from pytest_perfgate.metrics.memory import PeakMeter

            begun = begin(self._recorder, "memory", "memory.peak", self._name)
            if begun is None:
                self.measurement = self._recorder.measurements[-1]
                return self
            self._meter = PeakMeter(begun[1])
            self._measuring = self._recorder.measuring(self._meter.case)
            self._measuring.__enter__()
            self._meter.start()
        return self

    @told_clearly
    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if self._recorder is None or self._meter is None:
            return
        measurement = self._meter.stop()
        self._measuring.__exit__(kind, problem, traceback)
        if kind is None:
            self.measurement = self._recorder.add(measurement)
