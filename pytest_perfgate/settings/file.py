"""From the bytes of ``pyproject.toml`` and ``perfgate.toml`` to one table whose keys all exist."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import SettingsError
from pytest_perfgate.settings import FileSettings
from pytest_perfgate.settings.table import ALIASES, BY_NAME

_TABLE = "[tool.perfgate]"


def read_tables(rootdir: Path, own: bytes, project: bytes) -> FileSettings:
    """Find the settings in either file.

    Args:
        rootdir: The folder of both, for messages.
        own: What stands in ``perfgate.toml``; empty when there is none.
        project: What stands in ``pyproject.toml``; empty when there is none.

    Returns:
        The settings of the one file that has some.

    Raises:
        SettingsError: A file is not TOML, a key is unknown, or both files have settings.
    """
    found = [_in_own(rootdir / "perfgate.toml", own), _in_project(rootdir / "pyproject.toml", project)]
    for settings in found:
        _check_keys(settings)
    if all(found):
        raise SettingsError(
            f"perfgate is configured twice: in {found[0].path} and in {_TABLE} of {found[1].path}; keep one of them"
        )
    return found[0] or found[1]


def _in_project(path: Path, data: bytes) -> FileSettings:
    tool = _parse(path, data).get("tool", {}) if b"perfgate" in data else {}
    if not isinstance(tool, Mapping):
        return FileSettings(path=str(path), table=_TABLE)
    for misspelt in ("pytest-perfgate", "pytest_perfgate"):
        if misspelt in tool:
            raise SettingsError(f"{path}: the table is called {_TABLE}, not [tool.{misspelt}]")
    return FileSettings(_table(tool.get("perfgate", {}), path), path=str(path), table=_TABLE)


def _in_own(path: Path, data: bytes) -> FileSettings:
    document = _parse(path, data)
    tool = document.get("tool")
    if not isinstance(tool, Mapping) or "perfgate" not in tool:
        return FileSettings(document, path=str(path))
    if set(document) != {"tool"}:
        raise SettingsError(f"{path} has settings at the top and in {_TABLE}; keep one of them")
    return FileSettings(_table(tool["perfgate"], path), path=str(path), table=_TABLE)


def _table(value: object, path: Path) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise SettingsError(f"{path}: tool.perfgate is not a table; write {_TABLE} and the settings below it")


def _check_keys(settings: FileSettings) -> None:
    for key in settings:
        if key not in BY_NAME:
            from pytest_perfgate.words import did_you_mean  # noqa: PLC0415  # costs some ms; for a message only

            meant = did_you_mean(key, BY_NAME, ALIASES) or f"; known are {', '.join(BY_NAME)}"
            raise SettingsError(f'{settings.path}: {settings.table} "{key}" is not a setting{meant}'.replace("  ", " "))


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    # Under its other name before Python 3.11.
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        parsed: dict[str, Any] = toml.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        before = data[: problem.start]
        line, column = before.count(b"\n") + 1, problem.start - before.rfind(b"\n")
        raise SettingsError(
            f"{path} is not UTF-8: byte {data[problem.start]:#04x} at line {line}, column {column}; save it as UTF-8"
        ) from None
    except ValueError as problem:
        raise SettingsError(f"{path} is not valid TOML: {problem}") from None
    except RecursionError:
        raise SettingsError(f"{path} is not valid TOML: it is nested too deeply") from None
    return parsed
