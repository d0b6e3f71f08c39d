"""Comparisons such as ``">=4,<16"``, ``">=8GB"`` or ``">=3.12"`` and what lies within them.

Every comparison is an interval ``[low, high)`` of tuples in lexicographic order, which serves versions and numbers
alike: the position of a number *x* is ``(x, 0)``, and ``(x, 1)`` is the place right behind it, where ``> x`` begins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from pytest_perfgate import units

#: Machines have less memory than is printed on them: firmware, kernel and graphics keep some back.  "8 GB" are 7.6 GiB
#: on many laptops, "1 GB" 0.94 GiB on cloud instances, "4 GB" 3.6 GiB where room is reserved for a crash kernel, and a
#: provider's decimal GB is 7 % below 1024³.  No two sizes that are sold are within 10 % of each other.
MEMORY_SLACK = 0.10

_POINT = tuple[float, ...]
_EVERYWHERE: tuple[_POINT, _POINT] = ((-math.inf,), (math.inf,))
_OPERATORS = {"=": "==", "": "=="}
_COMPARISON = re.compile(r"(<=|>=|==|=|<|>|)\s*([^<>=!~\s](?:[^<>=!~]*[^<>=!~\s])?)")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})*")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operator with its limit."""

    text: str
    """``>= 8GB``: for messages."""
    low: _POINT
    """The first position within."""
    high: _POINT
    """The first position beyond."""
    literal: tuple[_POINT, _POINT] | None = None
    """*low* and *high* without any slack, where there is some."""

    def holds(self, position: _POINT) -> bool:
        """Tell whether *position* lies within."""
        return self.low <= position < self.high

    def is_slack(self, position: _POINT) -> bool:
        """Tell whether it is only the slack that decides about *position*."""
        if self.literal is None:
            return False
        low, high = self.literal
        return self.holds(position) != (low <= position < high)


def parse_cores(value: object) -> tuple[Comparison, ...]:
    """Read a comparison of cores.

    Args:
        value: A number, or text such as ``<=4``, ``>=4,<16``, ``4``.

    Returns:
        The comparisons, all of which must hold for :func:`number_position`.

    Raises:
        ValueError: It is malformed, or no number of cores can match it.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = repr(value)
    return _parse(value, _core_comparison, start=(0.0, 1.0), example='"<=4" or ">=4,<16"')


def parse_memory(value: object) -> tuple[Comparison, ...]:
    """Read a comparison of memory; a machine with up to 10 % less than a limit counts as having the limit.

    Args:
        value: Text such as ``>=8GB``, ``>=2GB,<4GB``; units are powers of 1024.

    Returns:
        The comparisons, all of which must hold for :func:`number_position` of bytes.

    Raises:
        ValueError: It is malformed, or no memory can match it.
    """
    return _parse(value, _memory_comparison, start=(0.0, 1.0), example='">=8GB" or ">=2GB,<4GB"')


def parse_python(value: object) -> tuple[Comparison, ...]:
    """Read a comparison of Python versions, of which only as many numbers count as the limit has.

    Args:
        value: Text such as ``>=3.12``, ``>=3.10,<3.13``, ``3.12.*``; ``==3.12`` and ``<=3.12`` include every 3.12.x.

    Returns:
        The comparisons, all of which must hold for :func:`version_position`.

    Raises:
        ValueError: It is malformed, or no version can match it.
    """
    return _parse(value, _version_comparison, start=(-math.inf,), example='">=3.12" or ">=3.10,<3.13"')


def number_position(number: float) -> _POINT:
    """Give the position of a number of cores or bytes."""
    return (float(number), 0.0)


def version_position(version: str) -> _POINT:
    """Give the position of a version; ``3.15.0a1`` counts as 3.15.0."""
    found = _VERSION.match(version)
    return tuple(float(part) for part in found[0].split(".")) if found else ()


def _parse(
    value: object, read: Callable[[str, str], Comparison], *, start: _POINT, example: str
) -> tuple[Comparison, ...]:
    comparisons = []
    for part in re.split(r"\s*,\s*|\s+(?=[<>=])", value.strip()) if isinstance(value, str) else [""]:
        found = _COMPARISON.fullmatch(part)
        if found is None:
            raise ValueError(f"is not a comparison; write it like {example}")
        try:
            comparisons.append(read(_OPERATORS.get(found[1], found[1]), found[2]))
        except ValueError as problem:
            raise ValueError(f"{problem}; write it like {example}") from None
    low = max(start, *(comparison.low for comparison in comparisons))
    if low >= min(comparison.high for comparison in comparisons):
        raise ValueError("contradicts itself: nothing can match it")
    return tuple(comparisons)


def _core_comparison(operator: str, limit: str) -> Comparison:
    if not _NUMBER.fullmatch(limit):
        raise ValueError(f'"{limit}" is not a number of cores')
    cores = float(limit)
    return Comparison(f"{operator} {limit}", *_interval(operator, (cores, 0), (cores, 1)))


def _memory_comparison(operator: str, limit: str) -> Comparison:
    size = units.parse(limit)
    if size.unit != units.BYTES or size.value < 0:
        raise ValueError(f'"{limit}" is not an amount of memory')
    least = size.value * (1 - MEMORY_SLACK)
    literal = _interval(operator, (size.value, 0), (size.value, 1))
    return Comparison(f"{operator} {limit}", *_interval(operator, (least, 0), (size.value, 1)), literal=literal)


def _version_comparison(operator: str, limit: str) -> Comparison:
    digits = limit.removesuffix(".*") if operator == "==" else limit
    if not _VERSION.fullmatch(digits):
        raise ValueError(f'"{limit}" is not a version')
    first = version_position(digits)
    return Comparison(f"{operator} {limit}", *_interval(operator, first, (*first[:-1], first[-1] + 1)))


def _interval(operator: str, first: _POINT, behind: _POINT) -> tuple[_POINT, _POINT]:
    """Give the interval of an operator whose limit is everything in ``[first, behind)``."""
    start, end = _EVERYWHERE
    return {
        ">=": (first, end),
        ">": (behind, end),
        "==": (first, behind),
        "<=": (start, behind),
        "<": (start, first),
    }[operator]
