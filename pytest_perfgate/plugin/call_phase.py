"""The call phase of a test as what is measured, where no fixture measures within it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeGuard

import pytest

from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.plugin.markers import TIMED_METERS, meters_of
from pytest_perfgate.plugin.standins import foreign_benchmark

if TYPE_CHECKING:
    from pytest_perfgate.metrics.memory import PeakMeter
    from pytest_perfgate.model import Budget, Limit, Measurement
    from pytest_perfgate.plugin.recorder import Recorder


def is_timed(item: pytest.Item, budget: Budget | None) -> bool:
    """Tell whether the test itself is what its budget speaks of: no fixture of ours measures time in it."""
    meters = meters_of(item)
    if meters & TIMED_METERS:
        return False
    if item.get_closest_marker("benchmark") is not None:
        return True
    if budget is None:
        return False
    return not meters or any(limit.metric is None and limit.unit in ("s", "B") for limit in budget.limits)


def is_measured_whole(item: pytest.Item, budget: Budget | None) -> TypeGuard[pytest.Function]:
    """Tell whether a marker of pytest-codspeed asks for the measurement: then it is the function's, called many times.

    A limit on memory or on the call phase by name, and a number of calls, speak of the call phase, which is then timed.
    """
    return (
        isinstance(item, pytest.Function)
        and item.get_closest_marker("benchmark") is not None
        and not meters_of(item) & TIMED_METERS
        and (budget is None or not (_is_of_calls(budget) or foreign_benchmark(item.config)))
    )


def _is_of_calls(budget: Budget) -> bool:
    return budget.rounds is not None or any(limit.metric == "call" or _is_of_peak(limit) for limit in budget.limits)


def _is_of_peak(limit: Limit) -> bool:
    return limit.metric is None and limit.unit == "B"


def timed_call(recorder: Recorder, item: pytest.Item) -> Generator[None, None, None]:
    """Run the call phase, again as often as the budget says, and give what it took to the recorder."""
    from pytest_perfgate.measure.timeout import TargetHangsError, given_up_after
    from pytest_perfgate.metrics.memory import PeakMeter
    from pytest_perfgate.metrics.timing import phase_measurement

    budget = recorder.budget
    rounds = (budget.rounds if budget else None) or 1
    wants_peak = budget is not None and any(map(_is_of_peak, budget.limits))
    case = recorder.begin("call", "call")
    if recorder.known(case) is not None:
        yield
        recorder.replay(case)
        if wants_peak:
            recorder.replay(recorder.begin("call", "memory.peak"))
        return
    peak = PeakMeter(recorder.begin("call", "memory.peak")) if wants_peak else None
    try:
        with recorder.measuring(case), given_up_after(recorder.plan.timeout_s):
            values_ns, peak_measurement = yield from _rounds(item, rounds, peak)
    except TargetHangsError as problem:
        hangs = str(problem)
    else:
        hangs = ""
    if hangs:  # outside the handler: the message stands once, not chained to itself
        pytest.fail(hangs, pytrace=False)
    if recorder.called & TIMED_METERS:
        # request.getfixturevalue("perf"): the test itself holds perfgate's own rounds, and is not what is meant.
        recorder.discard("call")
        return
    recorder.add(phase_measurement(case, [value / 1e9 for value in values_ns]))
    if peak_measurement is not None:
        recorder.add(peak_measurement)


def _rounds(
    item: pytest.Item, rounds: int, peak: PeakMeter | None
) -> Generator[None, None, tuple[list[int], Measurement | None]]:
    """Time the call phase that pytest runs, and then the test again."""
    if peak is not None:
        peak.start()
    try:
        began = PERF_COUNTER()
        yield
        values_ns = [PERF_COUNTER() - began]
        for _ in range(rounds - 1):
            began = PERF_COUNTER()
            item.runtest()
            values_ns.append(PERF_COUNTER() - began)
    finally:
        peak_measurement = peak.stop() if peak is not None else None
    return values_ns, peak_measurement
