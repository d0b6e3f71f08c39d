"""What is asked of measurements and what is said of them: limits, changes, verdicts, a whole run; plain data, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pytest_perfgate.model.measured import Better, Case, Machine, Measurement, Python


class Verdict(str, Enum):
    """What is said of one case.  The closed list; the values are those of the JSON report."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    IMPROVED = "improved"
    OVER_BUDGET = "over-budget"
    REGRESSED = "regressed"
    MISSING = "missing"
    NO_BASELINE = "no-baseline"
    INCONCLUSIVE = "inconclusive"
    INCOMPARABLE = "incomparable"
    FAILED_TO_MEASURE = "failed-to-measure"


class Outcome(str, Enum):
    """What is said of a whole run (``summary.verdict``)."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Operator(str, Enum):
    """How a value is held against a limit."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

    @property
    def is_upper(self) -> bool:
        """Whether the limit is one that values must stay under."""
        return self in (Operator.LT, Operator.LE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One absolute limit: ``[metric] statistic operator value``."""

    metric: str | None
    """Metric, ``metric:name`` of one case, or extra fact it speaks of; None: whatever the test measured in *unit*."""
    statistic: str
    """``min max mean median stddev count rate value`` or ``p`` with *percentile* set; ``value`` is the headline."""
    percentile: float | None = None
    """0 to 100, with ``p`` only."""
    operator: Operator
    value: float
    """In the base unit *unit*, finite, not negative."""
    unit: str
    """Base unit; ``count`` for a bare number."""
    text: str
    """The limit as a person would write it: ``median <= 400ms``."""
    key: str
    """Two limits with one key contradict or override each other: ``ms``, ``speedup``, ``median <`` ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Everything that one or more ``budget`` markers ask of a test on the current profile."""

    limits: tuple[Limit, ...] = ()
    forbid: tuple[str, ...] = ()
    """Modules that must not be imported; a package forbids what is inside it."""
    rounds: int | None = None
    """Repetitions of the call phase of a plain test; None means once."""
    max_regression: float | None = None
    """Tolerance of this test, as a ratio (0.03 for 3 %); None: the run's."""
    profile: str | None = None
    """Name of the profile whose own value applied, for messages; None when the limits are general."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing absolute is asked."""
        return not self.limits and not self.forbid


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One limit held against one measurement."""

    expression: str
    """The limit as written: ``median <= 400ms``."""
    limit: float | None
    """In *unit*; None for ``forbid``."""
    unit: str
    operator: Operator | None
    """None for ``forbid``."""
    observed: float | None
    """In *unit*; None when the limit speaks of something that was not measured."""
    holds: bool
    profile: str | None = None
    """Profile whose own value applied, or None."""
    reason: str = ""
    """One sentence; empty when it holds without remark."""
    undecidable: str = ""
    """Why this machine cannot tell (a speedup above its cores); makes the verdict inconclusive, not failed."""

    @property
    def closeness(self) -> float:
        """How close the value is to its limit: 1 at the limit, more beyond it, 0 far inside; for sorting."""
        if self.observed is None or self.limit is None or self.operator is None:
            return 0.0 if self.holds else float("inf")
        upper = self.operator.is_upper
        inside, outside = (self.observed, self.limit) if upper else (self.limit, self.observed)
        if outside <= 0:
            return 0.0 if inside <= 0 else float("inf")
        return max(0.0, inside / outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How much a case moved against a base or a baseline."""

    ratio: float
    """head / base, > 0."""
    interval: tuple[float, float]
    """Of the ratio, at *confidence*."""
    tolerance: float
    """Relative, 0.05 for 5 %."""
    confidence: float
    """In (0, 1)."""
    against: str
    """What it was compared with: a file, a revision."""
    better: Better = Better.LOWER
    pairs: int | None = None
    """Pairs of blocks, in a paired comparison."""
    processes: int = 2
    """Fresh processes on both sides together."""
    doubt: str = ""
    """Why the interval is as wide as it is and what would settle it; used when the verdict is inconclusive."""
    calibrated: bool = False
    """Whether the ratio is one of values divided by the calibration beside them, not of the values themselves."""
    settled: Verdict | None = None
    """What a sequential test came to, which looks at more than the interval; None: the interval decides."""

    @property
    def worsening(self) -> float:
        """Relative change signed so that more is worse: +0.08 is 8 % worse."""
        return self.ratio - 1 if self.better is Better.LOWER else 1 / self.ratio - 1

    @property
    def worsening_interval(self) -> tuple[float, float]:
        """The interval of :attr:`worsening`, lower end first."""
        low, high = self.interval
        if self.better is Better.LOWER:
            return low - 1, high - 1
        return 1 / high - 1, (1 / low - 1 if low > 0 else float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a stored run says about one case: a change, or why there is none."""

    change: Change | None = None
    verdict: Verdict | None = None
    """Set when there is no change to judge: no-baseline, incomparable, missing, inconclusive."""
    reason: str = ""
    """One sentence for *verdict*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One case's verdict with its numbers and its reason."""

    measurement: Measurement
    verdict: Verdict
    reason: str
    """One sentence: what was found, against what limit, on which evidence, what to do."""
    checks: tuple[Check, ...] = ()
    change: Change | None = None
    warnings: tuple[str, ...] = ()
    """The measurement's warnings, the judge's remarks and what plugins added."""

    @property
    def case(self) -> Case:
        """The case this speaks of."""
        return self.measurement.case

    @property
    def tightest(self) -> Check | None:
        """The check closest to, or furthest beyond, its limit; None without limits."""
        return max(self.checks, key=lambda check: (not check.holds, check.closeness), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named class of machines with its own budgets and tolerance."""

    name: str
    match: Mapping[str, Any] = field(default_factory=dict)
    """Conditions, all of which must hold: ``env os cores memory cpu python ci battery arch hostname``."""
    scale: float = 1.0
    """Every time budget without its own value here is multiplied by it."""
    max_regression: float | None = None
    """As a ratio; None: the general one."""
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Node id or pattern with ``*`` and ``?`` -> keywords of the ``budget`` marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedProfile:
    """The profile in force and what made it so."""

    profile: Profile
    matched_by: str
    """Such as ``--perfgate-profile ci``, ``GITHUB_ACTIONS=true, cores 4 <= 4``, ``plugin``."""
    warning: str = ""
    """What the user should know (no profile of theirs matched), or empty."""

    @property
    def name(self) -> str:
        """Name of the profile."""
        return self.profile.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which verdicts fail."""

    strict: bool = False
    """Whether missing, inconclusive and incomparable results fail as well."""

    def fails(self, verdict: Verdict) -> bool:
        """Tell whether *verdict* fails the test or the gate."""
        if verdict in (Verdict.OVER_BUDGET, Verdict.REGRESSED, Verdict.FAILED_TO_MEASURE):
            return True
        unsettled = (Verdict.MISSING, Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE)
        return self.strict and verdict in unsettled


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All findings of one session, with the machine they come from: one file."""

    findings: tuple[Finding, ...]
    machine: Machine
    profile: str
    profile_matched_by: str
    python: Python
    commit: Mapping[str, Any] | None = None
    """``id``, ``branch``, ``dirty``; None outside a repository."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What was in force, JSON types only; ``strict`` decides the summary."""
    started: str = ""
    """ISO 8601 with an offset."""
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()
    """Whole-run remarks: nothing measured, other machine, profile unknown."""
    failures: tuple[str, ...] = ()
    """Whole-run reasons to fail that belong to no case: nothing was measured though something should have been."""

    @property
    def measured(self) -> int:
        """How many cases have a number."""
        return sum(finding.measurement.value is not None for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """Verdict -> number of cases, in the order of :class:`Verdict`, zeros left out."""
        found = [finding.verdict for finding in self.findings]
        return {verdict.value: found.count(verdict) for verdict in Verdict if verdict in found}

    @property
    def lacks_comparison(self) -> bool:
        """Whether a build was to compare and had nothing to compare with, which the outcome does not know."""
        return self.settings.get("comparison") == "none"

    @property
    def outcome(self) -> Outcome:
        """The verdict on the whole run: nothing measured is an error, then fail, inconclusive, pass."""
        policy = Policy(strict=bool(self.settings.get("strict", False)))
        verdicts = {finding.verdict for finding in self.findings}
        if not self.measured:
            return Outcome.ERROR
        if self.failures or any(policy.fails(verdict) for verdict in verdicts):
            return Outcome.FAIL
        if verdicts & {Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE, Verdict.MISSING}:
            return Outcome.INCONCLUSIVE
        return Outcome.PASS
