"""What the plugin costs when it is idle: start-up, and per ordinary test with the gate off and on.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/idle_cost.py

Each figure is the median of paired differences: the same pytest run with and without the plugin, one after the other
in random order, in fresh processes.  A whole run of pytest takes a quarter of a second and scatters by more than the
few milliseconds looked for, so there are more pairs for the start-up; printed with the 95 % interval of the median.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

START_PAIRS, PAIRS = 100, 20
TESTS = 2000

_CHILD = """
import sys, time
began = time.perf_counter()
import pytest
status = pytest.main(sys.argv[1:])
sys.stderr.write(f"{time.perf_counter() - began:.6f}\\n")
"""


def seconds(folder: Path, *arguments: str) -> float:
    """Run pytest once in a fresh interpreter; seconds from before ``import pytest`` to its return."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stderr.splitlines()[-1])


def paired_difference(folder: Path, with_it: list[str], without: list[str], pairs: int = PAIRS) -> list[float]:
    """Return the median difference in seconds, and its 95 % interval."""
    differences = []
    for _ in range(pairs):
        sides = [(1, with_it), (-1, without)]
        random.shuffle(sides)
        differences.append(sum(sign * seconds(folder, *arguments) for sign, arguments in sides))
    # No interval of ours: differences may be negative.
    ranked = sorted(differences)
    aside = int(pairs / 2 - 0.98 * pairs**0.5)
    return [statistics.median(ranked), ranked[aside], ranked[-1 - aside]]


def main() -> None:
    """Print the three figures."""
    absent = ["-p", "no:perfgate"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one(): pass\n")
        paired_difference(folder, [], absent)  # fills the caches of the file system and of bytecode
        figures = [value * 1e3 for value in paired_difference(folder, [], absent, START_PAIRS)]
        report("start-up, idle", "ms", 5, figures)
        (folder / "test_one.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(TESTS)))
        for label, on, target in (("off", [], 20), ("on", ["--perfgate"], 200)):
            figures = [value / TESTS * 1e6 for value in paired_difference(folder, on, absent)]
            report(f"per ordinary test, gate {label}", "µs", target, figures)


def report(what: str, unit: str, target: float, figures: list[float]) -> None:
    """Print one line: median, 95 % interval, target."""
    middle, low, high = figures
    print(f"{what:28} {middle:7.2f} {unit}  (95 % interval {low:.2f} .. {high:.2f}; target {target})")


if __name__ == "__main__":
    main()
