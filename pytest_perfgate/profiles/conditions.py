"""The conditions of a profile's ``match`` table: each reads its value once and then says whether a machine fulfils it.

A condition is one function and one line of :data:`CONDITIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from pytest_perfgate import units
from pytest_perfgate.model import Machine, Python
from pytest_perfgate.profiles import ranges
from pytest_perfgate.words import did_you_mean, is_pattern, matches, shown

ALWAYS, NEVER = "always", "never"
"""Stand instead of a table: matches every machine; is in force only when asked for by name."""


class Facts(NamedTuple):
    """All that conditions speak of."""

    machine: Machine
    python: Python
    environ: Mapping[str, str]


class Answer(NamedTuple):
    """What one condition, or all of a profile, say of a machine."""

    holds: bool
    because: str
    """Such as ``cores 4 <= 4``, ``os is macos, not linux``."""


Condition: TypeAlias = Callable[[Facts], Answer]
"""Never raises: what can be wrong is found when the condition is read."""

#: One thing by several names; a pattern may use any of them.
_SAME = ({"macos", "darwin"}, {"windows", "win32"}, {"x86_64", "amd64", "x64"}, {"aarch64", "arm64"})
_KNOWN_OS = ("linux", "macos", "darwin", "windows", "win32", "freebsd", "openbsd", "netbsd", "sunos", "aix", "android")


def parse_match(match: Mapping[str, object]) -> list[Condition]:
    """Read a ``match`` table.

    Args:
        match: Condition -> value, as in the configuration.

    Returns:
        The conditions, all of which must hold.

    Raises:
        ValueError: A condition that does not exist or a value that cannot be meant; the message names it.
    """
    conditions = []
    for name, value in match.items():
        read = CONDITIONS.get(name)
        if read is None:
            meant = did_you_mean(name, PUBLIC, _ALIASES)
            raise ValueError(f'"{name}" is not a condition of match{meant or "; known are " + ", ".join(PUBLIC)}')
        try:
            conditions.append(read(value))
        except ValueError as problem:
            raise ValueError(f"match.{name} = {shown(value)} {problem}") from None
    return conditions


def ask(conditions: Sequence[Condition], facts: Facts) -> Answer:
    """Ask all conditions.

    Args:
        conditions: At least one.
        facts: The machine.

    Returns:
        Whether all hold; because of all of them, or of those that do not.
    """
    answers = [condition(facts) for condition in conditions]
    failed = [answer.because for answer in answers if not answer.holds]
    return Answer(not failed, ", ".join(failed or [answer.because for answer in answers]))


def _text(name: str, fact: Callable[[Machine], str | None]) -> Callable[[object], Condition]:
    """Make the reader of a condition on a text."""

    def read(value: object) -> Condition:
        patterns = _patterns(value)

        def check(facts: Facts) -> Answer:
            found = fact(facts.machine) or ""
            if not found:
                return Answer(False, f"{name} is unknown")
            names = next((same for same in _SAME if found.lower() in same), {found})
            if any(matches(pattern, each, ignore_case=True) for pattern in patterns for each in names):
                return Answer(True, f"{name} {_quoted(found)}")
            return Answer(False, f"{name} is {_quoted(found)}, not {_any_of(patterns)}")

        return check

    return read


def _os(value: object) -> Condition:
    for pattern in _patterns(value):
        close = did_you_mean(pattern, _KNOWN_OS)
        if close and not is_pattern(pattern) and pattern.lower() not in _KNOWN_OS:
            raise ValueError(f"is no operating system{close}")
    return _text("os", lambda machine: machine.os)(value)


def _ci(value: object) -> Condition:
    patterns = () if isinstance(value, bool) else _patterns(value, "or true or false")

    def check(facts: Facts) -> Answer:
        name = facts.machine.ci
        if value is False:
            return Answer(not name, f"hosted CI {name}" if name else "no hosted CI")
        if not name:
            return Answer(False, "no hosted CI")
        if value is True or any(matches(pattern, name, ignore_case=True) for pattern in patterns):
            return Answer(True, f"hosted CI {name}")
        return Answer(False, f"hosted CI is {name}, not {_any_of(patterns)}")

    return check


def _battery(value: object) -> Condition:
    wanted = _bool(value)

    def check(facts: Facts) -> Answer:
        on_battery = facts.machine.on_battery
        return Answer(on_battery is wanted, "on battery" if on_battery else "not on battery")

    return check


def _env(value: object) -> Condition:
    if not isinstance(value, Mapping) or not value:
        raise ValueError('is not a table of variables; write it like {CI = "true", RUNNER = "big-*", DEBUG = false}')
    conditions = [_variable(str(name), wanted) for name, wanted in value.items()]
    return lambda facts: ask(conditions, facts)


def _variable(name: str, wanted: object) -> Condition:
    if not name.strip() or "=" in name:
        raise ValueError(f"names no variable: {shown(name)}")
    patterns = () if isinstance(wanted, bool) else _patterns(wanted, f"for {name}, or true (set) or false (not set)")

    def check(facts: Facts) -> Answer:
        found = facts.environ.get(name) or (facts.environ.get(name.upper()) if facts.machine.os == "windows" else "")
        if wanted is False:
            return Answer(not found, f"{name} is set" if found else f"{name} is not set")
        if not found:
            return Answer(False, f"{name} is not set")
        if wanted is True:
            return Answer(True, f"{name} is set")
        # The value itself is never shown: reports are published, and it may be a secret.
        for pattern in patterns:
            if matches(pattern, found):
                return Answer(True, f"{name} is set" if pattern == "*" else f"{name}={pattern}")
        return Answer(False, f"{name} is not {_any_of(patterns)}")

    return check


def _cores(value: object) -> Condition:
    comparisons = ranges.parse_cores(value)

    def check(facts: Facts) -> Answer:
        cores = facts.machine.cores
        return _within(f"cores {cores:g}", ranges.number_position(cores), comparisons)

    return check


def _memory(value: object) -> Condition:
    comparisons = ranges.parse_memory(value)

    def check(facts: Facts) -> Answer:
        size = facts.machine.memory_bytes
        if size <= 0:
            return Answer(False, "memory is unknown")
        found = f"memory {units.format_value(size, units.BYTES)}"
        return _within(found, ranges.number_position(size), comparisons)

    return check


def _python(value: object) -> Condition:
    comparisons = ranges.parse_python(value)

    def check(facts: Facts) -> Answer:
        version = facts.python.version
        return _within(f"python {version}", ranges.version_position(version), comparisons)

    return check


def _within(found: str, position: tuple[float, ...], comparisons: Sequence[ranges.Comparison]) -> Answer:
    failed = [comparison for comparison in comparisons if not comparison.holds(position)]
    decisive = failed or comparisons
    slack = any(comparison.is_slack(position) for comparison in decisive)
    texts = (" or " if failed else " and ").join(comparison.text for comparison in decisive)
    remark = f" (up to {ranges.MEMORY_SLACK:.0%} less counts as equal)" if slack else ""
    return Answer(not failed, f"{found}{' is not' if failed else ''} {texts}{remark}")


def _constant(name: str, because: str, *, holds: bool) -> Callable[[object], Condition]:
    def read(value: object) -> Condition:
        if not _bool(value):
            raise ValueError(f"cannot be meant; leave {name} out")
        return lambda _: Answer(holds, because)

    return read


def _patterns(value: object, otherwise: str = "") -> tuple[str, ...]:
    """Read a text or a list of texts."""
    patterns = value if isinstance(value, (list, tuple)) else [value]
    if not patterns or not all(isinstance(pattern, str) and pattern.strip() for pattern in patterns):
        raise ValueError(" ".join(f"is not a text, or a list of texts, with * and ? {otherwise}".split()))
    return tuple(patterns)


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("is neither true nor false")


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _any_of(patterns: Sequence[str]) -> str:
    return " or ".join(map(_quoted, patterns))


CONDITIONS: dict[str, Callable[[object], Condition]] = {
    "env": _env,
    "os": _os,
    "arch": _text("arch", lambda machine: machine.arch),
    "cpu": _text("cpu", lambda machine: machine.cpu),
    "cores": _cores,
    "memory": _memory,
    "python": _python,
    "ci": _ci,
    "battery": _battery,
    "hostname": _text("hostname", lambda machine: machine.hostname),
    ALWAYS: _constant(ALWAYS, "any machine", holds=True),
    NEVER: _constant(NEVER, "only when asked for by name", holds=False),
}
"""Name -> reader of the value, which raises ValueError with what is wrong about it."""
PUBLIC = tuple(name for name in CONDITIONS if name not in (ALWAYS, NEVER))
"""What may stand in a ``match`` table."""
_ALIASES = {
    **dict.fromkeys(("cpus", "cpu_count", "ncpu", "cores_total", "threads"), "cores"),
    **dict.fromkeys(("ram", "mem", "memory_bytes"), "memory"),
    **dict.fromkeys(("platform", "system"), "os"),
    **dict.fromkeys(("machine", "architecture"), "arch"),
    **dict.fromkeys(("processor", "cpu_model"), "cpu"),
    **dict.fromkeys(("python_version", "version"), "python"),
    **dict.fromkeys(("environ", "environment"), "env"),
    **dict.fromkeys(("on_battery",), "battery"),
}
