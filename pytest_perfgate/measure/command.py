"""Commands as users write them: checked, given an environment, and explained when they go wrong.

Running and timing them is :mod:`pytest_perfgate.measure.process`.
"""

from __future__ import annotations

import contextlib
import locale
import os
import shlex
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.process import ProcessRun, run_process
from pytest_perfgate.measure.redirection import keep_first_on_path, refuse_what_escapes, replace_script
from pytest_perfgate.measure.unstarted import why_not_started

#: Set because pytest, xdist or coverage runs this process; left in, they would change the program
#: that is measured (coverage starts tracing it, a nested pytest takes itself for a worker).
SCRUBBED = (
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_PROCESS_START",
    "PYTEST_CURRENT_TEST",
    "PYTEST_VERSION",
)
SCRUBBED_PREFIXES = ("COV_CORE_", "PYTEST_XDIST_")

Runner = Callable[..., ProcessRun]
"""Called as :func:`pytest_perfgate.measure.process.run_process`; tests put something else here."""

_SHOWN_CHARACTERS = 60
_SHOWN_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line that has been checked, with the circumstances to run it in."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment."""
    cwd: str | None
    stdin: bytes | None
    timeout_s: float | None
    """None for never."""

    def run(self, runner: Runner = run_process) -> ProcessRun:
        """Run it once.

        Args:
            runner: Runs it.

        Returns:
            What it did and cost, whatever its exit status.

        Raises:
            CannotMeasureError: It could not be started, did not end in time, or its exit was lost.
        """
        run = self.run_anyhow(runner)
        if run.timed_out:
            raise CannotMeasureError(
                f"{shown(self.argv)} did not exit within {self.timeout_s:g} s; the process group "
                f"was killed{last_words(run)}"
            )
        return run

    def run_anyhow(self, runner: Runner = run_process, more: Sequence[str] = ()) -> ProcessRun:
        """Run it once, even if it is killed for its time.

        Args:
            runner: Runs it.
            more: Words of ours to put behind, which no message shows.

        Raises:
            CannotMeasureError: It could not be started, or its exit was lost.
        """
        with explained(self):
            words = replace_script((*self.argv, *more), self.cwd)
            return runner(words, env=self.env, cwd=self.cwd, stdin=self.stdin, timeout_s=self.timeout_s)


@contextlib.contextmanager
def explained(command: Command) -> Iterator[None]:
    """Say in words of the user's what keeps *command* from being started within the block.

    Raises:
        CannotMeasureError: It could not be started.
        UsageError: It holds what no operating system takes.
    """
    try:
        yield
    except OSError as problem:
        raise CannotMeasureError(why_not_started(command.argv[0], command.env, command.cwd, problem)) from None
    except ValueError as problem:
        raise UsageError(f"{shown(command.argv)} cannot be run: {problem}") from None


def make_command(
    argv: object,
    *,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: object = None,
    timeout_s: float | None = None,
    example: str = 'startup.command(["app", "--version"])',
) -> Command:
    """Check what a user wants to run.

    Args:
        argv: A list of strings and paths.
        env: Variables added to the environment (see :func:`make_environment`).
        cwd: Directory to run in; None for ours.
        stdin: What the program can read, bytes or a string; None for nothing.
        timeout_s: Seconds it may take, > 0; None or 0 for no limit.
        example: How a right call looks, for messages.

    Returns:
        The command.

    Raises:
        UsageError: Something in it cannot be meant.
    """
    if timeout_s is not None and (_is_no_number(timeout_s) or not 0 <= timeout_s < float("inf")):
        raise UsageError(f"timeout={timeout_s!r} is not a number of seconds, 0 for no limit")
    _check_cwd(cwd)
    words = _checked_argv(argv, example)
    refuse_what_escapes(words, shown(words))
    if stdin is not None and not isinstance(stdin, (bytes, str)):
        raise UsageError(f"stdin= takes bytes or a string, not {type(stdin).__name__}")
    return Command(
        argv=words,
        env=make_environment(env),
        cwd=None if cwd is None else os.fspath(cwd),
        stdin=stdin.encode() if isinstance(stdin, str) else stdin,
        timeout_s=timeout_s or None,
    )


def _check_cwd(cwd: object) -> None:
    if cwd is None:
        return
    if not isinstance(cwd, (str, os.PathLike)):
        raise UsageError(f"cwd= takes a path, not {cwd!r}")
    folder = Path(os.fsdecode(cwd))
    if not folder.is_dir():
        problem = "is not a directory" if folder.exists() else "does not exist"
        raise UsageError(f"the directory to run in {problem}: cwd={str(folder)!r}")


def make_environment(env: Mapping[str, str | None] | None) -> dict[str, str]:
    """Build the environment of a measured program.

    It inherits ours, without the variables of :data:`SCRUBBED` and :data:`SCRUBBED_PREFIXES`.

    Args:
        env: Added last, so that they win; None as a value takes a variable away.

    Returns:
        The whole environment.

    Raises:
        UsageError: A name or value is not a string.
    """
    if env is not None and not isinstance(env, Mapping):
        raise UsageError(f"env= takes a mapping of names to strings, not {type(env).__name__}")
    made = {
        name: value
        for name, value in os.environ.items()
        if name not in SCRUBBED and not name.startswith(SCRUBBED_PREFIXES)
    }
    for name, value in (env or {}).items():
        _check_variable(name, value)
        made.pop(name, None)
        if value is not None:
            made[name] = value
    if "PYTHONPATH" in (env or {}):
        keep_first_on_path(made)
    return made


def _check_variable(name: object, value: object) -> None:
    if not isinstance(name, str) or not (value is None or isinstance(value, str)):
        raise UsageError(
            f"environment variable {name!r} has the value {value!r}; write it as a string, or None to take the "
            f"variable away"
        )


def _checked_argv(argv: object, example: str) -> tuple[str, ...]:
    if isinstance(argv, (str, bytes)):
        text = os.fsdecode(argv)
        raise UsageError(
            f"the command is one string, and no shell splits it; write {example} with a list, here {_split(text)}"
        )
    if isinstance(argv, os.PathLike):
        raise UsageError(f"the command is a bare path; write a list, [{argv!r}]")
    if not isinstance(argv, Iterable):
        raise UsageError(f"the command is {argv!r}, not a list; write {example}")
    words = tuple(_checked_word(position, word) for position, word in enumerate(argv))
    if not words or not words[0]:
        raise UsageError(f"the command is empty; write {example}")
    return words


def _split(text: str) -> str:
    try:
        return repr(shlex.split(text))
    except ValueError:
        return "shlex.split(...)"


def _checked_word(position: int, word: object) -> str:
    if not isinstance(word, (str, bytes, os.PathLike)):
        raise UsageError(
            f"argument {position} of the command is {word!r}, of type {type(word).__name__}; write {str(word)!r}"
        )
    plain = os.fsdecode(word)
    if "\0" in plain:
        raise UsageError(f"argument {position} of the command contains a NUL character: {plain!r}")
    return plain


def _is_no_number(value: object) -> bool:
    return isinstance(value, bool) or not isinstance(value, (int, float))


def expected_statuses(expect_exit: object) -> frozenset[int]:
    """Read ``expect_exit=``.

    Args:
        expect_exit: One exit status, or several of which any will do.

    Returns:
        The statuses that count as success.

    Raises:
        UsageError: It is neither.
    """
    wanted = expect_exit if isinstance(expect_exit, Collection) else (expect_exit,)
    if not wanted or any(isinstance(one, bool) or not isinstance(one, int) for one in wanted):
        raise UsageError(f"expect_exit={expect_exit!r} is not an exit status or a list of them")
    return frozenset(wanted)


def check_exit(command: Command, run: ProcessRun, expected: frozenset[int]) -> None:
    """Refuse a run whose exit status is not an expected one.

    Args:
        command: What was run.
        run: How it went.
        expected: Statuses that count as success.

    Raises:
        CannotMeasureError: With the status and the end of what it wrote.
    """
    if run.exit_status in expected:
        return
    wanted = " or ".join(str(one) for one in sorted(expected))
    ended = exit_shown(run)
    how = ended if run.exit_status < 0 else f"{ended}, not {wanted}"
    raise CannotMeasureError(f"{shown(command.argv)} {how}{last_words(run)}")


def exit_shown(run: ProcessRun) -> str:
    """Say how a process ended: ``exited with status 2``, ``was killed by signal 9 (SIGKILL)``."""
    if run.exit_status < 0:
        return f"was killed by signal {signal_name(-run.exit_status)}"
    return f"exited with status {run.exit_status}"


def signal_name(number: int) -> str:
    """Name a signal: ``9 (SIGKILL)``."""
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def decode(output: bytes) -> str:
    """Read a program's output as text, as ``subprocess`` does, but never fail on it."""
    text = output.decode(locale.getpreferredencoding(False), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def last_words(run: ProcessRun) -> str:
    """Quote the end of stderr, or of stdout where there is none, as the second half of a message."""
    for name, output in (("stderr", run.stderr), ("stdout", run.stdout)):
        lines = decode(output).rstrip().splitlines()[-_SHOWN_LINES:]
        if lines:
            return f"; its {name} ends:\n" + "\n".join(f"    {line}" for line in lines)
    return "; it wrote nothing"


def shown(argv: Sequence[str]) -> str:
    """Write a command for people: quoted, on one line, short, ``python`` for this interpreter."""
    words = ["python" if word == sys.executable else word for word in argv]
    line = " ".join(shlex.join(words).split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
