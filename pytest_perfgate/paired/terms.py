"""What goes into a paired comparison and what comes out of it, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_perfgate.judge.sequential import Standing, stands_out
from pytest_perfgate.paired.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the user asked for."""

    tolerance: Callable[[str], float]
    """Node id -> tolerance of the test, as a ratio."""
    most_case_s: float
    """Most seconds spent on one case, its share of running its test included, the start of workers left out."""
    most_run_s: float
    """Most seconds spent on all of them."""
    timeout_s: float | None
    """Patience with a block, and with a test between its cases; None for ever."""
    processors: tuple[int, ...]
    """That workers may be bound to; empty where that is not possible."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a comparison is."""

    round: int
    undecided: int
    cases: int
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a comparison came to."""

    series: tuple[Series, ...]
    rounds: int
    elapsed_s: float
    control: tuple[float, ...]
    """log ratios of base against base."""
    contaminated: str = ""
    """Why no change that the run found is to be believed; empty when they are."""

    def doubts(self, standing: Standing, tolerance: float) -> bool:
        """Tell whether a change is not to be believed, because base against itself shows as much."""
        return bool(self.contaminated) and not stands_out(standing, self.control, tolerance)
