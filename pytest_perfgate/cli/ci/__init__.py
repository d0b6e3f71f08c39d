"""``perfgate ci``: what a build server calls, one verb per step; which verbs there are, and nothing of what they do.

A verb is one file of this folder and one line of :data:`VERBS`; it is imported only when it is asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from pytest_perfgate.cli._command import Command, CommandModule, add_parser

__all__ = ["VERBS", "add_arguments", "run"]

VERBS: tuple[Command, ...] = (
    Command("install", "put the package into the user's environment", f"{__name__}.install"),
    Command("plan", "check the inputs and decide what to compare with", f"{__name__}.plan"),
    Command("measure", "run pytest as planned and write the reports", f"{__name__}.measure"),
    Command("verdict", "fail the job, or do not, and say why", f"{__name__}.verdict"),
    Command("summary", "put the Markdown report of a stored run on the page of a build", f"{__name__}.summary"),
    Command("comment", "put the report into a comment of its pull request", f"{__name__}.comment"),
)


class _VerbParser(argparse.ArgumentParser):
    """The parser of a verb; it learns its arguments from the verb's file when it is asked to parse any."""

    verb: Command | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what is left over is told here, because the parser above would show its own usage."""
        if self.verb is not None:
            verb, self.verb = self.verb, None
            _module_of(verb).add_arguments(self)
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of ``perfgate ci``."""
    parser.description = """\
The steps of a build server, one verb each.  action.yml is made of them;
GitLab CI, Jenkins and plain shells may call them as well."""
    parser.epilog = """\
example:
  perfgate ci plan --help

exit status: that of the verb; see its --help"""
    verbs = parser.add_subparsers(
        title="verbs", dest="verb", metavar="VERB", required=True, parser_class=cast("Any", _VerbParser)
    )
    for verb in VERBS:
        add_parser(verbs, verb).verb = verb


def run(namespace: argparse.Namespace) -> int:
    """Do what the verb does.

    Returns:
        Its exit status.
    """
    return _module_of(_named(namespace.verb, VERBS)).run(namespace)


def _named(name: str, verbs: Sequence[Command]) -> Command:
    return next(verb for verb in verbs if verb.name == name)


def _module_of(verb: Command) -> CommandModule:
    return cast("CommandModule", import_module(verb.module))
