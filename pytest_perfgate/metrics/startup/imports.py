"""Metric ``startup.imports``: what importing a module takes in fresh interpreters, and what it brings in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.cold import checked_cold, cold_runs
from pytest_perfgate.measure.command import Runner, decode
from pytest_perfgate.measure.imports import ImportCommand, ImportRun, checked_modules, make_import
from pytest_perfgate.measure.importtime import ENVIRONMENT, read_import_times, slowest
from pytest_perfgate.measure.preloaded import counted, preloaded, without
from pytest_perfgate.measure.process import run_process
from pytest_perfgate.measure.sampler import Planner
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.metrics.startup.series import (
    DEFAULT_TIMEOUT_S,
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
from pytest_perfgate.units import SECONDS

IMPORTS = Metric(
    "startup.imports",
    SECONDS,
    Better.LOWER,
    "wall time of importing a module in fresh interpreters",
)

#: The options of the call as users spell them; ``timeout`` arrives here as ``timeout_s``.
IMPORTS_OPTIONS = ("runs", "warmup", "first_use", "forbid", "env", "cwd", "timeout", "python", "cold")

#: Modules listed as those that take longest.
_OFFENDERS = 10
#: Modules named in a remark; the report has them all.
_NAMED = 3

_KIND: Kind[ImportRun] = Kind(
    lambda run: run.import_s, lambda run: run.process.contention, lambda run: run.uncontended_s
)


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
    cold: str = "none",
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
        cold: As for :func:`~.command.measure_command`; ``pyc`` compiles the module's own package anew in any case.
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
    once = lambda command: replace(wanted, command=command).run(runner)  # noqa: E731  # one name for one line
    with cold_runs(checked_cold(cold), wanted.command, module) as colder:
        series = measure(
            plan,
            _KIND,
            made_cold(colder, wanted.command, once, lambda run: run.process),
            runs=runs,
            warmup=warmup,
            planner=planner,
            bare=bare_interpreter(wanted.command, runner, wanted.command.argv[0]),
        )
    kept = series.kept
    last, early, untold = _with_all_modules(wanted, kept[-1], runner)
    facts: dict[str, Any] = {"target": f"import {module}", **_import_facts(kept), **series.facts()}
    facts |= {"modules": None, "module_names": None} if untold else _module_facts(last)
    facts["first_run_s"] = None if series.first is None else series.first.import_s
    facts |= colder.facts() if colder else {}
    if forbidden:
        facts["forbid"] = list(forbidden)
    facts |= _attribution(wanted, runner, early) if planner is None else {}
    remarks = remarks_on([run.process for run in kept]) + _import_remarks(
        kept, wanted.command.env, is_cold=colder is not None
    )
    remarks += (colder.remarks() if colder else ()) + untold
    measurement = measurement_of(IMPORTS, case, [run.import_s for run in kept], facts, remarks)
    return _imported(module, last), measurement


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
    return _imported(module, _with_all_modules(wanted, wanted.run(runner), runner)[0])


def _with_all_modules(
    wanted: ImportCommand, run: ImportRun, runner: Runner
) -> tuple[ImportRun, tuple[str, ...], tuple[str, ...]]:
    """Add to a run what it imports though it was loaded before; return those that were, and why it cannot be told."""
    early: tuple[str, ...] = ()
    try:
        early = preloaded(wanted, run, runner)
        return counted(wanted, run, early, runner), early, ()
    except CannotMeasureError as problem:
        return run, (), (str(problem),)


def _attribution(wanted: ImportCommand, runner: Runner, early: tuple[str, ...]) -> dict[str, Any]:
    """Find out which modules take long and who imported them, in one more run; nothing where that does not succeed."""
    told = replace(wanted.command, env={**wanted.command.env, **ENVIRONMENT})
    try:
        run = without(replace(wanted, command=told), early).run(runner)
    except CannotMeasureError:  # a module that reads its own stderr, or has one more run go wrong
        return {}
    times = read_import_times(decode(run.process.stderr), frozenset(run.modules))
    timed = [one for one in times if one.module not in early]  # the others were there: they took no time
    rows = [asdict(one) for one in slowest(timed, _OFFENDERS)]
    parents = {one.module: one.imported_by for one in times if one.imported_by}
    return {"slowest_imports": rows, "imported_by": parents} if rows else {}


def _import_facts(runs: Sequence[ImportRun]) -> dict[str, Any]:
    return {
        **costs([run.process for run in runs]),
        "peak_bytes": middle(run.peak_bytes for run in runs),
        "first_use_s": middle(run.first_use_s for run in runs),
    }


def _module_facts(run: ImportRun) -> dict[str, Any]:
    facts = {"modules": len(run.modules), "module_names": list(run.modules)}
    return facts if run.first_use_s is None else {**facts, "first_use_modules": list(run.first_use_modules)}


def _import_remarks(runs: Sequence[ImportRun], env: Mapping[str, str], *, is_cold: bool) -> tuple[str, ...]:
    remarks = []
    names = [frozenset(run.modules) for run in runs]
    changing = sorted(frozenset().union(*names) - names[0].intersection(*names))
    if changing:
        some = ", ".join(changing[:_NAMED]) + (" ..." if len(changing) > _NAMED else "")
        remarks.append(f"not every run imported the same modules ({some}); the last run's are counted")
    if env.get("PYTHONDONTWRITEBYTECODE") and not is_cold:
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
