"""The language of the ``budget`` marker and whether measurements stay within it; no verdicts."""

from __future__ import annotations

from pytest_perfgate.budgets.checks import Checked, check, impossible_speedup
from pytest_perfgate.budgets.expressions import parse_expression
from pytest_perfgate.budgets.keywords import KEYWORDS, ParsedMarker, parse_marker, parse_table
from pytest_perfgate.budgets.levels import combine, has_only_other_profiles, known_profile_problem
from pytest_perfgate.budgets.rows import idle_rows, meant_row

__all__ = [
    "KEYWORDS",
    "Checked",
    "ParsedMarker",
    "check",
    "combine",
    "has_only_other_profiles",
    "idle_rows",
    "impossible_speedup",
    "known_profile_problem",
    "meant_row",
    "parse_expression",
    "parse_marker",
    "parse_table",
]
