"""The command-line options of ``pytest`` and the settings they and the configuration file add up to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.settings import Settings

#: Destination of the option -> name of the setting.
_SETTING_OF = {
    "perfgate": "enabled",
    "perfgate_profile": "profile",
    "perfgate_against": "against",
    "perfgate_baseline": "baseline",
    "perfgate_max_regression": "max_regression",
    "perfgate_max_time": "max_time",
    "perfgate_report": "report",
    "perfgate_strict": "strict",
}

#: Option -> what it fails to do when nothing is measured.
_IDLE = {
    "--perfgate-baseline": "compares nothing",
    "--perfgate-report": "writes nothing",
    "--perfgate-strict": "fails nothing",
    "--perfgate-max-regression": "holds nothing to a tolerance",
    "--perfgate-max-time": "limits nothing",
    "--perfgate-profile": "enforces nothing",
    "--perfgate-only": "leaves nothing out",
}


def add_options(parser: pytest.Parser) -> None:
    """Declare every option of interface section 4; no default here, so that "not given" can be told."""
    group = parser.getgroup("perfgate", "performance gate (pytest-perfgate)")
    add = group.addoption
    add("--perfgate", action="store_true", default=None, help="measure, and enforce budgets")
    add(
        "--no-perfgate",
        action="store_false",
        dest="perfgate",
        help="do not measure, whatever the configuration says",
    )
    add(
        "--perfgate-only",
        action="store_true",
        default=False,
        help="run only tests that measure something or carry a budget",
    )
    add(
        "--perfgate-profile",
        metavar="NAME",
        default=None,
        help="hardware profile (default: auto; environment PERFGATE_PROFILE)",
    )
    add(
        "--perfgate-against",
        metavar="BASE",
        default=None,
        help="paired comparison with another version of the code: a git revision, path:DIR or dist:REQUIREMENT",
    )
    add("--perfgate-baseline", metavar="FILE", default=None, help="compare with a stored run (JSON)")
    add(
        "--perfgate-max-regression",
        metavar="PCT",
        default=None,
        help="tolerance of a comparison (default: 5%%)",
    )
    add(
        "--perfgate-max-time",
        metavar="DURATION",
        default=None,
        help="most seconds spent on one case (default: 3s; paired 20s)",
    )
    add(
        "--perfgate-report",
        metavar="FORMAT=PATH",
        action="append",
        default=None,
        help="write a report: json, junit, junit-properties, markdown, github, text; repeatable; "
        "'-' is standard output",
    )
    add(
        "--perfgate-strict",
        action="store_true",
        default=None,
        help="inconclusive, missing and incomparable results fail",
    )


def load_settings(config: pytest.Config) -> tuple[str, Settings | None]:
    """Read the settings: all of them when the gate is on, else no more than an idle plugin needs.

    Returns:
        Name of the marker, and the settings; None when the gate is off.

    Raises:
        pytest.UsageError: An option or a line of the configuration file cannot be meant.
    """
    from pytest_perfgate.errors import UsageError
    from pytest_perfgate.settings import idle_marker, read_settings_file

    options = {name: config.getoption(dest) for dest, name in _SETTING_OF.items()}
    try:
        file = read_settings_file(config.rootpath)
        marker = idle_marker(file, options)
        if marker is not None:
            _refuse_idle_options(config, options)
            return marker, None
        from pytest_perfgate.settings import resolve

        settings = resolve(file, os.environ, options)
    except UsageError as problem:
        raise pytest.UsageError(f"perfgate: {problem}") from None
    return settings.marker, settings


def known_profiles(config: pytest.Config) -> list[str] | None:
    """Name every profile for a plugin that is idle.

    Returns:
        Names; None where plugins may choose others, or where the profiles cannot be read: then the gate says why.
    """
    if config.hook.pytest_perfgate_profile.get_hookimpls():
        return None
    from pytest_perfgate.errors import UsageError
    from pytest_perfgate.profiles import known_names
    from pytest_perfgate.settings import read_settings_file, resolve

    try:
        return list(known_names(resolve(read_settings_file(config.rootpath), {}, {}).profiles))
    except UsageError:
        return None


def _refuse_idle_options(config: pytest.Config, options: Mapping[str, object]) -> None:
    """Refuse to gate nothing: a command line that lost ``--perfgate`` would be green for ever.

    What ``addopts`` or ``PYTEST_ADDOPTS`` gives is meant for runs with the gate and harms none without, but for a base.

    Raises:
        UsageError: An option of a gate is typed, and the gate neither switched on nor off.
    """
    from pytest_perfgate.errors import UsageError

    if options["enabled"] is not None:
        return
    if options["against"] is not None:
        raise UsageError("--perfgate-against compares nothing without --perfgate; give both")
    typed = {str(argument).partition("=")[0] for argument in config.invocation_params.args}
    for option, what in _IDLE.items():
        if option in typed:
            raise UsageError(
                f"{option} {what} without --perfgate; give both (or --no-perfgate, if nothing is to be measured)"
            )
