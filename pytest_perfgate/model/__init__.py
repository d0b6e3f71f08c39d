"""The plain data that measuring, judging and reporting share; no behaviour beyond small derived facts.

Everything is frozen.  Values are per iteration and in base units (:mod:`pytest_perfgate.units`) from construction.
"""

from __future__ import annotations

from pytest_perfgate.model.judged import (
    Budget,
    Change,
    Check,
    Comparison,
    Finding,
    Limit,
    MatchedProfile,
    Operator,
    Outcome,
    Policy,
    Profile,
    Run,
    Verdict,
)
from pytest_perfgate.model.measured import (
    DEFAULT_WORKERS,
    Better,
    Case,
    Location,
    Machine,
    Measurement,
    Plan,
    Python,
)

__all__ = [
    "DEFAULT_WORKERS",
    "Better",
    "Budget",
    "Case",
    "Change",
    "Check",
    "Comparison",
    "Finding",
    "Limit",
    "Location",
    "Machine",
    "MatchedProfile",
    "Measurement",
    "Operator",
    "Outcome",
    "Plan",
    "Policy",
    "Profile",
    "Python",
    "Run",
    "Verdict",
]
