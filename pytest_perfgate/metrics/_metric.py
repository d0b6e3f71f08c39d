"""What a metric is: a name, a unit, a direction, and perhaps a way to measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_perfgate.model import Better, Measurement


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that can be measured.

    Unit and direction belong to the metric, never to a format or a command.
    """

    name: str
    """As it stands in case ids, budgets and files."""
    unit: str
    """Base unit of its values."""
    better: Better
    """Which direction is an improvement; the plain words ``lower`` and ``higher`` will do."""
    summary: str
    """One line."""
    show_as: str = ""
    """How a ratio is written for people: ``%``, ``×`` or empty."""
    measure: Callable[..., tuple[Any, Measurement]] | None = None
    """``measure(plan, case, target, *args, **kwargs)`` returns what the target returned and the measurement; for
    metrics of other plugins, run as ``metric.run(name, target, ...)``."""

    def __post_init__(self) -> None:
        """Accept the plain words for the direction."""
        object.__setattr__(self, "better", Better(self.better))
