"""How far ``startup.command`` is from what a program of a few lines of C says, or hyperfine where there is one.

Run it from an environment with pytest-perfgate installed, on a quiet machine with a C compiler::

    python benchmarks/startup_bias.py

Commands of about 0.6 ms, 12 ms and 100 ms; started by a process of ordinary size and by one that holds 500 MB.  Blocks
of the two ways alternate in random order; a figure is the median over blocks of the difference of their medians.
"""

from __future__ import annotations

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pytest_perfgate.measure.process import run_process

BLOCKS, RUNS = 15, 20
BALLOON_MB = 500
TARGETS_MS = {"no-op": 0.2, "python -I -S -c pass": 0.01 * 12, "sleep 0.1": 0.01 * 100}

ORACLE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
extern char **environ;
int main(int argc, char **argv) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    for (int run = atoi(argv[1]); run > 0; run--) {
        struct timespec from, to;
        struct rusage usage;
        int status;
        pid_t pid;
        clock_gettime(CLOCK_MONOTONIC, &from);
        if (posix_spawnp(&pid, argv[2], &actions, 0, argv + 2, environ)) return 1;
        wait4(pid, &status, 0, &usage);
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.9f\n", (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9);
    }
    return 0;
}
"""


def compiled(folder: Path, name: str, source: str) -> str:
    """Compile a C program and return its path."""
    code = folder / f"{name}.c"
    code.write_text(source)
    subprocess.run(["cc", "-O2", "-o", folder / name, code], check=True)
    return str(folder / name)


def oracle(folder: Path) -> tuple[str, Callable[[list[str]], list[float]]]:
    """Return the name of another way to time a command, and that way: seconds of each of several runs."""
    if shutil.which("hyperfine"):

        def by_hyperfine(argv: list[str]) -> list[float]:
            file = folder / "hyperfine.json"
            command = ["hyperfine", "-N", "-r", str(RUNS), "--export-json", str(file), subprocess.list2cmdline(argv)]
            subprocess.run(command, check=True, capture_output=True)
            return json.loads(file.read_text())["results"][0]["times"]

        return "hyperfine -N", by_hyperfine
    program = compiled(folder, "oracle", ORACLE)

    def by_c(argv: list[str]) -> list[float]:
        done = subprocess.run([program, str(RUNS), *argv], check=True, capture_output=True, text=True)
        return [float(line) for line in done.stdout.split()]

    return "posix_spawn + wait4 in C", by_c


def by_perfgate(argv: list[str]) -> list[float]:
    """Time runs as ``startup.command`` does."""
    return [run_process(argv).wall_s for _ in range(RUNS)]


def main() -> None:
    """Print the difference for each command and size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other, by_other = oracle(folder)
        commands = {
            "no-op": [compiled(folder, "noop", "int main(void) { return 0; }")],
            "python -I -S -c pass": [sys.executable, "-I", "-S", "-c", "pass"],
            "sleep 0.1": ["sleep", "0.1"],
        }
        print(f"bias against {other}, median of {BLOCKS} blocks of {RUNS} runs (quartiles), and the target")
        for megabytes in (0, BALLOON_MB):
            balloon = bytearray(b"x") * (megabytes * 2**20)
            for command, argv in commands.items():
                differences, values = [], []
                for _ in range(BLOCKS):
                    ways = [by_perfgate, by_other]
                    random.shuffle(ways)
                    took = {way: statistics.median(way(argv)) for way in ways}
                    differences.append((took[by_perfgate] - took[by_other]) * 1e3)
                    values.append(took[by_other] * 1e3)
                low, middle, high = statistics.quantiles(differences, n=4)
                print(
                    f"{command:22} {megabytes:4} MB held {statistics.median(values):9.3f} ms   "
                    f"{middle:+7.3f} ms ({low:+.3f} .. {high:+.3f})   {TARGETS_MS[command]:.2f} ms"
                )
            del balloon


if __name__ == "__main__":
    main()
