"""How far a speedup is from the truth, how often a budget on it errs beside hogs, whether the kind of work is right.

Run it from an environment with pytest-perfgate installed, on a machine with two cores or more::

    python benchmarks/speedup_verdicts.py                        # 200 verdicts of each kind, half an hour
    python benchmarks/speedup_verdicts.py --verdicts 50 --errors 10 --kinds 3
    python benchmarks/speedup_verdicts.py --minutes 4            # each of the three parts stops after 4 minutes

What work takes is made, so the truth is known: a part ``f`` of it is done by one worker, the rest is shared by two.
"Waiting" work sleeps and needs no cores: its error is that of the method.  "Computing" work hashes with the interpreter
lock released: the errors of the machine, and of whoever else uses it, come on top.
"Undisturbed" counts, of the runs within the error allowed, those in which the measurement itself found nothing in its
way; "covered" those in which the truth lies between the ends that it gives, or above what it says the machine can give;
"failed" those in which a limit of nine tenths of the truth is said to be broken.  Why threads take turns is only told
where others leave room to see it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hogging import hogs

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.gate import judge_test
from pytest_perfgate.metrics.speedup import measure_speedup, measure_speedup_of
from pytest_perfgate.model import Case, Measurement, Plan, Verdict
from pytest_perfgate.stats import median, percentile, proportion_interval

CASE = Case("benchmark", "speedup")
WORKERS = 2
FRACTIONS = (0.0, 0.1, 0.25, 0.5)
CLOSE = 0.03
#: A limit that work of a known speedup keeps to, as a share of that.
EASY = 0.9
#: Of a machine with two cores: what perfect code reaches without effort, and code that takes turns never.
BUDGET = 1.5
UNTOLD = "cpu-bound, and nothing said of the lock"
#: One pass done serially.
PASS_S, BESIDE_HOGS_S = 0.06, 0.03


class Clock:
    """Tells a part of the benchmark when its time is up."""

    def __init__(self, minutes: float) -> None:
        """Start it; 0 minutes are for ever."""
        self._until = time.monotonic() + minutes * 60 if minutes else float("inf")

    def upto(self, count: int) -> Iterator[int]:
        """Count, until it is enough or the time is up."""
        for number in range(count):
            if time.monotonic() > self._until:
                return
            yield number


# -- work


def hashed(rounds: int) -> bytes:
    """Need a core, with the interpreter lock released."""
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", rounds)


def counted(number: int) -> int:
    """Need a core, and the interpreter lock all the time."""
    total = 0
    for each in range(number):
        total += each
    return total


def dumped(document: object) -> str:
    """Need a core, and the interpreter lock, in C."""
    return json.dumps(document)


def packed(data: bytes) -> int:
    """Need a core, with the interpreter lock released, in another library."""
    return len(zlib.compress(data, 6))


def slept(duration_s: float) -> float:
    """Need nothing."""
    time.sleep(duration_s)
    return duration_s


async def awaited(duration_s: float) -> float:
    """Need nothing, on an event loop."""
    await asyncio.sleep(duration_s)
    return duration_s


def half_and_half(rounds: int) -> bytes:
    """Need a core for about 0.6 of the time."""
    time.sleep(0.004)
    return hashed(rounds)


def amount_for(duration_s: float, work: Callable[[int], object], trial: int) -> int:
    """Find how much of some work takes so long on a core; *trial* is what it is tried with."""
    work(trial)
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        work(trial)
        best = min(best, time.perf_counter() - began)
    return max(1, round(trial * duration_s / best))


def rounds_for(duration_s: float) -> int:
    """Find how many rounds of hashing take so long on a core."""
    return amount_for(duration_s, hashed, 5_000)


def turns_for(duration_s: float) -> int:
    """Find how far to count to take so long on a core."""
    return amount_for(duration_s, counted, 50_000)


# -- (a) how far from the truth


def errors(count: int, clock: Clock) -> None:
    """Print the error of the speedup on tasks with a known serial part."""
    total = rounds_for(PASS_S)
    print(f"\nError of the speedup, {WORKERS} workers (target: at most {CLOSE:.0%} in 95 % of runs)")
    print(
        "| work | serial part | truth | runs | median error | 95th percentile "
        "| within | undisturbed | covered | failed |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    works: dict[str, tuple[Callable[[Any], Any], Callable[[float], Any]]] = {
        "waiting": (slept, lambda share: PASS_S * share),
        "computing": (hashed, lambda share: max(1, round(total * share))),
    }
    found: dict[tuple[str, float], list[Measurement]] = {(work, f): [] for work in works for f in FRACTIONS}
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in clock.upto(count):
            for (work, fraction), measured in found.items():
                task, amount = works[work]
                measured.append(_amdahl(pool, task, amount, fraction))
    for (work, fraction), measured in found.items():
        _print_errors(work, fraction, measured)


def _amdahl(
    pool: ThreadPoolExecutor, task: Callable[[Any], Any], amount: Callable[[float], Any], fraction: float
) -> Measurement:
    """Measure work of which a part is done by one worker and the rest by two."""
    whole, alone, shared = amount(1.0), amount(fraction), amount((1 - fraction) / WORKERS)

    def parallel() -> None:
        if fraction:
            task(alone)
        list(pool.map(task, [shared] * WORKERS))

    return measure_speedup_of(Plan(), CASE, lambda: task(whole), parallel, workers=WORKERS, check=False)[1]


def _print_errors(work: str, fraction: float, measured: list[Measurement]) -> None:
    if not measured:
        return
    truth = 1 / (fraction + (1 - fraction) / WORKERS)
    off = [abs((one.value or 0.0) / truth - 1) for one in measured]
    calm = [error for error, one in zip(off, measured, strict=True) if not _is_disturbed(one)]
    print(
        f"| {work} | {fraction:g} | {truth:.3f} | {len(off)} | {median(off):.2%} | {percentile(off, 95):.2%} "
        f"| {_close(off)} | {_close(calm)} | {sum(_covers(one, truth) for one in measured)} of {len(off)} "
        f"| {sum(_fails(one, EASY * truth) for one in measured)} |",
        flush=True,
    )


def _close(off: list[float]) -> str:
    return f"{sum(error <= CLOSE for error in off)} of {len(off)}"


def _is_disturbed(measured: Measurement) -> bool:
    """Tell whether the measurement says that the machine did not give all it has."""
    return "disturbance" in measured.extra or "machine_ceiling" in str(measured.extra["efficiency_against"])


def _fails(measured: Measurement, limit: float) -> bool:
    """Tell whether a limit that the work keeps to is said to be broken."""
    (finding,) = judge_test(CASE.test, parse_marker((), {"speedup": limit}).budget, [measured])
    return finding.verdict is Verdict.OVER_BUDGET


def _covers(measured: Measurement, truth: float) -> bool:
    """Tell whether the truth lies between the ends that the measurement gives, or within the error allowed."""
    value = measured.value or 0.0
    low, high = (measured.extra.get(f"speedup_at_{end}", value) for end in ("least", "most"))
    is_out_of_reach = measured.ceiling is not None and truth > measured.ceiling
    return bool(low * (1 - CLOSE) <= truth and (truth <= high * (1 + CLOSE) or is_out_of_reach))


# -- (b) wrong verdicts beside hogs


def verdicts(count: int, clock: Clock, max_time_s: float, beside: int) -> None:
    """Print how often perfect code fails and code that takes turns passes, beside hogs."""
    budget = parse_marker((), {"speedup": BUDGET}).budget
    turns = turns_for(BESIDE_HOGS_S / 8)
    kinds = {"perfectly parallel": "process", "takes turns (GIL)": "thread"}
    found: dict[str, list[Any]] = {kind: [] for kind in kinds}
    with hogs(beside):
        for _ in clock.upto(count):
            for kind, backend in kinds.items():
                plan = Plan(max_time_s=max_time_s)
                _, measured = measure_speedup(plan, CASE, counted, [turns] * 8, workers=WORKERS, backend=backend)
                (finding,) = judge_test(CASE.test, budget, [measured])
                found[kind].append(finding)
    print(
        f"\nVerdicts beside {beside} hogs, budget(speedup={BUDGET}), {WORKERS} workers (targets: 0 of 200 wrong, each)"
    )
    print("| work | verdicts | pass | over-budget | inconclusive | wrong | speedup seen | 95 % bound of wrong |")
    print("|---|---|---|---|---|---|---|---|")
    wrong_of = {"perfectly parallel": Verdict.OVER_BUDGET, "takes turns (GIL)": Verdict.PASS}
    for kind, findings in found.items():
        counts = Counter(finding.verdict for finding in findings)
        wrong, seen = counts[wrong_of[kind]], [finding.measurement.value for finding in findings]
        if findings:
            _, most = proportion_interval(wrong, len(findings))
            print(
                f"| {kind} | {len(findings)} | {counts[Verdict.PASS]} | {counts[Verdict.OVER_BUDGET]} "
                f"| {counts[Verdict.INCONCLUSIVE]} | {wrong} | {min(seen):.2f} to {max(seen):.2f} | {most:.1%} |",
                flush=True,
            )


# -- (c) kinds of work


def kinds(count: int, clock: Clock) -> None:
    """Print whether eight workloads are taken for what they are."""
    rounds, turns = rounds_for(0.006), turns_for(0.006)
    document = {"rows": [{"name": f"row {n}", "values": list(range(20))} for n in range(6000)]}
    data = bytes(range(256)) * 8000
    corpus: dict[str, tuple[str, Callable[[Any], Any], Any, str]] = {
        "counting in processes": ("cpu-bound", counted, turns, "process"),
        "hashing in threads": ("cpu-bound", hashed, rounds, "thread"),
        "compressing in threads": ("cpu-bound", packed, data, "thread"),
        "sleeping in threads": ("io-bound", slept, 0.006, "thread"),
        "sleeping on an event loop": ("io-bound", awaited, 0.006, "asyncio"),
        "counting in threads": ("GIL-bound", counted, turns, "thread"),
        "JSON in threads": ("GIL-bound", dumped, document, "thread"),
        "hashing and sleeping in threads": ("mixed", half_and_half, rounds, "thread"),
    }
    found: dict[str, Counter[str]] = {name: Counter() for name in corpus}
    for _ in clock.upto(count):
        for name, (_, task, item, backend) in corpus.items():
            plan = Plan(max_time_s=1.5)
            _, measured = measure_speedup(plan, CASE, task, [item] * 8, workers=WORKERS, backend=backend)
            found[name][_kind(measured)] += 1
    print("\nKind of work (target: all 8 right, every time)")
    print("| work | is | runs | right | lock not told, others in the way | wrong |\n|---|---|---|---|---|---|")
    for name, said in found.items():
        truth = corpus[name][0]
        untold = said[UNTOLD]
        right = said[truth] + (untold if truth == "cpu-bound" else 0)
        withheld = untold if truth == "GIL-bound" else 0
        print(
            f"| {name} | {truth} | {said.total()} | {right} | {withheld} | {said.total() - right - withheld} |",
            flush=True,
        )


def _kind(measured: Measurement) -> str:
    """Take what a reader is told: the lock where a warning names it."""
    is_held = any("the GIL is held" in warning for warning in measured.warnings)
    is_crowded = any(warning.startswith("other programs left") for warning in measured.warnings)
    if is_crowded and measured.extra["kind"] == "cpu-bound" and measured.extra["backend"] == "thread":
        return UNTOLD
    return "GIL-bound" if is_held else str(measured.extra["kind"])


def main() -> None:
    """Print all three tables, or those asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--errors", type=int, default=40, help="runs of each task with a known serial part; 0: none")
    parser.add_argument("--verdicts", type=int, default=200, help="verdicts on each task beside hogs; 0: none")
    parser.add_argument("--kinds", type=int, default=10, help="runs of each of the eight workloads; 0: none")
    parser.add_argument("--minutes", type=float, default=0, help="most minutes for each of the three; 0: no limit")
    parser.add_argument("--max-time", type=float, default=1.0, help="seconds of a measurement beside hogs")
    parser.add_argument("--hogs", type=int, default=3, help="processes that keep the machine busy beside them")
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}, cores: {len(os.sched_getaffinity(0))}")
    if options.errors:
        errors(options.errors, Clock(options.minutes))
    if options.kinds:
        kinds(options.kinds, Clock(options.minutes))
    if options.verdicts:
        verdicts(options.verdicts, Clock(options.minutes), options.max_time, options.hogs)
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
