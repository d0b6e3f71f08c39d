"""``perfgate ci verdict``: fail the job, or do not, and say why in one line; the only step that does."""

from __future__ import annotations

import argparse
import os

from pytest_perfgate.cli._command import say
from pytest_perfgate.cli.ci._step import annotated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci verdict``."""
    parser.description = """\
Step of the GitHub Action: hold what `perfgate ci measure` found
(PERFGATE_SETTLED) against the policies of the inputs (PERFGATE_PLAN)."""
    parser.epilog = """\
example:
  PERFGATE_PLAN="$plan" PERFGATE_SETTLED="$settled" perfgate ci verdict

exit status: 0 passed; 1 the gate or a test failed; 2 could not judge"""


@annotated
def run(namespace: argparse.Namespace) -> int:
    """Conclude.

    Returns:
        The exit status.
    """
    from pytest_perfgate.ci.plan import plan_from_text
    from pytest_perfgate.ci.settling import settled_from_text
    from pytest_perfgate.ci.verdict import conclude
    from pytest_perfgate.reports.workflow_commands import command

    del namespace
    plan = plan_from_text(os.environ.get("PERFGATE_PLAN", ""))
    concluded = conclude(plan, settled_from_text(os.environ.get("PERFGATE_SETTLED", "")))
    say(command(concluded.level, concluded.line, title="perfgate"))
    return concluded.exit_status
