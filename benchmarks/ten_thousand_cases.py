"""What 10,000 cases cost: writing the reports of a run, and ``perfgate compare`` of two runs.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/ten_thousand_cases.py

Each step runs in fresh processes of its own; seconds are medians, memory is the largest resident size of any of them.
A ``perfgate`` command counts as a whole process, from the start of the interpreter to its end.  Where other work keeps
the machine busy, the CPU time comes closer to what a quiet machine would take than the wall time does.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_perfgate.model import Finding, Run

CASES = 10_000
ROUNDS = 30
REPETITIONS = 5
TARGET_S, TARGET_MB = 2.0, 300
LIMIT_S = 0.4


# -- in the child processes


def make_run(side: str) -> Run:
    """Make the run of one side; one case in a hundred of the head is 30 % slower."""
    from pytest_perfgate.machine import current_machine, current_python
    from pytest_perfgate.model import Run

    rng = random.Random(side)
    return Run(
        findings=tuple(make_finding(number, side, rng) for number in range(CASES)),
        machine=current_machine(),
        profile="standard",
        profile_matched_by="made up",
        python=current_python(),
        settings={"max_regression": 0.05, "strict": False},
        started=f"2026-01-0{1 + (side == 'head')}T00:00:00+00:00",
    )


def make_finding(number: int, side: str, rng: random.Random) -> Finding:
    """Make one case with a budget."""
    from pytest_perfgate.judge import judge
    from pytest_perfgate.model import Case, Check, Measurement, Operator

    typical = 0.001 * (1 + number % 97) * (1.3 if side == "head" and number % 100 == 0 else 1.0)
    samples = tuple(typical * rng.lognormvariate(0, 0.02) for _ in range(ROUNDS))
    value = statistics.median(samples)
    return judge(
        Measurement(
            case=Case(
                f"tests/unit/test_module_{number // 50}.py::TestClass::test_{number}[parameter-{number}]", "perf"
            ),
            unit="s",
            value=value,
            interval=(value * 0.99, value * 1.01),
            samples=samples,
            processes=(value,),
            extra={"p95": max(samples), "cpu_s": value},
        ),
        [
            Check(
                expression="median <= 400ms",
                limit=LIMIT_S,
                unit="s",
                operator=Operator.LE,
                observed=value,
                holds=value <= LIMIT_S,
            )
        ],
    )


def store(folder: Path) -> dict[str, float]:
    """Store both runs for the comparison; not timed."""
    from pytest_perfgate.store import store_run

    for side in ("base", "head"):
        store_run(make_run(side), folder / f"{side}.json")
    return {}


def write(folder: Path) -> dict[str, float]:
    """Write the reports of a run that is in memory, as at the end of pytest."""
    from pytest_perfgate.reports import ReportSpec, write_reports

    run = make_run("head")
    seconds = {}
    for name in ("json", "junit", "text"):
        began, began_cpu = time.perf_counter(), time.process_time()
        write_reports(run, [ReportSpec(name, str(folder / f"report.{name}"))])
        seconds[name] = time.perf_counter() - began
        seconds[f"{name} cpu"] = time.process_time() - began_cpu
    for kind in ("", " cpu"):
        seconds[f"all{kind}"] = sum(seconds[f"{name}{kind}"] for name in ("json", "junit", "text"))
    return seconds


def console(folder: Path, *arguments: str) -> dict[str, float]:
    """Run the console command as its script does, in the folder of the two stored runs."""
    from pytest_perfgate.cli import entry_point

    os.chdir(folder)
    sys.argv = ["perfgate", *arguments]
    with Path("printed.txt").open("w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
        try:
            entry_point()
        except SystemExit as leaving:
            if leaving.code == 2:
                raise RuntimeError(f"perfgate {' '.join(arguments)} could not do it") from None
    return {}


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "store": store,
    "write": write,
    "compare": lambda folder: console(folder, "compare", "base.json", "head.json"),
    "compare --limit 0": lambda folder: console(folder, "compare", "base.json", "head.json", "--limit", "0"),
    "gate": lambda folder: console(folder, "gate", "head.json", "--baseline", "base.json"),
}


def peak_mb() -> float:
    """Read the largest resident size that this process had."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(getattr(psutil.Process().memory_info(), "peak_wset", 0)) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


# -- in the parent


def run_step(name: str, folder: Path) -> dict[str, Any]:
    """Run one step in a fresh process; return its own times, its whole wall time and its peak."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, __file__, name, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    whole = time.perf_counter() - began
    found: dict[str, Any] = json.loads(done.stdout)
    return {"whole": whole} | found


def report(label: str, part: str, runs: list[dict[str, Any]], target: str = "") -> None:
    """Print one line."""
    wall, cpu = (statistics.median(one[f"{part}{kind}"] for one in runs) for kind in ("", " cpu"))
    peak = max(one["peak_mb"] for one in runs)
    print(f"{label:28}{wall:6.2f} s   {cpu:6.2f} s CPU   peak {peak:4.0f} MB   {target}".rstrip())


def main() -> None:
    """Print seconds and memory of each step."""
    target = f"(target {TARGET_S:g} s, {TARGET_MB} MB)"
    print(f"{CASES:,} cases of {ROUNDS} rounds; median of {REPETITIONS}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_step("store", folder)
        steps = {step: [run_step(step, folder) for _ in range(REPETITIONS)] for step in STEPS if step != "store"}
        for part in ("json", "junit", "text"):
            report(f"  {part}", part, steps["write"])
        report("write JSON + JUnit + table", "all", steps["write"], target)
        for step in ("compare", "compare --limit 0", "gate"):
            report(f"perfgate {step}", "whole", steps[step], target if step == "compare" else "")
        size = (folder / "head.json").stat().st_size / 1e6
        print(f"one stored run: {size:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        found = STEPS[sys.argv[1]](Path(sys.argv[2]))
        print(json.dumps(found | {"peak_mb": peak_mb(), "whole cpu": time.process_time()}))
    else:
        main()
