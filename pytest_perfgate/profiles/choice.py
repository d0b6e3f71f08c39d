"""Which profile is in force: the shipped ones, the order in which profiles are tried, and why each does or does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pytest_perfgate import units
from pytest_perfgate.errors import ProfileError
from pytest_perfgate.model import Machine, MatchedProfile, Profile, Python
from pytest_perfgate.profiles.conditions import ALWAYS, NEVER, Answer, Facts, ask, parse_match
from pytest_perfgate.profiles.table import AUTO
from pytest_perfgate.words import did_you_mean, shown

#: In the order tried.  Where a run takes place says more than what the machine is: hosted runners are noisy, batteries
#: throttle, little memory swaps, few cores wait; each of these is felt more than the ones after it.
SHIPPED: tuple[Profile, ...] = (
    Profile(name="ci", match={"ci": True}),
    Profile(name="laptop", match={"battery": True}),
    Profile(name="memory-constrained", match={"memory": "<4GB"}),
    Profile(name="cpu-constrained", match={"cores": "<=2"}),
    Profile(name="high-performance", match={"cores": ">=16", "memory": ">=32GB"}),
    Profile(name="standard", match={ALWAYS: True}),
)

#: In force when nothing matches, which takes a user's ``standard`` with conditions of its own.
_NONE = Profile(name="unmatched")


class Explained(NamedTuple):
    """One line of ``perfgate profile``."""

    name: str
    matched: bool
    because: str


def choose(
    machine: Machine,
    python: Python,
    environ: Mapping[str, str],
    user_profiles: Sequence[Profile],
    *,
    name: str = AUTO,
    unknown: str = "warn",
    asked_by: str = "asked for by name",
) -> MatchedProfile:
    """Find the profile in force.

    Args:
        machine: Where the run takes place.
        python: What it is run with.
        environ: Environment variables.
        user_profiles: In the order written.  One with a shipped name takes the shipped one's place; without conditions
            of its own it also keeps its conditions and its turn.
        name: A profile to take whatever the machine is, or ``auto``.
        unknown: What to do when there are users' profiles with conditions and none of the user's matches: ``warn``,
            ``fail`` or ``ignore``.
        asked_by: What chose *name*, for people: ``--perfgate-profile ci``.

    Returns:
        The profile and what made it so.

    Raises:
        ProfileError: A name that does not exist or exists twice, or *unknown* is ``fail`` and none matched.
    """
    profiles = _in_order(user_profiles)
    if name != AUTO:
        return MatchedProfile(profile=_named(name, profiles, asked_by), matched_by=asked_by)
    facts = Facts(machine, python, environ)
    answers = ((profile, _ask(profile, facts)) for profile in profiles)
    chosen, answer = next(((profile, answer) for profile, answer in answers if answer.holds), (_NONE, None))
    problem = "" if chosen.name in {each.name for each in user_profiles} else _unknown(facts, user_profiles)
    if problem and unknown == "fail":
        raise ProfileError(f'{problem}. Add a profile that matches, {_CHOOSE} or set unknown_profile = "warn"')
    warning = f"{problem}; profile {chosen.name} is used. {_SILENCE}" if problem and unknown == "warn" else ""
    matched_by = answer.because if answer else "no profile matches"
    return MatchedProfile(profile=chosen, matched_by=matched_by, warning=warning)


def known_names(user_profiles: Sequence[Profile]) -> tuple[str, ...]:
    """List the names of all profiles, in the order tried.

    Args:
        user_profiles: In the order written.

    Returns:
        Each name once.

    Raises:
        ProfileError: A name is defined twice.
    """
    return tuple(profile.name for profile in _in_order(user_profiles))


def explain(
    machine: Machine, python: Python, environ: Mapping[str, str], user_profiles: Sequence[Profile]
) -> list[Explained]:
    """Say of every profile whether it matches; the first that does is in force.

    Args:
        machine: Where a run would take place.
        python: What it would be run with.
        environ: Environment variables.
        user_profiles: In the order written.

    Returns:
        One line per profile, in the order tried: its name, whether it matches, and why or why not.

    Raises:
        ProfileError: A name is defined twice, or conditions cannot be meant.
    """
    facts = Facts(machine, python, environ)
    return [Explained(profile.name, *_ask(profile, facts)) for profile in _in_order(user_profiles)]


_CHOOSE = "choose one with --perfgate-profile NAME"
_SILENCE = 'Add a profile that matches, or set unknown_profile = "ignore"'


def _in_order(user_profiles: Sequence[Profile]) -> list[Profile]:
    """Put the user's profiles before the shipped ones; a shipped name stands once."""
    theirs: dict[str, Profile] = {}
    for profile in user_profiles:
        if profile.name in theirs:
            raise ProfileError(f"profile {shown(profile.name)} is defined twice; give one of them another name")
        theirs[profile.name] = profile
    shipped = {profile.name: profile for profile in SHIPPED}
    first = [profile for profile in user_profiles if profile.match or profile.name not in shipped]
    then = [
        replace(theirs[name], match=profile.match) if name in theirs else profile
        for name, profile in shipped.items()
        if name not in theirs or not theirs[name].match
    ]
    return first + then


def _named(name: str, profiles: Sequence[Profile], asked_by: str) -> Profile:
    for profile in profiles:
        if profile.name == name:
            return profile
    names = [profile.name for profile in profiles]
    source = f" ({asked_by})" if name in asked_by else ""
    known = ", ".join([*names, AUTO])
    raise ProfileError(
        f"profile {shown(name)}{source} does not exist{did_you_mean(name, [*names, AUTO])} (known are {known})"
    )


def _ask(profile: Profile, facts: Facts) -> Answer:
    try:
        conditions = parse_match(profile.match or {NEVER: True})
    except ValueError as problem:  # a plugin's profile, which nobody has validated
        raise ProfileError(f"profile {shown(profile.name)}: {problem}") from None
    return ask(conditions, facts)


def _unknown(facts: Facts, user_profiles: Sequence[Profile]) -> str:
    """Say what this machine is and why no profile of the user's is meant for it; empty when none could be."""
    meant = [profile for profile in user_profiles if profile.match and NEVER not in profile.match]
    if not meant:
        return ""
    reasons = "; ".join(f"{profile.name}: {_ask(profile, facts).because}" for profile in meant)
    return f"no profile of yours matches this machine, which is {_described(facts)} ({reasons})"


def _described(facts: Facts) -> str:
    machine, python = facts.machine, facts.python
    parts = [
        f"{machine.os} {machine.arch}",
        f"{machine.cores:g} core{'' if machine.cores == 1 else 's'}",
        f"{units.format_value(machine.memory_bytes, units.BYTES)} of memory",
        f'CPU "{machine.cpu}"',
        f"hosted CI {machine.ci}" if machine.ci else "no hosted CI",
        *(["on battery"] if machine.on_battery else []),
        f"{python.implementation} {python.version}",
    ]
    return ", ".join(parts)
