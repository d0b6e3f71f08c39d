"""How far ``perf`` is from timeit's loop, the one with the least overhead, on calls of about 100 ns, 10 µs and 1 ms.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/bias_against_timeit.py

Both sides measure the same call of the same function, one right after the other in random order, with the garbage
collector off, and are compared by their medians: ``perf`` as a test would use it, timeit with as many iterations per
repetition as ``perf`` chose and as many repetitions as it made rounds.  A ratio of two neighbours is hardly touched by
a machine that drifts.  Where objects happen to lie in memory shifts one side against the other by a few percent, either
way, for the whole life of a process; so each pair of a call is measured in several fresh processes, and the median of
the processes' medians is printed with its 95 % interval.  Where others are at work, ``--cpu`` lets both sides read the
thread's processor time instead of the wall clock.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

from pytest_perfgate.measure.clock import PERF_COUNTER, Clock
from pytest_perfgate.metrics.timing import measure_call
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.stats import median, median_interval

Call = tuple[Callable[..., Any], tuple[Any, ...]]


def about_100_ns(number: int) -> int:
    return (number * 3 + 1) // 2 * 5 - number // 7


def about_10_us(count: int) -> int:
    total = 0
    for number in range(count):
        total += number
    return total


def about_1_ms(count: int) -> list[str]:
    """Return something that takes a while to free, which is part of a call's cost."""
    return [str(number) for number in range(count)]


CALLS: dict[str, tuple[Call, float]] = {
    "100 ns": ((about_100_ns, (12345,)), 0.05),
    "10 µs": ((about_10_us, (400,)), 0.01),
    "1 ms": ((about_1_ms, (10_000,)), 0.01),
}


def by_perf(call: Call, plan: Plan, clock: Clock) -> tuple[float, int, int]:
    """Return seconds per call, iterations per round and rounds."""
    target, args = call
    _, measured = measure_call(plan, Case("bias", "perf"), target, args, clock=clock)
    assert measured.value is not None
    return measured.value, measured.iterations, measured.rounds


def by_timeit(call: Call, iterations: int, rounds: int, clock: Clock) -> float:
    """Return seconds per call as timeit's loop has it, with target and arguments in local variables."""
    target, args = call
    names = [f"a{place}" for place in range(len(args))]
    timer = timeit.Timer(
        f"f({', '.join(names)})",
        timer=lambda: clock() / 1e9,
        setup="; ".join(["f = given_f", *(f"{name} = given_{name}" for name in names)]),
        globals={"given_f": target, **{f"given_{name}": value for name, value in zip(names, args, strict=True)}},
    )
    timer.timeit(iterations)  # warm-up, as perf has it
    return median(seconds / iterations for seconds in timer.repeat(rounds, iterations))


def ratio(call: Call, pairs: int, plan: Plan, clock: Clock) -> float:
    """Return the median of perf's value over timeit's for so many pairs."""
    _, iterations, rounds = by_perf(call, plan, clock)
    found = []
    for _ in range(pairs):
        if random.random() < 0.5:
            ours, iterations, rounds = by_perf(call, plan, clock)
            theirs = by_timeit(call, iterations, rounds, clock)
        else:
            theirs = by_timeit(call, iterations, rounds, clock)
            ours, iterations, rounds = by_perf(call, plan, clock)
        found.append(ours / theirs)
    return median(found)


def in_fresh_process(name: str, arguments: list[str]) -> float:
    """Return what :func:`ratio` says in a new interpreter."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments, "--only", name], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print a line for each of the three calls."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=15, help="fresh processes for each call (15)")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of measurements in each process (5)")
    parser.add_argument("--max-time", type=float, default=0.4, help="most seconds for one measurement (0.4)")
    parser.add_argument("--cpu", action="store_true", help="processor time of the thread instead of wall time")
    parser.add_argument("--only", choices=CALLS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        clock = time.thread_time_ns if chosen.cpu else PERF_COUNTER
        print(ratio(CALLS[chosen.only][0], chosen.pairs, Plan(max_time_s=chosen.max_time), clock))
        return
    for name, (_, target) in CALLS.items():
        found = [in_fresh_process(name, sys.argv[1:]) for _ in range(chosen.processes)]
        low, high = median_interval(found) or (min(found), max(found))
        print(
            f"{name:>7}: {(median(found) - 1) * 100:+6.2f} %   "
            f"(95 % interval {(low - 1) * 100:+.2f} .. {(high - 1) * 100:+.2f}; at most {target * 100:.0f} %; "
            f"{len(found)} processes of {chosen.pairs} pairs)",
            flush=True,
        )


if __name__ == "__main__":
    main()
