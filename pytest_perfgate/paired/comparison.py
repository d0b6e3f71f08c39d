"""Base against head over rounds of fresh workers, until every case is decided or time is up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.judge.sequential import SequentialPolicy, null_control
from pytest_perfgate.model import Case, Verdict
from pytest_perfgate.paired.blocks import Conditions, measure_pairs
from pytest_perfgate.paired.conversation import Endings, converse
from pytest_perfgate.paired.crew import Crew, SamePlaceError, WorkerProgram, crew
from pytest_perfgate.paired.environment import Sides
from pytest_perfgate.paired.line import Message
from pytest_perfgate.paired.series import Series
from pytest_perfgate.paired.worker import CaseLostError, Worker, WorkerLostError

#: Tests of which two workers of base are compared in every round.
CONTROLLED_TESTS = 2
#: A test whose workers are lost so often is given up.
_MOST_LOSSES = 2
#: Rounds that the time for one case is planned for: the fewest that can pass it.
_PLANNED_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the user asked for."""

    tolerance: Callable[[str], float]
    """Node id -> tolerance of the test."""
    most_case_s: float
    """Most seconds spent on one case."""
    most_run_s: float
    """Most seconds spent on all of them."""
    timeout_s: float | None
    """Patience with a block, and with a test between its cases; None for ever."""
    processors: tuple[int, ...]
    """That workers may be bound to; empty where that is not possible."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a comparison is."""

    round: int
    undecided: int
    cases: int
    elapsed_s: float


@dataclass
class Outcome:
    """What a comparison came to."""

    series: list[Series]
    rounds: int
    elapsed_s: float
    contaminated: str
    """Why the run as a whole is not to be believed; empty when it is."""
    control: list[float]
    """log ratios of base against base."""
    notes: list[str] = field(default_factory=list)


class PairedComparison:
    """Compares the cases of some tests.

    Args:
        program: How workers are started.
        sides: Base and head.
        tests: Node ids, in the order of the suite.
        terms: What the user asked for.
        report: Told how far it is, after every round.
        clock: Seconds, for limits.
    """

    def __init__(
        self,
        program: WorkerProgram,
        sides: Sides,
        tests: Sequence[str],
        terms: Terms,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program, self._sides, self._tests, self._terms = program, sides, tuple(tests), terms
        self._report, self._clock = report, clock
        self._rng = random.Random(terms.seed)  # noqa: S311  # an experiment's randomisation, no secret
        self._series: dict[Case, Series] = {}
        self._control: dict[Case, list[float]] = {}
        self._given_up: dict[str, str] = {}
        self._losses: dict[str, int] = {}
        self._loaded_any = False

    def run(self) -> Outcome:
        """Compare.

        Raises:
            SamePlaceError: The two sides do not differ in origin.
            CannotMeasureError: No worker could be started.
        """
        began, rounds, elapsed = self._clock(), 0, 0.0
        while todo := self._undecided_tests(rounds):
            rounds += 1
            self._play(todo)
            self._share_time(todo, self._clock() - began - elapsed)
            if rounds == 1:
                self._check_loaded()
            elapsed = self._clock() - began
            self._look(rounds, last=elapsed > self._terms.most_run_s)
            undecided = sum(not series.is_done for series in self._series.values())
            self._report(
                Progress(round=rounds, undecided=undecided, cases=len(self._series), elapsed_s=elapsed),
            )
        control = [ratio for ratios in self._control.values() for ratio in ratios]
        tolerance = min((self._terms.tolerance(test) for test in self._tests), default=0.05)
        return Outcome(
            series=list(self._series.values()),
            rounds=rounds,
            elapsed_s=self._clock() - began,
            contaminated=null_control(control, tolerance) if control else "",
            control=control,
        )

    @property
    def given_up(self) -> Mapping[str, str]:
        """Tests of which nothing could be learned -> why."""
        return self._given_up

    # -- rounds

    def _undecided_tests(self, rounds: int) -> list[str]:
        """Return the tests that have something left to measure, in random order."""
        if rounds == 0:
            todo = list(self._tests)
        else:
            wanted = {series.case.test for series in self._series.values() if not series.is_done}
            todo = [test for test in self._tests if test in wanted and test not in self._given_up]
        return self._rng.sample(todo, len(todo))

    def _play(self, todo: Sequence[str]) -> None:
        """Play one round; a pair of workers that is lost costs the test that lost it, and a fresh pair goes on."""
        left, controlled = list(todo), self._controlled(todo)
        sides = {"base": self._sides.base, "head": self._sides.head}
        if controlled:
            sides["control"] = self._sides.base
        while left:
            at: list[str] = []
            try:
                with crew(self._program, sides, self._rng) as hired:
                    for place, test in enumerate(left):
                        at[:] = [test]
                        following = left[place + 1] if place + 1 < len(left) else None
                        self._play_test(hired, test, following, controlled)
                return
            except WorkerLostError as lost:
                if not at:
                    raise CannotMeasureError(f"a worker could not be started: {lost}") from None
                self._lose(at[0], lost)
                if lost.worker.name == "control":
                    sides.pop("control", None)
                    controlled = []
                left = left[left.index(at[0]) + 1 :]

    def _play_test(self, hired: Crew, test: str, following: str | None, controlled: Sequence[str]) -> None:
        base, head, control = (hired.workers.get(name) for name in ("base", "head", "control"))
        assert base is not None  # noqa: S101  # every crew has both
        assert head is not None  # noqa: S101
        is_controlled = control is not None and test in controlled
        base.say(do="go", test=test, next=test if is_controlled else following)
        head.say(do="go", test=test, next=following)
        endings = converse(base, head, test, _Measured(self, test, base, head), self._terms.timeout_s)
        self._close_test(hired, test, endings)
        if control is not None and is_controlled:
            later = [one for one in controlled if one != test]
            base.say(do="go", test=test, next=following)
            control.say(do="go", test=test, next=later[0] if later else None)
            converse(base, control, test, _Controlled(self, test, base, control), self._terms.timeout_s)

    def _share_time(self, todo: Sequence[str], spent_s: float) -> None:
        """Count what a round took, the start of its workers included, against the cases that were still undecided."""
        shared = [series for series in self._series.values() if series.case.test in todo and not series.is_done]
        for series in shared:
            series.spent_s += spent_s / len(shared)

    def _close_test(self, hired: Crew, test: str, endings: Endings) -> None:
        """Take what the ends of a test say about its cases."""
        for name, ending in (("base", endings.base), ("head", endings.head)):
            hired.check_origin(name, ending)
            self._loaded_any = self._loaded_any or bool(ending.get("loaded"))
        mine = [series for series in self._series.values() if series.case.test == test]
        for series in mine:
            if endings.head["outcome"] == "failed":
                series.no_head = series.no_head or f"the test fails: {endings.head['problem']}"
            elif endings.base["outcome"] == "failed":
                series.no_base = series.no_base or f"the test fails against the base: {endings.base['problem']}"
        if not mine and endings.head["outcome"] == "failed":
            self._given_up[test] = f"the test fails: {endings.head['problem']}"

    def _lose(self, test: str, lost: WorkerLostError) -> None:
        self._losses[test] = self._losses.get(test, 0) + 1
        if self._losses[test] < _MOST_LOSSES:
            return
        mine = [series for series in self._series.values() if series.case.test == test]
        for series in mine:
            if lost.worker.side == "base":
                series.no_base = f"against the base, {lost}"
            else:
                series.no_head = str(lost)
        if not mine:
            self._given_up[test] = str(lost)

    def _controlled(self, todo: Sequence[str]) -> list[str]:
        """Choose the tests of which base is compared with itself: those whose cases are times."""
        others = {series.case.test for series in self._series.values() if series.kind != "blocks" or series.no_base}
        return [test for test in todo if test not in others][:CONTROLLED_TESTS]

    def _check_loaded(self) -> None:
        """Refuse a comparison in which no test ever imported what is compared.

        Raises:
            SamePlaceError: Both sides measured the same.
        """
        started = [series.case.metric.startswith("startup") for series in self._series.values()]
        if self._loaded_any or not started or all(started):
            return
        roots = ", ".join(self._sides.head.roots)
        raise SamePlaceError(
            f"no test imported {roots}, so base and head measured the same code; "
            f'name the package under test: [tool.perfgate] packages = ["..."]'
        )

    def _look(self, rounds: int, *, last: bool) -> None:
        for series in self._series.values():
            policy = self.policy(series.case.test)
            time_is_up = last or series.spent_s >= self._terms.most_case_s
            series.look(policy, last=time_is_up or rounds >= policy.most_rounds)

    def policy(self, test: str) -> SequentialPolicy:
        """Return the rule for a test: its own tolerance, the error budget split over all cases."""
        return SequentialPolicy(tolerance=self._terms.tolerance(test), cases=max(1, len(self._series)))

    # -- cases

    def series_of(self, test: str, told: Message) -> Series:
        """Return the series of an announced case, made when it is met first."""
        case = Case(test, told["metric"], told["name"])
        if case not in self._series:
            self._series[case] = Series(case=case, kind=told["kind"])
        return self._series[case]

    def measure(self, series: Series, base: Worker, head: Worker, told: Message) -> None:
        """Measure a case that both workers wait at."""
        if series.is_done:
            return
        if series.kind == "blocks":
            conditions = self._conditions(series)
            series.add_blocks(measure_pairs(base, head, told, conditions, series.shape))
            return
        values: dict[Worker, Message] = {}
        for worker in self._rng.sample((base, head), 2):
            worker.say(do="measure")
            heard = worker.hear(self._terms.timeout_s)
            if heard["say"] != "value":
                raise CaseLostError(worker, heard)
            values[worker] = heard["measurement"]
        series.add_values(values[base], values[head])

    def measure_control(self, test: str, base: Worker, control: Worker, told: Message) -> None:
        """Compare two workers of base at a case whose shape is known."""
        case = Case(test, told["metric"], told["name"])
        series = self._series.get(case)
        if series is None or series.shape is None or not series.shape.pinned:
            return
        first, second = self._rng.sample((base, control), 2)
        measured = measure_pairs(first, second, told, self._conditions(series), series.shape)
        if measured.log_ratio is not None:
            self._control.setdefault(case, []).append(measured.log_ratio)

    def _conditions(self, series: Series) -> Conditions:
        left = max(1, _PLANNED_ROUNDS - len(series.base))
        return Conditions(
            processors=self._terms.processors,
            timeout_s=self._terms.timeout_s,
            most_s=max(self._terms.most_case_s - series.spent_s, 0.0) / left,
            rng=self._rng,
        )

    def take_head_alone(self, series: Series, head: Worker, told: Message, why: str) -> None:
        """Measure a case that only head has, once, and give up comparing it."""
        series.no_base = series.no_base or why
        if "head" in series.told or series.head:
            head.say(do="end")
            return
        head.say(do="alone" if told["kind"] == "blocks" else "measure")
        heard = head.hear(self._terms.timeout_s)
        if heard["say"] != "value":
            raise CaseLostError(head, heard)
        series.told["head"] = [heard["measurement"]]


@dataclass(frozen=True)
class _Measured:
    """Listens to base and head."""

    comparison: PairedComparison
    test: str
    base: Worker
    head: Worker

    def on_pair(self, base: Message, head: Message) -> None:
        series = self.comparison.series_of(self.test, head)
        self.comparison.measure(series, self.base, self.head, head)
        if series.kind == "blocks" or series.is_done:
            for worker in (self.base, self.head):
                worker.say(do="end")

    def on_head_alone(self, head: Message, why: str) -> None:
        self.comparison.take_head_alone(self.comparison.series_of(self.test, head), self.head, head, why)


@dataclass(frozen=True)
class _Controlled:
    """Listens to base and base."""

    comparison: PairedComparison
    test: str
    base: Worker
    control: Worker

    def on_pair(self, base: Message, head: Message) -> None:
        self.comparison.measure_control(self.test, self.base, self.control, head)
        for worker in (self.base, self.control):
            worker.say(do="end")

    def on_head_alone(self, head: Message, why: str) -> None:
        self.control.say(do="end")


#: Verdicts that a contaminated run takes back.
TAKEN_BACK = frozenset({Verdict.REGRESSED, Verdict.IMPROVED})
