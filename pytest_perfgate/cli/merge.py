"""``perfgate merge``: several runs of the same code become one that knows how much runs differ."""

from __future__ import annotations

import argparse
import sys

from pytest_perfgate.cli._command import PASSED, STANDARD_STREAM, add_run, named, read_runs, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate merge``."""
    parser.description = """\
Make one run of several runs of the same code on the same machine, Python and
profile.  The merged run knows how much one run differs from the next, so that
a comparison with it need not assume it."""
    parser.epilog = """\
example:
  perfgate merge base-1.json base-2.json base-3.json -o base.json

exit status: 0 merged; 2 a run cannot be read or holds no measurement, or the
runs do not belong together: nothing is written"""
    add_run(parser, "runs", metavar="RUN", nargs="+")
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="where the merged run goes; - is standard output"
    )


def run(namespace: argparse.Namespace) -> int:
    """Merge and write, completely or not at all.

    Returns:
        0.
    """
    from pytest_perfgate.compare import merge_runs
    from pytest_perfgate.store import check_writable, run_to_text, store_run
    from pytest_perfgate.words import counted

    if namespace.output != STANDARD_STREAM:
        check_writable(namespace.output)
    merged = merge_runs(read_runs(*namespace.runs), [named(path) for path in namespace.runs])
    if namespace.output == STANDARD_STREAM:
        say(run_to_text(merged))
    else:
        store_run(merged, namespace.output)
    many = counted(len(merged.findings), "case")
    say(f"perfgate: merged {counted(len(namespace.runs), 'run')} ({many}) into {namespace.output}", sys.stderr)
    return PASSED
