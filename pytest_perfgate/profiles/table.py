"""From a table of the configuration to a profile, with every mistake in it named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pytest_perfgate import units
from pytest_perfgate.errors import ProfileError
from pytest_perfgate.model import Profile
from pytest_perfgate.profiles.conditions import ALWAYS, NEVER, PUBLIC, parse_match
from pytest_perfgate.words import did_you_mean, shown

AUTO = "auto"
_KEYS = ("match", "scale", "max_regression", "budgets")
_ALIASES = {
    **dict.fromkeys(("when", "conditions", "matches"), "match"),
    **dict.fromkeys(("factor", "multiplier"), "scale"),
    **dict.fromkeys(("tolerance", "regression", "threshold"), "max_regression"),
    **dict.fromkeys(("limits", "tests"), "budgets"),
}


def validate_profile(name: str, table: object) -> Profile:
    """Build a profile from a table of the configuration.

    A profile without ``match`` (or with ``match = "never"``) is in force only when asked for by name; one that has the
    name of a shipped profile and no ``match`` keeps the conditions of the shipped one.  ``match = "always"`` matches
    every machine.

    Args:
        name: As in ``[tool.perfgate.profiles.NAME]``.
        table: ``match``, ``scale``, ``max_regression``, ``budgets``; none of them is required.

    Returns:
        The profile; the keywords of its budgets are not looked into.

    Raises:
        ProfileError: Anything that cannot be meant, or conditions that no machine can fulfil.
    """
    try:
        _check_name(name)
        table = _table("it", table, "keys below [tool.perfgate.profiles.NAME], such as scale = 1.5")
        _check_keys(table)
        return Profile(
            name=name,
            match=_match(table["match"]) if "match" in table else {},
            scale=_scale(table.get("scale", 1.0)),
            max_regression=_tolerance(table["max_regression"]) if "max_regression" in table else None,
            budgets=_budgets(table.get("budgets", {})),
        )
    except ValueError as problem:
        raise ProfileError(f"profile {shown(name)}: {problem}") from None


def parse_tolerance(value: object) -> float:
    """Read a tolerance.

    Args:
        value: Text with a percent sign, such as ``5%``.

    Returns:
        The ratio, 0.05, finite and not negative.

    Raises:
        ValueError: It is anything else; the message shows a right value.
    """
    if not isinstance(value, str) or not value.strip().endswith("%"):
        raise ValueError(f'is not a percentage; write "{_as_percentage(value)}"')
    return units.parse_as(value, units.RATIO, example='"5%"')


def _as_percentage(value: object) -> str:
    """Guess what was meant: 5 and 0.05 are both five percent."""
    try:
        number = float(str(value))
    except ValueError:
        return "5%"
    if isinstance(value, bool) or not math.isfinite(number) or number <= 0:
        return "5%"
    return f"{number * 100 if number < 1 else number:g}%"


def _tolerance(value: object) -> float:
    try:
        return parse_tolerance(value)
    except ValueError as problem:
        raise ValueError(f"max_regression = {shown(value)} {problem}") from None


def _check_name(name: str) -> None:
    if name == AUTO:
        raise ValueError("this name means that the profile is found by itself; take another one")
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise ValueError("a name has at least one character, no blanks around it and no control characters")


def _check_keys(table: Mapping[str, object]) -> None:
    for key in table:
        if key in PUBLIC:
            raise ValueError(f'"{key}" is a condition; write match = {{{key} = {shown(table[key])}}}')
        if key not in _KEYS:
            meant = did_you_mean(key, _KEYS, _ALIASES) or f"; known are {', '.join(_KEYS)}"
            raise ValueError(f'"{key}" is not a key of a profile{meant}')


def _match(value: object) -> dict[str, Any]:
    if value in (ALWAYS, NEVER) and isinstance(value, str):
        return {value: True}
    table = _table("match", value, f'{{os = "linux", cores = "<=4"}}, or "{ALWAYS}" or "{NEVER}"')
    if not table:
        raise ValueError(
            "match is empty and would say nothing; add a condition, or leave match out for a profile that is in force "
            f'only when asked for by name, or write match = "{ALWAYS}" for every machine'
        )
    for name in table:
        if name in (ALWAYS, NEVER):
            raise ValueError(f'"{name}" is not a condition beside others; write match = "{name}"')
    parse_match(table)
    return dict(table)


def _scale(value: object) -> float:
    try:
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an integer beyond the range of floats
        number = math.inf
    if math.isfinite(number) and number > 0:
        return number
    raise ValueError(f"scale = {shown(value)} is not a finite number above 0, such as 1.5")


def _budgets(value: object) -> dict[str, dict[str, Any]]:
    example = 'rows like "tests/test_cli.py::*" = {ms = 600}'
    rows = _table("budgets", value, example)
    for pattern, keywords in rows.items():
        if not pattern.strip():
            raise ValueError(f"budgets has a row without a test; write {example}")
        _table(f"budgets.{shown(pattern)}", keywords, example)
    return {pattern: dict(keywords) for pattern, keywords in rows.items()}


def _table(what: str, value: object, example: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError(f"{what} = {shown(value)} is not a table; write {example}")
