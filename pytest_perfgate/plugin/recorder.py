"""What one test has measured so far, and its judgement when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_perfgate.errors import CannotMeasureError, PerfgateError, UsageError
from pytest_perfgate.gate import Compared, judge_test
from pytest_perfgate.model import Better, Budget, Case, Finding, Location, Measurement, Plan
from pytest_perfgate.plugin.exclusive import Locks

if TYPE_CHECKING:
    from pytest_perfgate.measure.sampler import Planner
    from pytest_perfgate.metrics import Metric

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: The recorder of the test that runs, when it runs under ``--perfgate``.
RECORDER = pytest.StashKey["Recorder"]()


class Recorder:
    """Collects the measurements of one run of one test.

    Args:
        test: Node id.
        budget: What its markers ask, or None.
        expected: Meters in the test's own signature, each of which has to be called.
        plan: How much to measure by default.
        metrics: Every metric known, by name.
        locks: Of this process.
    """

    def __init__(
        self,
        *,
        test: str,
        budget: Budget | None,
        expected: frozenset[str],
        plan: Plan,
        metrics: Mapping[str, Metric],
        locks: Locks,
    ) -> None:
        self.test, self.budget, self.plan, self.metrics = test, budget, plan, metrics
        self.measurements: list[Measurement] = []
        self.findings: tuple[Finding, ...] = ()
        self.called: set[str] = set()
        #: Set by the ``benchmark`` fixture: group and extra_info, read when the test is over.
        self.describe: Callable[[], Mapping[str, Any]] | None = None
        self._expected, self._locks = expected, locks
        self._started: dict[Case, bool] = {}
        self._meter_of: dict[Case, str] = {}

    def begin(self, meter: str, metric: str, name: str = "") -> Case:
        """Announce a measurement.

        Args:
            meter: Fixture that was called, such as ``startup``.
            metric: Such as ``startup.command``.
            name: Given by the user to tell cases apart.

        Raises:
            UsageError: The case was measured before in this test.
        """
        self.called.add(meter)
        if not isinstance(name, str):
            raise UsageError(f"{metric}: name= is a string, not {type(name).__name__}")
        case = Case(self.test, metric, name)
        if case in self._started:
            again = f"named {name!r} " if name else ""
            call = f'metric("{metric}", ...' if meter == "metric" else f"{metric}(..."
            self.refuse(
                metric,
                f"{metric} was measured {again}twice in one test; tell the two apart with a name: "
                f'{call}, name="another")',
                name,
            )
        self._started[case] = False
        self._meter_of[case] = meter
        return case

    def refuse(self, metric: str, message: str, name: str = "") -> NoReturn:
        """Fail what is measured a second time.

        Raises:
            UsageError: Always.
        """
        self._fail(Case(self.test, metric, f"{name or metric}-again"), message)
        raise UsageError(message)

    @contextlib.contextmanager
    def measuring(self, case: Case, *, timed: bool = True) -> Iterator[None]:
        """Hold the machine while *case* is measured; whatever interrupts it is recorded as its error.

        Args:
            case: From :meth:`begin`.
            timed: Whether nothing else of this run may execute meanwhile.
        """
        with self._locks.exclusive() if timed else contextlib.nullcontext():
            try:
                yield
            except (PerfgateError, pytest.fail.Exception) as problem:
                self._fail(case, str(problem))
                raise
            except (
                pytest.skip.Exception,
                pytest.xfail.Exception,
                KeyboardInterrupt,
                asyncio.CancelledError,
            ):
                self._started.pop(case, None)
                raise
            except BaseException as problem:
                from pytest_perfgate.measure.notes import noted_origins
                from pytest_perfgate.measure.timeout import TargetGivenUp

                if isinstance(problem, TargetGivenUp):  # a limit around all of the test
                    self._fail(case, str(problem))
                    raise
                which = "".join(f" ({note})" for note in noted_origins(problem))
                self._fail(case, f"the target raised {_one_line(problem)}{which}")
                raise

    def planner(self, case: Case) -> Planner | None:
        """Return who plans the rounds of *case*; None for those who always do."""
        del case
        return None

    def known(self, case: Case) -> Measurement | None:
        """Return what was measured of *case* before the test ran; None when it is to be measured now."""
        del case
        return None

    def replay(self, case: Case) -> Measurement:
        """Keep what was measured of *case* before the test ran."""
        measurement = self.known(case)
        if measurement is None:
            raise CannotMeasureError(f"{case.metric} was not measured before the test ran")
        return self.add(measurement)

    def discard(self, meter: str) -> None:
        """Forget what *meter* began and has not finished."""
        for case, begun_by in self._meter_of.items():
            if begun_by == meter and self._started.get(case) is False:
                del self._started[case]

    def add(self, measurement: Measurement) -> Measurement:
        """Keep a measurement of a case that was begun."""
        if measurement.unit == "s" and not min(measurement.samples, default=0.0) >= 0 and _is_clocked(measurement.case):
            self._fail(measurement.case, "a clock went backwards while it was measured; the test or its target sets it")
            return self.measurements[-1]
        self._started[measurement.case] = True
        tolerance = self.budget.max_regression if self.budget else None
        if tolerance is not None:
            measurement = _with_extra(measurement, {"max_regression": tolerance})
        self.measurements.append(measurement)
        return measurement

    def forbid(self, modules: Any) -> None:
        """Add modules that must not be imported, as ``@pytest.mark.budget(forbid=...)`` does.

        Raises:
            UsageError: Not names of modules.
        """
        if not modules:
            return
        from dataclasses import replace

        from pytest_perfgate.budgets import parse_marker

        names = parse_marker((), {"forbid": modules}).budget.forbid
        budget = self.budget or Budget()
        self.budget = replace(budget, forbid=tuple(dict.fromkeys((*budget.forbid, *names))))

    def last(self, *metrics: str) -> Measurement | None:
        """Return the newest measurement of one of *metrics* that has a value; None without one."""
        for measurement in reversed(self.measurements):
            if measurement.case.metric in metrics and measurement.error is None:
                return measurement
        return None

    def finish(
        self,
        *,
        baseline: Compared | None,
        tolerance: float,
        problem: BaseException | None,
        remark: Callable[[Finding], list[str]],
        locate: Callable[[], Location | None],
    ) -> tuple[Finding, ...]:
        """Judge the test when its call phase is over.

        Args:
            baseline: Stored run to compare with, or None.
            tolerance: The run's; the marker's own is stronger.
            problem: What the test raised, or None when its body passed.
            remark: Asks plugins for their remarks on a finding.
            locate: Says where the test is written.

        Returns:
            One finding per case, and one for each limit or meter that measured nothing.
        """
        self._fail_unfinished(problem)
        if self.describe is not None:
            self.measurements = [_described(measurement, self.describe()) for measurement in self.measurements]
        budget = None if problem is not None and not self.measurements else self.budget
        findings = judge_test(self.test, budget, self.measurements, baseline=baseline, tolerance=tolerance)
        location = locate() if findings else None
        self.findings = tuple(_located(_annotated(finding, remark(finding)), location) for finding in findings)
        return self.findings

    def _fail_unfinished(self, problem: BaseException | None) -> None:
        because = f"the test failed before: {_one_line(problem)}" if problem is not None else ""
        for case, done in list(self._started.items()):
            if not done:
                self._fail(
                    case,
                    because or f"{case.metric}(...) was not awaited: write `await {case.metric}(...)`",
                )
        uncalled = self._expected - self.called
        for meter in sorted(uncalled):
            reason = because or f"the test asks for the {meter} fixture but never calls it: nothing was measured"
            self._fail(Case(self.test, meter), reason)
        if because and not self.measurements and self.budget is not None:
            self._fail(Case(self.test, "call"), because)

    def _fail(self, case: Case, reason: str) -> None:
        self._started[case] = True
        metric = self.metrics.get(case.metric)
        self.measurements.append(
            Measurement(
                case=case,
                unit=metric.unit if metric else "s",
                better=Better(metric.better) if metric else Better.LOWER,
                error=reason,
            )
        )


def _is_clocked(case: Case) -> bool:
    """Tell whether a clock of ours measured it; a metric of the user's own may be in seconds and negative."""
    return case.metric.partition(".")[0] in ("perf", "call", "startup")


def _annotated(finding: Finding, remarks: list[str]) -> Finding:
    if not remarks:
        return finding
    from dataclasses import replace

    return replace(finding, warnings=(*finding.warnings, *remarks))


def _located(finding: Finding, location: Location | None) -> Finding:
    from dataclasses import replace

    return replace(finding, measurement=replace(finding.measurement, location=location))


def _described(measurement: Measurement, facts: Mapping[str, Any]) -> Measurement:
    from dataclasses import replace

    extra_info = {str(key): _plain(value) for key, value in facts["extra_info"].items()}
    described = replace(measurement, group=facts["group"])
    return _with_extra(described, {"extra_info": extra_info}) if extra_info else described


def _plain(value: Any) -> Any:
    """Keep what JSON can hold, and write anything else as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return str(value)


def _with_extra(measurement: Measurement, more: Mapping[str, Any]) -> Measurement:
    from dataclasses import replace

    return replace(measurement, extra={**measurement.extra, **more})


def _one_line(problem: BaseException | None) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__
