"""Metric ``startup.command``: what a command takes in fresh processes, from spawn to exit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.cold import checked_cold, cold_runs
from pytest_perfgate.measure.command import (
    Command,
    Runner,
    check_exit,
    decode,
    expected_statuses,
    make_command,
    shown,
)
from pytest_perfgate.measure.process import ProcessRun, run_process
from pytest_perfgate.measure.sampler import Planner
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.metrics.startup.series import (
    DEFAULT_TIMEOUT_S,
    RETRIES,
    Kind,
    bare_interpreter,
    costs,
    made_cold,
    measure,
    measurement_of,
    middle,
    remarks_on,
)
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.units import SECONDS, format_value

COMMAND = Metric(
    "startup.command",
    SECONDS,
    Better.LOWER,
    "wall time of a command in fresh processes, from spawn to exit",
)

#: The options of the call as users spell them; ``timeout`` arrives here as ``timeout_s``.
COMMAND_OPTIONS = ("runs", "warmup", "env", "cwd", "stdin", "timeout", "expect_exit", "cold")

#: A command that takes longer than this takes much longer than nothing at all (0.5 to 1 ms), anywhere.
_SHORT_S = 0.005
#: One that takes less than so many times as long as a process that does nothing is mostly the system's time.
_CLOSE_TO_FLOOR, _FLOOR_RUNS = 3, 5

_KIND: Kind[ProcessRun] = Kind(lambda run: run.wall_s, lambda run: run.contention, lambda run: run.uncontended_s)


class CommandResult(subprocess.CompletedProcess[str]):
    """What a command answered: ``args``, ``returncode``, ``stdout`` and ``stderr`` of its last run, as text."""


def measure_command(  # noqa: PLR0913  # the options of the fixture
    plan: Plan,
    case: Case,
    argv: Sequence[str | os.PathLike[str]],
    *,
    runs: int | None = None,
    warmup: int | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: bytes | str | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    expect_exit: int | Collection[int] = 0,
    cold: str = "none",
    runner: Runner = run_process,
    planner: Planner | None = None,
    retries: int = RETRIES,
) -> tuple[CommandResult, Measurement]:
    """Measure the wall time of a command, one fresh process per value.

    The value is the median.  ``processes`` holds it once: the processes measured here are the target's, all of them
    started by one and the same pytest, and another pytest run would start them under other circumstances.

    Args:
        plan: ``rounds`` and ``warmup`` stand in for *runs* and *warmup*; without either, 10 to 40 runs within
            ``max_time_s`` (6 at least), stopping when the interval is within 2 % of the median.
        case: What is measured.
        argv: Program and arguments, as a list.
        runs: Runs to keep, >= 1, whatever time they take.
        warmup: Runs thrown away first (1); they fill caches and write ``.pyc`` files.
        env: Variables added to the environment, which is ours without what pytest, xdist and coverage put there for
            this process (:data:`pytest_perfgate.measure.command.SCRUBBED`); None as a value takes one away.
        cwd: Directory to run in.
        stdin: What the program can read.
        timeout_s: Seconds one run may take; None or 0 for no limit.
        expect_exit: Exit status, or several of which any will do.
        cold: ``none``, ``pyc``, ``pagecache`` or ``both``, see :mod:`pytest_perfgate.measure.cold`.
        runner: Runs a process; for tests.
        planner: Plans the runs; None for what is said of *plan*.
        retries: How often a series is measured again when others kept the machine busy.

    Returns:
        The last run's answer, and the measurement with one sample per run, in seconds.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: The command was not found, hung, or exited with another status.
    """
    expected = expected_statuses(expect_exit)
    command = make_command(argv, env=env, cwd=cwd, stdin=stdin, timeout_s=timeout_s)
    once = lambda command: _run_checked(command, expected, runner)  # noqa: E731  # one name for one line
    with cold_runs(checked_cold(cold), command) as colder:
        series = measure(
            plan,
            _KIND,
            made_cold(colder, command, once, lambda run: run),
            runs=runs,
            warmup=warmup,
            planner=planner,
            bare=bare_interpreter(command, runner),
            retries=retries,
        )
    kept = series.kept
    facts = {"target": shown(command.argv), "exit_status": kept[-1].exit_status, **costs(kept), **series.facts()}
    facts |= colder.facts() if colder else {}
    facts |= {"peak_bytes": middle(run.peak_bytes for run in kept)}
    facts |= {"first_output_s": middle(run.first_output_s for run in kept)}
    facts |= {"first_run_s": series.first and series.first.wall_s}
    remarks = remarks_on(kept) + (colder.remarks() if colder else ())
    if planner is None:
        facts["floor_s"], close = _floor(command, kept, runner)
        remarks += close
    measurement = measurement_of(COMMAND, case, [run.wall_s for run in kept], facts, remarks)
    return _answer(command, kept[-1]), measurement


def run_command(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: bytes | str | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    expect_exit: int | Collection[int] = 0,
    runner: Runner = run_process,
) -> CommandResult:
    """Run a command once, unmeasured, with the checks and the arguments of :func:`measure_command`.

    Returns:
        Its answer.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: The command was not found, hung, or exited with another status.
    """
    expected = expected_statuses(expect_exit)
    command = make_command(argv, env=env, cwd=cwd, stdin=stdin, timeout_s=timeout_s)
    return _answer(command, _run_checked(command, expected, runner))


def _floor(command: Command, runs: Sequence[ProcessRun], runner: Runner) -> tuple[float | None, tuple[str, ...]]:
    """Hold a short command against a process that does nothing.

    Returns:
        What that takes, and a remark where the command takes hardly longer; None where nobody has to know, or can.
    """
    shortest_s, program = min(run.wall_s for run in runs), shutil.which("true")
    if shortest_s >= _SHORT_S or program is None:
        return None, ()
    nothing = replace(command, argv=(program,), stdin=None)
    try:
        floor_s = min(nothing.run(runner).wall_s for _ in range(_FLOOR_RUNS))
    except CannotMeasureError:
        return None, ()
    if shortest_s >= _CLOSE_TO_FLOOR * floor_s:
        return floor_s, ()
    least, taken = (format_value(one, SECONDS) for one in (floor_s, shortest_s))
    remark = f"most of it is the system's time: it takes {taken} at least, a process that does nothing {least}"
    return floor_s, (remark,)


def _run_checked(command: Command, expected: frozenset[int], runner: Runner) -> ProcessRun:
    run = command.run(runner)
    check_exit(command, run, expected)
    return run


def _answer(command: Command, run: ProcessRun) -> CommandResult:
    return CommandResult(list(command.argv), run.exit_status, decode(run.stdout), decode(run.stderr))
