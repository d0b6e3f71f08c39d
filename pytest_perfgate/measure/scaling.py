"""What a speedup says: the most that was possible, what kind of work it is, what keeps it from more.  Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping

#: Share of the serial window on a core above which work is limited by cores, and where it is nothing else.
NEEDS_CORES, ONLY_CORES = 0.5, 0.9
#: Below this share the work waits, and cores do not matter at all.
ONLY_WAITS = 0.2
#: A speedup below it is none worth several workers, and needs a reason.
_HARDLY = 1.25
#: Where no more than this was possible, nothing hinders.
_POSSIBLE = 1.5
#: Cores that threads kept busy, on average, below which only one of them ran at a time.
_ONE_AT_A_TIME = 1.25
#: CPU time of the parallel pass against that of the serial one, above which the threads are in each other's way.
_WASTED = 1.5
#: With fewer, or noisier ones, a fit of two numbers says nothing: from 1, 2 and 4 workers with 3 % noise contention of
#: 5 % is found to be anything from 0 to 8 %, from six numbers with 1 % noise 3.5 to 6.5 %.
FEWEST_FOR_USL, NOISIEST_FOR_USL = 5, 0.015


def kind_of(cpu_share: float) -> str:
    """Name the kind of work: ``cpu-bound``, ``io-bound`` or ``mixed``.

    Args:
        cpu_share: Share of the serial pass spent on a core, 0 to 1.
    """
    if cpu_share >= ONLY_CORES:
        return "cpu-bound"
    return "io-bound" if cpu_share < ONLY_WAITS else "mixed"


def ceiling_of(workers: int, capacity: float, cpu_share: float) -> float | None:
    """Give the most that perfect code could reach here, None when cores are not what limits it.

    Work that is on a core for a share *s* of its serial time cannot take less than *s* / *capacity* of that time.
    """
    if cpu_share <= NEEDS_CORES:
        return None
    return min(float(workers), capacity if cpu_share >= ONLY_CORES else capacity / cpu_share)


def ceiling_formula(ceiling: float | None, cpu_share: float, given: str = "cores") -> str:
    """Say what an efficiency is held against; *given* is what the machine gives."""
    if ceiling is None:
        return "workers"
    return f"min(workers, {given})" if cpu_share >= ONLY_CORES else f"min(workers, {given} / cpu_share)"


def serial_fraction(speedup: float, workers: float) -> float | None:
    """Tell which part of the work behaves as if it could not be shared out.

    Args:
        speedup: Measured, > 0.
        workers: How many could work at a time.

    Returns:
        0 (all of it is shared) to 1 and beyond (parallel is slower than serial); None for a single worker.

    Source:
        Karp & Flatt, "Measuring Parallel Processor Performance", Communications of the ACM 33 (1990) 539-543.
    """
    if workers <= 1:
        return None
    return max(0.0, (1 / speedup - 1 / workers) / (1 - 1 / workers))


def amdahl_fraction(curve: Mapping[float, float]) -> float | None:
    """Fit the serial fraction of Amdahl's law, 1 / S(N) = f + (1 - f) / N, to several speedups by least squares.

    Args:
        curve: Workers that could work at a time -> speedup.

    Returns:
        The fraction, 0 to 1; None with fewer than two numbers of workers above one.

    Source:
        Amdahl, "Validity of the single processor approach", AFIPS Spring Joint Computer Conference (1967) 483-485.
    """
    points = [(1 - 1 / workers, 1 / speedup - 1 / workers) for workers, speedup in curve.items() if workers > 1]
    if len(points) < 2:  # noqa: PLR2004  # one point is serial_fraction()'s affair
        return None
    fraction = sum(x * y for x, y in points) / sum(x * x for x, _ in points)
    return min(1.0, max(0.0, fraction))


def universal_scalability(curve: Mapping[float, float]) -> tuple[float, float] | None:
    """Fit Gunther's law, N / S(N) - 1 = s (N - 1) + k N (N - 1), to several speedups by least squares, s and k >= 0.

    Args:
        curve: Workers that could work at a time -> speedup.

    Returns:
        Contention *s* and coherency *k*; None with fewer than :data:`FEWEST_FOR_USL` numbers of workers above one.

    Source:
        Gunther, "Guerrilla Capacity Planning" (2007), chapters 4 to 6; checked against SciPy's ``nnls``.
    """
    points = [(n - 1, n * (n - 1), n / speedup - 1) for n, speedup in curve.items() if n > 1]
    if len(points) < FEWEST_FOR_USL:
        return None
    aa, ab, bb = (sum(one[i] * one[j] for one in points) for i, j in ((0, 0), (0, 1), (1, 1)))
    ay, by = (sum(one[i] * one[2] for one in points) for i in (0, 1))
    determinant = aa * bb - ab * ab
    both = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
    if min(both) >= 0:
        return both
    # Beyond a bound the best lies on it: of the two edges the one that explains more.
    edges = (max(0.0, ay / aa), 0.0), (0.0, max(0.0, by / bb))
    return max(edges, key=lambda edge: 2 * (edge[0] * ay + edge[1] * by) - edge[0] ** 2 * aa - edge[1] ** 2 * bb)


def hindrance(  # six facts that are known only here
    *,
    speedup: float,
    workers: int,
    able: float,
    cpu_share: float,
    busy_cores: float,
    cpu_growth: float,
) -> str:
    """Say what keeps work that needs cores from being faster with threads; empty where it is, or cannot be told.

    Args:
        speedup: Measured.
        workers: How many threads.
        able: The most that was possible here.
        cpu_share: Share of the serial pass on a core.
        busy_cores: Cores that the parallel pass kept busy on average, its threads together.
        cpu_growth: CPU time of the parallel pass over that of the serial one.
    """
    if cpu_share < ONLY_CORES or able < _POSSIBLE or speedup >= _HARDLY:
        return ""
    said = f"{speedup:.2f}× with {workers} threads"
    if busy_cores < _ONE_AT_A_TIME:
        why = "the GIL is held" if gil_is_enabled() else "a lock is held"
        return f"{said}: {why}; on-CPU time is that of {busy_cores:.1f} cores, so one thread ran at a time"
    if cpu_growth > _WASTED:
        return (
            f"{said}: the threads ran at a time and took {cpu_growth:.1f} times the CPU time: they wait for each other"
        )
    return ""


def gil_is_enabled() -> bool:
    """Tell whether this interpreter runs one thread at a time, now: an import may have switched that back on."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())
