"""What every subcommand needs: its descriptor, exit statuses, stored runs to read, a place to print.

No subcommand belongs here, and nothing that is slow to import: ``perfgate --help`` loads this file.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pytest_perfgate.model import Run

PASSED = 0
FAILED = 1
COULD_NOT_JUDGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells say it."""
BROKEN_PIPE = 141
"""128 + SIGPIPE, as shells say it."""

STANDARD_STREAM = "-"
"""Standard input where a run is read, standard output where something is written."""

RUN_HELP = "a stored run (pytest --perfgate --perfgate-report json=run.json), or - for standard input"
TOLERANCE_HELP = "how much worse a case may get (default: as recorded in RUN, else 5%%)"
DEFAULT_TOLERANCE = 0.05
"""5 %, what ``pytest --perfgate-max-regression`` starts from as well."""


class Command(NamedTuple):
    """A subcommand: everything ``perfgate --help`` says of it, and where the rest is."""

    name: str
    summary: str
    """One line, for ``--help`` and the documentation."""
    module: str
    """Offers ``add_arguments(parser)`` and ``run(namespace) -> int``; imported only when asked for."""


class CommandModule(Protocol):
    """What the file of a subcommand offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add arguments and, as the epilog, an example."""

    def run(self, namespace: argparse.Namespace) -> int:
        """Do it and return the exit status."""
