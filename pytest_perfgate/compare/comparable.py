"""Whether two runs may be compared at all: same machine, same Python, same profile."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_perfgate.model import Machine, Python, Run


def incomparable_reason(base: Run, machine: Machine, python: Python, profile: str) -> str:
    """Say what makes *base* incomparable with a run on *machine*.

    CPU model, cores, operating system, architecture, Python series and profile must be equal: each of them moves
    numbers by more than any tolerance.  Host name, memory and patch level need not be.

    Args:
        base: A stored run.
        machine: Where the other run was measured.
        python: What it was measured with.
        profile: Name of the profile that was in force.

    Returns:
        One sentence that names the differing facts of both sides; empty when the two are comparable.
    """
    then, now = differing_facts(base, machine, python, profile)
    if not then:
        return ""
    return f"the baseline was measured on {then}; this is {now}; record a baseline here to compare with"


def differing_facts(base: Run, machine: Machine, python: Python, profile: str) -> tuple[str, str]:
    """Name the facts that make two runs incomparable, of *base* and of the other; both empty when there are none."""
    pairs = list(_differing(base, machine, python, profile))
    return ", ".join(then for then, _ in pairs), ", ".join(now for _, now in pairs)


def _differing(base: Run, machine: Machine, python: Python, profile: str) -> Iterator[tuple[str, str]]:
    """Yield each fact that differs, as the words for both sides."""
    then = base.machine
    if (then.cpu, then.cores) != (machine.cpu, machine.cores):
        yield _processor(then), _processor(machine)
    if (then.os, then.arch) != (machine.os, machine.arch):
        yield f"{then.os} {then.arch}", f"{machine.os} {machine.arch}"
    if base.python.series != python.series:
        yield base.python.series, python.series
    if base.profile != profile:
        yield f"profile {base.profile}", f"profile {profile}"


def _processor(machine: Machine) -> str:
    return f"{machine.cpu or 'an unknown CPU'}, {machine.cores:g} core" + ("" if machine.cores == 1 else "s")
