"""What is known of each case over the rounds, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_perfgate.judge.sequential import SequentialPolicy, Standing, stand
from pytest_perfgate.model import Better, Case, Verdict
from pytest_perfgate.paired.blocks import PairRound, Shape
from pytest_perfgate.paired.line import Message

#: Rounds in which a number has to come out the same on each side to count as one that never varies.
EXACT_ROUNDS = 2


#: Where a case stands whose numbers reach zero, or below it.
_NO_RATIO = Standing(
    verdict=Verdict.INCONCLUSIVE, estimate=0.0, interval=(-math.inf, math.inf), confidence=1.0, doubt="no ratio"
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
    no_head: str = ""
    """Why head could not be measured; set, the case is done."""
    warnings: list[str] = field(default_factory=list)
    _counted: int = 0

    @property
    def spent_s(self) -> float:
        """What it has cost in all."""
        return self.measured_s + self.shared_s

    @property
    def is_done(self) -> bool:
        """Whether nothing more has to be measured."""
        return bool(self.no_base or self.no_head) or (self.standing is not None and self.standing.verdict is not None)

    @property
    def has_head(self) -> bool:
        """Whether head was measured at all."""
        return bool(self.head or self.told.get("head"))

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
        self._add(_median(measured.base_s), _median(measured.head_s), measured.log_ratio)
        self.head_samples += measured.head_s

    def add_values(self, base: Message, head: Message) -> None:
        """Add a round of two numbers."""
        self.told.setdefault("base", []).append(base)
        self.told.setdefault("head", []).append(head)
        self.better = Better(head["better"])
        self.pairs += 1
        old, new = float(base["value"]), float(head["value"])
        self._add(old, new, math.log(new / old) if old > 0 and new > 0 else None)

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
        if self.is_exact:
            self.standing = _exact(self.worsenings, self.base[0], self.head[0], tolerance)
        elif self.has_ratio:
            self.standing = stand(self.worsenings, policy, last=last)
        elif last or len(self.base) >= policy.most_rounds:
            self.standing = _NO_RATIO


def _exact(worsenings: Sequence[float], base: float, head: float, tolerance: float) -> Standing | None:
    """Judge a number that never varies; None where there is no ratio (from or to zero)."""
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


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
