"""What the gate's own bookkeeping adds to a run of 10,000 cases.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/bookkeeping.py [cases]

The same 10,000 tests, each recording one number with ``metric`` under a budget, run in fresh processes with the gate
on and off, in turns; the difference is what collecting, judging and assembling the run costs, and the reports are
written as well.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = 3

TESTS = """
import pytest

@pytest.mark.budget("queries <= 10")
@pytest.mark.parametrize("n", range({cases}))
def test_it(n, metric):
    metric("queries", n % 10)
"""


def seconds(folder: Path, *arguments: str) -> float:
    """Run pytest once and return its wall time in seconds."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the added time and the peak memory."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    reports = ["--perfgate-report=json=run.json", "--perfgate-report=junit=run.xml"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(TESTS.format(cases=cases))
        without = [seconds(folder)]
        kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        pairs = [(seconds(folder, "--perfgate", *reports), seconds(folder)) for _ in range(PAIRS)]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    added = statistics.median(on - off for on, off in pairs)
    print(f"{cases} cases: {statistics.median([*without, *(off for _, off in pairs)]):.2f} s with the gate off")
    print(f"added with the gate on, JSON and JUnit and table included: {added:.2f} s (target 2 + 2)")
    print(f"peak memory: {peak / 1024:.0f} MB, with the gate off {kilobytes / 1024:.0f} MB (target 300)")


if __name__ == "__main__":
    main()
