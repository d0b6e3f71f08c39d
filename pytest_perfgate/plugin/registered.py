"""What other plugins add through the hooks: facts, a profile, metrics, formats; every mistake told in a sentence."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import Machine, MatchedProfile, Profile, Python
    from pytest_perfgate.reports import Format
    from pytest_perfgate.settings import Settings


def machine_of(config: pytest.Config) -> Machine:
    """Return what this machine is, with what plugins know of it.

    Raises:
        UsageError: A plugin's hook went wrong.
    """
    from dataclasses import replace

    from pytest_perfgate.machine import current_machine

    machine = current_machine()
    for facts in _ask(config.hook.pytest_perfgate_machine_info, config=config, machine=machine):
        if facts is None:
            continue
        if not isinstance(facts, Mapping):
            raise UsageError(f"the hook pytest_perfgate_machine_info returned {facts!r}; it returns a dict or None")
        machine = replace(machine, extra={**machine.extra, **facts})
    return machine


def profile_of(config: pytest.Config, settings: Settings, machine: Machine, python: Python) -> MatchedProfile:
    """Choose the profile, or have a plugin choose it.

    Raises:
        ProfileError: There is none of that name.
        UsageError: A plugin's hook went wrong.
    """
    from pytest_perfgate.model import MatchedProfile, Profile
    from pytest_perfgate.profiles import choose

    name, origin = settings.profile, settings.profile_source
    if name == "auto":
        chosen = _ask(config.hook.pytest_perfgate_profile, config=config, machine=machine)
        if isinstance(chosen, Profile):
            _check_numbers(chosen)
            return MatchedProfile(profile=chosen, matched_by="a plugin's choice")
        if chosen:
            name, origin = str(chosen), "a plugin's choice"
    return choose(
        machine,
        python,
        os.environ,
        settings.profiles,
        name=name,
        unknown=settings.unknown_profile,
        asked_by=origin,
    )


def _check_numbers(profile: Profile) -> None:
    """Refuse what the configuration could not say either: it would fail or pass every budget.

    Raises:
        UsageError: Naming the hook and the field.
    """
    hook = f"the hook pytest_perfgate_profile of a plugin or conftest.py returned a Profile named {profile.name!r}"
    if not _is_number(profile.scale) or profile.scale <= 0:
        raise UsageError(f"{hook} whose scale={profile.scale!r} is not a finite number above 0, such as 1.5")
    tolerance = profile.max_regression
    if tolerance is not None and not (_is_number(tolerance) and tolerance >= 0):
        raise UsageError(f"{hook} whose max_regression={tolerance!r} is not a ratio such as 0.05, nor None")


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def metrics_of(config: pytest.Config) -> list[Metric]:
    """Return every metric that there is.

    Raises:
        UsageError: A plugin's hook went wrong.
    """
    from pytest_perfgate.metrics import METRICS, Metric

    return _registered(config.hook.pytest_perfgate_metrics, Metric, METRICS)


def formats_of(config: pytest.Config) -> dict[str, Format]:
    """Return every format of a report that there is, by name.

    Raises:
        UsageError: A plugin's hook went wrong.
    """
    from pytest_perfgate.reports import FORMATS, Format

    formats = _registered(config.hook.pytest_perfgate_formats, Format, FORMATS)
    for format_ in formats:
        name: object = format_.name
        if not isinstance(name, str) or not name or "=" in name or name != name.strip():
            what = "a text without = and without blanks at its ends, so that FORMAT=PATH can name it"
            raise UsageError(f"a plugin registers a Format named {name!r}; a name is {what}")
    return {format_.name: format_ for format_ in formats}


def _ask(hook: Any, **arguments: Any) -> Any:
    """Call a hook of other plugins; what goes wrong in one is told in a sentence.

    Raises:
        UsageError: Naming the hook.
    """
    try:
        return hook(**arguments)
    except Exception as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise UsageError(f"the hook {hook.name} of a plugin or conftest.py raised {what}") from problem


def _registered(hook: Any, kind: type, known: Iterable[Any]) -> list[Any]:
    """Collect what plugins register beside what is *known*.

    Raises:
        UsageError: It is of another kind, or its name is taken.
    """
    found = list(known)
    for more in _ask(hook):
        if more is None:
            continue
        ours = list(more) if isinstance(more, Iterable) else [more]
        if not all(isinstance(one, kind) for one in ours):
            raise UsageError(f"the hook {hook.name} returned {ours!r}; it returns a list of {kind.__name__}")
        for one in ours:
            if any(one.name == other.name for other in found):
                raise UsageError(f"a plugin registers a {kind.__name__} {one.name!r} that exists already")
            found.append(one)
    return found
