"""The plain data that measuring, judging and reporting share; no behaviour beyond small derived facts.

Everything is frozen.  Values are per iteration and in base units (:mod:`pytest_perfgate.units`) from construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: Workers of a ``speedup(...)`` call that names none: those who read the call and those who make it agree.
DEFAULT_WORKERS = 4


class Better(str, Enum):
    """Which direction of a metric is an improvement."""

    LOWER = "lower"
    HIGHER = "higher"


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


@dataclass(frozen=True, slots=True)
class Case:
    """Identity of one measured thing: a test, a metric and, where there are several, a name."""

    test: str
    """Node id of the test."""
    metric: str
    """Such as ``perf``, ``startup.command``, ``memory.growth``, ``call``, or a custom metric's name."""
    name: str = ""
    """Tells two cases of one test and metric apart; empty for the only one."""

    @property
    def id(self) -> str:
        """``tests/test_a.py::test_b[x]#perf`` or ``...#perf:parse``."""
        return f"{self.test}#{self.metric}" + (f":{self.name}" if self.name else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure.  None leaves the choice to the metric."""

    rounds: int | None = None
    """Rounds to keep, >= 1."""
    iterations: int | None = None
    """Calls per round, >= 1."""
    warmup: int | None = None
    """Rounds (for commands: runs) thrown away first, >= 0."""
    max_time_s: float = 3.0
    """Most seconds spent on one case, warm-up included; a call under way is not cut off."""
    timeout_s: float = 300.0
    """A measurement that takes longer hangs and is given up; 0 means never."""
    calibrated: bool = False
    """Whether calibration runs between the rounds; for values that are stored or compared, of no use to budgets."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a test is written."""

    file: str
    """Seen from pytest's root folder, with ``/``."""
    line: int | None = None
    """Of its ``def``, from 1; None when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured for one case, or why it could not be."""

    case: Case
    unit: str
    """Base unit of every value: ``s``, ``B``, ``B/call``, ``ratio``, ``count`` or a word of the user's own."""
    better: Better = Better.LOWER
    statistic: str = "median"
    """How *value* was taken from *samples*: ``median``, ``value`` (a single number), ``rate`` ..."""
    value: float | None = None
    """The headline number, finite; None exactly when *error* is set."""
    interval: tuple[float, float] | None = None
    """95 % interval of *value* within this process, or None where one number was read."""
    samples: tuple[float, ...] = ()
    """Every round's value, in the order measured."""
    iterations: int = 1
    """Calls of the target per round."""
    processes: tuple[float, ...] = ()
    """The *value* of each fresh process this measurement comes from; one entry unless runs were merged."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More facts, JSON types only; the name tells the unit: ``cpu_s``, ``peak_bytes``, ``modules`` (a count)."""
    show_as: str = ""
    """How a ratio is written for people: ``%``, ``×`` or empty."""
    ceiling: float | None = None
    """The largest value this machine can give (``speedup``: min of workers and cores); None when unbounded."""
    group: str | None = None
    """For display only: the group of ``@pytest.mark.benchmark(group=...)``."""
    error: str | None = None
    """Why nothing could be measured, one sentence."""
    doubt: str | None = None
    """Why the number must not be judged, one sentence; makes the verdict inconclusive."""
    warnings: tuple[str, ...] = ()
    location: Location | None = None
    """Where the test is written; None when nobody said."""

    @property
    def rounds(self) -> int:
        """How many values were kept."""
        return len(self.samples)


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
class Machine:
    """Facts about the machine, as far as the process may use it."""

    os: str
    """``linux``, ``macos``, ``windows`` or what :func:`platform.system` says, in lower case."""
    os_release: str
    arch: str
    cpu: str
    """Model name."""
    cores: float
    """Cores this process may use: affinity and cgroup quota counted, so 1.5 is possible."""
    cores_total: int
    memory_bytes: int
    """Memory this process may use: cgroup limit counted."""
    memory_total_bytes: int
    on_battery: bool = False
    ci: str | None = None
    """Name of the hosted CI, or None."""
    hostname: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What plugins add through ``pytest_perfgate_machine_info``, JSON types only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """The interpreter that measured."""

    implementation: str
    version: str
    """Full, such as ``3.13.0``."""
    build: str = ""
    """``free-threaded``, ``debug`` or empty: builds that cannot be compared with the ordinary one."""

    @property
    def series(self) -> str:
        """What must be equal for two runs to be comparable: ``CPython 3.13 free-threaded``."""
        short = ".".join(self.version.split(".")[:2])
        return f"{self.implementation} {short} {self.build}".rstrip()


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
