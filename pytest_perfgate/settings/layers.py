"""The settings and the layers they are made of: defaults, file, environment, profile, command line.

The marker is the last layer; it is added per test, where budgets are combined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_perfgate.settings import FileSettings
from pytest_perfgate.settings.sources import check_options, given, read
from pytest_perfgate.settings.table import SETTINGS

if TYPE_CHECKING:
    from pytest_perfgate.model import MatchedProfile, Profile

_PLAIN_TIME_S, _PAIRED_TIME_S = 3.0, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force for a whole run."""

    enabled: bool = False
    """Whether to measure and enforce."""
    marker: str = "budget"
    profile: str = "auto"
    """Name of the profile asked for; ``auto`` finds it."""
    max_regression: float = 0.05
    """Tolerance of a comparison, as a ratio."""
    max_time_s: float | None = None
    """Most seconds spent on one case, > 0; None: the default, see :attr:`case_time_s`."""
    run_time_s: float = 1800.0
    """Most seconds spent on all cases of a paired comparison, > 0."""
    timeout_s: float = 300.0
    """A measurement that takes longer is given up; 0 means never."""
    unknown_profile: str = "warn"
    """``warn``, ``fail`` or ``ignore`` when no profile of the user's matches."""
    strict: bool = False
    baseline: str | None = None
    """Path of a stored run, as written."""
    against: str | None = None
    """Base of a paired comparison, as written."""
    packages: tuple[str, ...] = ()
    """Import names of the code under test, for a paired comparison; empty: they are found."""
    reports: tuple[str, ...] = ()
    """``FORMAT=PATH``, as written."""
    profiles: tuple[Profile, ...] = ()
    """The user's, in the order written."""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Setting (its name in the file) -> what decided it; defaults are left out."""

    @property
    def case_time_s(self) -> float:
        """Most seconds spent on one case: a paired comparison takes longer than a plain measurement."""
        if self.max_time_s is not None:
            return self.max_time_s
        return _PLAIN_TIME_S if self.against is None else _PAIRED_TIME_S

    @property
    def profile_source(self) -> str:
        """What asked for the profile: ``--perfgate-profile ci``, ``PERFGATE_PROFILE=ci``; empty for the default."""
        source = self.sources.get("profile", "")
        if source.startswith("-"):
            return f"{source} {self.profile}"
        return source and (f"{source}={self.profile}" if source.isupper() else f'{source}: profile = "{self.profile}"')


def resolve(
    file: FileSettings,
    environ: Mapping[str, str],
    options: Mapping[str, object],
    *,
    option_prefix: str = "--perfgate-",
) -> Settings:
    """Put the layers on top of each other: defaults, file, environment, command line.

    Every value given is checked, also one that a stronger layer covers.

    Args:
        file: What :func:`~pytest_perfgate.settings.read_settings_file` read.
        environ: Environment variables; an empty one counts as not set.
        options: Setting -> value from the command line, None for one that was not given.  A ``report`` given here
            takes the place of those in the file.
        option_prefix: How the options begin, for messages.

    Returns:
        The settings, without what a profile says (see :func:`with_profile`).

    Raises:
        SettingsError: A value that cannot be meant; the message names its source.
        ProfileError: Likewise, within a profile.
    """
    check_options(options)
    values: dict[str, Any] = {}
    sources = {}
    for setting in SETTINGS:
        for source in given(setting, file, environ, options, option_prefix):
            values[setting.field] = read(setting, source)
            sources[setting.name] = source.short
    return Settings(**values, sources=sources)


def with_profile(settings: Settings, matched: MatchedProfile, *, explicit_tolerance: bool) -> Settings:
    """Add the layer of the profile in force.

    Args:
        settings: The other layers.
        matched: The profile in force.
        explicit_tolerance: Whether the command line gave a tolerance, which is stronger than the profile's.

    Returns:
        The settings with the profile's tolerance, if it has one and it counts.
    """
    tolerance = matched.profile.max_regression
    if tolerance is None or explicit_tolerance:
        return settings
    sources = {**settings.sources, "max_regression": f"profile {matched.name}"}
    return replace(settings, max_regression=tolerance, sources=sources)
