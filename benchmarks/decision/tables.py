"""Rates with their bounds, and tables of them."""

from __future__ import annotations

from scipy import stats


def upper_bound(events, trials, confidence=0.95):
    """Bound a rate from above, one-sided.

    Source: Clopper & Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
    Biometrika 26 (1934) 404-413; for no events this is the rule of three.
    """
    return 1.0 if events == trials else float(stats.beta.ppf(confidence, events + 1, trials - events))


def lower_bound(events, trials, confidence=0.95):
    """Bound a rate from below, one-sided."""
    return 1 - upper_bound(trials - events, trials, confidence)


def percent(share):
    """Write a share as a percentage without its sign, rare ones with more digits."""
    digits = 3 if 0 < share < 0.001 else 2 if share < 0.1 or 0.9 < share < 1 else 1
    text = f"{share * 100:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def table(header, rows):
    """Print a Markdown table and an empty line."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()
