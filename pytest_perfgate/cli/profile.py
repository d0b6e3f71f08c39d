"""``perfgate profile``: what this machine is, which hardware profile it matches and why the others do not."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import PASSED, say
from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_perfgate.model import Machine, MatchedProfile, Python
    from pytest_perfgate.profiles import Explained

#: The files that the settings may stand in, see :mod:`pytest_perfgate.settings`.
_SETTINGS_FILES = ("perfgate.toml", "pyproject.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate profile``."""
    parser.description = """\
Say what this machine is, as far as a process may use it, which hardware
profile is in force, and why each of the others does or does not match.  What
pytest plugins add or choose is not known here."""
    parser.epilog = """\
example:
  perfgate profile
  PERFGATE_PROFILE=ci perfgate profile --rootdir path/to/project

exit status: 0; 2 the configuration, or the profile asked for, cannot be meant"""
    parser.add_argument(
        "--rootdir",
        metavar="DIR",
        help="where pyproject.toml or perfgate.toml is (default: this folder or the nearest above it that has one)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Print the facts, then every profile in the order tried.

    Returns:
        0.
    """
    from pytest_perfgate.machine import current_machine, current_python
    from pytest_perfgate.profiles import choose, explain
    from pytest_perfgate.settings import read_settings_file, resolve

    file = read_settings_file(_root(namespace.rootdir))
    settings = resolve(file, os.environ, {})
    machine, python = current_machine(), current_python()
    say("\n".join([*_facts(machine, python), f"settings: {file.path or 'none found'}"]))
    tried = explain(machine, python, os.environ, settings.profiles)
    say("\n".join(["", "profiles, in the order tried:", *_rows(tried)]))
    # Last, because it refuses a machine that no profile is meant for where the configuration says so.
    matched = choose(
        machine,
        python,
        os.environ,
        settings.profiles,
        name=settings.profile,
        unknown=settings.unknown_profile,
        asked_by=settings.profile_source,
    )
    say("\n".join(["", *_about_chosen(matched)]))
    return PASSED


def _root(given: str | None) -> Path:
    if given is not None:
        if not Path(given).is_dir():
            raise UsageError(f"--rootdir {given}: there is no such folder")
        return Path(given)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / name).is_file() for name in _SETTINGS_FILES):
            return folder
    return here


def _facts(machine: Machine, python: Python) -> Iterator[str]:
    from pytest_perfgate.units import BYTES, format_value

    usable, total = (format_value(size, BYTES) for size in (machine.memory_bytes, machine.memory_total_bytes))
    yield f"machine: {machine.cpu or 'an unknown CPU'}, {machine.os} {machine.os_release} {machine.arch}"
    yield f"cores: {machine.cores:g} of {machine.cores_total} (affinity and CPU quota counted)"
    yield f"memory: {usable} of {total} (cgroup limit counted)"
    yield f"hosted CI: {machine.ci or 'no'}; on battery: {'yes' if machine.on_battery else 'no'}"
    yield f"python: {python.series} ({python.version})"


def _rows(tried: Sequence[Explained]) -> Iterator[str]:
    """Write one line per profile; only the first that matches is in force."""
    width = max(len(each.name) for each in tried)
    first = next((each.name for each in tried if each.matched), None)
    for each in tried:
        word = "no" if not each.matched else "yes" if each.name == first else "yes, but later"
        yield f"  {each.name:{width}}  {word:14}  {each.because}"


def _about_chosen(matched: MatchedProfile) -> Iterator[str]:
    from pytest_perfgate.units import RATIO, format_value

    profile = matched.profile
    yield f"in force: {matched.name} ({matched.matched_by})"
    if profile.scale != 1:
        yield f"  time budgets without a value of their own for this profile are multiplied by {profile.scale:g}"
    if profile.max_regression is not None:
        yield f"  max_regression {format_value(profile.max_regression, RATIO, show_as='%')}"
    for pattern in profile.budgets:
        yield f"  has budgets of its own for {pattern}"
    if matched.warning:
        yield f"warning: {matched.warning}"
