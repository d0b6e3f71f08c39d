"""The gate's own error rates, live: A/A suites and planted slowdowns on this machine, with or without neighbours.

::

    python benchmarks/trust/live.py --minutes 20 --out trust.json
    python benchmarks/trust/live.py --minutes 20 --neighbours 2 --streams streams --out noisy.json
    python benchmarks/trust/live.py --table trust.json noisy.json

Does what ``perfgate trust`` does, and besides: starts neighbours that burn a processor in bursts, records every block
as a stream for ``benchmarks/decision/replay.py``, adds up earlier results, and says how much memory the workers took.
With ``--sequential`` it records streams the way other tools measure: one side after the other, a process each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import psutil

from pytest_perfgate.model import Verdict
from pytest_perfgate.paired.trials import Experiment
from pytest_perfgate.paired.trials.workloads import WORKLOADS
from pytest_perfgate.stats import percentile, proportion_interval

CHANGES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.075, 0.10)
BURST_S, PAUSE_S = 0.3, 0.3
BLOCKS_PER_SIDE = 100


def burn(seed):
    """Be a neighbour: busy and idle for random times around 0.3 s each."""
    rng = random.Random(seed)
    while True:
        ends = time.perf_counter() + rng.uniform(0.5, 1.5) * BURST_S
        while time.perf_counter() < ends:
            sum(range(1000))
        time.sleep(rng.uniform(0.5, 1.5) * PAUSE_S)


class MemoryWatch:
    """The most that all worker processes held at once, looked at now and then."""

    def __init__(self):
        self.most_bytes, self.most_workers, self._ended = 0, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *problem):
        self._ended.set()
        self._thread.join()

    def _look(self):
        me = psutil.Process()
        while not self._ended.wait(0.5):
            sizes = [size for child in me.children() if (size := _size_of_worker(child))]
            self.most_bytes = max(self.most_bytes, sum(sizes))
            self.most_workers = max(self.most_workers, len(sizes))


def _size_of_worker(process):
    try:
        return process.memory_info().rss if "trials.worker" in " ".join(process.cmdline()) else 0
    except psutil.Error:
        return 0


def live(options):
    """Run suites for a while and return the figures as plain objects."""
    rounds = defaultdict(list)
    truth = {}

    def observe(case, change, measured):
        truth[case] = change
        rounds[case].append({"base": list(measured.base_s), "head": list(measured.head_s)})

    neighbours = [multiprocessing.Process(target=burn, args=(n,), daemon=True) for n in range(options.neighbours)]
    for neighbour in neighbours:
        neighbour.start()
    experiment = Experiment(
        planted=options.changes if not options.unchanged_only else (),
        unchanged=not options.planted_only,
        suite=options.cases,
        observe=observe if options.streams else None,
        report=lambda p: print(f"\r{p.elapsed_s / 60:6.1f} min, {p.comparisons} comparisons", end="", file=sys.stderr),
    )
    began = time.monotonic()
    with MemoryWatch() as memory:
        experiment.run(options.minutes * 60)
    for neighbour in neighbours:
        neighbour.terminate()
    if options.streams:
        write_streams(Path(options.streams), rounds, truth)
    return {
        "neighbours": options.neighbours,
        "cases": options.cases,
        "elapsed_s": time.monotonic() - began,
        "memory_bytes": memory.most_bytes,
        "workers": memory.most_workers,
        "round_spreads": experiment.round_spreads,
        "control": experiment.control,
        "tallies": [tally.to_dict() for tally in experiment.tallies.values()],
    }


def write_streams(folder, rounds, truth):
    """Write one JSON line for each case."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"paired-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for case, measured in rounds.items():
            line = {"case": case, "true_change": truth[case], "suite": case.partition("/")[0], "rounds": measured}
            file.write(json.dumps(line) + "\n")
    print(f"\nstreams: {path}", file=sys.stderr)


SIDE = """
import gc, json, sys, time
from pytest_perfgate.paired.trials.workloads import make_target
target = make_target(sys.argv[1])
gc.disable()
for _ in range(200):
    target()
values = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter_ns()
    for _ in range(5):
        target()
    values.append((time.perf_counter_ns() - began) / 5e9)
print(json.dumps(values))
"""


def record_sequential(options):
    """Record unchanged code the way it is mostly measured: all of base, then all of head, a process each."""
    folder = Path(options.sequential)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sequential-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    ends, suite = time.monotonic() + options.minutes * 60, 0
    with path.open("w", encoding="utf-8") as file:
        while time.monotonic() < ends:
            sides = [{name: _one_side(name) for name in WORKLOADS} for _ in range(2)]
            for name in WORKLOADS:
                one = {"base": sides[0][name], "head": sides[1][name]}
                line = {"case": f"{suite}/{name}", "true_change": 0.0, "suite": str(suite), "rounds": [one]}
                file.write(json.dumps(line) + "\n")
            suite += 1
    print(f"streams: {path} ({suite} suites of {len(WORKLOADS)})")


def _one_side(workload):
    command = [sys.executable, "-c", SIDE, workload, str(BLOCKS_PER_SIDE)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(results):
    """Print what several runs came to together, as Markdown."""
    verdicts, rounds, seconds, suites = defaultdict(Counter), defaultdict(list), defaultdict(list), Counter()
    estimates = defaultdict(list)
    failed_suites, contaminated = Counter(), Counter()
    for result in results:
        for tally in result["tallies"]:
            change = tally["true_change"]
            verdicts[change].update(tally["verdicts"])
            rounds[change] += tally["rounds"]
            seconds[change] += tally["seconds"]
            estimates[change] += tally.get("estimates", ())
            suites[change] += tally["suites"]
            failed_suites[change] += tally["failed_suites"]
            contaminated[change] += tally["contaminated"]
    print(
        "| slower by | measured, median | compared | failed | 95 % bounds | undecided "
        "| rounds, median / 95th | seconds, median / 95th |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for change in sorted(verdicts):
        count = verdicts[change].total()
        if not count:
            continue
        failed = verdicts[change][Verdict.REGRESSED.value]
        undecided = verdicts[change][Verdict.INCONCLUSIVE.value]
        low, high = proportion_interval(failed, count)
        measured = f"{statistics.median(estimates[change]) * 100:+.2f} %" if estimates[change] else ""
        print(
            f"| {f'{change * 100:g} %' if change else 'unchanged'} | {measured} | {count} "
            f"| {failed} ({failed / count * 100:.3g} %) | {low * 100:.2g} … {high * 100:.3g} % "
            f"| {undecided} ({undecided / count * 100:.2g} %) "
            f"| {statistics.median(rounds[change]):g} / {percentile(rounds[change], 95):g} "
            f"| {statistics.median(seconds[change]):.2f} / {percentile(seconds[change], 95):.2f} |"
        )
    print()
    if suites[0.0]:
        _, highest = proportion_interval(failed_suites[0.0], suites[0.0])
        print(
            f"Suites of unchanged code: {failed_suites[0.0]} of {suites[0.0]} failed "
            f"(95 % bound {highest * 100:.2g} %)."
        )
    print(f"The null control stopped {sum(contaminated.values())} of {sum(suites.values())} suites.")
    spreads = [spread for result in results for spread in result["round_spreads"]]
    most = max(result["memory_bytes"] for result in results)
    if spreads:  # known of unchanged code only
        print(
            f"Spread of the rounds: median {statistics.median(spreads) * 100:.2f} %, 95th percentile "
            f"{percentile(spreads, 95) * 100:.2f} %."
        )
    print(f"Workers: {max(r['workers'] for r in results)} alive at once, {most / 2**20:.0f} MiB together.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--cases", type=int, default=50, help="of one suite")
    parser.add_argument("--neighbours", type=int, default=0, help="processes that burn a processor in bursts")
    parser.add_argument("--unchanged-only", action="store_true")
    parser.add_argument("--planted-only", action="store_true")
    parser.add_argument("--changes", type=float, nargs="+", default=CHANGES, help="shares, 0.02 for 2 %%")
    parser.add_argument("--streams", metavar="DIR", help="record every block here")
    parser.add_argument("--sequential", metavar="DIR", help="record unchanged code one side after the other, no gate")
    parser.add_argument("--out", metavar="FILE", help="write the figures here")
    parser.add_argument("--table", metavar="FILE", nargs="+", help="print what earlier runs came to together")
    options = parser.parse_args()
    if options.table:
        table([json.loads(Path(path).read_text("utf-8")) for path in options.table])
    elif options.sequential:
        record_sequential(options)
    else:
        result = live(options)
        print(file=sys.stderr)
        if options.out:
            Path(options.out).write_text(json.dumps(result) + "\n", "utf-8")
        table([result])


if __name__ == "__main__":
    main()
