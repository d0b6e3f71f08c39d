"""How long ``perfgate --help`` takes, beside an interpreter that does nothing.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/help_time.py

Both commands run one after the other in random order, in fresh processes; each figure is a median.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time

ROUNDS = 20
TARGET_MS = 100


def console_command() -> list[str]:
    """Find ``perfgate`` of this interpreter; in a working copy, the module that is the same."""
    found = shutil.which("perfgate", path=sysconfig.get_path("scripts"))
    return [found] if found else [sys.executable, "-m", "pytest_perfgate"]


def elapsed_ms(command: list[str]) -> float:
    """Run *command* once and return its wall time."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Print both medians."""
    commands = {
        "perfgate --help": [*console_command(), "--help"],
        "perfgate gate --help": [*console_command(), "gate", "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    for command in commands.values():
        elapsed_ms(command)  # fills the caches of the file system and of bytecode
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name in random.sample(list(commands), len(commands)):
            taken[name].append(elapsed_ms(commands[name]))
    print(f"console command: {' '.join(console_command())}; median of {ROUNDS}, target {TARGET_MS} ms")
    for name, values in taken.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name:22}{middle:7.1f} ms   (quartiles {low:.1f} .. {high:.1f})")


if __name__ == "__main__":
    main()
