"""How far ``startup.command`` is from what a program of a few lines of C says, or hyperfine where there is one.

Run it from an environment with pytest-perfgate installed, on a quiet machine with a C compiler::

    python benchmarks/startup_bias.py

Commands of about 0.6 ms, 6 to 12 ms and 100 ms; started by a process of ordinary size and by one that holds 500 MB.
Blocks of the ways alternate in random order; a figure is the median over blocks of the difference of their medians.

The program in C is taken two ways: one run right after the other, which leaves it the processor's caches as the run
before filled them; and with as much going through the caches in between as other programs would send, among them the
one that measures.  A test is nobody's only program, so the second is the one to be held against.
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
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
extern char **environ;
static char elsewhere[8 << 20];
int main(int argc, char **argv) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    for (int run = atoi(argv[1]); run > 0; run--) {
        if (*argv[2] == 'e') memset(elsewhere, run, sizeof elsewhere), usleep(1000);
        struct timespec from, to;
        struct rusage usage;
        int status;
        pid_t pid;
        clock_gettime(CLOCK_MONOTONIC, &from);
        if (posix_spawnp(&pid, argv[3], &actions, 0, argv + 3, environ)) return 1;
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


def oracles(folder: Path) -> dict[str, Callable[[list[str]], list[float]]]:
    """Return other ways to time a command by name: each gives the seconds of several runs."""
    program = compiled(folder, "oracle", ORACLE)

    def by_c(caches: str) -> Callable[[list[str]], list[float]]:
        def timed(argv: list[str]) -> list[float]:
            command = [program, str(RUNS), caches, *argv]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            return [float(line) for line in done.stdout.split()]

        return timed

    def by_hyperfine(argv: list[str]) -> list[float]:
        file = folder / "hyperfine.json"
        command = ["hyperfine", "-N", "-r", str(RUNS), "--export-json", str(file), subprocess.list2cmdline(argv)]
        subprocess.run(command, check=True, capture_output=True)
        return json.loads(file.read_text())["results"][0]["times"]

    found = {"C, caches warm": by_c("warm"), "C, others between": by_c("emptied")}
    if shutil.which("hyperfine"):
        found["hyperfine -N"] = by_hyperfine
    return found


def by_perfgate(argv: list[str]) -> list[float]:
    """Time runs as ``startup.command`` does."""
    return [run_process(argv).wall_s for _ in range(RUNS)]


def main() -> None:
    """Print the difference for each command, size and other way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = oracles(folder)
        commands = {
            "no-op": [compiled(folder, "noop", "int main(void) { return 0; }")],
            "python -I -S -c pass": [sys.executable, "-I", "-S", "-c", "pass"],
            "sleep 0.1": ["sleep", "0.1"],
        }
        print(f"bias against others, median of {BLOCKS} blocks of {RUNS} runs (quartiles), and the target")
        for megabytes in (0, BALLOON_MB):
            balloon = bytearray(b"x") * (megabytes * 2**20)
            for command, argv in commands.items():
                took: dict[str, list[float]] = {way: [] for way in ("perfgate", *others)}
                for _ in range(BLOCKS):
                    for way in random.sample(list(took), len(took)):
                        took[way].append(statistics.median(others.get(way, by_perfgate)(argv)) * 1e3)
                for way in others:
                    pairs = zip(took["perfgate"], took[way], strict=True)
                    low, middle, high = statistics.quantiles([ours - theirs for ours, theirs in pairs], n=4)
                    print(
                        f"{command:21} {megabytes:3} MB  {way:17} {statistics.median(took[way]):8.3f} ms  "
                        f"{middle:+7.3f} ms ({low:+.3f} .. {high:+.3f})  {TARGETS_MS[command]:.2f} ms",
                        flush=True,
                    )
            del balloon


if __name__ == "__main__":
    main()
