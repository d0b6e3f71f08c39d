"""Where the values of a setting were given, the weakest place first, and how a mistake in one is told.

An idle plugin with a configuration file comes by here, so nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_perfgate.errors import ProfileError, SettingsError
from pytest_perfgate.settings import FileSettings
from pytest_perfgate.settings.table import BY_NAME, Setting


class Source:
    """One value where it was given.

    Args:
        value: As written.
        short: The place, for facts about a run: ``pyproject.toml``, ``PERFGATE_PROFILE``, ``--perfgate-profile``.
        place: The place, for messages: with the folder and the table.
        joint: What stands between the place and a value there.
    """

    def __init__(self, value: object, short: str, *, place: str, joint: str) -> None:
        self.value, self.short = value, short
        self._place, self._joint = place, joint

    @property
    def text(self) -> str:
        """The place with the value, for messages."""
        from pytest_perfgate.words import shown  # noqa: PLC0415  # costs some ms; for a message only

        values = self.value if isinstance(self.value, (list, tuple)) else [self.value]
        words = [each for each in values if isinstance(each, str) and each.isprintable() and each]
        is_typed = self._joint != " = "
        if is_typed and len(words) == len(values):
            return f"{self._place}{self._joint}{' '.join(words)}"
        # A list of one was typed as that one.
        return f"{self._place}{self._joint}{shown(values[0] if is_typed and len(values) == 1 else self.value)}"


def given(
    setting: Setting,
    file: FileSettings,
    environ: Mapping[str, str],
    options: Mapping[str, object],
    option_prefix: str = "--perfgate-",
) -> Iterator[Source]:
    """Yield every value given for a setting, the weakest source first.

    Args:
        setting: The setting.
        file: The configuration file.
        environ: Environment variables; an empty one counts as not set.
        options: Setting -> value from the command line, None for one that was not given.
        option_prefix: How the options begin, for messages.
    """
    name = setting.name
    if name in file:
        place = f"{file.path}: {file.table} {name}".replace("  ", " ")
        yield Source(file[name], file.path.replace("\\", "/").rpartition("/")[2], place=place, joint=" = ")
    if setting.environment and environ.get(setting.environment, "").strip():
        yield Source(environ[setting.environment], setting.environment, place=setting.environment, joint="=")
    if setting.has_option and options.get(name) is not None:
        option = option_prefix + name.replace("_", "-")
        yield Source(options[name], option, place=option, joint=" ")


def read(setting: Setting, source: Source) -> object:
    """Read a value.

    Args:
        setting: Says how.
        source: Where it was given.

    Returns:
        The value of the setting's field.

    Raises:
        SettingsError: It cannot be meant; the message names the source and shows the value.
        ProfileError: Likewise, within a profile.
    """
    try:
        return setting.read(source.value)
    except ValueError as problem:
        raise SettingsError(f"{source.text} {problem}") from None
    except ProfileError as problem:
        raise ProfileError(f"{source.short}: {problem}") from None


def check_options(options: Mapping[str, object]) -> None:
    """Find a caller's slip: an option nobody reads would have no effect and no message."""
    for name in options:
        if name not in BY_NAME or not BY_NAME[name].has_option:
            raise TypeError(f"{name!r} is not a setting that has an option")
