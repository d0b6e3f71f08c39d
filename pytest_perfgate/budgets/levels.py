"""From the markers at a test, its classes and its module, and the profile's table, to one budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from pytest_perfgate import units
from pytest_perfgate.budgets.contradictions import agreeing
from pytest_perfgate.budgets.keywords import ParsedMarker, parse_table
from pytest_perfgate.budgets.limits import described
from pytest_perfgate.budgets.rows import row_for
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Budget, Limit, Profile
from pytest_perfgate.words import did_you_mean, matches

_Value = TypeVar("_Value")

#: Profiles have short names: "c1" shares half of its letters with "ci".
_ALIKE = 0.5


def combine(levels: Sequence[Sequence[ParsedMarker]], *, profile: Profile, test: str) -> Budget | None:
    """Combine everything that is asked of one test on one profile.

    Within a level the first marker whose ``profile=`` matches stands alone; without one, all
    markers for every profile do.  An outer level adds only what no inner one sets.  The first entry
    of the profile's table that speaks of the test (its id, then patterns in order) overrides what
    markers for every profile ask, and only the time limits that still come from those are scaled.

    Args:
        levels: Closest first (function with its parameters, classes, module); each level's markers
            in reading order.
        profile: The profile in force.
        test: Node id.

    Returns:
        The budget, or None when nothing is asked on this profile.

    Raises:
        BudgetSyntaxError: Limits contradict each other, or the table's entry is malformed.
    """
    entry = _table_entry(profile, test)
    return _combined(tuple(map(tuple, levels)), entry, profile.name, profile.scale)


@lru_cache(maxsize=256)  # a parametrised test asks the same a thousand times
def _combined(
    levels: tuple[tuple[ParsedMarker, ...], ...], entry: ParsedMarker | None, name: str, scale: float
) -> Budget | None:
    chosen = [found for level in levels if (found := _choose(level, name))]
    if entry is None and not chosen:
        return None
    own, general = Budget(), Budget()
    for markers in chosen:
        fresh = _without(_merged(markers), _filled(own, general))
        if markers[0].profiles:
            own = _filled(own, fresh)
        else:
            general = _filled(general, fresh)
    own = _filled(own, entry.budget if entry else Budget())
    general = _without(general, own)
    scaled = _scaled(general, scale)
    budget = _filled(own, scaled)
    agreeing((limit, described(limit)) for limit in budget.limits)
    is_own = own != Budget() or scaled != general
    return replace(budget, profile=name if is_own else None)


def has_only_other_profiles(levels: Sequence[Sequence[ParsedMarker]], profile: Profile) -> bool:
    """Tell whether a test has markers, and every one of them is for other profiles than this."""
    return any(levels) and not any(_choose(level, profile.name) for level in levels)


def known_profile_problem(marker: ParsedMarker, known_names: Iterable[str]) -> str | None:
    """Say which profile of a marker matches none that exists.

    Args:
        marker: The marker.
        known_names: Every profile, shipped and the user's.

    Returns:
        One sentence with the name that was probably meant, or None.
    """
    names = list(known_names)
    for pattern in marker.profiles:
        if not any(matches(pattern, name) for name in names):
            return (
                f'profile="{pattern}" matches no profile{did_you_mean(pattern, names, cutoff=_ALIKE)}'
                f" (known are {', '.join(names) or 'none'})"
            )
    return None


def _choose(level: Sequence[ParsedMarker], name: str) -> list[ParsedMarker]:
    for marker in level:
        if any(matches(pattern, name) for pattern in marker.profiles):
            return [marker]
    return [marker for marker in level if not marker.profiles]


def _table_entry(profile: Profile, test: str) -> ParsedMarker | None:
    row = row_for(profile, test)
    return None if row is None else parse_table(row, profile.budgets[row])


# -- budgets as sets of keys


def _merged(markers: Sequence[ParsedMarker]) -> Budget:
    """Merge the markers that stand together at one level."""
    budgets = [marker.budget for marker in markers]
    return Budget(
        limits=agreeing((limit, described(limit)) for each in budgets for limit in each.limits),
        forbid=tuple(dict.fromkeys(module for each in budgets for module in each.forbid)),
        rounds=_only("rounds", (each.rounds for each in budgets)),
        max_regression=_only("max_regression", (each.max_regression for each in budgets)),
    )


def _only(name: str, values: Iterable[_Value | None]) -> _Value | None:
    found = [value for value in values if value is not None]
    if any(value != found[0] for value in found):
        raise BudgetSyntaxError(f"two markers at one level set {name}= to different values; keep one")
    return found[0] if found else None


def _keys(budget: Budget) -> set[str]:
    return {limit.key for limit in budget.limits}


def _filled(inner: Budget, outer: Budget) -> Budget:
    """Add to *inner* what only *outer* sets."""
    keys = _keys(inner)
    return Budget(
        limits=inner.limits + tuple(limit for limit in outer.limits if limit.key not in keys),
        forbid=inner.forbid or outer.forbid,
        rounds=outer.rounds if inner.rounds is None else inner.rounds,
        max_regression=outer.max_regression if inner.max_regression is None else inner.max_regression,
    )


def _without(budget: Budget, taken: Budget) -> Budget:
    """Remove from *budget* what *taken* sets."""
    keys = _keys(taken)
    return Budget(
        limits=tuple(limit for limit in budget.limits if limit.key not in keys),
        forbid=() if taken.forbid else budget.forbid,
        rounds=budget.rounds if taken.rounds is None else None,
        max_regression=budget.max_regression if taken.max_regression is None else None,
    )


def _scaled(budget: Budget, scale: float) -> Budget:
    if scale == 1:
        return budget
    return replace(budget, limits=tuple(_scaled_limit(limit, scale) for limit in budget.limits))


def _scaled_limit(limit: Limit, scale: float) -> Limit:
    if limit.unit != units.SECONDS or not limit.operator.is_upper:
        return limit
    value = limit.value * scale
    subject, operator, written = limit.text.partition(f" {limit.operator.value} ")
    shown = units.format_value(value, units.SECONDS, digits=6).replace(" ", "")
    return replace(limit, value=value, text=f"{subject}{operator}{shown} ({written} × {scale:g})")
