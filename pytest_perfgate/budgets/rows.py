"""The rows of a profile's budget table: which one speaks of a test, and which speak of none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_perfgate.model import Profile
from pytest_perfgate.words import closest, is_pattern, matches


def row_for(profile: Profile, test: str) -> str | None:
    """Find the row of the profile's table that speaks of a test.

    Args:
        profile: The profile in force.
        test: Node id.

    Returns:
        The test's id or its function's where there is such a row, else the first pattern that matches; None without.
    """
    function = without_parameters(test)
    exact = (name for name in (test, function) if name in profile.budgets)
    patterns = (row for row in profile.budgets if matches(row, test) or ("[" not in row and matches(row, function)))
    return next(exact, None) or next(patterns, None)


def idle_rows(profile: Profile, tests: Sequence[str]) -> list[str]:
    """List the rows of the profile's table that match none of *tests*, in the order written."""
    functions = dict.fromkeys(map(without_parameters, tests))
    whole, either = set(tests), {*tests, *functions}

    def is_idle(row: str) -> bool:
        names: Iterable[str] = whole if "[" in row else either
        return row not in names and not (is_pattern(row) and any(matches(row, name) for name in names))

    return [row for row in profile.budgets if is_idle(row)]


def meant_row(row: str, tests: Sequence[str]) -> str:
    """Find what a row that matches no test was probably meant to be.

    The file is looked for first and the test within it, or of that name elsewhere: to compare with every test of a
    large suite takes seconds.

    Args:
        row: As it stands in the table.
        tests: Node ids.

    Returns:
        A node id, or the row with another file; empty when nothing is close.
    """
    file, separator, name = row.partition("::")
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    meant = file if file in files else closest(file, files) if not is_pattern(file) else ""
    if is_pattern(name) or not separator:
        return f"{meant}{separator}{name}" if meant not in ("", file) else ""
    ids = dict.fromkeys(tests if "[" in row else map(without_parameters, tests))
    near = [one for one in ids if one.startswith(f"{meant}::") or one.endswith(f"::{name}")]
    return closest(row, near)


def without_parameters(test: str) -> str:
    """Cut ``[...]`` off a node id; folders may have brackets in their names, functions cannot."""
    path, separator, names = test.partition("::")
    return path + separator + names.partition("[")[0]
