"""Many comparisons whose true answer is known, counted by what the gate said of each."""

from __future__ import annotations

import contextlib
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_perfgate.model import Case, Verdict
from pytest_perfgate.paired.blocks import PairRound
from pytest_perfgate.paired.comparison import PairedComparison
from pytest_perfgate.paired.crew import WorkerProgram
from pytest_perfgate.paired.environment import Side, Sides
from pytest_perfgate.paired.processors import usable_processors
from pytest_perfgate.paired.terms import Outcome, Progress, Terms
from pytest_perfgate.paired.trials.workloads import SLOWDOWNS, WORKLOADS, measure_costs, operations_for
from pytest_perfgate.stats import median

#: True changes that are planted, as shares; the unchanged suites come in between.
PLANTED = (0.02, 0.05, 0.075, 0.10)
#: Comparisons in one run of the gate: a suite of this many cases, or fewer where there is no time for so many.
SUITE = 50
_SMALLEST_SUITE = 4
#: What a comparison takes, with its share of starting workers, while nothing else goes on; to size a suite by.
_UNCHANGED_S, _PLANTED_S = 1.0, 3.0

_WORKER_MODULE = "pytest_perfgate.paired.trials.worker"


@dataclass
class Tally:
    """What the gate said of comparisons with one true change."""

    true_change: float
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    rounds: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Of each comparison, its share of starting workers left out."""
    estimates: list[float] = field(default_factory=list)
    """Changes as they were measured: their median shows how well the true one was planted."""
    suites: int = 0
    failed_suites: int = 0
    contaminated: int = 0
    """Suites whose null control spoke against them; they fail nothing."""

    @property
    def comparisons(self) -> int:
        """How many there were."""
        return sum(self.verdicts.values())

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain objects, for a file."""
        return {
            "true_change": self.true_change,
            "verdicts": {verdict.value: count for verdict, count in self.verdicts.items()},
            "rounds": self.rounds,
            "seconds": self.seconds,
            "estimates": self.estimates,
            "suites": self.suites,
            "failed_suites": self.failed_suites,
            "contaminated": self.contaminated,
        }

    def share(self, verdict: Verdict) -> float:
        """Return the share of a verdict; 0 without comparisons."""
        return self.verdicts[verdict] / self.comparisons if self.comparisons else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """How far an experiment is."""

    suite: int
    """Its number, from 1."""
    cases: int
    """Of this suite."""
    undecided: int
    """Of them."""
    comparisons: int
    """Of the suites before it."""
    elapsed_s: float
    budget_s: float


Observer = Callable[[str, float, PairRound], None]
"""Told of every round of every comparison: trial, true change, what was measured."""


def fitting_suite(seconds: float, planted: Sequence[float]) -> int:
    """Return how many cases a suite may have for one of each kind to fit into *seconds* on a quiet machine.

    Args:
        seconds: For everything.
        planted: True changes; a suite holds each at least once.
    """
    each = _UNCHANGED_S + (_PLANTED_S if planted else 0.0)
    return max(_SMALLEST_SUITE, len(planted), min(SUITE, int(seconds / each)))


class Experiment:
    """Runs suites of comparisons for a while.

    Args:
        tolerance: Of the gate that is tried.
        planted: True changes; 0 comes by itself.
        unchanged: Whether suites of unchanged code come in between.
        suite: Cases of one run of the gate.
        seed: For everything that is drawn.
        report: Told how far it is.
        observe: Told of every round, or None.
        clock: Seconds.
    """

    def __init__(
        self,
        *,
        tolerance: float = 0.05,
        planted: Sequence[float] = PLANTED,
        unchanged: bool = True,
        suite: int = SUITE,
        seed: int | None = None,
        report: Callable[[TrialProgress], None] = lambda _: None,
        observe: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tolerance, self._planted, self._suite = tolerance, tuple(planted), suite
        self._unchanged = unchanged or not planted
        self._rng = random.Random(seed)  # noqa: S311  # an experiment's randomisation, no secret
        self._report, self._observe, self._clock = report, observe, clock
        self.tallies = {change: Tally(change) for change in (0.0, *planted)}
        self.control: list[float] = []
        self._suites = 0
        #: Standard deviation of the rounds, one for each comparison of unchanged code.
        self.round_spreads: list[float] = []

    def run(self, seconds: float) -> None:
        """Run suites, unchanged and planted ones in turn, until there is no time for another.

        There is at least one of each, and none is cut off: what was still undecided then would count as a doubt that
        the gate never had.
        """
        # Said before anything is measured: what a slowdown costs takes a while to find out.
        nothing = TrialProgress(
            suite=1, cases=self._suite, undecided=self._suite, comparisons=0, elapsed_s=0.0, budget_s=seconds
        )
        self._report(nothing)
        costs, began = measure_costs(), self._clock()
        kinds = self._unchanged + bool(self._planted)
        last_s = [0.0] * kinds
        for place, plan in enumerate(self._plans()):
            begun = self._clock()
            if place >= kinds and begun - began + last_s[place % kinds] > seconds:
                break
            self._run_suite(plan, costs, began, seconds)
            last_s[place % kinds] = self._clock() - begun

    def _plans(self) -> Iterator[list[float]]:
        """Yield the true changes of one suite after the other: none at all, then a mix of all planted ones."""
        while True:
            if self._unchanged:
                yield [0.0] * self._suite
            if self._planted:
                yield [self._planted[place % len(self._planted)] for place in range(self._suite)]

    def _run_suite(
        self, changes: Sequence[float], costs: Mapping[str, Mapping[str, float]], began: float, budget_s: float
    ) -> None:
        trials, truth = {}, {}
        self._suites += 1
        for place, change in enumerate(changes):
            workload = self._rng.choice(list(WORKLOADS))
            slowdown = self._rng.choice(list(SLOWDOWNS)) if change else ""
            operations = operations_for(change, costs[workload][slowdown]) if slowdown else 0
            trial = f"{self._suites}/{place}-{workload}-{slowdown or 'unchanged'}-{change:g}"
            trials[trial], truth[trial] = (workload, slowdown, operations), change
        done = sum(tally.comparisons for tally in self.tallies.values())

        def tell(progress: Progress) -> None:
            self._report(
                TrialProgress(
                    suite=self._suites,
                    cases=len(trials),
                    undecided=progress.undecided,
                    comparisons=done,
                    elapsed_s=self._clock() - began,
                    budget_s=budget_s,
                )
            )

        def see(case: Case, measured: PairRound) -> None:
            if self._observe is not None:
                self._observe(case.test, truth[case.test], measured)

        with _sides() as sides:
            outcome = PairedComparison(
                _program(sides, trials), sides, list(trials), self._terms(), report=tell, observe=see
            ).run()
        self._count(outcome, truth)

    def _terms(self) -> Terms:
        return Terms(
            tolerance=lambda _: self._tolerance,
            most_case_s=20.0,
            most_run_s=3600.0,
            timeout_s=60.0,
            processors=usable_processors(),
            seed=self._rng.getrandbits(64),
        )

    def _count(self, outcome: Outcome, truth: Mapping[str, float]) -> None:
        failed: Counter[float] = Counter()
        for series in outcome.series:
            tally = self.tallies[truth[series.case.test]]
            verdict = series.standing.verdict if series.standing else None
            said = verdict or Verdict.INCONCLUSIVE
            if said is Verdict.REGRESSED and series.standing and outcome.doubts(series.standing, self._tolerance):
                said = Verdict.INCONCLUSIVE
            tally.verdicts[said] += 1
            tally.rounds.append(len(series.base))
            tally.seconds.append(series.measured_s)
            if series.standing:
                tally.estimates.append(math.expm1(series.standing.estimate))
            failed[tally.true_change] += said is Verdict.REGRESSED
            if not tally.true_change and len(series.log_ratios) > 1:
                self.round_spreads.append(_spread(series.log_ratios))
        for change in {truth[series.case.test] for series in outcome.series}:
            self.tallies[change].suites += 1
            self.tallies[change].failed_suites += failed[change] > 0
            self.tallies[change].contaminated += bool(outcome.contaminated)
        self.control += outcome.control


def _spread(ratios: Sequence[float]) -> float:
    """Return the standard deviation around zero, which is where unchanged code lies."""
    return float(median([abs(ratio) for ratio in ratios]) * 1.4826)


def _program(sides: Sides, trials: Mapping[str, tuple[str, str, int]]) -> WorkerProgram:
    place = {side.name: str(side.location / "trials") for side in (sides.base, sides.head)}
    return WorkerProgram(module=_WORKER_MODULE, facts={"trials": trials, "place": place}, cwd=Path.cwd())


@contextlib.contextmanager
def _sides() -> Iterator[Sides]:
    """Make two sides that differ in nothing but what the workers do."""
    with tempfile.TemporaryDirectory(prefix="pytest-perfgate-trials-") as folder:
        made = {}
        for place, name in enumerate(("base", "head")):
            location = Path(folder, str(place), "tree")
            bootstrap = Path(folder, str(place), "boot")
            for one in (location, bootstrap):
                one.mkdir(parents=True)
            made[name] = Side(
                name=name, label=name, bootstrap=bootstrap, location=location, roots=(), missing=(), digest=name
            )
        yield Sides(base=made["base"], head=made["head"], notes=())
