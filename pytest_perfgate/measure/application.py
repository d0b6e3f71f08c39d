"""Start an application, wait until it is ready, stop it with all it started; :mod:`.readiness` says what ready is."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.measure.command import Command, exit_shown, explained, last_words, shown
from pytest_perfgate.measure.probes import PORT, Readiness, free_port
from pytest_perfgate.measure.process import ProcessRun, absolute, made_of, made_of_spawned, untold
from pytest_perfgate.measure.redirection import replace_script
from pytest_perfgate.measure.spawner import remote, watched
from pytest_perfgate.measure.spawner.order import Order, Session

_IS_LINUX = sys.platform == "linux"
#: How long an application may take to end by itself after it was told to.
STOP_S = 5.0
#: How long it is watched when it is ready, in a series' first run and in others, before it is told to stop: what breaks
#: down says so first, and only its end tells that from a greeting.  Not in the time to ready.
FIRST_WATCH_S, WATCH_S = 0.3, 0.05
_EVER_S = 10 * 365 * 86400.0
#: What :attr:`AppRun.at_ready` tells, and what nobody asks of an application.
_NOT_FROM_ITS_END = {"blocks_read", *(("queued_ns", "user_s", "minor_faults", "peak_bytes") if _IS_LINUX else ())}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRun:
    """One start of an application, and its end."""

    ready_s: float
    """From the spawn until it was ready."""
    stop_s: float
    """From the signal that stops it until it had ended."""
    was_killed: bool
    """Whether it had to be killed, because it went on after that signal."""
    at_ready: Mapping[str, float]
    """What its first process had used when it was ready (Linux): ``user_s system_s minor_faults major_faults
    blocks_read peak_bytes on_cpu_s queued_s``; ``children_s`` is what the first threads of its children were on a
    processor."""
    process: ProcessRun
    """All of it, its end included."""

    @property
    def wall_s(self) -> float:
        """Wall time from its start to its end."""
        return self.process.wall_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application that has been checked, ready to be started."""

    command: Command
    """Its ``timeout_s`` is the time until it has to be ready."""
    readiness: Callable[[int], Readiness]
    """Makes what finds out, given a free port."""
    needs_port: bool
    stop: int
    """Signal that stops it."""

    def run(self, watch_s: float = FIRST_WATCH_S) -> AppRun:
        """Start it once, wait until it is ready, and stop it.

        Args:
            watch_s: How long to look on whether it breaks down when it is ready.

        Raises:
            CannotMeasureError: It could not be started, was ready before, ended before it was ready, never was, or
                failed or went into the background when it was.
        """
        port = free_port() if self.needs_port else 0
        readiness = self.readiness(port)
        readiness.check_before()
        command = _with_port(self.command, port) if self.needs_port else self.command
        order = Order(
            argv=replace_script(command.argv, command.cwd),
            env=command.env,
            cwd=absolute(command.cwd),
            stdin=command.stdin,
            timeout_s=None,
            tell=readiness.tell,
        )
        with contextlib.ExitStack() as started:
            with explained(command):
                session, result = started.enter_context(_session(order))
            ready_ns = _wait(session, readiness, command.timeout_s)
            if ready_ns is None:
                session.signal(0)
                session.end()
                raise CannotMeasureError(_never(command, readiness, result()))
            if ready_ns < 0:
                session.end()
                raise CannotMeasureError(_early(command, readiness, result()))
            at_ready = _used(session.pid)
            _watch(session, watch_s)
            watched_ns = PERF_COUNTER()
            run = self._stopped(session, ready_ns, at_ready, result)
            ended_ns = session.started_ns + session.end()["wall_ns"]
            # Of output and end either may be noticed first; a port or a function says nothing of what has ended.
            is_early = readiness.tell != "output" and ended_ns < ready_ns
            if ended_ns < watched_ns and (is_early or run.process.exit_status or run.process.left_behind):
                raise CannotMeasureError(
                    _early(command, readiness, run.process, "before" if is_early else "as soon as")
                )
            return run

    def _stopped(
        self, session: Session, ready_ns: int, at_ready: Mapping[str, float], result: Callable[[], ProcessRun]
    ) -> AppRun:
        told_ns = PERF_COUNTER()
        session.signal(self.stop)
        while session.facts is None and PERF_COUNTER() - told_ns < STOP_S * 1e9:
            session.output(STOP_S - (PERF_COUNTER() - told_ns) / 1e9)
        was_killed = session.facts is None
        session.signal(0)
        session.end()
        process = result()
        return AppRun(
            ready_s=(ready_ns - session.started_ns) / 1e9,
            stop_s=max(0.0, process.wall_s - (told_ns - session.started_ns) / 1e9),
            was_killed=was_killed,
            at_ready=at_ready,
            process=process,
        )


def checked_stop(stop: object) -> int:
    """Read ``stop=``: the name or the number of a signal.

    Raises:
        UsageError: There is no such signal.
    """
    with contextlib.suppress(KeyError, ValueError):
        if isinstance(stop, str):
            return int(signal.Signals[stop if stop.startswith("SIG") else f"SIG{stop}"])
        if isinstance(stop, int) and not isinstance(stop, bool):
            return int(signal.Signals(stop))
    raise UsageError(f'stop={stop!r} is not a signal such as "SIGTERM" or "SIGINT"')


def has_placeholder(argv: Iterable[str], env: Mapping[str, str | None]) -> bool:
    """Tell whether a command, or a variable given to it, asks for a free port."""
    return any(word and PORT in word for word in (*argv, *env.values()))


def _with_port(command: Command, port: int) -> Command:
    env = {name: value.replace(PORT, str(port)) for name, value in command.env.items()}
    return replace(command, argv=tuple(word.replace(PORT, str(port)) for word in command.argv), env=env)


@contextlib.contextmanager
def _session(order: Order) -> Iterator[tuple[Session, Callable[[], ProcessRun]]]:
    """Start what *order* says; yields it, and what puts together its run when it is over."""
    spawner = remote.current()
    if spawner is not None:
        with spawner.running(order) as running:
            yield running, lambda: made_of_spawned(running.end(), spawner.folder)
        return
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        watched.running(order, (out, err)) as here,
    ):
        yield here, lambda: made_of(here.end(), (out, err), untold(here.end(), _NOT_FROM_ITS_END))


def _wait(session: Session, readiness: Readiness, timeout_s: float | None) -> int | None:
    """Wait until the application is ready.

    Returns:
        When it was, on the clock of :func:`time.perf_counter_ns`; negative when it ended before, None when its time
        is up.
    """
    until_ns = session.started_ns + int((timeout_s or _EVER_S) * 1e9)
    is_heard = readiness.tell == "output"
    while True:
        left_s = (until_ns - PERF_COUNTER()) / 1e9
        if left_s <= 0:
            return None
        output = session.output(left_s if is_heard else 0.0)
        if output is not None:
            if readiness.hears(output.data, output.stream):
                return output.at_ns
            continue
        if _is_over(session):
            return -1
        if not is_heard:
            if readiness.looks(left_s):
                ready_ns = PERF_COUNTER()
                session.output(0.0)
                return -1 if _is_over(session) else ready_ns
            time.sleep(min(readiness.again_s, left_s))


def _watch(session: Session, watch_s: float) -> None:
    """Look on until it ends by itself, or the time is up."""
    until_ns = PERF_COUNTER() + int(watch_s * 1e9)
    while not _is_over(session) and (left_ns := until_ns - PERF_COUNTER()) > 0:
        session.output(left_ns / 1e9)


def _is_over(session: Session) -> bool:
    return session.facts is not None


def _never(command: Command, readiness: Readiness, run: ProcessRun) -> str:
    return (
        f"{shown(command.argv)} was not ready within {command.timeout_s:g} s and was ended: no sign of "
        f"{readiness.shown}{readiness.remark()}{last_words(run)}"
    )


def _early(command: Command, readiness: Readiness, run: ProcessRun, when: str = "before") -> str:
    text = f"{shown(command.argv)} {exit_shown(run)} {when} it was ready ({readiness.shown}{readiness.remark()})"
    if run.left_behind:
        text += (
            ", and processes that it had started still ran; they were ended: if it goes into the background, start it "
            "with the option that keeps it in the foreground"
        )
    return text + last_words(run)


# -- what it has used so far


#: Of which file of a process which row is called how, and what its number has to be multiplied by.
_ROWS = (("status", "VmHWM:", "peak_bytes", 1024), ("io", "read_bytes:", "blocks_read", 1 / 512))


def _used(pid: int) -> dict[str, float]:
    """Read what a running process has used; nothing where the system does not tell."""
    if not _IS_LINUX:
        return {}
    used: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        on_cpu_ns, queued_ns = Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[:2]
        used |= {"on_cpu_s": int(on_cpu_ns) / 1e9, "queued_s": int(queued_ns) / 1e9}
    with contextlib.suppress(OSError, ValueError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        tick_s = 1 / os.sysconf("SC_CLK_TCK")  # proc(5): fields 10, 12, 14 and 15; the split starts with the third
        used |= {"minor_faults": int(stat[7]), "major_faults": int(stat[9])}
        used |= {"user_s": int(stat[11]) * tick_s, "system_s": int(stat[12]) * tick_s}
    for file, row_of, name, scale in _ROWS:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for row in Path(f"/proc/{pid}/{file}").read_text("utf-8", "replace").splitlines():
                if row.startswith(row_of):
                    used[name] = int(int(row.split()[1]) * scale)
    with contextlib.suppress(OSError, ValueError, IndexError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        spent_ns = [Path(f"/proc/{child}/schedstat").read_text("ascii").split()[0] for child in children]
        used["children_s"] = sum(map(int, spent_ns)) / 1e9
    return used
