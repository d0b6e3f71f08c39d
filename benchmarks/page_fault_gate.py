"""Whether one more import is found by counting modules or page faults in one run, and how often a count cries wolf.

Run it from an environment with pytest-perfgate installed; the machine need not be quiet::

    python benchmarks/page_fault_gate.py

A limit stands half way between the usual count and that with ``import decimal`` in addition; it is set from 20 runs of
each and then tried on others: on single runs, and on medians of five, as a series has more of.
"""

from __future__ import annotations

import os
import statistics
import sys

from pytest_perfgate.measure.process import run_process

LEARNT, TRIED, SERIES = 20, 1000, 5


def faults(code: str) -> int:
    """Run an interpreter and count its page faults."""
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    run = run_process([sys.executable, "-c", code], env=env)
    return (run.minor_faults or 0) + (run.major_faults or 0)


def modules(code: str) -> int:
    """Run an interpreter and count the modules that it imports."""
    run = run_process([sys.executable, "-c", f"{code}; import sys; print(len(sys.modules))"])
    return int(run.stdout)


def main() -> None:
    """Print how often each side of the limit was right."""
    base, more = "import asyncio", "import asyncio, decimal"
    for what, counted in (("modules", modules), ("page faults", faults)):
        usual, above = (statistics.median(counted(code) for _ in range(LEARNT)) for code in (base, more))
        limit = (usual + above) / 2
        print(f"{what}: {base} {usual:g}, {more} {above:g}; limit {limit:g}")
        tried = [counted(base) for _ in range(TRIED)]
        print(f"  false alarms: {sum(one > limit for one in tried)} of {TRIED} (target 0)")
        series = [statistics.median(tried[first : first + SERIES]) for first in range(0, TRIED, SERIES)]
        print(f"  the same by medians of {SERIES}: {sum(one > limit for one in series)} of {len(series)}")
        found = sum(counted(more) > limit for _ in range(TRIED // 10))
        print(f"  found in one run: {found} of {TRIED // 10} (target all)", flush=True)


if __name__ == "__main__":
    main()
