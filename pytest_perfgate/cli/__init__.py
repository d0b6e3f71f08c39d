"""The console command ``perfgate``: which subcommands there are, and what becomes of their errors.

A subcommand is one file (or a folder, where it has verbs of its own) and one line of :data:`COMMANDS`; what it does is
never here.  Nothing is imported at the top but what ``perfgate --help`` needs to answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, TextIO, cast

from pytest_perfgate.cli._command import (
    BROKEN_PIPE,
    COULD_NOT_JUDGE,
    INTERRUPTED,
    PASSED,
    Command,
    CommandModule,
    abandon,
    add_parser,
    say,
)
from pytest_perfgate.errors import PerfgateError, UsageError

__all__ = ["COMMANDS", "entry_point", "main"]

COMMANDS: tuple[Command, ...] = (
    Command("gate", "judge a stored run; the exit status is the verdict", f"{__name__}.gate"),
    Command("compare", "show what changed between two stored runs; judges nothing", f"{__name__}.compare"),
    Command("show", "print the report of a stored run", f"{__name__}.show"),
    Command("merge", "make one run of several, so that they show how much runs differ", f"{__name__}.merge"),
    Command("profile", "say what this machine is and which hardware profile it matches", f"{__name__}.profile"),
    Command("trust", "find out how often the gate errs on this machine", f"{__name__}.trust"),
    Command("init", "give a project first settings, a first test and workflows", f"{__name__}.init"),
    Command("ci", "the steps of a build server: the GitHub Action is made of them", f"{__name__}.ci"),
)

#: Named in the documentation already, so that nobody takes them for a spelling mistake.
_LATER = ("convert", "doctor")

_DESCRIPTION = """\
The performance gate on stored runs.  Runs are made by pytest:

  pytest --perfgate --perfgate-report json=run.json"""
_EPILOG = """\
example:
  perfgate gate run.json --baseline base.json --max-regression 5%

exit status: 0 passed, 1 the gate failed, 2 could not judge (bad input,
unreadable baseline, nothing measured)"""


def entry_point() -> NoReturn:
    """Run the console command and leave with its exit status."""
    # All that is read lives until the end, which is near: looking for cycles in it takes a fifth of the time.
    gc.disable()
    sys.exit(main())


def main(argv: Sequence[str] | None = None, stdout: TextIO | None = None, stderr: TextIO | None = None) -> int:
    """Run the console command.

    Args:
        argv: Arguments without the program's name; None: those of the process.
        stdout: Stands in for standard output while this runs.
        stderr: Stands in for standard error.

    Returns:
        The exit status: 0 passed, 1 the gate failed, 2 could not judge, 130 interrupted, 141 nobody reads the output.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    nowhere = io.StringIO()  # a process may be started with closed streams
    with (
        contextlib.redirect_stdout(stdout or sys.stdout or nowhere),
        contextlib.redirect_stderr(stderr or sys.stderr or nowhere),
    ):
        try:
            return _finished(_dispatched(arguments))
        except PerfgateError as problem:
            return _complained(f"error: {problem}", COULD_NOT_JUDGE)
        except KeyboardInterrupt:
            return _complained("interrupted", INTERRUPTED)
        except BrokenPipeError:
            abandon(sys.stdout)
            return BROKEN_PIPE


def _dispatched(arguments: Sequence[str]) -> int:
    """Parse and run; argparse says what it has to say by leaving."""
    _refuse_unknown(arguments)
    try:
        parser, parsers = _parsers(arguments)
        namespace, unknown = parser.parse_known_args(arguments)
        if unknown:
            # The top parser would print its own usage, which does not show what the command takes.
            parsers.get(namespace.command, parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else COULD_NOT_JUDGE
    if namespace.version:
        return _version()
    if namespace.command is None:
        parser.print_help(sys.stderr)
        return COULD_NOT_JUDGE
    return _module_of(namespace.command).run(namespace)


def _refuse_unknown(arguments: Sequence[str]) -> None:
    """Refuse a first word that is no command: argparse would list the commands, not the one that was meant."""
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    names = [command.name for command in COMMANDS]
    if word is None or word in names:
        return
    there = f"there are {', '.join(names)}"
    if word in _LATER:
        raise UsageError(f"the command {word!r} is not available in this version; {there}")
    from pytest_perfgate.words import did_you_mean

    raise UsageError(f"there is no command {word!r}{did_you_mean(word, names)} ({there})")


def _parsers(
    arguments: Sequence[str],
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Make the parser, and those of the commands; only a command that is named is imported."""
    parser = argparse.ArgumentParser(
        prog="perfgate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    parsers = {}
    for command in COMMANDS:
        parsers[command.name] = add_parser(commands, command)
        if command.name in arguments:
            _module_of(command.name).add_arguments(parsers[command.name])
    return parser, parsers


def _module_of(name: str) -> CommandModule:
    module = next(command.module for command in COMMANDS if command.name == name)
    return cast("CommandModule", import_module(module))


def _version() -> int:
    try:
        from pytest_perfgate import __version__
    except ModuleNotFoundError:  # a working copy
        raise PerfgateError("pytest-perfgate is not installed here, so it has no version; pip install it") from None
    say(f"perfgate {__version__}")
    return PASSED


def _finished(status: int) -> int:
    """Write out what is buffered while an error can still be handled."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left, the verdict stands
        abandon(sys.stdout)
    except OSError as problem:
        abandon(sys.stdout)
        raise PerfgateError(f"cannot print: {problem.strerror or problem}") from None
    return status


def _complained(message: str, status: int) -> int:
    with contextlib.suppress(PerfgateError):  # nowhere is left to say it
        say(f"perfgate: {message}", sys.stderr)
    return status
