"""What is to be run, and what one sees of it meanwhile; how is for :mod:`.remote` and :mod:`.here`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run."""

    argv: Sequence[str]
    env: Mapping[str, str]
    """The whole environment."""
    cwd: str
    stdin: bytes | None
    timeout_s: float | None
    """None for never."""
    tell: str = ""
    """What to hear of while it runs: ``start``, ``output`` (and the start), or nothing."""


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a process writes."""

    at_ns: int
    """When it came, on the clock of :func:`time.perf_counter_ns`."""
    data: bytes
    stream: int
    """0 for stdout, 1 for stderr."""


class Session(Protocol):
    """A process that runs."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def started_ns(self) -> int:
        """On the clock of :func:`time.perf_counter_ns`."""

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """What it did and cost; None while it runs."""

    def output(self, timeout_s: float) -> Output | None:
        """Wait for output or for the end; None when nothing came in time, or it is over."""

    def signal(self, number: int) -> None:
        """Send a signal to its group; 0 kills it with everything that it started."""

    def end(self) -> Mapping[str, Any]:
        """Wait for the end, and say what it did and cost."""
