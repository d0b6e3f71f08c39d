"""What the verbs that are steps of the action share: mistakes become annotations, facts become outputs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import COULD_NOT_JUDGE, say
from pytest_perfgate.errors import PerfgateError

if TYPE_CHECKING:
    import argparse


def annotated(step: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Tell a user's mistake as an annotation on the page of the run, line by line, instead of at the end of a log."""

    @functools.wraps(step)
    def run(namespace: argparse.Namespace) -> int:
        from pytest_perfgate.reports.workflow_commands import command

        try:
            return step(namespace)
        except PerfgateError as problem:
            for line in str(problem).splitlines():
                say(command("error", line, title="perfgate"))
            return COULD_NOT_JUDGE

    return run


def write_outputs(values: Mapping[str, str]) -> None:
    """Give the step its outputs."""
    from pytest_perfgate.ci.outputs import append, assignments

    append(os.environ.get("GITHUB_OUTPUT"), assignments(values), variable="GITHUB_OUTPUT")
