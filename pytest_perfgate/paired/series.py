"""What is known of each case over the rounds, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pytest_perfgate import stats
from pytest_perfgate.judge.sequential import SequentialPolicy, Standing, stand
from pytest_perfgate.model import Better, Case, Verdict
from pytest_perfgate.paired.blocks import PairRound, Shape
from pytest_perfgate.paired.line import Message
from pytest_perfgate.words import counted

#: After so many rounds it shows whether later plays are the same kind of work as first ones: not by this factor apart.
_TRIED_PLAYS, _MOST_WARMED = 3, 1.5
#: Evidence that first plays changed by more than later ones, and by more than the tolerance.
_APART = 20.0
#: Rounds in which a number has to come out the same on each side to count as one that never varies.
EXACT_ROUNDS = 2
#: ... and in which it has to do so, at least, before a difference between the sides is believed.
DIFFERENT_ROUNDS = 8


#: Where a case stands whose numbers reach zero, or below it.
_NO_RATIO = Standing(
    verdict=Verdict.INCONCLUSIVE,
    estimate=0.0,
    interval=(-math.inf, math.inf),
    confidence=1.0,
    doubt="no ratio: it reaches zero",
)


@dataclass
class Series:
    """One case over the rounds."""

    case: Case
    kind: str
    """``blocks`` (times, alternated finely) or ``value`` (one number per process)."""
    shape: Shape | None = None
    better: Better = Better.LOWER
    log_ratios: list[float] = field(default_factory=list)
    """log(head / base), one for each round that has one."""
    base: list[float] = field(default_factory=list)
    """One value for each round: of blocks, the median in seconds per iteration."""
    head: list[float] = field(default_factory=list)
    head_samples: list[float] = field(default_factory=list)
    """Every block of head's, in seconds per iteration."""
    told: dict[str, list[Message]] = field(default_factory=dict)
    """Side -> what it measured, of values and of what was measured alone."""
    facts: dict[str, list[Message]] = field(default_factory=dict)
    """Side -> what each of its processes knew besides times, of blocks: ``extra`` and ``warnings``."""
    pairs: int = 0
    shared_s: float = 0.0
    """Its share of what its test took beside measuring; the start of workers is not in it."""
    measured_s: float = 0.0
    """Of it, in which its own blocks ran."""
    misses: int = 0
    """How many times in a row its test was played and gave nothing for it."""
    is_out_of_time: bool = False
    """Whether it has used up what one case may take."""
    standing: Standing | None = None
    no_base: str = ""
    """Why there is nothing to compare with; set, the case is done."""
    other_meaning: str = ""
    """Why the numbers of base and head do not mean the same; set, the case is done."""
    no_head: str = ""
    """Why head could not be measured; set, the case is done."""
    warnings: list[str] = field(default_factory=list)
    is_played_once: bool = False
    """Whether later plays of its test in one process measure something else than the first one."""
    _counted: int = 0
    _plays: list[tuple[float, float]] = field(default_factory=list)
    """Of a value in this round: base and head, one for each time the test was played."""
    _played_ratios: list[tuple[float, float, float]] = field(default_factory=list)
    """Of each round with several plays: log ratio of the first, that of the others, their time over its time."""

    @property
    def spent_s(self) -> float:
        """What it has cost in all."""
        return self.measured_s + self.shared_s

    @property
    def is_done(self) -> bool:
        """Whether nothing more has to be measured."""
        obstacle = self.no_base or self.other_meaning or self.no_head
        return bool(obstacle) or (self.standing is not None and self.standing.verdict is not None)

    @property
    def has_head(self) -> bool:
        """Whether head was measured at all."""
        return bool(self.head or self.told.get("head"))

    @property
    def is_replayed(self) -> bool:
        """Whether its test is worth playing several times in one process: for the time of its own call."""
        return self.kind == "value" and self.case.metric == "call" and not self.is_played_once and not self.is_done

    @property
    def is_exact(self) -> bool:
        """Whether the number never varies within a side: it is then compared as it is."""
        return (
            self.kind == "value"
            and len(self.base) >= EXACT_ROUNDS
            and len(set(self.base)) == 1
            and len(set(self.head)) == 1
        )

    @property
    def has_ratio(self) -> bool:
        """Whether every round so far has a ratio."""
        return len(self.log_ratios) == len(self.base)

    @property
    def worsenings(self) -> list[float]:
        """The log ratios, signed so that more is worse."""
        return [-ratio for ratio in self.log_ratios] if self.better is Better.HIGHER else list(self.log_ratios)

    def add_blocks(self, measured: PairRound) -> None:
        """Add a round of blocks."""
        self.shape = measured.shape
        self.pairs += len(measured.base_s)
        self._add(stats.median(measured.base_s), stats.median(measured.head_s), measured.log_ratio)
        self.head_samples += measured.head_s

    def add_values(self, base: Message, head: Message) -> None:
        """Add a round of two numbers."""
        self.add_play(base, head)
        self.end_round()

    def add_play(self, base: Message, head: Message) -> None:
        """Add two numbers of one play of the test; :meth:`end_round` makes a round of them."""
        self.told.setdefault("base", []).append(base)
        self.told.setdefault("head", []).append(head)
        self.better = Better(head["better"])
        self.other_meaning = self.other_meaning or _differing(base, head)
        self.pairs += 1
        self._plays.append((float(base["value"]), float(head["value"])))

    def end_round(self) -> None:
        """Make one round of what the plays of the test in this pair of processes gave."""
        if not self._plays:
            return
        first, *others = self._plays
        self._plays = []
        ratios = [_log_ratio(play) for play in (first, *others)]
        known = [ratio for ratio in ratios if ratio is not None]
        if others and not self._played_ratios:  # the rounds before showed what kind of test it is
            for values in (self.base, self.head, self.log_ratios):
                values.clear()
        if others and len(known) == len(ratios):
            took = stats.median([max(old, new) for old, new in others]) / max(*first)
            self._played_ratios.append((known[0], stats.median(known[1:]), took))
        # What is held against a budget is the first play, as in any run.
        self._add(*first, stats.median(known) if len(known) == len(ratios) and not self.is_played_once else ratios[0])

    def _check_plays(self, limit: float) -> None:
        """Go back to first plays where they show another change than later ones, or are another kind of work."""
        if self.is_played_once or len(self._played_ratios) < _TRIED_PLAYS:
            return
        apart = self._apart
        evidence = max(stats.e_value(apart, limit), stats.e_value([-one for one in apart], limit))
        took = stats.median([took for _, _, took in self._played_ratios])
        if evidence >= _APART or not 1 / _MOST_WARMED < took < _MOST_WARMED:
            self.is_played_once = True
            self.log_ratios[:] = [one for one, _, _ in self._played_ratios]
            self.base, self.head = self.base[-len(self.log_ratios) :], self.head[-len(self.log_ratios) :]

    @property
    def _apart(self) -> list[float]:
        """By how much more first plays got worse than later ones, one for each round."""
        return [first - later for first, later, _ in self._played_ratios]

    def _held_back(self, standing: Standing, tolerance: float, *, last: bool) -> Standing:
        """Let nothing pass by its later plays while first plays look worse by more than the tolerance."""
        if self.is_played_once or not self._played_ratios or standing.verdict not in (Verdict.PASS, Verdict.IMPROVED):
            return standing
        worse = stats.median(self._apart)
        if worse <= math.log1p(tolerance):
            return standing
        doubt = f"the first call in a process changed by {math.expm1(worse) * 100:+.1f} % more than later ones"
        return replace(standing, verdict=Verdict.INCONCLUSIVE if last else None, doubt=doubt)

    def add_facts(self, base: Sequence[Message], head: Sequence[Message]) -> None:
        """Add what both processes of a round told of their cases; nothing if it is not of this one, on both sides."""
        mine = (self.case.metric, self.case.name)
        told = {"base": base, "head": head}
        found = {side: [one for one in facts if (one["metric"], one["name"]) == mine] for side, facts in told.items()}
        if all(found.values()):
            for side, facts in found.items():
                self.facts.setdefault(side, []).append(facts[0])

    def _add(self, base: float, head: float, log_ratio: float | None) -> None:
        self.base.append(base)
        self.head.append(head)
        if log_ratio is not None:
            self.log_ratios.append(log_ratio)

    def count_play(self) -> None:
        """Note that its test was played to the end."""
        self.misses = 0 if len(self.base) > self._counted else self.misses + 1
        self._counted = len(self.base)

    def seems_worse(self, tolerance: float) -> bool:
        """Tell whether it is undecided only for want of rounds: each one so far is worse by more than the tolerance.

        From or to zero every change is.
        """
        if self.is_done or not self.base:
            return False
        if not self.log_ratios:
            return self.is_exact and self.base[0] != self.head[0]
        return self.has_ratio and min(self.worsenings) > math.log1p(tolerance)

    def look(self, policy: SequentialPolicy, tolerance: float, *, last: bool = False) -> None:
        """Find out where the case stands.

        Args:
            policy: For what varies.
            tolerance: For what does not.
            last: Whether time is up.
        """
        if self.is_done:
            return
        if not self.base:
            if last:
                self.no_head = "the test does not measure it on both sides"
            return
        self._check_plays(policy.limit)
        if self.is_exact:
            found = _exact(self.worsenings, self.base[0], self.head[0], tolerance)
            missing = rounds_to_differ(policy) - len(self.base)
            if found.verdict is Verdict.PASS or missing <= 0:
                self.standing = found
            elif last:
                self.standing = replace(found, verdict=Verdict.INCONCLUSIVE, doubt=_not_yet(missing), missing=missing)
        elif self.has_ratio:
            is_last = last or len(self.log_ratios) >= policy.most_rounds
            self.standing = self._held_back(stand(self.worsenings, policy, last=last), tolerance, last=is_last)
        elif last or len(self.base) >= policy.most_rounds:
            self.standing = _NO_RATIO


def rounds_to_differ(policy: SequentialPolicy) -> int:
    """Return in how many rounds each side must keep to one value before a difference between them is believed.

    A number that takes one of two values by chance, one of them with probability p, looks like one that never varies
    and differs in n rounds with probability 2 (p (1 - p))^n, which is at most 2 * 4^-n: 1 in 8 after 2 rounds, 1 in
    32,768 after 8.  All cases together shall err no more often than those that vary do.
    """
    return max(DIFFERENT_ROUNDS, math.ceil((1 + math.log2(policy.cases / policy.alpha)) / 2))


def _not_yet(missing: int) -> str:
    """Say what would settle a difference that has not been seen often enough."""
    pairs = counted(missing, "more process pair")
    return f"each side gave one number so far, which may be chance; {pairs} would settle it"


def _exact(worsenings: Sequence[float], base: float, head: float, tolerance: float) -> Standing:
    """Judge a number that never varies."""
    if base == head:
        estimate = 0.0
    elif worsenings:
        estimate = worsenings[-1]
    else:
        return _NO_RATIO
    limit = math.log1p(tolerance)
    rounding = 1e-9
    verdict = Verdict.PASS
    if estimate > limit + rounding:
        verdict = Verdict.REGRESSED
    elif estimate < -limit - rounding:
        verdict = Verdict.IMPROVED
    return Standing(verdict=verdict, estimate=estimate, interval=(estimate, estimate), confidence=1.0, doubt="")


def _differing(base: Message, head: Message) -> str:
    """Say in what two numbers mean something else, so that a ratio would say nothing; empty when they do not."""
    meanings = [
        (
            f"unit {one.get('unit') or 'none'}",
            f"{one['better']} is better",
            f"statistic {one.get('statistic') or 'none'}",
        )
        for one in (base, head)
    ]
    differing = [pair for pair in zip(*meanings, strict=True) if pair[0] != pair[1]]
    if not differing:
        return ""
    old, new = (", ".join(words) for words in zip(*differing, strict=True))
    return f"the base measured something else: {old}; head: {new}"


def _log_ratio(play: tuple[float, float]) -> float | None:
    old, new = play
    return math.log(new / old) if old > 0 and new > 0 else None
