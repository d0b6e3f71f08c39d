"""What a metric is: a name, a unit, a direction, and perhaps a way to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_perfgate.model import Better, Case, Measurement


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

    def one_value(
        self,
        case: Case,
        value: float,
        extra: Mapping[str, Any],
        *,
        doubt: str | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Measurement:
        """Make the measurement of a number that is had once.

        Args:
            case: What was measured.
            value: In the base unit.
            extra: Facts besides it.
            doubt: Why it must not be judged.
            warnings: What a person should know of it.
        """
        return Measurement(
            case=case,
            unit=self.unit,
            better=self.better,
            statistic="value",
            value=value,
            samples=(value,),
            processes=(value,),
            extra=dict(extra),
            doubt=doubt,
            warnings=warnings,
        )

    def __post_init__(self) -> None:
        """Accept the plain words for the direction."""
        object.__setattr__(self, "better", Better(self.better))
