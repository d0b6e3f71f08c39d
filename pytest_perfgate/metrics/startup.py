"""Metrics ``startup.command`` and ``startup.imports``: what fresh processes take, from spawn to exit and per import.

How a process is run, and a module imported in one, is the business of :mod:`pytest_perfgate.measure`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_perfgate.measure.command import (
    Command,
    Runner,
    check_exit,
    decode,
    expected_statuses,
    make_command,
    shown,
)
from pytest_perfgate.measure.imports import ImportRun, checked_modules, make_import
from pytest_perfgate.measure.process import ProcessRun, run_process
from pytest_perfgate.measure.repetition import repeat
from pytest_perfgate.measure.sampler import Planner
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.stats import median, median_interval, percentile
from pytest_perfgate.units import SECONDS

COMMAND = Metric(
    "startup.command",
    SECONDS,
    Better.LOWER,
    "wall time of a command in fresh processes, from spawn to exit",
)
IMPORTS = Metric(
    "startup.imports",
    SECONDS,
    Better.LOWER,
    "wall time of importing a module in fresh interpreters",
)

#: The options of the two calls as users spell them; ``timeout`` arrives here as ``timeout_s``.
COMMAND_OPTIONS = ("runs", "warmup", "env", "cwd", "stdin", "timeout", "expect_exit")
IMPORTS_OPTIONS = ("runs", "warmup", "first_use", "forbid", "env", "cwd", "timeout", "python")

DEFAULT_TIMEOUT_S = 30.0

#: Modules named in a remark; the report has them all.
_NAMED = 3


class CommandResult(subprocess.CompletedProcess[str]):
    """What a command answered: ``args``, ``returncode``, ``stdout`` and ``stderr`` of its last run, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsResult:
    """What an import brought in, as read in the last run."""

    module: str
    modules: tuple[str, ...]
    """Names of the modules it added to a bare interpreter's, sorted, itself among them."""
    first_use_modules: tuple[str, ...] = ()
    """Names of the modules that ``first_use`` added on top, sorted."""
    stdout: str = ""
    stderr: str = ""


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
    runner: Runner = run_process,
    planner: Planner | None = None,
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
        runner: Runs a process; for tests.
        planner: Plans the runs; None for what is said of *plan*.

    Returns:
        The last run's answer, and the measurement with one sample per run, in seconds.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: The command was not found, hung, or exited with another status.
    """
    expected = expected_statuses(expect_exit)
    command = make_command(argv, env=env, cwd=cwd, stdin=stdin, timeout_s=timeout_s)
    run_once = lambda: _run_checked(command, expected, runner)  # noqa: E731  # one name for one line
    first, kept = repeat(plan, runs, warmup, run_once, lambda run: run.wall_s, planner=planner)
    facts = {"target": shown(command.argv), "exit_status": kept[-1].exit_status, **_costs(kept)}
    facts |= {"peak_bytes": _middle(run.peak_bytes for run in kept), "first_run_s": first and first.wall_s}
    measurement = _measurement(COMMAND, case, [run.wall_s for run in kept], facts, _left_behind(kept))
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


def measure_imports(  # noqa: PLR0913  # the options of the fixture
    plan: Plan,
    case: Case,
    module: str,
    *,
    runs: int | None = None,
    warmup: int | None = None,
    first_use: str | None = None,
    forbid: Iterable[str] = (),
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    python: str | os.PathLike[str] = sys.executable,
    runner: Runner = run_process,
    planner: Planner | None = None,
) -> tuple[ImportsResult, Measurement]:
    """Measure how long ``import module`` takes, one fresh interpreter per value, timed inside it.

    Imports are measured with their ``.pyc`` files in place: the warm-up writes them where it may.  The child finds
    the modules that the test finds, see :func:`pytest_perfgate.measure.imports.make_import`.

    Args:
        plan: As for :func:`measure_command`.
        case: What is measured.
        module: Dotted name.
        runs: Runs to keep, >= 1, whatever time they take.
        warmup: Runs thrown away first (1).
        first_use: Statements timed after the import, such as ``"package.main(['--help'])"``: what a lazily
            importing package puts off until then.  ``extra["first_use_s"]`` and ``["first_use_modules"]``.
        forbid: Modules that must not be imported.  Nothing is judged here: they are handed on, as a list, in
            ``extra["forbid"]``, for the caller to hold against ``extra["module_names"]`` as a budget.
        env: As for :func:`measure_command`.
        cwd: Directory to run in.
        timeout_s: Seconds one run may take; None or 0 for no limit.
        python: The interpreter.
        runner: Runs a process; for tests.
        planner: Plans the runs; None for what is said of *plan*.

    Returns:
        What was imported, and the measurement with one sample per run, in seconds.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: The import failed, hung, or ended the interpreter.
    """
    forbidden = checked_modules(forbid, "forbid")
    wanted = make_import(module, first_use=first_use, env=env, cwd=cwd, timeout_s=timeout_s, python=python)
    first, kept = repeat(plan, runs, warmup, lambda: wanted.run(runner), lambda run: run.import_s, planner=planner)
    facts = {"target": f"import {module}", "first_run_s": first and first.import_s, **_import_facts(kept)}
    if forbidden:
        facts["forbid"] = list(forbidden)
    remarks = _left_behind([run.process for run in kept]) + _import_remarks(kept, wanted.command.env)
    measurement = _measurement(IMPORTS, case, [run.import_s for run in kept], facts, remarks)
    return _imported(module, kept[-1]), measurement


def import_once(
    module: str,
    *,
    first_use: str | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    python: str | os.PathLike[str] = sys.executable,
    runner: Runner = run_process,
) -> ImportsResult:
    """Import a module in one fresh interpreter, unmeasured, with the arguments of :func:`measure_imports`.

    Returns:
        What was imported; nothing is forbidden here, as no budget is enforced without measuring.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: The import failed, hung, or ended the interpreter.
    """
    wanted = make_import(module, first_use=first_use, env=env, cwd=cwd, timeout_s=timeout_s, python=python)
    return _imported(module, wanted.run(runner))


def _run_checked(command: Command, expected: frozenset[int], runner: Runner) -> ProcessRun:
    run = command.run(runner)
    check_exit(command, run, expected)
    return run


def _measurement(
    metric: Metric, case: Case, values_s: Sequence[float], facts: Mapping[str, Any], remarks: tuple[str, ...]
) -> Measurement:
    value = median(values_s)
    spread = {"min_s": min(values_s), "p95_s": percentile(values_s, 95)}
    return Measurement(
        case=case,
        unit=metric.unit,
        better=metric.better,
        value=value,
        interval=median_interval(values_s),
        samples=tuple(values_s),
        processes=(value,),
        # A fact that could not be had is left out: a budget on it finds no number, and fails.
        extra={name: fact for name, fact in {**facts, **spread}.items() if fact is not None},
        warnings=remarks,
    )


def _costs(runs: Sequence[ProcessRun]) -> dict[str, Any]:
    """Sum up what the whole processes cost besides time: medians, None where the platform does not tell."""
    # A page that was evicted turns a minor fault into a major one: only their sum is steady.
    return {
        "cpu_s": _middle(_sum(run.user_s, run.system_s) for run in runs),
        "user_s": _middle(run.user_s for run in runs),
        "system_s": _middle(run.system_s for run in runs),
        "page_faults": _middle(_sum(run.minor_faults, run.major_faults) for run in runs),
    }


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _middle(values: Iterable[float | None]) -> float | None:
    """Take the median, or None where a value is missing."""
    known: list[float] = []
    for value in values:
        if value is None:
            return None
        known.append(value)
    return median(known)


def _import_facts(runs: Sequence[ImportRun]) -> dict[str, Any]:
    last = runs[-1]
    facts = {
        **_costs([run.process for run in runs]),
        "modules": len(last.modules),
        "module_names": list(last.modules),
        "peak_bytes": _middle(run.peak_bytes for run in runs),
        "first_use_s": _middle(run.first_use_s for run in runs),
    }
    if last.first_use_s is not None:
        facts["first_use_modules"] = list(last.first_use_modules)
    return facts


def _left_behind(runs: Sequence[ProcessRun]) -> tuple[str, ...]:
    count = sum(run.left_behind for run in runs)
    if not count:
        return ()
    return (f"in {count} of {len(runs)} runs processes still ran after the exit; they were killed and not measured",)


def _import_remarks(runs: Sequence[ImportRun], env: Mapping[str, str]) -> tuple[str, ...]:
    remarks = []
    names = [frozenset(run.modules) for run in runs]
    changing = sorted(frozenset().union(*names) - names[0].intersection(*names))
    if changing:
        some = ", ".join(changing[:_NAMED]) + (" ..." if len(changing) > _NAMED else "")
        remarks.append(f"not every run imported the same modules ({some}); the last run's are counted")
    if env.get("PYTHONDONTWRITEBYTECODE"):
        remarks.append(
            "PYTHONDONTWRITEBYTECODE is set: modules without a .pyc file were compiled anew in every run; "
            'env={"PYTHONDONTWRITEBYTECODE": None} lets the warm-up write them'
        )
    return tuple(remarks)


def _imported(module: str, run: ImportRun) -> ImportsResult:
    return ImportsResult(
        module=module,
        modules=run.modules,
        first_use_modules=run.first_use_modules,
        stdout=decode(run.process.stdout),
        stderr=decode(run.process.stderr),
    )


def _answer(command: Command, run: ProcessRun) -> CommandResult:
    return CommandResult(list(command.argv), run.exit_status, decode(run.stdout), decode(run.stderr))
