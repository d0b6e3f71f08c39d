"""Many fresh processes with bare interpreters between them: what they took and cost, how busy the machine was.

What is run, and what of it is the value, is for the metrics beside this file.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.cold import Cold
from pytest_perfgate.measure.command import Command, Runner
from pytest_perfgate.measure.process import ProcessRun
from pytest_perfgate.measure.repetition import repeat
from pytest_perfgate.measure.sampler import Planner
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Case, Measurement, Plan
from pytest_perfgate.stats import median, median_interval, percentile

DEFAULT_TIMEOUT_S = 30.0
#: A run waited for a processor for so much of the time in which it wanted one: its wall time is the machine's, not its.
_STARVED = 0.10
#: ... unless that is no time at all: the shortest of processes wait for so long on a quiet machine.
_NOTICED_S = 0.0005
#: How often a starved series is measured again before it counts as undecided.
RETRIES = 2
#: Bare interpreters beside planned runs, in each process: their ratio needs no more, and the time is the comparison's.
_PLANNED_BARE = 10


class FreshRun(Protocol):
    """One run of anything in a fresh process."""

    @property
    def wall_s(self) -> float:
        """All of the time it took, for the case's budget of time."""


R = TypeVar("R", bound=FreshRun)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """What is known of a kind of run."""

    value_s: Callable[[R], float]
    """What is measured."""
    contention: Callable[[R], float | None]
    """Share of the time it wanted a processor for that it had to wait for one; None where that is not known, or known
    only of a thread that did little of the work."""
    uncontended_s: Callable[[R], float | None]
    """The value without that waiting; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class _Beside(Generic[R]):
    """A run with that of a bare interpreter, next to each other in time."""

    run: R
    bare: ProcessRun | None

    @property
    def wall_s(self) -> float:
        return self.run.wall_s + (self.bare.wall_s if self.bare else 0.0)


@dataclass(frozen=True, slots=True)
class Series(Generic[R]):
    """What came of it."""

    first: R | None
    """The first run that was thrown away."""
    kept: Sequence[R]
    bare: Sequence[ProcessRun | None]
    """The bare interpreters, one for each of *kept*, or of the first of them where somebody else planned the runs."""
    kind: Kind[R]
    retries: int = 0

    @property
    def contention(self) -> float | None:
        """The median share; that of all bare interpreters beside them where one is not known, None without those."""
        if self._is_told_by_bare:
            return _shared(self.bare)
        return middle(map(self.kind.contention, self.kept))

    @property
    def _is_told_by_bare(self) -> bool:
        return middle(map(self.kind.contention, self.kept)) is None

    @property
    def is_starved(self) -> bool:
        """Whether others kept the processors for so long that times say little."""
        if (self.contention or 0.0) <= _STARVED:
            return False
        if self._is_told_by_bare:  # a tenth of the time of one is long enough to notice
            return True
        waited_s = middle(map(self._waited_s, self.kept))
        return waited_s is None or waited_s > _NOTICED_S

    def _waited_s(self, run: R) -> float | None:
        rest_s = self.kind.uncontended_s(run)
        return None if rest_s is None else self.kind.value_s(run) - rest_s

    def facts(self) -> dict[str, Any]:
        """Say how busy the machine was, and how the value relates to a bare interpreter's."""
        facts: dict[str, Any] = {
            "contention": self.contention,
            "uncontended_s": middle(map(self.kind.uncontended_s, self.kept)),
            "bare_s": middle(None if run is None else run.wall_s for run in self.bare),
            "ratio_to_bare": self._ratio_to_bare(),
        }
        if self.is_starved:
            who = "a bare interpreter beside it" if self._is_told_by_bare else "it"
            facts["starved"] = (
                f"for {facts['contention'] * 100:.0f} % of the time {who} wanted a processor it had to wait for one "
                f"(median of {len(self.kept)} runs{self._tried()}); other programs keep this machine busy"
            )
        return facts

    def _tried(self) -> str:
        return f", after {self.retries} more series that were no better" if self.retries else ""

    def _ratio_to_bare(self) -> float | None:
        """Take the median over the pairs, each without waiting where that is known of both: drift cancels in a pair."""
        return middle(
            None if bare is None or bare.wall_s <= 0 else _ratio(self.kind, run, bare)
            for run, bare in zip(self.kept, self.bare, strict=False)
        )


def _shared(runs: Sequence[ProcessRun | None]) -> float | None:
    """Take the contention of all of them together: one that is over in a moment is spared by chance, or is not."""
    queued_s = on_cpu_s = 0.0
    for run in runs:
        if run is None or run.queued_s is None or run.on_cpu_s is None:
            return None
        queued_s += run.queued_s
        on_cpu_s += run.on_cpu_s
    return queued_s / (queued_s + on_cpu_s) if on_cpu_s else None


def _ratio(kind: Kind[R], run: R, bare: ProcessRun) -> float:
    mine, its = kind.uncontended_s(run), bare.uncontended_s
    if mine is None or not its:
        return kind.value_s(run) / bare.wall_s
    return mine / its


def measure(
    plan: Plan,
    kind: Kind[R],
    once: Callable[[], R],
    *,
    runs: int | None,
    warmup: int | None,
    planner: Planner | None,
    bare: Callable[[], ProcessRun | None] | None,
    retries: int = RETRIES,
) -> Series[R]:
    """Run often enough; again, up to twice, when others kept the machine busy.

    Args:
        plan: As :func:`pytest_perfgate.measure.repetition.repeat` takes it.
        kind: Of the runs.
        once: Runs once.
        runs: Runs to keep; None to choose.
        warmup: Runs to throw away first; None for one.
        planner: Plans the runs in place of *plan*: then nothing is run again, and the first run is one of those kept.
        bare: Runs a bare interpreter, before or after each run by chance, planned ones only at first; None for none.
        retries: How often a starved series is measured again.

    Returns:
        The series with the least contention.
    """
    beside_planned = 0

    def beside() -> _Beside[R]:
        nonlocal beside_planned
        if bare is None or beside_planned == _PLANNED_BARE:
            return _Beside(once(), None)
        beside_planned += planner is not None
        if random.random() < 1 / 2:  # noqa: S311  # an order, not a secret
            before = bare()
            return _Beside(once(), before)
        run = once()
        return _Beside(run, bare())

    def one_series(warmup: int | None) -> Series[R]:
        first, kept = repeat(plan, runs, warmup, beside, lambda pair: kind.value_s(pair.run), planner=planner)
        with_bare = kept[:beside_planned] if planner else kept
        return Series(
            None if first is None else first.run,
            [pair.run for pair in kept],
            [pair.bare for pair in with_bare],
            kind,
        )

    best = one_series(warmup)
    first, tried = best.first, 0
    while best.is_starved and planner is None and tried < retries:
        tried += 1
        again = one_series(0)
        best = min(best, again, key=lambda series: series.contention or 0.0)
    return replace(best, first=first, retries=tried)


def made_cold(
    cold: Cold | None,
    command: Command,
    once: Callable[[Command], R],
    process: Callable[[R], ProcessRun],
    *,
    seed: Callable[[Command], R] | None = None,
) -> Callable[[], R]:
    """Make what runs a command once, cold if it is to be; what it reads and compiles is learned before the first run.

    Args:
        cold: Makes runs cold; None for runs as they come.
        command: What is run then.
        once: Runs a command.
        process: Takes what its process cost from a run.
        seed: Runs it to learn from, in place of *once*.
    """
    if cold is None:
        return lambda: once(command)
    learned = False

    def run() -> R:
        nonlocal learned
        if not learned:
            cold.learn(process((seed or once)(cold.seed)))
            learned = True
        return cold.run(lambda: once(cold.command), process)

    return run


def bare_interpreter(
    like: Command, runner: Runner, python: str | os.PathLike[str] = sys.executable
) -> Callable[[], ProcessRun | None]:
    """Make what runs an interpreter that does nothing.

    Args:
        like: Has the environment and the directory.
        runner: Runs it.
        python: The interpreter.
    """
    argv = (os.fspath(python), "-I", "-S", "-c", "pass")
    command = Command(argv=argv, env=like.env, cwd=like.cwd, stdin=None, timeout_s=DEFAULT_TIMEOUT_S)

    def run() -> ProcessRun | None:
        try:
            done = command.run(runner)
        except CannotMeasureError:
            return None
        return done if done.exit_status == 0 else None

    return run


def measurement_of(
    metric: Metric, case: Case, values_s: Sequence[float], facts: Mapping[str, Any], remarks: tuple[str, ...]
) -> Measurement:
    """Make the measurement of a series of values.

    Args:
        metric: Of the case.
        case: What was measured.
        values_s: One per run, in order.
        facts: Besides them; a fact that could not be had is None, and left out: a limit on it finds no number, and
            fails.
        remarks: Warnings.
    """
    value = median(values_s)
    spread = {"min_s": min(values_s), "p95_s": percentile(values_s, 95)}
    return Measurement(
        case=case,
        unit=metric.unit,
        better=metric.better,
        value=value,
        interval=median_interval(values_s),
        samples=tuple(values_s),
        processes=(value,),
        extra={name: fact for name, fact in {**facts, **spread}.items() if fact is not None},
        warnings=tuple(dict.fromkeys(remarks)),
    )


def costs(runs: Sequence[ProcessRun]) -> dict[str, Any]:
    """Sum up what the whole processes cost besides time: medians, None where the platform does not tell."""
    # A page that was evicted turns a minor fault into a major one: only their sum is steady.
    return {
        "cpu_s": middle(added(run.user_s, run.system_s) for run in runs),
        "user_s": middle(run.user_s for run in runs),
        "system_s": middle(run.system_s for run in runs),
        "on_cpu_s": middle(run.on_cpu_s for run in runs),
        "queued_s": middle(run.queued_s for run in runs),
        "page_faults": middle(added(run.minor_faults, run.major_faults) for run in runs),
        "major_faults": middle(run.major_faults for run in runs),
        "blocks_read": middle(run.blocks_read for run in runs),
    }


def remarks_on(runs: Sequence[ProcessRun]) -> tuple[str, ...]:
    """Say what was odd about processes: what they left running, what could not be told."""
    count = sum(run.left_behind for run in runs)
    left = f"in {count} of {len(runs)} runs processes still ran after the exit; they were killed and not measured"
    return ((left,) if count else ()) + tuple(dict.fromkeys(run.untold for run in runs if run.untold))


def added(one: float | None, other: float | None) -> float | None:
    """Add, if both are known."""
    return None if one is None or other is None else one + other


def middle(values: Iterable[float | None]) -> float | None:
    """Take the median, or None where a value is missing."""
    known: list[float] = []
    for value in values:
        if value is None:
            return None
        known.append(value)
    return median(known) if known else None
