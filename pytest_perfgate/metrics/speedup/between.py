"""Between which ends the facts beside a speedup lie, where others disturbed it; the ends of the speedup are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_perfgate.measure.scaling import amdahl_fraction, serial_fraction


def ends_of_facts(
    facts: dict[str, Any], value: float, ends: tuple[float, float], able: float, over: dict[float, float]
) -> dict[str, float]:
    """Tell what each fact that follows from the passes would be at both ends of the speedup.

    Args:
        facts: As measured.
        value: The speedup as measured.
        ends: Between which it lies on a machine of its own.
        able: The most that perfect code could reach.
        over: Workers that could work at a time -> speedup, of a curve.

    Returns:
        ``<fact>_at_least`` and ``<fact>_at_most``.
    """
    found: dict[str, float] = {}
    for name, least, most in _between(facts, value, ends, able, over):
        found |= {f"{name}_at_least": min(least, facts[name]), f"{name}_at_most": max(most, facts[name])}
    return found


def _between(
    facts: dict[str, Any], value: float, ends: tuple[float, float], able: float, over: dict[float, float]
) -> Iterator[tuple[str, float, float]]:
    slower, faster = (max(end, 1e-9) / value for end in ends)
    if "serial_fraction" in facts:
        least, most = (serial_fraction(value * factor, able) or 0.0 for factor in (faster, slower))
        yield "serial_fraction", least, most
    if "amdahl_fraction" in facts:
        # Only the largest number of workers has ends; whoever hindered them hindered fewer in the same way.
        least, most = (
            amdahl_fraction({n: speedup * factor for n, speedup in over.items()}) or 0.0 for factor in (faster, slower)
        )
        yield "amdahl_fraction", least, most
    # Both passes may have been slowed down: the lower end is the serial pass without that, over the parallel one.
    hastened = faster / slower
    parallel_s = facts["parallel_s"] / hastened
    yield "parallel_s", parallel_s, facts["parallel_s"]
    if "overhead_s" in facts:
        yield "overhead_s", max(0.0, parallel_s - facts["serial_s"] * slower / able), facts["overhead_s"]
    if "busy_cores" in facts:
        most = min(facts["busy_cores"] * hastened, facts["workers"], facts["capacity"])
        yield "busy_cores", facts["busy_cores"], most
