"""Turn a list of orders into a monthly report."""

from collections import defaultdict


def monthly_report(orders):
    """Add up (month, amount) pairs and return lines of text, month by month."""
    totals = defaultdict(float)
    for month, amount in orders:
        totals[month] += amount
    return [f"{month}: {total:10.2f}" for month, total in sorted(totals.items())]
