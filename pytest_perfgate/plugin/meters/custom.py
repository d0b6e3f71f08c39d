"""The ``metric`` fixture: numbers of the user's own."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.plugin.meters._front import begin, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.model import Case, Measurement
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class CustomMetric:
    """Any number of the user's own: ``metric("cache_hit_rate", 0.93, unit="%", better="higher")``."""

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self.last: Measurement | None = None

    @told_clearly
    def __call__(
        self,
        metric: str,
        value: Any,
        *,
        unit: str | None = None,
        better: str | None = None,
        name: str = "",
    ) -> Any:
        """Record a number.

        Args:
            metric: Name of the metric: letters, digits, ``_``, ``-`` and ``.``.
            value: A finite number, or several of one kind.
            unit: Such as ``ms``, ``MB``, ``%`` (of a ratio: 0.93 is 93 %) or a word of your own; default: that of
                the registered metric of this name, or none.
            better: ``lower`` or ``higher``; default: that of the registered metric, or ``lower``.
            name: Tells several cases of one test apart.

        Returns:
            *value*.
        """
        __tracebackhide__ = True
        if self._recorder is None:
            return value
        from pytest_perfgate.metrics import METRICS
        from pytest_perfgate.metrics.custom import custom_measurement, validate_name

        validate_name(metric, taken=[known.name for known in METRICS])
        known = self._recorder.metrics.get(metric)
        if unit is None:
            unit = known.unit if known else ""
        if better is None:
            better = known.better if known else "lower"
        begun = begin(self._recorder, "metric", metric, name)
        if begun is None:
            self.last = self._recorder.measurements[-1]
            return value
        _, case = begun
        with self._recorder.measuring(case, timed=False):
            measurement = custom_measurement(case, value, unit=unit, better=better)
        self.last = self._recorder.add(measurement)
        return value

    @told_clearly
    def run(self, metric: str, target: Callable[..., Any], /, *args: Any, name: str = "", **kwargs: Any) -> Any:
        """Measure with a metric that a plugin registered.

        Args:
            metric: Its name.
            target: Passed to the metric's ``measure``.
            *args: Passed on.
            name: Tells several cases of one test apart.
            **kwargs: Passed on.

        Returns:
            What *target* returned.
        """
        __tracebackhide__ = True
        if self._recorder is None:
            return target(*args, **kwargs)
        known = self._recorder.metrics.get(metric)
        if known is None or known.measure is None:
            raise UsageError(
                f"metric {metric!r} cannot be run: no plugin registers it with a measure function "
                f"(hook pytest_perfgate_metrics)"
            )
        begun = begin(self._recorder, "metric", metric, name)
        if begun is None:
            self.last = self._recorder.measurements[-1]
            return target(*args, **kwargs)
        _, case = begun
        with self._recorder.measuring(case):
            result, measurement = _pair(known.measure(self._recorder.plan, case, target, *args, **kwargs), case)
        self.last = self._recorder.add(measurement)
        return result


def _pair(made: object, case: Case) -> tuple[Any, Measurement]:
    """Take apart what a plugin's measure function returned.

    Raises:
        CannotMeasureError: It is something else: the plugin's mistake, and not the target's.
    """
    from pytest_perfgate.model import Measurement

    if isinstance(made, tuple) and len(made) == 2:  # noqa: PLR2004  # a pair
        result, measurement = made
        if isinstance(measurement, Measurement) and measurement.case == case:
            return result, measurement
    raise CannotMeasureError(
        f"the measure function of metric {case.metric!r} returned {reprlib.repr(made)}; it returns a pair: what the "
        f"target returned, and a Measurement of the case that it was given"
    )
