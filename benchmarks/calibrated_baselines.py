"""Stored comparisons of unchanged code, with calibration and without: noise, false alarms, smallest slowdown found.

``record FILE`` measures five small workloads in fresh processes (random hash seed, environment of random size), by
turns plain and calibrated, by turns quiet and beside a neighbour that burns a processor in bursts.  ``report FILE``
replays what was recorded through the comparison and the judge: the code never changes, so that every ``regressed`` is a
false alarm; slowdowns are planted by multiplying one side's times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_perfgate.compare import compare_measurements, merge_measurements
from pytest_perfgate.judge import judge_change
from pytest_perfgate.metrics.timing import measure_call
from pytest_perfgate.model import Case, Measurement, Plan, Verdict
from pytest_perfgate.stats import median, stddev
from pytest_perfgate.store import measurement_from_dict, measurement_to_dict

QUIET, BUSY = "quiet", "busy"
PLAIN, CALIBRATED = "plain", "calibrated"
SLOWDOWNS = (5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300)
FOUND = 0.95

_DOCUMENT = {f"k{number}": [number, str(number)] for number in range(14)}
_TEXT = json.dumps({f"k{number}": [number, str(number)] for number in range(45)})
_WORDS = [f"w{number * 7919 % 5003}" for number in range(90)]
_PATTERN = re.compile(r'"k(\d+)": \[(\d+)')


class _Point:
    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def length(self) -> float:
        return math.sqrt(self.x * self.x + self.y * self.y)


def encode_and_decode() -> Any:
    return json.loads(json.dumps(_DOCUMENT))


def count_words() -> list[str]:
    counts: dict[str, int] = {}
    for word in _WORDS:
        counts[word] = counts.get(word, 0) + 1
    return sorted(set(_WORDS))


def add_points() -> float:
    return sum(_Point(number, number + 1).length() for number in range(75))


def find_numbers() -> int:
    return sum(int(found.group(1)) for found in _PATTERN.finditer(_TEXT))


def sort_rows() -> list[tuple[int, str]]:
    """Take about 10 ms and more memory than a core's own caches hold."""
    return sorted((number * 7919 % 100_003, str(number)) for number in range(15_000))


WORKLOADS: dict[str, Callable[[], Any]] = {
    work.__name__: work for work in (encode_and_decode, count_words, add_points, find_numbers, sort_rows)
}


def measure(mode: str) -> list[dict[str, Any]]:
    plan = Plan(calibrated=mode == CALIBRATED)
    return [measurement_to_dict(measure_call(plan, Case(name, "perf"), work)[1]) for name, work in WORKLOADS.items()]


def burn() -> None:
    """Be the neighbour: 0.3 s of arithmetic and copying on average, then as long a pause."""
    block, recorder = bytearray(4_000_000), os.getppid()
    while os.getppid() == recorder:  # no neighbour outlives a recorder that was killed
        until = time.monotonic() + random.uniform(0.1, 0.5)
        while time.monotonic() < until:
            bytes(block)
            sum(range(20_000))
        time.sleep(random.uniform(0.1, 0.5))


@contextlib.contextmanager
def neighbour(condition: str) -> Iterator[None]:
    if condition == QUIET:
        yield
        return
    burner = subprocess.Popen([sys.executable, __file__, "burn"])
    try:
        yield
    finally:
        burner.kill()
        burner.wait()


def record(path: Path, processes: int) -> None:
    with path.open("a") as file:
        for number in range(processes):
            for condition in (QUIET, BUSY):
                modes = [PLAIN, CALIBRATED]
                random.shuffle(modes)
                for mode in modes:
                    environment = {**os.environ, "PADDING": "x" * random.randrange(4096), "PYTHONHASHSEED": "random"}
                    command = [sys.executable, __file__, "measure", mode]
                    began = time.monotonic()
                    with neighbour(condition):
                        done = subprocess.run(command, capture_output=True, check=True, env=environment)
                    took_s = time.monotonic() - began
                    line = {"condition": condition, "mode": mode, "took_s": took_s, "load": os.getloadavg()[0]}
                    file.write(json.dumps({**line, "measurements": json.loads(done.stdout)}) + "\n")
                    file.flush()
            print(f"{number + 1} of {processes}, load {os.getloadavg()[0]:.1f}", flush=True)


Found = dict[tuple[str, str, str], list[Measurement]]


def read(path: Path) -> Found:
    """Return condition, mode, workload -> one measurement per process."""
    found: defaultdict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
    for line in path.read_text().splitlines():
        recorded = json.loads(line)
        for packed in recorded["measurements"]:
            measurement = measurement_from_dict(packed)
            found[recorded["condition"], recorded["mode"], measurement.case.test].append(measurement)
    return dict(found)


def slower(measurement: Measurement, percent: float) -> Measurement:
    """Plant a slowdown."""
    factor = 1 + percent / 100
    extra = dict(measurement.extra)
    if "calibrated" in extra:
        extra["calibrated"] *= factor
        for name in ("calibrated_samples", "calibrated_processes"):
            extra[name] = [value * factor for value in extra[name]]
    return replace(
        measurement,
        value=(measurement.value or 0.0) * factor,
        samples=tuple(value * factor for value in measurement.samples),
        processes=tuple(value * factor for value in measurement.processes),
        extra=extra,
    )


def sides(
    base: Sequence[Measurement], head: Sequence[Measurement], runs: int, trials: int, seed: str
) -> Iterator[tuple[Measurement, Measurement]]:
    """Draw the two sides of comparisons, *runs* processes each, none on both sides."""
    draw = random.Random(seed)
    for _ in range(trials):
        if base is head:
            drawn = draw.sample(base, 2 * runs)
            one, other = drawn[:runs], drawn[runs:]
        else:
            one, other = draw.sample(base, runs), draw.sample(head, runs)
        yield tuple(merge_measurements(side) if runs > 1 else side[0] for side in (one, other))  # type: ignore[misc]


def rates(pairs: Sequence[tuple[Measurement, Measurement]], percent: float) -> dict[Verdict, float]:
    counts = dict.fromkeys(Verdict, 0)
    for base, head in pairs:
        compared = compare_measurements(base, slower(head, percent), tolerance=0.05, against="base")
        assert compared.change is not None
        counts[judge_change(compared.change)] += 1
    return {verdict: count / len(pairs) for verdict, count in counts.items()}


def log_sd(values: Sequence[float]) -> float:
    return stddev([math.log(value) for value in values])


def report(path: Path, trials: int) -> None:
    found = read(path)
    workloads = list(WORKLOADS)
    processes = len(next(iter(found.values())))
    print(f"{processes} processes per cell\n\nstandard deviation between processes, %")
    print(f"{'':18} " + " ".join(f"{head:>22}" for head in ("quiet", "busy", "both together")))
    print(f"{'':18} " + " ".join(f"{'plain':>11} {'calibrated':>10}" for _ in range(3)))
    for name in workloads:
        cells = []
        for conditions in ([QUIET], [BUSY], [QUIET, BUSY]):
            plain = [one.value or 0.0 for at in conditions for one in found[at, PLAIN, name]]
            ratio = [one.extra["calibrated"] for at in conditions for one in found[at, CALIBRATED, name]]
            cells.append(f"{log_sd(plain) * 100:11.2f} {log_sd(ratio) * 100:10.2f}")
        print(f"{name:18} " + " ".join(cells))
    print("\nseconds of the calibrated runs over those of the plain ones, quiet, %")
    for name in workloads:
        plain, calibrated = ([one.value or 0.0 for one in found[QUIET, mode, name]] for mode in (PLAIN, CALIBRATED))
        print(f"{name:18} {(median(calibrated) / median(plain) - 1) * 100:+.2f}")
    print(f"\n{trials} comparisons per workload: % regressed at no change; smallest slowdown found in {FOUND:.0%}")
    for title, group in (("within the caches", workloads[:-1]), (workloads[-1], workloads[-1:])):
        print(f"{title:26} {PLAIN:>22} {CALIBRATED:>22}")
        for runs in (1, 5):
            for base, head in ((QUIET, QUIET), (BUSY, BUSY), (QUIET, BUSY)):
                cells = [replayed(found, group, base, head, mode, runs, trials) for mode in (PLAIN, CALIBRATED)]
                print(f"{runs} run{'s' * (runs > 1)}, {base} to {head:12} " + " ".join(cells), flush=True)


def replayed(  # noqa: PLR0917  # a cell of the table
    found: Found, group: Sequence[str], base: str, head: str, mode: str, runs: int, trials: int
) -> str:
    pairs = [
        pair
        for name in group
        for pair in sides(found[base, mode, name], found[head, mode, name], runs, trials, f"{runs} {name}")
    ]
    alarms = rates(pairs, 0)[Verdict.REGRESSED]
    smallest = next(
        (f"+{percent} %" for percent in SLOWDOWNS if rates(pairs, percent)[Verdict.REGRESSED] >= FOUND),
        f"> +{SLOWDOWNS[-1]} %",
    )
    return f"{alarms * 100:8.2f} {smallest:>13}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    recording = commands.add_parser("record")
    recording.add_argument("file", type=Path)
    recording.add_argument("--processes", type=int, default=40)
    reporting = commands.add_parser("report")
    reporting.add_argument("file", type=Path)
    reporting.add_argument("--trials", type=int, default=400)
    commands.add_parser("measure").add_argument("mode")
    commands.add_parser("burn")
    asked = parser.parse_args()
    match asked.command:
        case "record":
            record(asked.file, asked.processes)
        case "report":
            report(asked.file, asked.trials)
        case "measure":
            print(json.dumps(measure(asked.mode)))
        case _:
            burn()


if __name__ == "__main__":
    main()
