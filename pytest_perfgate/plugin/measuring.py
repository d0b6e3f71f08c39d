"""The half of the gate that runs where tests run (a worker under xdist, else the only process)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.plugin.call_phase import is_measured_whole, is_timed, timed_call
from pytest_perfgate.plugin.markers import (
    TIMED_METERS,
    MarkerReader,
    direct_meters,
    is_expected_to_measure,
    meters_of,
    misspelt_options,
)
from pytest_perfgate.plugin.places import location_of
from pytest_perfgate.plugin.recorder import RECORDER, Recorder
from pytest_perfgate.plugin.standins import foreign_benchmark
from pytest_perfgate.plugin.transport import attach, tell_or_raise

if TYPE_CHECKING:
    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import Budget, Finding, Plan, Profile
    from pytest_perfgate.plugin.exclusive import Locks
    from pytest_perfgate.plugin.pairing import Pairing
    from pytest_perfgate.settings import Settings

ACTIVE = pytest.StashKey["Measuring"]()

_BUDGET: pytest.StashKey[Budget | None] = pytest.StashKey()
_EXPECTED = pytest.StashKey[bool]()
#: The markers that the budget was read from.
_MARKS = pytest.StashKey[list[pytest.Mark]]()

#: What the remark on a finding begins with where a plugin could not make one; its test fails for it.
_BROKEN_HOOK = "the hook pytest_perfgate_verdict of a plugin or conftest.py raised"

#: A test that ends with one of these says nothing about its numbers.
_NOT_A_FAILURE = (
    pytest.skip.Exception,
    pytest.xfail.Exception,
    pytest.exit.Exception,
    KeyboardInterrupt,
)


def recorder_of(item: pytest.Item) -> Recorder | None:
    """Return the recorder of the running test; None when nothing is measured."""
    active = item.config.stash.get(ACTIVE, None)
    return active.recorder_of(item) if active else None


class Measuring:
    """Gives every test its budget and its recorder, times plain budget tests, and fails the test that is over.

    Args:
        config: The pytest configuration of this process.
        settings: In force.
        profile: In force.
        reader: Of markers.
        plan: How much to measure by default.
        metrics: Every metric known.
        locks: Of this process.
        baseline: Stored run to compare with, or None.
    """

    def __init__(
        self,
        config: pytest.Config,
        *,
        settings: Settings,
        profile: Profile,
        reader: MarkerReader,
        plan: Plan,
        metrics: Sequence[Metric],
        locks: Locks,
        baseline: Baseline | None,
    ) -> None:
        from pytest_perfgate.model import Policy

        self._config, self._settings, self._profile, self._reader = (
            config,
            settings,
            profile,
            reader,
        )
        self._plan, self._locks, self._baseline = plan, locks, baseline
        #: The paired comparison, where there is one; it takes the place of the baseline.
        self.pairing: Pairing | None = None
        self._metrics = {metric.name: metric for metric in metrics}
        self._policy = Policy(strict=settings.strict)
        #: Node ids whose numbers a gated run must not lack, in the order collected.
        self.expected: list[str] = []
        self._tolerances: dict[str, float] = {}
        #: Tests that skipped after they had measured -> what would have been said of that.
        self.unjudged: dict[str, str] = {}
        #: Tests that have the benchmark fixture of another plugin.
        self.foreign: list[str] = []
        self._misspelt: list[str] = []
        self.collected: list[str] = []
        self.deselected: list[str] = []
        #: Budgets that speak of other profiles only.
        self.other_profiles: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, object, object]:
        """Read every budget before anything runs, and drop the other tests under ``--perfgate-only``.

        After the hooks of everybody else: a ``conftest.py`` may give tests their budgets here.
        """
        # Under the names that the rows of a profile know: for --dist=loadgroup xdist adds a group to them meanwhile.
        named = {id(item): (item, item.nodeid) for item in items}
        result = yield
        named |= {id(item): (item, item.nodeid) for item in items if id(item) not in named}
        try:
            for item, test in named.values():
                self._read(item, test)
        except pytest.UsageError as problem:
            tell_or_raise(self._config, items, problem)
        self._drop_others(items)
        return result

    def _read(self, item: pytest.Item, test: str) -> None:
        budget = item.stash[_BUDGET] = self._reader.budget(item, self._profile, test)
        item.stash[_MARKS] = self._reader.marks(item)
        item.stash[_EXPECTED] = is_expected_to_measure(item, budget)

    def _drop_others(self, items: list[pytest.Item]) -> None:
        self.other_profiles = [
            item.nodeid
            for item in items
            if item.stash[_BUDGET] is None and self._reader.speaks_of_other_profiles(item, self._profile)
        ]
        if self._config.getoption("perfgate_only"):
            dropped = [item for item in items if not item.stash[_EXPECTED]]
            if dropped:
                items[:] = [item for item in items if item.stash[_EXPECTED]]
                self._config.hook.pytest_deselected(items=dropped)

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        """Remember what this run never meant to measure."""
        self.deselected.extend(item.nodeid for item in items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what this run has to measure."""
        self.collected = [item.nodeid for item in session.items]
        self.expected = [item.nodeid for item in session.items if item.stash.get(_EXPECTED, False)]
        if foreign_benchmark(self._config):
            self.foreign = [item.nodeid for item in session.items if "benchmark" in direct_meters(item)]
        else:
            # A marker of a module or class is that of many tests, and is remarked on once.
            said = [(text, item.nodeid) for item in session.items for text in misspelt_options(item)]
            self._misspelt = [f"{test}: {text}" for text, test in dict(reversed(said)).items()]
        self._tolerances = {
            item.nodeid: self._tolerance(item) for item in session.items if item.stash.get(_EXPECTED, False)
        }

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run ordinary tests beside each other, and one that measures alone.

        The lock is taken before anything else, so that waiting for it does not count against a timeout of the test.
        """
        alone = item.stash.get(_EXPECTED, False) and self._occupies_the_machine(item)
        if self.pairing is not None and item.stash.get(_EXPECTED, False):
            with self._locks.exclusive():
                self.pairing.ensure(self._tolerances)
            alone = False  # it was measured by now
        with self._locks.exclusive() if alone else self._locks.shared():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Forget an earlier attempt of the same test (pytest-rerunfailures)."""
        if RECORDER in item.stash:
            del item.stash[RECORDER]

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Measure the call phase of a plain budget test, judge, and fail the test that is over its budget."""
        try:
            if is_measured_whole(item, item.stash.get(_BUDGET, None)):
                from pytest_perfgate.plugin.benchmark import measured_whole

                with measured_whole(self.recorder_of(item), item):
                    yield
            elif self._times_call_phase(item):
                yield from timed_call(self.recorder_of(item), item)
            else:
                yield
        except BaseException as problem:
            if isinstance(problem, pytest.skip.Exception):
                self._keep_unjudged(item)
            elif not isinstance(problem, _NOT_A_FAILURE):
                self._judge(item, problem)
            raise
        self._refuse_late_budgets(item)
        findings = self._judge(item, None)
        failing = [finding for finding in findings if self._policy.fails(finding.verdict)]
        broken = {text for finding in findings for text in finding.warnings if text.startswith(_BROKEN_HOOK)}
        if failing or broken:
            from pytest_perfgate.reports.details import details

            told = [line for finding in failing for line in (finding.reason, *details(finding, unicode=False))]
            pytest.fail("\n".join([*told, *sorted(broken)]), pytrace=False)

    def _keep_unjudged(self, item: pytest.Item) -> None:
        """Remember what a test had measured that then skipped: whoever skips says that it does not count."""
        recorder = item.stash.get(RECORDER, None)
        if recorder is None:
            return
        measured = {measurement.case for measurement in recorder.measurements if measurement.error is None}
        said = [finding.reason for finding in self._judge(item, None) if finding.case in measured]
        recorder.findings = ()
        if said:
            self.unjudged[item.nodeid] = "; ".join(said)

    def _refuse_late_budgets(self, item: pytest.Item) -> None:
        """Record that a marker was added while the test ran: by then it was decided what and how to measure."""
        if self._reader.marks(item) == item.stash.get(_MARKS, []):
            return
        from pytest_perfgate.model import Case, Measurement

        reason = (
            f"a {self._settings.marker} marker was added while the test ran, which is too late for it to be enforced; "
            f"put it above the test, or add it in pytest_collection_modifyitems"
        )
        self.recorder_of(item).measurements.append(
            Measurement(case=Case(item.nodeid, "late-budget"), unit="s", error=reason)
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send the findings along with the report."""
        report = yield
        if call.when == "setup" and report.failed and item.stash.get(_EXPECTED, False) and call.excinfo is not None:
            self._judge(item, call.excinfo.value)
        recorder = item.stash.get(RECORDER, None)
        if recorder is not None and recorder.findings and (call.when == "call" or report.failed):
            if not hasattr(report, "wasxfail"):  # an expected failure says nothing about the budget
                attach(report, recorder.findings)
            if call.when == "call":
                recorder.findings = ()
        return report

    def recorder_of(self, item: pytest.Item) -> Recorder:
        """Return the item's recorder, made when first asked for."""
        recorder = item.stash.get(RECORDER, None)
        if recorder is None:
            recorder = item.stash[RECORDER] = self.make_recorder(
                item,
                test=item.nodeid,
                budget=item.stash.get(_BUDGET, None),
                expected=direct_meters(item) - ({"benchmark"} if foreign_benchmark(self._config) else frozenset()),
                plan=self._plan,
                metrics=self._metrics,
                locks=self._locks,
            )
        return recorder

    def make_recorder(self, item: pytest.Item, **facts: Any) -> Recorder:
        """Make the recorder of *item*."""
        del item
        return Recorder(**facts) if self.pairing is None else self.pairing.recorder(**facts)

    @property
    def notes(self) -> list[str]:
        """Remarks on the run as a whole: on what somebody else's fixture keeps from us, on the paired comparison."""
        notes = [*(self.pairing.notes if self.pairing is not None else ()), *self._misspelt]
        notes += [
            f"{test} skipped after it had measured, so this counts for nothing: {said}"
            for test, said in self.unjudged.items()
        ]
        other = foreign_benchmark(self._config)
        if other and self.foreign:
            notes.append(
                f"tests with the benchmark fixture are not measured by perfgate, because it is that of {other}; "
                f"switch that off with -p no:{other.removeprefix('pytest-')}"
            )
        return notes

    def _tolerance(self, item: pytest.Item) -> float:
        budget = item.stash.get(_BUDGET, None)
        own = budget.max_regression if budget is not None else None
        return self._settings.max_regression if own is None else own

    def _judge(self, item: pytest.Item, problem: BaseException | None) -> tuple[Finding, ...]:
        if not item.stash.get(_EXPECTED, False) and RECORDER not in item.stash:
            return ()
        return self.recorder_of(item).finish(
            baseline=self.pairing or self._baseline,
            tolerance=self._settings.max_regression,
            problem=problem,
            remark=self._remarks,
            locate=lambda: location_of(item),
        )

    def _remarks(self, finding: Finding) -> list[str]:
        try:
            remarks = self._config.hook.pytest_perfgate_verdict(config=self._config, finding=finding)
        except (Exception, pytest.fail.Exception) as problem:  # noqa: BLE001  # whatever it is, the values are kept
            return [f"{_BROKEN_HOOK} {type(problem).__name__}: {problem}"]
        return [str(remark) for remark in remarks if remark]

    def _occupies_the_machine(self, item: pytest.Item) -> bool:
        is_whole = is_measured_whole(item, item.stash.get(_BUDGET, None))
        return bool(meters_of(item) & TIMED_METERS) or self._times_call_phase(item) or is_whole

    def _times_call_phase(self, item: pytest.Item) -> bool:
        return item.stash.get(_EXPECTED, False) and is_timed(item, item.stash.get(_BUDGET, None))


def collection_facts(measuring: Measuring) -> dict[str, Any]:
    """Pack what the reporting half has to know about this process's collection, in plain types."""
    return {
        "expected": measuring.expected,
        "collected": measuring.collected,
        "deselected": measuring.deselected,
        "foreign": measuring.foreign,
        "unjudged": list(measuring.unjudged),
        "other_profiles": measuring.other_profiles,
        "notes": measuring.notes,
    }
