"""Whether one more import is found by counting page faults in one run, and how often the count alone cries wolf.

Run it from an environment with pytest-perfgate installed; the machine need not be quiet::

    python benchmarks/page_fault_gate.py

The limit stands half way between the usual count and that with ``import decimal`` in addition; it is set from 20 runs
of each and then tried on others.
"""

from __future__ import annotations

import os
import statistics
import sys

from pytest_perfgate.measure.process import run_process

LEARNT, TRIED = 20, 1000


def faults(code: str) -> int:
    """Run an interpreter and count its page faults."""
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    run = run_process([sys.executable, "-c", code], env=env)
    return (run.minor_faults or 0) + (run.major_faults or 0)


def main() -> None:
    """Print how often each side of the limit was right."""
    base, more = "import asyncio", "import asyncio, decimal"
    usual, above = ([faults(code) for _ in range(LEARNT)] for code in (base, more))
    limit = (statistics.median(usual) + statistics.median(above)) / 2
    print(
        f"page faults: {base} {statistics.median(usual):.0f}, {more} {statistics.median(above):.0f}; limit {limit:.0f}"
    )
    alarms = sum(faults(base) > limit for _ in range(TRIED))
    found = sum(faults(more) > limit for _ in range(TRIED // 10))
    print(f"false alarms: {alarms} of {TRIED} (target 0)")
    print(f"found in one run: {found} of {TRIED // 10} (target all)")


if __name__ == "__main__":
    main()
