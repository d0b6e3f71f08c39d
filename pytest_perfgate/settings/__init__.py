"""What is in force: defaults, configuration file, environment, command line, and in which order they count.

A project without perfgate pays for reading the bytes of its ``pyproject.toml`` and for nothing else, so this module
imports only what every Python has loaded anyway; the rest is imported when there is something to read.
"""

# ruff: noqa: PLC0415  # as said above
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_perfgate.settings.layers import Settings, resolve, with_profile

__all__ = ["FileSettings", "Settings", "idle_marker", "read_settings_file", "resolve", "with_profile"]

_DEFAULT_MARKER = "budget"
#: Where "perfgate" stands in the files of projects that use it without configuring it.
_MENTIONS = (b'"pytest-perfgate', b"'pytest-perfgate", b"--perfgate")


class FileSettings(dict[str, object]):
    """The settings of a configuration file as they are written, every key known, the values not looked at.

    Args:
        values: Setting -> value.
        path: The file; empty when there is none.
        table: The table they stand in, for messages: ``[tool.perfgate]``, or empty at the top of the file.
    """

    __slots__ = ("path", "table")

    def __init__(self, values: dict[str, object] | None = None, *, path: str = "", table: str = "") -> None:
        super().__init__(values or {})
        self.path, self.table = path, table


def read_settings_file(rootdir: Path) -> FileSettings:
    """Read ``[tool.perfgate]`` of ``pyproject.toml``, or the ``perfgate.toml`` beside it.

    Args:
        rootdir: The folder of both.

    Returns:
        What stands there; empty when there is nothing.

    Raises:
        SettingsError: A file that cannot be read or is not TOML, an unknown key, or settings in both files.
    """
    own = _read(rootdir / "perfgate.toml")
    project = _read(rootdir / "pyproject.toml")
    without = project
    for mention in _MENTIONS:
        without = without.replace(mention, b"")
    if not own and b"perfgate" not in without:
        return FileSettings()
    from pytest_perfgate.settings.file import read_tables

    return read_tables(rootdir, own, project)


def idle_marker(file: FileSettings, options: Mapping[str, object]) -> str | None:
    """Tell cheaply whether the gate is off, and what its marker is called then.

    The other settings are not looked at: an idle plugin has no use for them, and reading them would cost more than
    all the rest of it.

    Args:
        file: What :func:`read_settings_file` read.
        options: As for :func:`~pytest_perfgate.settings.layers.resolve`.

    Returns:
        Name of the marker; None when the gate is on.

    Raises:
        SettingsError: One of these two settings cannot be meant.
    """
    if not file and not options.get("enabled"):
        return _DEFAULT_MARKER
    from pytest_perfgate.settings.sources import given, read
    from pytest_perfgate.settings.table import BY_NAME

    values: dict[str, Any] = {"enabled": False, "marker": _DEFAULT_MARKER}
    for name in values:
        for source in given(BY_NAME[name], file, {}, options):
            values[name] = read(BY_NAME[name], source)
    return None if values["enabled"] else str(values["marker"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
    except OSError as problem:
        from pytest_perfgate.errors import SettingsError

        raise SettingsError(f"{path} cannot be read: {problem.strerror or problem}") from None


def __getattr__(name: str) -> Any:
    """Import what is heavier when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_perfgate.settings import layers

    return getattr(layers, name)
