"""``perfgate ci summary``: put the Markdown report of a stored run on the page of a build; judges nothing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_perfgate.cli._command import PASSED, STANDARD_STREAM, add_run, read_runs, say
from pytest_perfgate.errors import ReportPathError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci summary``."""
    parser.description = """\
Append the Markdown report of a stored run to a file: that of the step's
summary (GITHUB_STEP_SUMMARY) on GitHub Actions, else standard output."""
    parser.epilog = """\
example:
  perfgate ci summary run.json
  perfgate ci summary run.json --output summary.md

exit status: 0 whatever the verdicts are; 2 the run cannot be read or the file
cannot be written"""
    add_run(parser, "run", metavar="RUN")
    parser.add_argument("--output", metavar="FILE", help="append to this file; - is standard output")
    parser.add_argument(
        "--max-bytes",
        metavar="N",
        type=_bytes,
        help="most bytes that the file may have afterwards (default: 1000000)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Write the report.

    Returns:
        0.
    """
    from pytest_perfgate.reports import markdown

    (stored,) = read_runs(namespace.run)
    output = namespace.output or os.environ.get("GITHUB_STEP_SUMMARY") or STANDARD_STREAM
    most = markdown.MAX_BYTES if namespace.max_bytes is None else namespace.max_bytes
    if output == STANDARD_STREAM:
        say(markdown.render(stored, max_bytes=most))
        return PASSED
    try:
        there = Path(output).stat().st_size if Path(output).exists() else 0
        apart = "\n" if there else ""  # a paragraph that stands there is not continued
        left = most - there - len(apart)
        if there and left < markdown.LEAST_BYTES:
            raise UsageError(f"{output} has {there:,} bytes already, so no report fits into {most:,}")
        with Path(output).open("a", encoding="utf-8", newline="\n") as file:
            file.write(apart + markdown.render(stored, max_bytes=left))
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or problem
        raise ReportPathError(f"cannot write to {output}: {why}; name another place") from None
    return PASSED


def _bytes(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes, such as 1000000")
    return int(text)
