"""Base against head over rounds of fresh workers, until every case is decided or time is up."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from pytest_perfgate.errors import AgainstError, CannotMeasureError
from pytest_perfgate.judge.sequential import SequentialPolicy, null_control
from pytest_perfgate.measure.clock import MONOTONIC_S
from pytest_perfgate.model import Case
from pytest_perfgate.paired.blocks import PairRound
from pytest_perfgate.paired.cases import Cases, Controlled, Measured, Replayed
from pytest_perfgate.paired.casualties import Casualties
from pytest_perfgate.paired.conversation import Endings, converse, follow
from pytest_perfgate.paired.crew import Crew, WorkerProgram, crew
from pytest_perfgate.paired.environment import Sides
from pytest_perfgate.paired.terms import Outcome, Progress, Terms
from pytest_perfgate.paired.worker import Worker, WorkerLostError

#: Tests of which two workers of base are compared in every round.
CONTROLLED_TESTS = 2
#: ... and no longer than for so many rounds: a third worker takes time to start.
CONTROL_ROUNDS = 10
#: Seconds of one round in which a test is played again for the sake of its own call, and how often at most.
REPLAYING_S, _MOST_REPLAYS = 0.5, 8
#: Times are held against no less than this: nothing that varies can be told from nothing.
LEAST_TOLERANCE = 0.001
#: A case of which every round is worse than the tolerance allows gets so many times the time of one case, to take the
#: rounds that the rule asks for: what is slow enough would otherwise be too slow to fail.
GRACE = 3.0
#: A case that its test has not come to the end of so many times in a row is not waited for.
_MOST_MISSES = 3


class PairedComparison:
    """Compares the cases of some tests.

    Args:
        program: How workers are started.
        sides: Base and head.
        tests: Node ids, in the order of the suite.
        terms: What the user asked for.
        report: Told how far it is, after every round.
        observe: Told of every round of every case whose blocks were paired.
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
        observe: Callable[[Case, PairRound], None] = lambda *_: None,
        clock: Callable[[], float] = MONOTONIC_S,
    ) -> None:
        self._program, self._sides, self._tests, self._terms = program, sides, tuple(tests), terms
        self._report, self._clock = report, clock
        self._rng = random.Random(terms.seed)  # noqa: S311  # an experiment's randomisation, no secret
        self._cases = Cases(terms, self._rng, observe, clock)
        self._casualties = Casualties(self._cases)
        #: Remarks on the comparison as a whole.
        self.notes: list[str] = []
        self._loaded_any = self._is_loaded_checked = self._closed_any = False
        self._rounds = 0
        #: Test -> seconds that it took to play once, measuring included.
        self._play_s: dict[str, float] = {}

    def run(self) -> Outcome:
        """Compare.

        Raises:
            AgainstError: The two sides do not differ in origin.
            CannotMeasureError: No worker could be started.
        """
        began, elapsed = self._clock(), 0.0
        while todo := self._undecided_tests(self._rounds):
            self._rounds += 1
            self._play(todo)
            if self._closed_any and not self._is_loaded_checked:  # a worker that died tells nothing of it
                self._is_loaded_checked = True
                self._check_loaded()
            elapsed = self._clock() - began
            self._look(last=elapsed > self._terms.most_run_s)
            self._report(
                Progress(
                    round=self._rounds,
                    undecided=len(self._cases.undecided),
                    cases=len(self._cases.all),
                    elapsed_s=elapsed,
                )
            )
        control = tuple(ratio for ratios in self._cases.control.values() for ratio in ratios)
        strictest = min((self._terms.tolerance(test) for test in self._tests), default=LEAST_TOLERANCE)
        return Outcome(
            series=self._cases.all,
            rounds=self._rounds,
            elapsed_s=elapsed,
            control=control,
            contaminated=null_control(control, max(strictest, LEAST_TOLERANCE)) if control else "",
        )

    @property
    def given_up(self) -> Mapping[str, str]:
        """Tests of which nothing could be learned -> why."""
        return self._casualties.given_up

    @property
    def lost(self) -> Mapping[str, str]:
        """Tests that cost head its workers -> how; whoever runs them risks the same."""
        return self._casualties.lost

    # -- rounds

    def _undecided_tests(self, rounds: int) -> list[str]:
        """Return the tests that have something left to measure, in random order."""
        todo = list(self._tests)
        if rounds:
            todo = self._casualties.remaining(todo, {series.case.test for series in self._cases.undecided})
        return self._rng.sample(todo, len(todo))

    def _play(self, todo: Sequence[str]) -> None:
        """Play one round; a worker that is lost costs the test that lost it, and fresh workers go on."""
        left = list(todo)
        names = {"base": self._sides.base, "head": self._sides.head, "control": self._sides.base}
        if all(test in self._casualties.head_only for test in left):
            del names["base"], names["control"]
        controlled = self._controlled(todo) if self._rounds <= CONTROL_ROUNDS else []
        while left:
            if not controlled:
                names.pop("control", None)
            begun: list[str] = []
            try:
                with crew(self._program, names, self._rng) as hired:
                    self._play_tests(hired, left, controlled, begun)
                left = []
            except WorkerLostError as lost:
                controlled = []
                if begun:
                    self._casualties.lose(begun[-1], lost)
                elif lost.worker.side == "base" and self._rounds == 1 and "base" in names:
                    # What is new at head may be all that base lacks; head can be measured nevertheless.
                    why = f"the tests do not start against the base: {lost}"
                    self._casualties.head_only = dict.fromkeys(left, why)
                    del names["base"]
                else:
                    raise CannotMeasureError(f"a worker could not be started: {lost}") from None
                left = left[len(begun) :]

    def _play_tests(self, hired: Crew, tests: Sequence[str], controlled: Sequence[str], begun: list[str]) -> None:
        """Play tests one after the other.

        Args:
            hired: The workers.
            tests: What to play.
            controlled: Those of which base is compared with itself as well.
            begun: Filled with what was begun, for whoever has to know where a worker was lost.
        """
        base, head, control = (hired.workers.get(name) for name in ("base", "head", "control"))
        assert head is not None  # noqa: S101  # in every crew
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            begun.append(test)
            began, measured_s = self._clock(), self._measured_s(test)
            plays = self._plays_of(test)
            head.say(do="go", test=test, next=test if plays > 1 else following)
            if test in self._casualties.head_only:
                taken = Measured(self._cases, test, head, head)
                self._close_test(
                    hired, test, follow(head, taken, self._casualties.head_only[test], self._terms.timeout_s)
                )
                continue
            assert base is not None  # noqa: S101  # in every crew for tests that it can play
            is_controlled = control is not None and test in controlled
            next_of_base = self._next_of_base(tests, test)
            base.say(do="go", test=test, next=test if is_controlled or plays > 1 else next_of_base)
            listener = Measured(self._cases, test, base, head)
            endings = converse(base, head, listener, self._terms.timeout_s)
            self._play_s[test] = self._clock() - began
            for play in range(2, plays + 1):
                head.say(do="go", test=test, next=test if play < plays else following)
                base.say(do="go", test=test, next=test if play < plays or is_controlled else next_of_base)
                self._replay(test, base, head)
            self._close_test(hired, test, endings)
            self._charge(test, self._clock() - began, self._measured_s(test) - measured_s)
            if control is not None and is_controlled:
                later = [one for one in controlled if tests.index(one) > tests.index(test)]
                base.say(do="go", test=test, next=next_of_base)
                control.say(do="go", test=test, next=later[0] if later else None)
                controls = Controlled(self._cases, test, base, control)
                converse(base, control, controls, self._terms.timeout_s)

    def _plays_of(self, test: str) -> int:
        """Say how often a test is played in this round: several times where its own call is what is compared.

        One call in a fresh process varies by several percent from one process to the next, most of which is not the
        process but the one call.
        """
        mine = self._cases.of(test)
        if test in self._casualties.head_only or not any(series.is_replayed and series.base for series in mine):
            return 1
        return 1 + min(_MOST_REPLAYS, int(REPLAYING_S / max(self._play_s.get(test, REPLAYING_S), 1e-3)))

    def _replay(self, test: str, base: Worker, head: Worker) -> None:
        """Follow one more play of a test; one that does not pass again counts for nothing."""
        replayed = Replayed(self._cases, test, base, head, [])
        endings = converse(base, head, replayed, self._terms.timeout_s)
        if endings.base["outcome"] == endings.head["outcome"] == "passed":
            for series, old, new in replayed.taken:
                series.add_play(old, new)

    def _next_of_base(self, tests: Sequence[str], test: str) -> str | None:
        """Return the test after *test* that base plays as well."""
        later = tests[tests.index(test) + 1 :]
        return next((one for one in later if one not in self._casualties.head_only), None)

    def _close_test(self, hired: Crew, test: str, endings: Endings) -> None:
        """Take what the ends of a test say about its cases."""
        for name, ending in (("base", endings.base), ("head", endings.head)):
            if name in hired.workers:
                hired.check_origin(name, ending)
            self._loaded_any = self._loaded_any or bool(ending.get("loaded"))
        self._closed_any = True
        self._casualties.again.discard(test)
        mine = self._cases.of(test)
        for series in mine:
            series.end_round()
            series.count_play()
            series.add_facts(endings.base.get("facts", ()), endings.head.get("facts", ()))
            if series.is_done and (series.has_head or series.no_head):  # what is known stays known
                continue
            if endings.head["outcome"] == "failed":
                series.no_head = series.no_head or f"the test fails: {endings.head['problem']}"
            elif endings.head["outcome"] == "skipped" and not series.has_head:
                series.no_head = f"the test is skipped: {endings.head['problem']}"
            elif endings.base["outcome"] == "failed":
                series.no_base = series.no_base or f"the test fails against the base: {endings.base['problem']}"
        if not mine and endings.head["outcome"] == "failed":
            self._casualties.given_up[test] = f"the test fails: {endings.head['problem']}"
        elif not mine and test in self._casualties.head_only:
            self._casualties.given_up[test] = self._casualties.head_only[test]

    def _controlled(self, todo: Sequence[str]) -> list[str]:
        """Choose the tests of which base is compared with itself: those whose cases are times, in order."""
        others = {series.case.test for series in self._cases.all if series.kind != "blocks" or series.no_base}
        return [test for test in todo if test not in others | self._casualties.head_only.keys()][:CONTROLLED_TESTS]

    def _check_loaded(self) -> None:
        """Refuse a comparison in which no test ever imported what is compared.

        Raises:
            AgainstError: Both sides measured the same.
        """
        started = [series.case.metric.startswith("startup") for series in self._cases.all]
        if self._loaded_any or not started or all(started):
            return
        roots = ", ".join(self._sides.head.roots)
        if any(started):  # what they start may import it, in processes that do not tell
            self.notes.append(f"no test imported {roots} in its own process; only what it starts can have")
            return
        raise AgainstError(
            f"no test imported {roots}, so base and head measured the same code; "
            f"a test has to import what is compared; where that is another package, name it: "
            f'[tool.perfgate] packages = ["..."]'
        )

    def _charge(self, test: str, spent_s: float, measured_s: float) -> None:
        """Count what a test took beside measuring, set-up mostly, against its cases that are still undecided.

        The start of workers is charged to nobody: all tests share it, and only the time for the whole run limits it.
        """
        mine = [series for series in self._cases.of(test) if not series.is_done]
        for series in mine:
            series.shared_s += max(spent_s - measured_s, 0.0) / len(mine)

    def _measured_s(self, test: str) -> float:
        return sum(series.measured_s for series in self._cases.of(test))

    def _look(self, *, last: bool) -> None:
        for series in self._cases.undecided:
            tolerance = self.tolerance(series.case.test)
            grace = GRACE if series.seems_worse(tolerance) else 1.0
            series.is_out_of_time = series.spent_s >= grace * self._terms.most_case_s
            time_is_up = last or series.is_out_of_time or series.misses >= _MOST_MISSES
            series.look(self.policy(series.case.test), tolerance, last=time_is_up)

    def tolerance(self, test: str) -> float:
        """Return the tolerance of a test."""
        return self._terms.tolerance(test)

    def policy(self, test: str) -> SequentialPolicy:
        """Return the rule for a test: its own tolerance, the error budget split over all cases."""
        return SequentialPolicy(
            tolerance=max(self.tolerance(test), LEAST_TOLERANCE), cases=max(1, len(self._cases.all))
        )
