"""The ``memory`` fixture: growth per call, the peak of a block, what a call and an object allocate."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.plugin.meters._front import Front, begin, loop_is_running, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.metrics.memory import PeakMeter
    from pytest_perfgate.model import Case, Measurement
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class Memory(Front):
    """``memory.growth(fn)``, ``with memory.peak() as p:``, ``memory.allocations(fn)``, ``memory.per_object(make)``."""

    METRICS = ("memory.growth", "memory.growth.share", "memory.peak", "memory.allocations", "memory.per_object")

    @told_clearly
    def growth(
        self,
        target: Callable[..., Any],
        /,
        *args: Any,
        name: str = "",
        calls: int | None = None,
        iterations: int | None = None,
        duration: str | float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Measure what each call of a function leaves behind; or by which share the process grows over many calls.

        Args:
            target: A function or an async function.
            *args: Passed on.
            name: Tells several cases of one test apart.
            calls: Calls per round; chosen when None.
            iterations: Measure the share over so many calls instead, for ``budget(growth="10%")``.
            duration: Measure the share over so much time instead, such as ``"5 min"``, or seconds.
            **kwargs: Passed on.

        Returns:
            What the last call of *target* returned.
        """
        __tracebackhide__ = True
        is_share = iterations is not None or duration is not None
        begun = self._begin_call("memory.growth.share" if is_share else "memory.growth", target, name)
        if begun is None:
            return _call_once(target, args, kwargs)

        def measure(recorder: Recorder, case: Case) -> tuple[Any, Measurement]:
            __tracebackhide__ = True
            if not is_share:
                from pytest_perfgate.metrics.memory import measure_growth

                return measure_growth(recorder.plan, case, target, args, kwargs, calls=calls)
            from pytest_perfgate.metrics.growth_share import measure_growth_share

            if calls is not None:
                raise UsageError(
                    "memory.growth: calls= is of growth per call; leave it out, or iterations= and duration="
                )
            how: dict[str, Any] = {"iterations": iterations, "duration": duration}
            return measure_growth_share(recorder.plan, case, target, args, kwargs, **how)

        return self._measured(begun, measure)

    @told_clearly
    def allocations(self, target: Callable[..., Any], /, *args: Any, name: str = "", **kwargs: Any) -> Any:
        """Measure the most that a call has allocated in the interpreter at once: the same number in every run.

        Args:
            target: A function or an async function.
            *args: Passed on.
            name: Tells several cases of one test apart.
            **kwargs: Passed on.

        Returns:
            What the last call of *target* returned.
        """
        __tracebackhide__ = True
        begun = self._begin_call("memory.allocations", target, name)
        if begun is None:
            return _call_once(target, args, kwargs)
        from pytest_perfgate.metrics.allocations import measure_allocations

        return self._measured(
            begun, lambda recorder, case: measure_allocations(recorder.plan, case, target, args, kwargs)
        )

    @told_clearly
    def per_object(self, make: Callable[[], Any], /, *, n: int = 10_000, name: str = "") -> Any:
        """Measure what one object takes, and how much of it comes back without, and with, a garbage collection.

        Args:
            make: Makes one object.
            n: How many are alive at once.
            name: Tells several cases of one test apart.

        Returns:
            One object that *make* made.
        """
        __tracebackhide__ = True
        begun = self._begin("memory", "memory.per_object", name)
        if begun is None:
            return make()
        from pytest_perfgate.metrics.allocations import measure_per_object

        return self._measured(begun, lambda recorder, case: measure_per_object(recorder.plan, case, make, n=n))

    def _begin_call(self, metric: str, target: Callable[..., Any], name: str) -> tuple[Recorder, Case] | None:
        """Announce a case of a target that may have to be awaited."""
        from pytest_perfgate.metrics import timing

        if timing.is_async(target) and loop_is_running():
            raise CannotMeasureError(
                f"{metric} runs an async function on a loop of its own; call it from an ordinary (not async) test"
            )
        return self._begin("memory", metric, name)

    @told_clearly
    def peak(self, name: str = "") -> Peak:
        """Measure how much memory a ``with`` block adds at its peak.

        Args:
            name: Tells several cases of one test apart.

        Raises:
            UsageError: The name is none; it is a function, most likely.
        """
        if not isinstance(name, str):
            raise UsageError("memory.peak() measures a block, and takes its name at most; with memory.peak(): fn()")
        return Peak(self._recorder, name)


def _call_once(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    from pytest_perfgate.metrics import timing

    call = timing.call_in_loop_once if timing.is_async(target) else timing.call_once
    return call(target, args, kwargs)


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
            from pytest_perfgate.measure.timeout import awaiting_given_up_after, given_up_after
            from pytest_perfgate.metrics.memory import PeakMeter

            begun = begin(self._recorder, "memory", "memory.peak", self._name)
            if begun is None:
                self.measurement = self._recorder.measurements[-1]
                return self
            self._meter = PeakMeter(begun[1])
            self._guards = contextlib.ExitStack()
            self._guards.enter_context(self._recorder.measuring(self._meter.case))
            limit = awaiting_given_up_after if loop_is_running() else given_up_after
            self._guards.enter_context(limit(self._recorder.plan.timeout_s))
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
        from pytest_perfgate.measure.timeout import TargetHangsError

        measurement = self._meter.stop()
        try:
            self._guards.__exit__(kind, problem, traceback)
        except TargetHangsError as hangs:
            # Not chained to what ended the block: the message stands once.
            raise pytest.fail.Exception(str(hangs), pytrace=False) from None
        if kind is None:
            self.measurement = self._recorder.add(measurement)
