"""How often the sequential verdict errs, by seeded simulation of rounds whose true change is known.

Needs NumPy and SciPy, no quiet machine::

    python benchmarks/decision/operating_characteristics.py [--trials 20000] [--null-trials 100000]

Prints Markdown: per number of cases and round-to-round deviation the least favourable of four noises (normal, Student's
t with 3 and with 2.2 degrees of freedom, and t3 with 2 % of the rounds off by ±30 %), then what rounds do that break
the rules, then the coverage of the interval.  About four minutes for all of it.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from simulation import IMPROVED, INCONCLUSIVE, ODD, PASS, REGRESSED, SOUND, Rule, decide
from tables import percent, table, upper_bound

TOLERANCE = 0.05
CASES = (1, 10, 50, 500)
DEVIATIONS = (0.008, 0.016, 0.025, 0.04)
CHANGES = (0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.075, 0.10, -0.075)
MOST_ROUNDS = 120


def simulate(noise, deviation, change, *, trials, seed, rule):
    """Simulate *trials* cases; the same seed gives the same rounds for every rule."""
    rng = np.random.default_rng(seed)
    size = (trials, min(MOST_ROUNDS, rule.rounds))
    return decide(math.log1p(change) + noise(rng, size, deviation), rule, math.log1p(change))


def worst_row(deviation, rule, trials, null_trials):
    """Describe all true changes at one deviation by the least favourable noise."""
    cells = []
    for change in CHANGES:
        amount = null_trials if change == 0 else trials
        found = [
            simulate(noise, deviation, change, trials=amount, seed=1000 + i, rule=rule)
            for i, noise in enumerate(SOUND.values())
        ]
        wanted = REGRESSED if change >= 0 else IMPROVED
        choose = min if change > TOLERANCE or change < 0 else max
        called = choose(one.share(wanted) for one in found)
        unsure = max(one.share(INCONCLUSIVE) for one in found)
        taken = max(found, key=lambda one: np.quantile(one.rounds, 0.95)).rounds
        spent = f"{int(np.median(taken))}/{int(np.quantile(taken, 0.95))}"
        cells.append(f"{percent(called)} · {percent(unsure)} · {spent}")
    return [f"{deviation * 100:g} %", *cells]


def sound(args):
    """Print the main tables."""
    header = ["round SD", *(f"{change * 100:+g} %" for change in CHANGES)]
    for cases in args.cases:
        rule = Rule(tolerance=TOLERANCE, cases=cases, rounds=args.rounds)
        print(
            f"#### {cases} case{'s' if cases > 1 else ''}: called % · inconclusive % · rounds median/95th percentile\n"
        )
        table(header, [worst_row(deviation, rule, args.trials, args.null_trials) for deviation in DEVIATIONS])


def odd(args):
    """Print what rounds do that are not what the guarantee asks for."""
    print("#### Rounds that are skewed, uneven, sticky or drifting (50 cases): fails % · passes % · inconclusive %\n")
    rule = Rule(tolerance=TOLERANCE, cases=50, rounds=args.rounds)
    changes = (0.0, 0.02, 0.03, 0.04, 0.06, 0.075, 0.10)
    rows = []
    for name, noise in ODD.items():
        for deviation in (0.016, 0.025):
            row = [name, f"{deviation * 100:g} %"]
            for i, change in enumerate(changes):
                one = simulate(noise, deviation, change, trials=args.trials, seed=2000 + i, rule=rule)
                kept = one.share(PASS) + one.share(IMPROVED)
                row.append(f"{percent(one.share(REGRESSED))} · {percent(kept)} · {percent(one.share(INCONCLUSIVE))}")
            rows.append(row)
    table(["rounds", "SD", *(f"{change * 100:+g} %" for change in changes)], rows)


def coverage(args):
    """Print how often the reported interval encloses the true change, stopping when a verdict is reached."""
    print("#### Coverage of the reported interval, % (90 % nominal with a pass, 99 % otherwise; 50 cases)\n")
    rule = Rule(tolerance=TOLERANCE, cases=50, rounds=args.rounds)
    changes = (0.0, 0.03, 0.05, 0.075, 0.10)
    rows = []
    for name, noise in {**SOUND, **ODD}.items():
        row = [name]
        for i, change in enumerate(changes):
            one = simulate(noise, 0.016, change, trials=args.trials, seed=3000 + i, rule=rule)
            parts = [f"{percent(np.mean(one.covers))}"]
            for label, mask in (("pass", one.verdict == PASS), ("else", one.verdict != PASS)):
                missed = int(np.sum(~one.covers & mask))
                parts.append(f"{label} misses {percent(missed / len(mask))}")
            row.append(" · ".join(parts))
        rows.append(row)
    table(["rounds (SD 1.6 %)", *(f"{change * 100:+g} %" for change in changes)], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=20_000, help="cases per cell with a true change")
    parser.add_argument("--null-trials", type=int, default=100_000, help="cases per cell without one")
    parser.add_argument("--rounds", type=int, default=Rule.rounds, help="most rounds of a case")
    parser.add_argument("--cases", type=int, nargs="+", default=list(CASES), help="cases that alpha is shared by")
    args = parser.parse_args()
    print(f"Tolerance {TOLERANCE * 100:g} %, alpha 1 % per run, beta 5 %, at most {args.rounds} rounds.")
    print(
        f"{args.trials} cases per cell ({args.null_trials} without a change); 95 % upper bound of a rate seen 0 times: "
        f"{percent(upper_bound(0, args.trials))} % ({percent(upper_bound(0, args.null_trials))} %).\n"
    )
    sound(args)
    odd(args)
    coverage(args)


if __name__ == "__main__":
    main()
