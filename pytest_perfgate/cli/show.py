"""``perfgate show``: print the report of a stored run as pytest printed it; judges nothing."""

from __future__ import annotations

import argparse
import sys

from pytest_perfgate.cli._command import (
    PASSED,
    add_limit,
    add_run,
    may_colour,
    read_runs,
    say,
    width_of,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate show``."""
    parser.epilog = """\
example:
  perfgate show run.json

exit status: 0 whatever the verdicts are; 2 the run cannot be read"""
    add_run(parser, "run", metavar="RUN")
    add_limit(parser)


def run(namespace: argparse.Namespace) -> int:
    """Print the report.

    Returns:
        0.
    """
    from pytest_perfgate.reports import text

    (stored,) = read_runs(namespace.run)
    out = sys.stdout
    limit = namespace.limit if namespace.limit != 0 else len(stored.findings)
    say(text.render(stored, width=width_of(out), colour=may_colour(out), limit=limit))
    return PASSED
