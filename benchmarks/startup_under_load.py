"""How steady the ratio to a bare interpreter is beside three processes that keep two processors busy.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/startup_under_load.py

Quiet and busy blocks alternate; each block is a series as ``startup.command`` measures it.  Both are given as they are,
also where a gate would not judge them because the machine is too busy.
"""

from __future__ import annotations

import statistics
import sys

from hogging import hogs

from pytest_perfgate.metrics.startup import measure_command
from pytest_perfgate.model import Case, Plan

BLOCKS, RUNS, HOGS = 20, 20, 3
COMMAND = [sys.executable, "-c", "import asyncio"]
WITHIN = 0.10


def block(count: int) -> dict[str, float]:
    """Measure one series beside so many hogs; the series is never repeated."""
    with hogs(count):
        _, measured = measure_command(Plan(), Case("benchmark", "startup.command"), COMMAND, runs=RUNS, retries=0)
    extra = measured.extra
    return {
        "wall": measured.value or 0.0,
        "without waiting": extra.get("uncontended_s", 0.0),
        "ratio to bare": extra.get("ratio_to_bare", 0.0),
        "page faults": extra.get("page_faults", 0.0),
        "contention": extra.get("contention", 0.0),
    }


def main() -> None:
    """Print what a busy machine does to each figure."""
    quiet, busy = [], []
    for _ in range(BLOCKS):
        quiet.append(block(0))
        busy.append(block(HOGS))
    print(f"{BLOCKS} quiet and {BLOCKS} busy blocks of {RUNS} runs of `import asyncio`, {HOGS} hogs")
    for name in quiet[0]:
        calm = statistics.median(one[name] for one in quiet)
        if not calm:
            print(f"{name:16} quiet {calm:10.4f}   busy {statistics.median(one[name] for one in busy):10.4f}")
            continue
        changes = sorted(one[name] / calm - 1 for one in busy)
        inside = sum(abs(change) <= WITHIN for change in changes) / len(changes)
        print(
            f"{name:16} quiet {calm:10.4f}   busy {statistics.median(changes):+8.1%} "
            f"(from {changes[0]:+.1%} to {changes[-1]:+.1%}); within ±{WITHIN:.0%} in {inside:.0%} of blocks"
        )
    print("target: ratio to bare within ±10 % in 95 % of blocks")


if __name__ == "__main__":
    main()
