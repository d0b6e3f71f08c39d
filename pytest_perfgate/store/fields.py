"""Fields of plain objects, read with their types checked; what is wrong is said with its JSON path.

Knows JSON types and ranges; what a run is made of is in ``reading``.  Every function takes the
object and the key; one without a default (or with None) demands that the field is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from pytest_perfgate.errors import BadRunFileError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Object = Mapping[str, Any]

_KINDS: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class FieldError(BadRunFileError):
    """The first field that is not as it should be.

    Args:
        path: Where, seen from the object that is being read: ``value``, ``budgets[0].limit``.
        problem: What is wrong there, to be read after the path: ``is missing``.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path or 'it'} {problem}")

    def inside(self, outer: str) -> FieldError:
        """Place it in the object at *outer*."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return FieldError(f"{outer}{dot}{self.path}", self.problem)


def as_object(raw: object) -> Object:
    """Take *raw* for an object."""
    if isinstance(raw, dict):
        return raw
    raise FieldError("", f"is {_shown(raw)}; it should be an object")


def inside(path: str, read: Callable[..., T], *arguments: Any) -> T:
    """Call *read* on what stands at *path*, so that its complaints name the place."""
    try:
        return read(*arguments)
    except FieldError as problem:
        raise problem.inside(path) from None


def nested(raw: Object, key: str, read: Callable[..., T], *rest: Any) -> T:
    """Read the field *key* with *read*."""
    if key not in raw:
        raise FieldError(key, "is missing")
    return inside(key, read, raw[key], *rest)


def each(raw: Object, key: str, read: Callable[[object], T]) -> tuple[T, ...]:
    """Read every element of the list *key* with *read*."""
    found: list[T] = []
    elements = typed(raw, key, list)
    try:
        found.extend(map(read, elements))
    except FieldError as problem:
        raise problem.inside(f"{key}[{len(found)}]") from None
    return tuple(found)


def typed(raw: Object, key: str, kind: type[T], default: T | None = None) -> T:
    """Read a field of exactly one type: true is no number, 1.0 no whole one."""
    value = raw.get(key, default)
    if type(value) is kind:
        return value
    raise _wrong(raw, key, kind)


def text(raw: Object, key: str, default: str | None = None) -> str:
    """Read a text."""
    value = raw.get(key, default)
    if type(value) is str:
        return value
    raise _wrong(raw, key, str)


def number(raw: Object, key: str, default: float | None = None) -> float:
    """Read a finite number."""
    value = raw.get(key, default)
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) in (int, float):
        return _floats(key, (value,))[0]
    raise _wrong(raw, key, float)


def count(raw: Object, key: str, default: int | None = None) -> int:
    """Read a whole number, 0 or more."""
    value = typed(raw, key, int, default)
    if value < 0:
        raise FieldError(key, f"is {value}; it should not be negative")
    return value


def numbers(raw: Object, key: str, default: tuple[float, ...] = ()) -> tuple[float, ...]:
    """Read a list of finite numbers."""
    values = typed(raw, key, list, list(default))
    if not {float, int}.issuperset(map(type, values)):
        wrong = next(place for place, each in enumerate(values) if type(each) not in (float, int))
        raise FieldError(f"{key}[{wrong}]", f"is {_shown(values[wrong])}; it should be a number")
    return _floats(key, values)


def interval(raw: Object, key: str) -> tuple[float, float]:
    """Read two finite numbers, the lower one first."""
    found = numbers(raw, key)
    if len(found) != 2 or found[0] > found[1]:  # noqa: PLR2004  # both ends
        raise FieldError(key, f"is {list(found)!r:.60}; it should be [low, high]")
    return found[0], found[1]


def texts(raw: Object, key: str) -> tuple[str, ...]:
    """Read a list of texts; an absent one is empty."""
    values = typed(raw, key, list, [])
    for position, value in enumerate(values):
        if type(value) is not str:
            raise FieldError(f"{key}[{position}]", f"is {_shown(value)}; it should be a text")
    return tuple(values)


def choice(raw: Object, key: str, kind: type[E], default: E | None = None) -> E:
    """Read one of the words of an enumeration."""
    if default is not None and key not in raw:
        return default
    word = text(raw, key)
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(str(member.value) for member in kind)
        raise FieldError(key, f"is {_shown(word)}; it should be one of {known}") from None


def optional(read: Callable[[Object, str], T], raw: Object, key: str) -> T | None:
    """Read a field with *read* unless it is null or absent."""
    return None if raw.get(key) is None else read(raw, key)


def facts(raw: Object, key: str) -> dict[str, Any]:
    """Read an object of free form; an absent one is empty."""
    found = typed(raw, key, dict, {})
    inside(key, _demand_range, found)
    return found


def _demand_range(value: object) -> None:
    """Find ``1e999``, which is read as infinity."""
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, (float, dict, list)):
                inside(str(key), _demand_range, member)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            inside(f"[{position}]", _demand_range, member)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldError("", "holds a number that is out of range")


def _floats(key: str, values: Iterable[float]) -> tuple[float, ...]:
    try:
        found = tuple(map(float, values))
    except OverflowError:  # a whole number beyond the range of floats
        found = (math.inf,)
    if all(map(math.isfinite, found)):
        return found
    raise FieldError(key, "holds a number that is out of range")


def _wrong(raw: Object, key: str, kind: type) -> FieldError:
    if key not in raw:
        return FieldError(key, "is missing")
    return FieldError(key, f"is {_shown(raw[key])}; it should be {_KINDS[kind]}")


def _shown(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{value!r:.60}".lower()
    if isinstance(value, str):
        return f"the text {value!r:.60}"
    return _KINDS.get(type(value), "something else")
