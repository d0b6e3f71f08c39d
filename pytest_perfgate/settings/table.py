"""One row per setting: its name, where it may come from, and how its value is read.

A value means the same in the file and on the command line, so there is one reader for both.  Readers raise ValueError
with words that follow the source and the value: ``is not a percentage; write "5%"``.
"""

# ruff: noqa: PLC0415  # an idle plugin reads two of these rows; what the others need costs it nothing
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_perfgate.model import Profile


class Setting(NamedTuple):
    """A setting; every one of them may stand in the configuration file."""

    name: str
    """In the file; with dashes, in the options."""
    read: Callable[[object], object]
    """Turns a value into the field's; raises ValueError or ProfileError."""
    field: str
    """Of :class:`~pytest_perfgate.settings.layers.Settings`."""
    has_option: bool = False
    environment: str = ""
    """Variable that it may come from, or empty."""


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("is neither true nor false")


def _marker(value: object) -> str:
    if not isinstance(value, str) or not value.isidentifier():
        raise ValueError('is not the name of a marker; write a word such as "perf_budget"')
    if value in _OTHERS_MARKERS:
        raise ValueError('is a marker with another meaning; write a word of your own such as "perf_budget"')
    return value


def _profile(value: object) -> str:
    return _text(value, 'the name of a profile, or "auto"', table="[tool.perfgate.profiles.NAME]")


def _tolerance(value: object) -> float:
    from pytest_perfgate.profiles import parse_tolerance

    return parse_tolerance(value)


def _max_time(value: object) -> float:
    seconds = _duration(value, '"3s" or "500ms"')
    if seconds <= 0:
        raise ValueError('is no time at all; write it like "3s" or "500ms"')
    return seconds


def _timeout(value: object) -> float:
    return _duration(value, '"300s", or "0s" for never')


def _duration(value: object, example: str) -> float:
    from pytest_perfgate import units

    if not isinstance(value, str):
        raise ValueError(f"is not a time with its unit; write it like {example}")  # noqa: TRY004  # see the module
    return units.parse_as(value, units.SECONDS, example=example)


def _policy(value: object) -> str:
    if isinstance(value, str) and value in _POLICIES:
        return value
    from pytest_perfgate.words import did_you_mean

    raise ValueError(f"is none of {', '.join(_POLICIES)}{did_you_mean(str(value), _POLICIES)}")


def _baseline(value: object) -> str:
    return _text(value, "the path of a stored run")


def _against(value: object) -> str:
    example = 'a revision such as "origin/main", "path:DIRECTORY" or "dist:REQUIREMENT"'
    base = _text(value, example)
    kind, colon, rest = base.partition(":")
    if colon and kind in ("path", "dist") and not rest.strip():
        raise ValueError(f"names nothing after {kind}: ; write {example}")
    return base


def _packages(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not names:
        raise ValueError('is not a list of import names; write it like ["mypackage"]')
    for name in names:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f'holds {name!r}, which is not the name of a package; write it like ["mypackage"]')
    return tuple(names)


def _reports(value: object) -> tuple[str, ...]:
    specs = [value] if isinstance(value, str) else value
    if not isinstance(specs, (list, tuple)):
        raise ValueError('is neither a text nor a list of texts; write it like "json=run.json"')  # noqa: TRY004  # as above
    for spec in specs:
        format_, equals, path = spec.partition("=") if isinstance(spec, str) else ("", "", "")
        if not (format_.strip() and equals and path.strip()):
            what = "is" if len(specs) == 1 else f"holds {spec!r}, which is"
            raise ValueError(f'{what} not FORMAT=PATH; write it like "json=run.json"')
    return tuple(specs)


def _profiles(value: object) -> tuple[Profile, ...]:
    if not isinstance(value, Mapping):
        raise ValueError("is not a table of profiles; write [tool.perfgate.profiles.NAME]")  # noqa: TRY004  # as above
    from pytest_perfgate.profiles import validate_profile

    return tuple(validate_profile(name, table) for name, table in value.items())


def _text(value: object, wanted: str, table: str = "") -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if table and isinstance(value, Mapping):
        raise ValueError(f"is a table and not {wanted}; profiles are defined in {table}")
    raise ValueError(f"is not {wanted}")


_POLICIES = ("warn", "fail", "ignore")
_OTHERS_MARKERS = frozenset(
    {"benchmark", "filterwarnings", "parametrize", "skip", "skipif", "tryfirst", "trylast", "usefixtures", "xfail"}
)

SETTINGS = (
    Setting("enabled", _flag, "enabled", has_option=True),
    Setting("marker", _marker, "marker"),
    Setting("profile", _profile, "profile", has_option=True, environment="PERFGATE_PROFILE"),
    Setting("max_regression", _tolerance, "max_regression", has_option=True),
    Setting("max_time", _max_time, "max_time_s", has_option=True),
    Setting("max_run_time", _max_time, "run_time_s"),
    Setting("timeout", _timeout, "timeout_s"),
    Setting("unknown_profile", _policy, "unknown_profile"),
    Setting("strict", _flag, "strict", has_option=True),
    Setting("baseline", _baseline, "baseline", has_option=True),
    Setting("against", _against, "against", has_option=True),
    Setting("packages", _packages, "packages"),
    Setting("report", _reports, "reports", has_option=True),
    Setting("profiles", _profiles, "profiles"),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
#: Words of other tools, and of our own fields.
ALIASES = {
    **dict.fromkeys(("tolerance", "threshold", "regression"), "max_regression"),
    **dict.fromkeys(("enable", "perfgate"), "enabled"),
    **dict.fromkeys(("base", "compare"), "baseline"),
    **dict.fromkeys(("output",), "report"),
}
