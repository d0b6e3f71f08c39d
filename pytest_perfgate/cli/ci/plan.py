"""``perfgate ci plan``: check every input and decide what to compare with, before anything is measured."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import PASSED, say
from pytest_perfgate.cli.ci._step import annotated, write_outputs
from pytest_perfgate.errors import BadRunFileError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_perfgate.ci.event import Event
    from pytest_perfgate.ci.inputs import Inputs
    from pytest_perfgate.ci.keys import CacheKey
    from pytest_perfgate.ci.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate ci plan``."""
    parser.description = """\
Step of the GitHub Action: read the inputs from PERFGATE_INPUT_... and the
event from GITHUB_...; decide what to compare with: on pull requests and in
merge groups the commit they start from, which is fetched if need be, else a
stored baseline."""
    parser.epilog = """\
example:
  PERFGATE_INPUT_MAX_REGRESSION=5% perfgate ci plan

exit status: 0; 2 an input cannot be meant, the event is one that must not
run a suite, or the base cannot be had"""


@annotated
def run(namespace: argparse.Namespace) -> int:
    """Check, decide, write the outputs.

    Returns:
        0.
    """
    from pytest_perfgate.ci.event import read_event
    from pytest_perfgate.ci.inputs import read_inputs
    from pytest_perfgate.ci.plan import refuse_privileged

    del namespace
    event = read_event(os.environ)
    refuse_privileged(event)
    plan = _planned(read_inputs(os.environ), event, os.environ)
    for line in _described(plan, event):
        say(line)
    write_outputs(
        {
            "plan": plan.to_text(),
            "restores": str(bool(plan.cache_key)).lower(),
            "cache-key": plan.cache_key,
            "cache-prefix": plan.cache_prefix,
            "cache-folder": plan.cache_folder,
            "comment": plan.comment,
            "comment-id": plan.comment_id,
        }
    )
    return PASSED


def _planned(inputs: Inputs, event: Event, environ: Mapping[str, str]) -> Plan:
    import secrets
    from pathlib import Path

    from pytest_perfgate.ci.base import find_base
    from pytest_perfgate.ci.inputs import AUTO
    from pytest_perfgate.ci.plan import BASE, comparison_of, make_plan

    workspace = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve()
    folder = workspace / inputs.working_directory
    if not folder.is_dir():
        raise UsageError(f"working-directory: there is no folder {inputs.working_directory} in {workspace}")
    temporary = Path(environ.get("RUNNER_TEMP") or workspace / ".perfgate").resolve()
    compare = comparison_of(inputs, event)
    needs_base = compare == BASE and inputs.against == AUTO
    key = _key(inputs, event)
    return make_plan(
        inputs,
        event,
        base_commit=find_base(folder, event, say=lambda line: say(f"perfgate: {line}")) if needs_base else "",
        key=key,
        working_directory=str(folder),
        # Apart from each other: two steps of one job must not read each other's files.
        report_dir=_usable(
            workspace / inputs.report_dir if inputs.report_dir else temporary / f"perfgate-{secrets.token_hex(4)}"
        ),
        # The same for every run: a cache is found by its key and by the name of the folder.
        cache_folder=str(temporary / "perfgate-baseline" / key.identity),
        baseline_path=_readable(folder / inputs.baseline_path, inputs),
    )


def _key(inputs: Inputs, event: Event) -> CacheKey:
    from pytest_perfgate.ci.keys import cache_key
    from pytest_perfgate.machine import current_machine, current_python

    return cache_key(
        current_machine(),
        current_python(),
        purpose=inputs.baseline_key or " ".join(word for word in (event.job, inputs.working_directory) if word != "."),
        run_id=event.run_id,
        run_attempt=event.run_attempt,
    )


def _readable(path: Path, inputs: Inputs) -> str:
    """Make sure that a baseline that the user named is one, before anything is measured."""
    from pytest_perfgate.store import load_run

    if inputs.baseline_storage == "file" and path.exists():
        try:
            load_run(path)
        except BadRunFileError as problem:
            raise UsageError(f"baseline-path: {problem}") from None
    return str(path)


def _usable(folder: Path) -> str:
    """Make sure that there can be reports in a folder that the user named, before anything is measured."""
    if any(place.exists() and not place.is_dir() for place in (folder, *folder.parents)):
        raise UsageError(f"report-dir: cannot write to {folder}: it is, or is in, a file; name a folder")
    return str(folder)


def _described(plan: Plan, event: Event) -> list[str]:
    """Say what will be done, each in one line that no runner takes for a command."""
    what = {
        "base": f"commit {plan.base_commit[:12]}" if plan.base_commit else f"{plan.against!r}",
        "cache": f"the newest baseline in the cache under {plan.cache_prefix}*",
        "file": f"the stored run {plan.baseline!r}",
        "nothing": "nothing: budgets alone are judged",
    }[plan.compare]
    lines = [f"perfgate: event {event.name!r}, comparing with {what}"]
    if plan.records:
        lines.append("perfgate: if nothing fails, this run becomes the next baseline")
    return lines
