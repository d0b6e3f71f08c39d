"""The cases of a comparison and how each is measured when its workers have come to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from pytest_perfgate.measure.clock import MONOTONIC_S
from pytest_perfgate.model import Case
from pytest_perfgate.paired.blocks import Conditions, PairRound, measure_pairs
from pytest_perfgate.paired.line import Message
from pytest_perfgate.paired.series import Series
from pytest_perfgate.paired.terms import Terms
from pytest_perfgate.paired.worker import CaseLostError, Worker

#: Rounds that the time for one case is planned for: what a regression in a suite of 50 takes.  Slow targets get fewer
#: pairs in each, since rounds are what is counted.
_PLANNED_ROUNDS = 14


class Cases:
    """Every case met so far, with what is known of it.

    Args:
        terms: What the user asked for.
        rng: Draws who goes first.
        observe: Told of every round of blocks.
        clock: Seconds.
    """

    def __init__(
        self,
        terms: Terms,
        rng: random.Random,
        observe: Callable[[Case, PairRound], None] = lambda *_: None,
        clock: Callable[[], float] = MONOTONIC_S,
    ) -> None:
        self._terms, self._rng, self._observe, self._clock = terms, rng, observe, clock
        self._series: dict[Case, Series] = {}
        #: log ratios of base against base, by case.
        self.control: dict[Case, list[float]] = {}

    @property
    def all(self) -> tuple[Series, ...]:
        """Every case, in the order met."""
        return tuple(self._series.values())

    @property
    def undecided(self) -> tuple[Series, ...]:
        """The cases that have to be measured again."""
        return tuple(series for series in self._series.values() if not series.is_done)

    def of(self, test: str) -> tuple[Series, ...]:
        """The cases of a test."""
        return tuple(series for series in self._series.values() if series.case.test == test)

    def meet(self, test: str, told: Message) -> Series:
        """Return the series of an announced case, made when it is met first."""
        case = Case(test, told["metric"], told["name"])
        if case not in self._series:
            self._series[case] = Series(case=case, kind=told["kind"])
        return self._series[case]

    def measure(self, series: Series, base: Worker, head: Worker, told: Message) -> None:
        """Measure a case that both workers wait at, unless it is decided; leave both past it.

        Raises:
            CaseLostError: A target raised.
            WorkerLostError: A worker is gone or hangs.
        """
        began = self._clock()
        try:
            if not series.is_done and series.kind == "value":
                self._take_values(series, base, head)
                return
            if not series.is_done:
                measured = measure_pairs(base, head, told, self._conditions(series), series.shape)
                series.add_blocks(measured)
                self._observe(series.case, measured)
        finally:
            series.measured_s += self._clock() - began
        for worker in (base, head):
            worker.say(do="end")

    def replay(self, series: Series, base: Worker, head: Worker) -> tuple[Message, Message]:
        """Take a number once more from workers that play its test again; leave both past it.

        Raises:
            CaseLostError: The test ended instead.
            WorkerLostError: A worker is gone or hangs.
        """
        began = self._clock()
        values: dict[Worker, Message] = {}
        self._ask_both(base, head, values)
        series.measured_s += self._clock() - began
        return values[base], values[head]

    def measure_control(self, test: str, base: Worker, control: Worker, told: Message) -> None:
        """Compare two workers of base at a case whose shape is known; leave both past it."""
        case = Case(test, told["metric"], told["name"])
        series = self._series.get(case)
        if series is not None and series.shape is not None and series.shape.pinned:
            first, second = self._rng.sample((base, control), 2)
            measured = measure_pairs(first, second, told, self._conditions(series), series.shape)
            if measured.log_ratio is not None:
                self.control.setdefault(case, []).append(measured.log_ratio)
        for worker in (base, control):
            worker.say(do="end")

    def take_head_alone(self, series: Series, head: Worker, told: Message, why: str) -> None:
        """Measure a case that only head has, once, and give up comparing it; leave head past it."""
        series.no_base = series.no_base or why
        if series.has_head:
            head.say(do="end")
            return
        head.say(do="alone" if told["kind"] == "blocks" else "measure")
        series.told["head"] = [self._value(head)]

    def _take_values(self, series: Series, base: Worker, head: Worker) -> None:
        values: dict[Worker, Message] = {}
        try:
            self._ask_both(base, head, values)
        except CaseLostError as lost:
            if head in values:
                series.told["head"] = [values[head]]
                series.no_base = f"the test fails against the base: {lost}"
            raise
        series.add_play(values[base], values[head])

    def _ask_both(self, base: Worker, head: Worker, values: dict[Worker, Message]) -> None:
        """Take a number from each in random order, into *values*, which holds the first also when the second is lost.

        Raises:
            CaseLostError: The test of one ended instead.
            WorkerLostError: A worker is gone or hangs.
        """
        for worker in self._rng.sample((base, head), 2):
            worker.say(do="measure")
            try:
                values[worker] = self._value(worker)
            except CaseLostError as lost:
                raise CaseLostError(worker, lost.message, other_is_past=bool(values)) from None

    def _value(self, worker: Worker) -> Message:
        heard = worker.hear(self._terms.timeout_s)
        if heard["say"] != "value":
            raise CaseLostError(worker, heard)
        measurement: Message = heard["measurement"]
        return measurement

    def _conditions(self, series: Series) -> Conditions:
        left = max(1, _PLANNED_ROUNDS - len(series.base))
        return Conditions(
            processors=self._terms.processors,
            timeout_s=self._terms.timeout_s,
            most_s=max(self._terms.most_case_s - series.spent_s, 0.0) / left,
            rng=self._rng,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """Listens to base and head in one test."""

    cases: Cases
    test: str
    base: Worker
    head: Worker

    def on_pair(self, told: Message) -> None:
        """Measure the case."""
        self.cases.measure(self.cases.meet(self.test, told), self.base, self.head, told)

    def on_head_alone(self, told: Message, why: str) -> None:
        """Measure what only head has."""
        self.cases.take_head_alone(self.cases.meet(self.test, told), self.head, told, why)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Listens to base and head in a test that is played again for the sake of its own call."""

    cases: Cases
    test: str
    base: Worker
    head: Worker
    taken: list[tuple[Series, Message, Message]]
    """Filled; what it is worth shows when the test has ended."""

    def on_pair(self, told: Message) -> None:
        """Measure the call, and nothing else."""
        series = self.cases.meet(self.test, told)
        if series.is_replayed:
            self.taken.append((series, *self.cases.replay(series, self.base, self.head)))
            return
        for worker in (self.base, self.head):
            worker.say(do="end")

    def on_head_alone(self, told: Message, why: str) -> None:
        """Pass by."""
        del told, why
        self.head.say(do="end")


@dataclass(frozen=True, slots=True)
class Controlled:
    """Listens to two workers of base in one test."""

    cases: Cases
    test: str
    base: Worker
    control: Worker

    def on_pair(self, told: Message) -> None:
        """Compare base with itself."""
        self.cases.measure_control(self.test, self.base, self.control, told)

    def on_head_alone(self, told: Message, why: str) -> None:
        """Pass by."""
        del told, why
        self.control.say(do="end")
