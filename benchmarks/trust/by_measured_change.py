"""Verdicts on planted slowdowns by how large they turned out to be, out of recorded streams.

::

    python benchmarks/trust/live.py --planted-only --streams streams --minutes 30
    python benchmarks/trust/by_measured_change.py streams/*.jsonl

What an operation costs within a workload is known to a few percent of itself, so that "4 %" may be 4.3 %.  All cases of
one file with the same workload, kind and planted share have the same true change: their estimates, weighted by rounds,
are pooled, and each case is counted under what that gives.  A verdict is that of the gate's own rule on its rounds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
from collections import Counter, defaultdict

from pytest_perfgate.judge import SequentialPolicy, stand
from pytest_perfgate.stats import percentile, proportion_interval

#: In percent.
BINS = tuple(itertools.pairwise((1.5, 2.5, 3.5, 4.2, 4.5, 5.5, 5.8, 6.6, 8.0, 9.2, 11.2)))


def cases_of(path, policy):
    """Yield, for each recorded case, what it shares its true change with, its estimate, its rounds, its verdict."""
    with open(path, encoding="utf-8") as lines:  # noqa: PTH123  # a name from the command line
        for line in lines:
            case = json.loads(line)
            rounds = [
                statistics.median(math.log(head / base) for base, head in zip(one["base"], one["head"], strict=True))
                for one in case["rounds"]
            ]
            planted = case["case"].partition("/")[2].partition("-")[2]  # without its place in the suite
            standing = stand(rounds, policy, last=True)
            yield (path, planted), math.expm1(standing.estimate) * 100, len(rounds), standing.verdict.value


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stream", nargs="+")
    parser.add_argument("--cases", type=int, default=48, help="of a suite")
    options = parser.parse_args()
    policy = SequentialPolicy(tolerance=0.05, cases=options.cases)
    cases = [case for path in options.stream for case in cases_of(path, policy)]
    alike = defaultdict(list)
    for shared, estimate, rounds, _ in cases:
        alike[shared].append((estimate, rounds))
    true = {shared: sum(e * n for e, n in found) / sum(n for _, n in found) for shared, found in alike.items()}
    print("| slower by, as measured | compared | failed | 95 % bounds | undecided | rounds, median / 95th |")
    print("|---|---|---|---|---|---|")
    for low, high in BINS:
        found = [(true[shared], rounds, verdict) for shared, _, rounds, verdict in cases if low <= true[shared] < high]
        if not found:
            continue
        verdicts = Counter(verdict for _, _, verdict in found)
        failed, lengths = verdicts["regressed"], [rounds for _, rounds, _ in found]
        least, most = proportion_interval(failed, len(found))
        print(
            f"| {low:g} to {high:g} % (mean {statistics.mean(change for change, _, _ in found):.1f} %) | {len(found)} "
            f"| {failed} ({failed / len(found) * 100:.3g} %) | {least * 100:.2g} … {most * 100:.3g} % "
            f"| {verdicts['inconclusive']} | {statistics.median(lengths):g} / {percentile(lengths, 95):g} |"
        )


if __name__ == "__main__":
    main()
