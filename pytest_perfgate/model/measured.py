"""What is measured, on which machine: plain data that knows of no limit and no verdict."""

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
