"""From the markers and fixtures of a collected test to its budget and to what it is expected to measure."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pytest_perfgate.budgets import ParsedMarker
    from pytest_perfgate.model import Budget, Profile

#: Fixtures that measure when they are called.
METERS = frozenset({"perf", "startup", "speedup", "memory", "metric", "benchmark"})
#: Those of them that occupy the machine while they do.
TIMED_METERS = METERS - {"metric"}
#: Where they are defined: here, or by those whose ``benchmark`` ours makes way for.
_HOMES = frozenset({"pytest_perfgate", "pytest_benchmark", "pytest_codspeed"})
#: What pytest-benchmark and pytest-codspeed let their marker say.
_BENCHMARK_OPTIONS = (
    *("group", "max_time", "min_time", "min_rounds", "max_rounds", "timer", "disable_gc", "warmup", "warmup_time"),
    *("warmup_iterations", "calibration_precision", "cprofile", "cprofile_loops", "cprofile_top", "cprofile_dump"),
)


class MarkerReader:
    """Reads the budget markers of items, each marker once however many items share it.

    Args:
        marker: Name of the marker, ``budget`` unless the project renamed it.
        known_profiles: Every profile name that may be meant; None when plugins may choose others.
    """

    def __init__(self, marker: str, known_profiles: Sequence[str] | None) -> None:
        self._marker = marker
        self._known_profiles = known_profiles
        self._parsed: dict[int, tuple[pytest.Mark, ParsedMarker]] = {}

    def validate(self, items: Iterable[pytest.Item]) -> None:
        """Parse every budget marker of *items*.

        Raises:
            pytest.UsageError: Naming test, text and column of the first marker that cannot be meant.
        """
        for item in items:
            self.levels(item)

    def levels(self, item: pytest.Item) -> list[list[ParsedMarker]]:
        """Parse the item's markers: closest level first, each in reading order.

        Raises:
            pytest.UsageError: Naming test, text and column.
        """
        try:
            return [[self._parse(mark) for mark in marks] for marks in self._marks_by_level(item)]
        except UsageError as problem:
            raise self._usage_error(item, problem) from None

    def marks(self, item: pytest.Item) -> list[pytest.Mark]:
        """Return the item's budget markers as they are now."""
        return list(item.iter_markers(self._marker))

    def budget(self, item: pytest.Item, profile: Profile, test: str) -> Budget | None:
        """Combine the item's markers with the profile's own table into its budget; None without any.

        Args:
            item: Whose.
            profile: In force.
            test: The name of the item that the rows of the table speak of.

        Raises:
            pytest.UsageError: Naming test, text and column; also for a speedup above the workers asked for.
        """
        from pytest_perfgate.budgets import combine

        levels = self.levels(item)
        if not levels and not profile.budgets:
            return None
        try:
            budget = combine(levels, profile=profile, test=test)
            if budget is not None:
                for workers in workers_asked_for(item):
                    refuse_impossible(budget, workers)
        except UsageError as problem:
            raise self._usage_error(item, problem) from None
        return budget

    def speaks_of_other_profiles(self, item: pytest.Item, profile: Profile) -> bool:
        """Tell whether the item has budgets, and none of them is for *profile*."""
        if next(item.iter_markers(self._marker), None) is None:
            return False
        from pytest_perfgate.budgets import has_only_other_profiles

        return has_only_other_profiles(self.levels(item), profile)

    def _marks_by_level(self, item: pytest.Item) -> Iterator[list[pytest.Mark]]:
        # What stands at a parameter (pytest.param(..., marks=...)) is closest of all; what a hook added comes after it.
        at_parameters = {id(mark) for mark in getattr(getattr(item, "callspec", None), "marks", ())}
        levels = [
            [mark for mark in item.own_markers if id(mark) in at_parameters],
            [mark for mark in item.own_markers if id(mark) not in at_parameters][::-1],
        ]
        # Decorators are stored from the function or class outwards, and people read from the top;
        # a module's marks are a list that is stored as it is read.
        levels += [
            node.own_markers if isinstance(node, pytest.Module) else node.own_markers[::-1]
            for node in reversed(item.listchain()[:-1])
        ]
        for marks in levels:
            ours = [mark for mark in marks if mark.name == self._marker]
            if ours:
                yield ours

    def _parse(self, mark: pytest.Mark) -> ParsedMarker:
        known = self._parsed.get(id(mark))
        if known is not None:
            return known[1]
        from pytest_perfgate.budgets import known_profile_problem, parse_marker

        parsed = parse_marker(mark.args, mark.kwargs)
        if self._known_profiles is not None:
            problem = known_profile_problem(parsed, self._known_profiles)
            if problem:
                raise UsageError(problem)
        self._parsed[id(mark)] = (mark, parsed)  # the mark is kept so that its id stays its own
        return parsed

    def _usage_error(self, item: pytest.Item, problem: UsageError) -> pytest.UsageError:
        hint = ""
        if self._marker == "budget":
            hint = '\n(if "budget" means something else in this project: [tool.perfgate] marker = "perf_budget")'
        return pytest.UsageError(f"{item.nodeid}: @pytest.mark.{self._marker}: {problem}{hint}")


def meters_of(item: pytest.Item) -> frozenset[str]:
    """Name the measuring fixtures that *item* uses, directly or through other fixtures."""
    named = METERS.intersection(getattr(item, "fixturenames", ()))
    return frozenset(name for name in named if _is_meter(item, name)) if named else named


def _is_meter(item: pytest.Item, name: str) -> bool:
    """Tell whether *name* is the measuring fixture, and neither a parameter nor somebody's own fixture of that name.

    A fixture of the user's that asks for the one it overrides hands ours on.
    """
    known: Mapping[str, Sequence[Any]] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    if name not in known:
        return True  # added to the names of the item when it was collected: found when it runs
    for definition in reversed(known[name]):
        if str(getattr(definition.func, "__module__", "")).partition(".")[0] in _HOMES:
            return True
        if name not in definition.argnames:
            return False
    return False


def direct_meters(item: pytest.Item) -> frozenset[str]:
    """Name the measuring fixtures in the test function's own signature: those it is expected to call."""
    meters = meters_of(item)
    function = getattr(item, "function", None)
    if not meters or function is None:
        return frozenset()
    try:
        return meters.intersection(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def misspelt_options(item: pytest.Item) -> list[str]:
    """Remark on options of the ``benchmark`` marker that are nearly known; others may be those of a newer version."""
    from pytest_perfgate.words import closest

    said = []
    for marker in item.iter_markers("benchmark"):
        for option in marker.kwargs:
            meant = "" if option in _BENCHMARK_OPTIONS else closest(option, _BENCHMARK_OPTIONS)
            if meant:
                said.append(f'@pytest.mark.benchmark({option}=...) is ignored; did you mean "{meant}"?')
    return said


def is_expected_to_measure(item: pytest.Item, budget: Budget | None) -> bool:
    """Tell whether a gated run without a number from *item* would have a hole."""
    if budget is not None or direct_meters(item):
        return True
    return item.get_closest_marker("benchmark") is not None


def refuse_impossible(budget: Budget, workers: int) -> None:
    """Refuse a speedup that *workers* cannot give.

    Raises:
        UsageError: Naming the limit and the workers.
    """
    from pytest_perfgate.budgets import impossible_speedup

    problem = impossible_speedup(budget, workers)
    if problem:
        raise UsageError(problem)


def workers_asked_for(item: pytest.Item) -> list[int]:
    """Read the literal ``workers=`` of every ``speedup(...)`` call in the test's source.

    Only what can be read without running is returned: a call whose workers come from elsewhere is checked when it is
    made.
    """
    function = getattr(item, "function", None)
    if function is None or "speedup" not in meters_of(item):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_speedup(node.func))
    return [workers for call in calls if (workers := _literal_workers(call)) is not None]


def _is_speedup(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "of" and _is_speedup(function.value)
    return isinstance(function, ast.Name) and function.id == "speedup"


def _literal_workers(call: ast.Call) -> int | None:
    for keyword in call.keywords:
        if keyword.arg is None:  # **options: cannot be read
            return None
        if keyword.arg == "workers":
            several = isinstance(keyword.value, ast.List | ast.Tuple)
            asked = keyword.value.elts if several else [keyword.value]  # type: ignore[attr-defined]  # it has them
            values: list[Any] = [each.value if isinstance(each, ast.Constant) else None for each in asked]
            return max(values, default=None) if all(isinstance(value, int) for value in values) else None
    from pytest_perfgate.model import DEFAULT_WORKERS

    return DEFAULT_WORKERS
