"""What every subcommand needs: its descriptor, exit statuses, stored runs to read, a place to print.

No subcommand belongs here, and nothing that is slow to import: ``perfgate --help`` loads this file.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO

from pytest_perfgate.errors import BadRunFileError, PerfgateError, UsageError

if TYPE_CHECKING:
    from pytest_perfgate.model import Run

PASSED, FAILED, COULD_NOT_JUDGE = 0, 1, 2
BROKEN_PIPE = 141
"""128 + SIGPIPE, as shells say it."""
INTERRUPTED = 130
"""128 + SIGINT, as shells say it."""

STANDARD_STREAM = "-"
"""Standard input where a run is read, standard output where something is written."""
DEFAULT_TOLERANCE = 0.05
"""5 %, as everywhere; for a run that was stored without its settings."""
_WIDTH_WITHOUT_TERMINAL = 120
"""A log has no edge, but a person reads it; wide enough that hardly any test id is cut."""


class Command(NamedTuple):
    """A subcommand: what ``perfgate --help`` says of it, and where the rest is."""

    name: str
    summary: str
    """One line, for ``--help`` and the documentation."""
    module: str
    """A :class:`CommandModule`; imported only when the command is asked for."""


class CommandModule(Protocol):
    """What the file of a subcommand offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare arguments and, as the epilog, an example."""

    def run(self, namespace: argparse.Namespace) -> int:
        """Do it and return the exit status."""


def add_parser(parsers: Any, command: Command) -> Any:
    """Make the parser of *command* among *parsers*, what ``add_subparsers()`` gave; its arguments come later."""
    return parsers.add_parser(
        command.name,
        help=command.summary,
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_run(parser: argparse.ArgumentParser, *flags: str, text: str = "", **options: str) -> None:
    """Declare an argument that names a stored run.

    Args:
        parser: Of the command.
        flags: Name of the argument, or an option.
        text: What the run is for, in front of what a stored run is.
        options: More for :meth:`argparse.ArgumentParser.add_argument`.
    """
    what = "a stored run (pytest --perfgate --perfgate-report json=run.json), or - for standard input"
    parser.add_argument(*flags, help=f"{text}; {what}" if text else what, **options)  # type: ignore[arg-type]  # texts only


def add_tolerance(parser: argparse.ArgumentParser, default: str = "as the judged run recorded it, else 5%%") -> None:
    """Declare ``--max-regression``; *default* says for ``--help`` what is in force without it."""
    parser.add_argument(
        "--max-regression",
        metavar="PCT",
        type=_tolerance,
        help=f"how much worse a case may get, unless its test set a tolerance of its own (default: {default})",
    )


def add_limit(parser: argparse.ArgumentParser) -> None:
    """Declare ``--limit``."""
    parser.add_argument("--limit", metavar="N", type=_limit, help="most rows of the table (default: 50; 0: all)")


def tolerance_for(run: Run, given: float | None) -> float:
    """Find the tolerance of a comparison.

    Args:
        run: The run that is judged.
        given: From the command line, or None.

    Returns:
        The ratio given, else the one that *run* recorded, else 0.05.
    """
    recorded = run.settings.get("max_regression")
    if given is not None:
        return given
    if isinstance(recorded, bool) or not isinstance(recorded, int | float) or not 0 <= recorded < float("inf"):
        return DEFAULT_TOLERANCE
    return float(recorded)


def named(path: str) -> str:
    """Say for messages where a run comes from."""
    return "standard input" if path == STANDARD_STREAM else path


def read_runs(*paths: str) -> list[Run]:
    """Read stored runs, each from a file or from standard input.

    Raises:
        UsageError: Standard input is asked for twice.
        BadRunFileError: One cannot be read or is not a stored run.
    """
    if paths.count(STANDARD_STREAM) > 1:
        raise UsageError("standard input can be read only once, so only one of the runs can be -")
    from pytest_perfgate.store import load_run, load_run_text

    return [
        load_run_text(_read_standard_input(), named(path)) if path == STANDARD_STREAM else load_run(path)
        for path in paths
    ]


def say(text: str, stream: TextIO | None = None) -> None:
    """Print *text*, whatever the stream can encode, and flush.

    A reader that left (``perfgate show run.json | head``) is not told any more; the command goes on to its exit status.

    Args:
        text: Ends with a line break, or one is added.
        stream: None for standard output.

    Raises:
        PerfgateError: The stream cannot be written, such as on a full disk.
    """
    from pytest_perfgate.reports._format import encodable

    out = stream or sys.stdout
    try:
        out.write(encodable(text if text.endswith("\n") else f"{text}\n", out.encoding))
        out.flush()
    except BrokenPipeError:
        abandon(out)
    except OSError as problem:
        abandon(out)
        raise PerfgateError(f"cannot print: {problem.strerror or problem}") from None


def abandon(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: the interpreter would complain about it at its end."""
    # A stream that is no file has no descriptor; then nothing is left for the interpreter to write.
    with contextlib.suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def may_colour(stream: TextIO) -> bool:
    """Tell whether ANSI escapes are welcome; ``NO_COLOR`` is that of https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Find how many columns there are to print in; the variable ``COLUMNS`` is stronger than the terminal."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    with contextlib.suppress(OSError, ValueError):
        if stream.isatty():
            return os.get_terminal_size(stream.fileno()).columns or _WIDTH_WITHOUT_TERMINAL
    return _WIDTH_WITHOUT_TERMINAL


def _read_standard_input() -> str:
    source = sys.stdin
    try:
        binary = getattr(source, "buffer", None)
        return source.read() if binary is None else binary.read().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadRunFileError(f"standard input: not UTF-8 (byte {problem.start}), so not a stored run") from None
    except (AttributeError, OSError, ValueError) as problem:  # none at all, or closed
        raise BadRunFileError(f"standard input cannot be read ({problem}); name a file") from None


def _tolerance(text: str) -> float:
    from pytest_perfgate.profiles import parse_tolerance

    try:
        return parse_tolerance(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r}: {problem}") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows, such as 20, or 0 for all")
    return int(text)
