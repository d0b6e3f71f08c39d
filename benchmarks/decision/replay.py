"""How often this gate and its rivals fail the same recorded comparisons.

Needs NumPy and SciPy, and pytest-perfgate installed::

    python benchmarks/decision/replay.py STREAM... [--tolerance 0.05] [--plant 0.05 0.10]

A stream is a file of JSON lines, one case each: ``{"case": str, "true_change": float, "rounds": [{"base": [...],
"head": [...]}, ...]}``, the lists being seconds per iteration of blocks timed next to each other, paired by position,
each round from a fresh pair of processes.  The cases of one file (or of one ``"suite"``, where lines name it) are one
suite.  ``--plant`` multiplies the head of unchanged cases as well, for a table of power from null runs.

The gate sees rounds one after the other and stops when it can tell.  A rival is asked twice: about every single round,
which is what it has when it runs each side in one process; and about as many rounds as the gate took, pooled.  Either
way it gets blocks that took turns; the tools themselves mostly run one side after the other, which is far noisier.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rivals import RULES
from tables import lower_bound, percent, table, upper_bound

from pytest_perfgate.judge import SequentialPolicy, stand
from pytest_perfgate.model import Verdict

GATE = "pytest-perfgate"


@dataclass(frozen=True)
class Case:
    """One recorded comparison."""

    name: str
    suite: str
    true_change: float
    rounds: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Base and head of each round, equally many positive values."""


def load(paths):
    """Read streams; a line that cannot be used is an error that names it."""
    cases = []
    for path in paths:
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                cases.append(_case(json.loads(line), f"{path}:{number}", str(path)))
    return cases


def _case(line, where, path):
    rounds = []
    for one in line["rounds"]:
        base, head = np.asarray(one["base"], dtype=float), np.asarray(one["head"], dtype=float)
        if base.shape != head.shape or len(base) < 2 or not (np.all(base > 0) and np.all(head > 0)):
            raise SystemExit(f"{where}: a round needs two or more pairs of positive values")
        rounds.append((base, head))
    if not rounds:
        raise SystemExit(f"{where}: no rounds")
    suite = f"{path}:{line['suite']}" if "suite" in line else str(path)
    return Case(line["case"], suite, round(float(line["true_change"]), 6), tuple(rounds))


def planted(case, change):
    """Slow the head of an unchanged case down by *change*."""
    rounds = tuple((base, head * (1 + change)) for base, head in case.rounds)
    return Case(case.name, case.suite, change, rounds)


def gate(case, policy):
    """Return the gate's verdict and the rounds it took."""
    seen = []
    for i, (base, head) in enumerate(case.rounds, start=1):
        seen.append(float(np.median(np.log(head / base))))
        standing = stand(seen, policy, last=i == len(case.rounds))
        if standing.verdict is not None:
            break
    return standing.verdict, len(seen)


def replay(cases, tolerance, shared_by=None):
    """Ask every rule about every case; alpha is shared by as many cases as a suite has unless *shared_by* is given.

    Returns:
        ``{(rule, how): {true change: [(suite, failed), ...]}}``, and for the gate the verdicts and rounds per change.
    """
    answers = defaultdict(lambda: defaultdict(list))
    standings = defaultdict(list)
    sizes = defaultdict(int)
    for case in cases:
        sizes[case.suite, case.true_change] += 1
    for case in cases:
        share = shared_by or sizes[case.suite, case.true_change]
        policy = SequentialPolicy(tolerance=tolerance, cases=share)
        verdict, taken = gate(case, policy)
        standings[case.true_change].append((verdict, taken))
        answers[GATE, "until decided"][case.true_change].append(((case.suite, 0), verdict is Verdict.REGRESSED))
        pooled = [np.concatenate(side) for side in zip(*case.rounds[:taken], strict=True)]
        for name, rule in RULES.items():
            answers[name, "same rounds, pooled"][case.true_change].append(((case.suite, 0), rule(*pooled)))
            singles = (((case.suite, i), rule(base, head)) for i, (base, head) in enumerate(case.rounds))
            answers[name, "one process pair"][case.true_change].extend(singles)
    return answers, standings


def rate(failed, count, *, is_wanted):
    """Write a share with its one-sided 95 % bound, upper for what should not happen, lower for what should."""
    bound = lower_bound(failed, count) if is_wanted else upper_bound(failed, count)
    return f"{percent(failed / count)} ({'≥' if is_wanted else '≤'} {percent(bound)})"


def report(answers, standings, tolerance):
    """Print the tables."""
    changes = sorted(standings)
    print("#### Share of comparisons that fail, % (95 % bound)\n")
    rows = []
    for (name, how), found in answers.items():
        cells = []
        for change in changes:
            failed = [one for _, one in found[change]]
            cells.append(rate(sum(failed), len(failed), is_wanted=change > tolerance))
        rows.append([name, how, *cells])
    rows.sort(key=lambda row: (row[0] != GATE, row[1] != "one process pair"))
    table(["rule", "asked about", *(f"{change * 100:+g} %" for change in changes)], rows)
    if 0.0 in standings:
        print("#### Share of suites without any change that fail, % (95 % bound)\n")
        table(["rule", "asked about", "suites", "fail"], sorted(_suites(answers), key=lambda row: row[0] != GATE))
    print("#### This gate\n")
    rows = []
    for change in changes:
        verdicts, taken = zip(*standings[change], strict=True)
        shares = [percent(sum(one is verdict for one in verdicts) / len(verdicts)) for verdict in SAID]
        spent = f"{np.median(taken):g}/{np.quantile(taken, 0.95):g}"
        rows.append([f"{change * 100:+g} %", str(len(verdicts)), *shares, spent])
    table(["true change", "cases", *(f"{one.value} %" for one in SAID), "rounds, median/95th percentile"], rows)


SAID = (Verdict.PASS, Verdict.IMPROVED, Verdict.INCONCLUSIVE, Verdict.REGRESSED)


def _suites(answers):
    for (name, how), found in answers.items():
        suites = defaultdict(bool)
        for suite, failed in found[0.0]:
            suites[suite] |= failed
        yield [name, how, str(len(suites)), rate(sum(suites.values()), len(suites), is_wanted=False)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("streams", nargs="+", metavar="STREAM")
    parser.add_argument("--tolerance", type=float, default=0.05)
    parser.add_argument("--plant", type=float, nargs="+", default=[], metavar="CHANGE")
    parser.add_argument("--cases", type=int, help="how many cases alpha is shared by; those of the suite unless given")
    args = parser.parse_args()
    cases = load(args.streams)
    cases += [planted(case, change) for change in args.plant for case in cases if case.true_change == 0]
    report(*replay(cases, args.tolerance, args.cases), args.tolerance)


if __name__ == "__main__":
    main()
