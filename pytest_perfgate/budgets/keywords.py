"""Keywords such as ``ms=400``: a marker's or a table entry's arguments -> budget, or an error."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from pytest_perfgate import units
from pytest_perfgate.budgets.contradictions import agreeing
from pytest_perfgate.budgets.expressions import parse_expression
from pytest_perfgate.budgets.limits import new_limit, unmeetable
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Budget, Limit, Operator
from pytest_perfgate.words import did_you_mean, printable


@dataclass(frozen=True, slots=True)
class ParsedMarker:
    """One ``budget`` marker, or one entry of a profile's table."""

    profiles: tuple[str, ...]
    """Names or patterns of the profiles it is for; empty for all of them."""
    budget: Budget


def parse_marker(args: Sequence[object], kwargs: Mapping[str, object]) -> ParsedMarker:
    """Read the arguments of one ``budget`` marker.

    Args:
        args: Expressions.
        kwargs: Keywords; times in the keyword's unit, memory in powers of 1024.

    Returns:
        The marker, with every limit in base units.

    Raises:
        BudgetSyntaxError: An argument cannot be understood, cannot be met, or contradicts another.
    """
    for name in kwargs:
        if name not in KEYWORDS:
            raise BudgetSyntaxError(
                f'"{name}" is not a keyword of a budget{did_you_mean(name, KEYWORDS, _ALIASES)}'
                f" (known are {', '.join(KEYWORDS)})",
                text=_shown(name, kwargs[name]),
                column=0,
            )
    written = [(parse_expression(text), printable(str(text)).strip()) for text in args]
    for name, value in kwargs.items():
        if name in _LIMITS:
            written.append((_keyword_limit(name, value), _shown(name, value)))
    budget = Budget(
        limits=agreeing(written),
        forbid=_modules("forbid", kwargs["forbid"]) if "forbid" in kwargs else (),
        rounds=_rounds("rounds", kwargs["rounds"]) if "rounds" in kwargs else None,
        max_regression=_share("max_regression", kwargs["max_regression"]) if "max_regression" in kwargs else None,
    )
    profiles = _profiles("profile", kwargs["profile"]) if "profile" in kwargs else ()
    if budget.is_empty and budget.max_regression is None:
        raise BudgetSyntaxError(
            'the budget asks for nothing; give it a limit such as ms=400 or "p(95) < 8ms"'
            + (" (profile= and rounds= are none)" if kwargs else "")
        )
    return ParsedMarker(profiles, budget)


def parse_table(test_pattern: str, keywords: Mapping[str, object]) -> ParsedMarker:
    """Read one entry of a profile's own budgets.

    Args:
        test_pattern: Node id or pattern, for messages.
        keywords: As those of the marker, without ``profile``; ``expressions`` holds what a marker
            takes as positional arguments, one string or several.

    Returns:
        The entry as a marker for every profile.

    Raises:
        BudgetSyntaxError: As :func:`parse_marker`; the message names the pattern.
    """
    where = f'in the budgets of a profile, "{printable(test_pattern)}"'
    try:
        return parse_marker(*_as_arguments(keywords))
    except BudgetSyntaxError as problem:
        raise BudgetSyntaxError(f"{where}: {problem.message}", text=problem.text, column=problem.column) from None


def _as_arguments(keywords: object) -> tuple[Sequence[object], Mapping[str, object]]:
    """Turn a table entry into a marker's positional and keyword arguments."""
    if not isinstance(keywords, Mapping):
        raise BudgetSyntaxError("write a table such as {ms = 600}")
    if "profile" in keywords:
        raise BudgetSyntaxError("profile= is for markers; this entry has its profile")
    texts = keywords.get("expressions", ())
    if not isinstance(texts, str | list | tuple):
        raise BudgetSyntaxError("expressions must be a string or a list of them")
    rest = {name: value for name, value in keywords.items() if name != "expressions"}
    return [texts] if isinstance(texts, str) else texts, rest


def _fail(problem: str, name: str, value: object) -> BudgetSyntaxError:
    return BudgetSyntaxError(f"{name}= {problem}", text=_shown(name, value), column=len(name) + len("="))


def _shown(name: str, value: object) -> str:
    """Write a keyword as in the source, on one line of bearable length."""
    return printable(f"{name}={value!r}")[:_LONGEST_SHOWN]


# -- limits


def _keyword_limit(name: str, value: object) -> Limit:
    limit = _LIMITS[name](name, value)
    problem = unmeetable(limit)
    if problem:
        raise _fail(f"cannot be met: {problem}", name, value)
    return limit


def _number(name: str, value: object) -> float:
    """Check that a keyword's value is a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _fail(f"takes a number, such as {name}={_EXAMPLES.get(name, '400')}", name, value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _fail("must be finite", name, value)
    if number < 0:
        raise _fail("must not be negative", name, value)
    return number


def _digits(number: float) -> str:
    """Write a number so that it reads back the same, without a fraction of zero."""
    return repr(number).removesuffix(".0")


def _upper(unit: str) -> Callable[[str, object], Limit]:
    """Make the reader of a keyword that limits the headline statistic from above."""

    def read(name: str, value: object) -> Limit:
        number = _number(name, value)
        try:
            quantity = units.to_base(number, unit)
        except ValueError:
            raise _fail("must be finite", name, value) from None
        return new_limit(operator=Operator.LE, quantity=quantity, written=f"{_digits(number)}{unit}")

    return read


def _lower(name: str, value: object) -> Limit:
    number = _number(name, value)
    if number == 0:
        raise _fail("must be above 0, or it limits nothing", name, value)
    return new_limit(
        metric=name,
        operator=Operator.GE,
        quantity=units.Quantity(number, units.RATIO),
        written=_digits(number),
    )


def _module_count(name: str, value: object) -> Limit:
    number = _number(name, value)
    if not number.is_integer():
        raise _fail("takes a whole number", name, value)
    return new_limit(
        metric=name,
        operator=Operator.LE,
        quantity=units.Quantity(number, units.COUNT),
        written=_digits(number),
    )


def _growth(name: str, value: object) -> Limit:
    example = f'write it like {name}="0 B/call", {name}="2 blocks/call" or, over a stated time, {name}="10%"'
    if not isinstance(value, str):
        raise _fail(f"takes a number with a unit; {example}", name, value)
    try:
        quantity = units.parse(value)
    except ValueError as problem:
        raise _fail(f"is malformed: {problem}; {example}", name, value) from None
    is_share = value.strip().endswith("%")
    if not is_share and quantity.unit not in {units.BYTES_PER_CALL, units.BLOCKS_PER_CALL}:
        raise _fail(f"is per call, or a share; {example}", name, value)
    if quantity.value < 0 or value.strip().startswith("-"):
        raise _fail("must not be negative", name, value)
    return new_limit(metric=name, operator=Operator.LE, quantity=quantity, written=value.strip().lstrip("+"))


# -- everything else


def _strings(name: str, value: object, example: str) -> tuple[str, ...]:
    """Read one string or several; those of a set in alphabetical order."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple | set | frozenset) or not values:
        raise _fail(f"takes {example}", name, value)
    for entry in values:
        if not isinstance(entry, str) or not entry.strip():
            raise _fail(f"takes {example}", name, value)
    words = [entry.strip() for entry in values]
    return tuple(dict.fromkeys(sorted(words) if isinstance(values, set | frozenset) else words))


def _modules(name: str, value: object) -> tuple[str, ...]:
    modules = _strings(name, value, 'module names, such as forbid=["numpy", "xml.dom"]')
    for module in modules:
        if not _MODULE.fullmatch(module):
            raise _fail(f'"{printable(module)}" is not the dotted name of a module', name, value)
    return modules


def _profiles(name: str, value: object) -> tuple[str, ...]:
    return _strings(name, value, 'a profile\'s name or several, such as profile=["ci", "laptop*"]')


def _rounds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _fail("takes a whole number of at least 1", name, value)
    return value


def _share(name: str, value: object) -> float:
    if not isinstance(value, str) or not value.strip().endswith("%"):
        raise _fail(f'takes a string with a percent sign, such as {name}="3%"', name, value)
    try:
        return units.parse_as(value, units.RATIO, example=f'{name}="3%"')
    except ValueError as problem:
        raise _fail(f"is malformed: {problem}", name, value) from None


_LONGEST_SHOWN = 120
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LIMITS: dict[str, Callable[[str, object], Limit]] = {
    **{word: _upper(word) for word in ("ns", "us", "ms", "s")},
    "bytes": _upper("B"),
    **{word: _upper(word.upper()) for word in ("kb", "mb", "gb")},
    "growth": _growth,
    "speedup": _lower,
    "efficiency": _lower,
    "modules": _module_count,
}
#: Every keyword of the marker.
KEYWORDS = (*_LIMITS, "forbid", "rounds", "max_regression", "profile")
_EXAMPLES = {"mb": "64", "gb": "2", "speedup": "2.5", "efficiency": "0.7", "modules": "140"}
#: Words of other tools, and of languages that count time otherwise.
_ALIASES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds", "timeout", "max_time", "time"), "s"),
    **dict.fromkeys(("msec", "millis", "milliseconds", "limit", "max", "median"), "ms"),
    **dict.fromkeys(("usec", "micros", "microseconds"), "us"),
    **dict.fromkeys(("nsec", "nanos", "nanoseconds"), "ns"),
    **dict.fromkeys(("memory", "mem", "peak", "mib", "megabytes"), "mb"),
    **dict.fromkeys(("kib", "kilobytes"), "kb"),
    **dict.fromkeys(("gib", "gigabytes"), "gb"),
    **dict.fromkeys(("b", "max_bytes"), "bytes"),
    **dict.fromkeys(("leak", "leaks"), "growth"),
    **dict.fromkeys(("imports", "max_modules"), "modules"),
    **dict.fromkeys(("ban", "forbidden", "disallow"), "forbid"),
    **dict.fromkeys(("repeat", "repeats", "iterations", "runs"), "rounds"),
    **dict.fromkeys(("tolerance", "regression", "threshold"), "max_regression"),
}
