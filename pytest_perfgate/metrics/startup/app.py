"""Metric ``startup.app``: what an application takes until it is ready."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

from pytest_perfgate.measure.application import (
    FIRST_WATCH_S,
    WATCH_S,
    Application,
    AppRun,
    checked_stop,
    has_placeholder,
)
from pytest_perfgate.measure.cold import checked_cold, cold_runs
from pytest_perfgate.measure.command import decode, make_command, shown
from pytest_perfgate.measure.probes import Quiet
from pytest_perfgate.measure.process import run_process
from pytest_perfgate.measure.readiness import make_readiness
from pytest_perfgate.measure.sampler import Planner
from pytest_perfgate.metrics._metric import Metric
from pytest_perfgate.metrics.startup.series import (
    DEFAULT_TIMEOUT_S,
    Kind,
    added,
    bare_interpreter,
    made_cold,
    measure,
    measurement_of,
    middle,
    remarks_on,
)
from pytest_perfgate.model import Better, Case, Measurement, Plan
from pytest_perfgate.units import SECONDS

APP = Metric(
    "startup.app",
    SECONDS,
    Better.LOWER,
    "time from the spawn of an application until it is ready",
)

#: The options of the call as users spell them; ``timeout`` arrives here as ``timeout_s``.
APP_OPTIONS = ("ready", "status", "stop", "runs", "warmup", "env", "cwd", "timeout", "cold")

#: Output that is held back in a buffer would come when the application ends.
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
#: The kernel counts the time of other threads in ticks of 10 ms; so much says nothing about them.
_TICKS_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResult:
    """How the last run of an application went."""

    args: tuple[str, ...]
    ready_s: float
    """From the spawn until it was ready."""
    returncode: int
    """Its exit status after it was stopped, as :mod:`subprocess` has it."""
    stdout: str
    stderr: str


def measure_app(  # noqa: PLR0913  # the options of the fixture
    plan: Plan,
    case: Case,
    argv: Sequence[str | os.PathLike[str]],
    *,
    ready: object,
    status: int | Collection[int] | None = None,
    stop: str | int = "SIGTERM",
    runs: int | None = None,
    warmup: int | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    cold: str = "none",
    planner: Planner | None = None,
) -> tuple[AppResult, Measurement]:
    """Measure the time from the spawn of an application until it is ready; then it is stopped, with all it started.

    Args:
        plan: As for :func:`~pytest_perfgate.metrics.startup.command.measure_command`.
        case: What is measured.
        argv: Program and arguments, as a list; ``{port}`` stands for a free port, unless *ready* names another.
        ready: ``"output"``, a compiled pattern, a port, ``"host:port"``, ``"port"``, a URL, or a function, see
            :mod:`pytest_perfgate.measure.readiness`.
        status: HTTP status that makes it ready, or several; 200 to 399 without it.
        stop: Signal that stops it; what goes on for 5 s after it is killed.
        runs: Runs to keep, >= 1, whatever time they take.
        warmup: Runs thrown away first (1).
        env: Variables added to the environment; ``PYTHONUNBUFFERED=1`` is set unless it is given here.
        cwd: Directory to run in.
        timeout_s: Seconds until it has to be ready; None or 0 for no limit.
        cold: As for :func:`~pytest_perfgate.metrics.startup.command.measure_command`.
        planner: Plans the runs; None for what is said of *plan*.

    Returns:
        How the last run went, and the measurement with one sample per run, in seconds.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: It was not found, ended before it was ready, never was, was before it was started, or failed
            or went into the background as soon as it was.
    """
    app = _application(argv, ready=ready, status=status, stop=stop, env=env, cwd=cwd, timeout_s=timeout_s)
    seed = lambda command: replace(app, command=command, readiness=lambda port: Quiet(app.readiness(port))).run()  # noqa: E731
    watches_s = chain((FIRST_WATCH_S,), repeat(WATCH_S))
    once = lambda command: replace(app, command=command).run(next(watches_s))  # noqa: E731  # one name for one line
    with cold_runs(checked_cold(cold), app.command) as colder:
        series = measure(
            plan,
            _KIND,
            made_cold(colder, app.command, once, lambda run: run.process, seed=seed),
            runs=runs,
            warmup=warmup,
            planner=planner,
            bare=bare_interpreter(app.command, run_process),
        )
    kept = series.kept
    facts = {"target": shown(app.command.argv), **_facts(kept), **series.facts()}
    facts |= colder.facts() if colder else {}
    facts["first_run_s"] = series.first and series.first.ready_s
    remarks = remarks_on([run.process for run in kept]) + _killed(kept)
    remarks += colder.remarks() if colder else ()
    measurement = measurement_of(APP, case, [run.ready_s for run in kept], facts, remarks)
    return _result(app, kept[-1]), measurement


def run_app_once(argv: Sequence[str | os.PathLike[str]], *, ready: object, **options: Any) -> AppResult:
    """Start an application once, unmeasured, with the checks and the arguments of :func:`measure_app`.

    Returns:
        How it went.

    Raises:
        UsageError: An argument cannot be meant.
        CannotMeasureError: It was not found, ended before it was ready, never was, was before it was started, or failed
            or went into the background as soon as it was.
    """
    app = _application(argv, ready=ready, **options)
    return _result(app, app.run())


def _application(
    argv: Sequence[str | os.PathLike[str]],
    *,
    ready: object,
    status: object = None,
    stop: object = "SIGTERM",
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
) -> Application:
    given: Mapping[str, str | None] = {} if env is None else env
    command = make_command(
        argv,
        env={**_UNBUFFERED, **given} if hasattr(given, "keys") else given,  # what is no mapping is refused there
        cwd=cwd,
        timeout_s=timeout_s,
        example='startup.app(["app", "serve"], ready=8000)',
    )
    wants_port = has_placeholder(command.argv, given)
    readiness, needs_port = make_readiness(ready, status=status, has_placeholder=wants_port)
    return Application(command=command, readiness=readiness, needs_port=needs_port, stop=checked_stop(stop))


def _contention(run: AppRun) -> float | None:
    queued_s, on_cpu_s = run.at_ready.get("queued_s"), run.at_ready.get("on_cpu_s")
    if queued_s is None or not on_cpu_s or not _leads(run, on_cpu_s):
        return None
    return queued_s / (queued_s + on_cpu_s)


def _leads(run: AppRun, on_cpu_s: float) -> bool:
    """Tell whether its first thread did its share of the work: a shell that only starts a program does not."""
    # A shell that is stopped with its program has no account of it in the end.
    if run.at_ready.get("children_s", 0.0) > on_cpu_s:
        return False
    return run.process.cpu_s is None or run.process.cpu_s - on_cpu_s <= max(_TICKS_S, on_cpu_s)


def _uncontended_s(run: AppRun) -> float | None:
    """Take off what its first thread waited for a processor, unless others may have run meanwhile."""
    used = run.at_ready
    if not {"queued_s", "on_cpu_s", "user_s", "system_s"} <= set(used):
        return None
    if used["user_s"] + used["system_s"] - used["on_cpu_s"] > _TICKS_S or not _leads(run, used["on_cpu_s"]):
        return None
    return max(0.0, run.ready_s - used["queued_s"])


_KIND: Kind[AppRun] = Kind(lambda run: run.ready_s, _contention, _uncontended_s)


def _facts(runs: Sequence[AppRun]) -> dict[str, Any]:
    """Sum up what the application's first process had used when it was ready, where the system tells."""
    known: Callable[[str], float | None] = lambda name: middle(run.at_ready.get(name) for run in runs)  # noqa: E731
    faults = [added(run.at_ready.get("minor_faults"), run.at_ready.get("major_faults")) for run in runs]
    return {
        "stop_s": middle(run.stop_s for run in runs),
        "first_output_s": middle(run.process.first_output_s for run in runs),
        "cpu_s": added(known("user_s"), known("system_s")),
        "on_cpu_s": known("on_cpu_s"),
        "queued_s": known("queued_s"),
        "page_faults": middle(faults),
        "major_faults": known("major_faults"),
        "blocks_read": known("blocks_read"),
        "peak_bytes": known("peak_bytes"),
    }


def _killed(runs: Sequence[AppRun]) -> tuple[str, ...]:
    count = sum(run.was_killed for run in runs)
    return (f"in {count} of {len(runs)} runs it went on after the signal that stops it, and was killed",) * bool(count)


def _result(app: Application, run: AppRun) -> AppResult:
    return AppResult(
        args=app.command.argv,
        ready_s=run.ready_s,
        returncode=run.process.exit_status,
        stdout=decode(run.process.stdout),
        stderr=decode(run.process.stderr),
    )
