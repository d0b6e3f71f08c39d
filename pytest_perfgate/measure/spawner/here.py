"""Start a process from this very process and wait for it, where there is no spawner; tells fewer of the same facts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.measure.ending import deadline, end_group, kill_tree
from pytest_perfgate.measure.spawner.order import Order

if TYPE_CHECKING:
    import resource


def run(order: Order, stdout: IO[bytes], stderr: IO[bytes], pass_fds: Sequence[int] = ()) -> dict[str, Any]:
    """Run a program in a session of its own, to its end.

    Args:
        order: What to run.
        stdout: Where its output goes.
        stderr: Likewise.
        pass_fds: Descriptors it inherits besides the standard ones (POSIX).

    Returns:
        What it did and cost, in the words of :mod:`.program`.

    Raises:
        OSError: It could not be started.
        CannotMeasureError: Something else in this process took its exit status.
    """
    with contextlib.ExitStack() as files:
        options: dict[str, Any] = {
            "env": order.env,
            "cwd": order.cwd,
            "stdin": _readable(order.stdin, files),
            "stdout": stdout,
            "stderr": stderr,
        }
        run_it = _run_on_windows if sys.platform == "win32" else _run_on_posix
        return run_it(list(order.argv), options, order.timeout_s, pass_fds)


def _readable(content: bytes | None, files: contextlib.ExitStack) -> int | IO[bytes]:
    if content is None:
        return subprocess.DEVNULL
    source: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by *files*
    files.enter_context(source)
    source.write(content)
    source.seek(0)
    return source


def _run_on_posix(
    argv: list[str], options: dict[str, Any], timeout_s: float | None, pass_fds: Sequence[int]
) -> dict[str, Any]:
    import resource  # noqa: PLC0415  # does not exist on Windows

    with deadline(timeout_s) as limit:
        started_ns = PERF_COUNTER()
        child = subprocess.Popen(  # noqa: S603  # running the user's own command is the purpose
            argv, start_new_session=True, pass_fds=tuple(pass_fds), **options
        )
        try:
            limit.hold(child.pid)
            status, usage = _reap(child)
            ended_ns = PERF_COUNTER()
        except BaseException:
            kill_tree(child.pid)
            with contextlib.suppress(CannotMeasureError):
                _reap(child)
            raise
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "wall_ns": ended_ns - started_ns,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * scale,
        "spawners_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale,
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
        "blocks_read": usage.ru_inblock if sys.platform == "linux" else None,
        "exit_status": status,
        "timed_out": limit.passed,
        "left_behind": not limit.passed and end_group(child.pid),
    }


def _reap(child: subprocess.Popen[bytes]) -> tuple[int, resource.struct_rusage]:
    """Wait for the exit and take status and usage, which ``Popen.wait`` would throw away."""
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except ChildProcessError:
        child.returncode = 0  # or Popen would go on looking for it
        raise CannotMeasureError(
            f"the exit status of {child.args!r} was lost: something in this process reaps all "
            f"children (SIGCHLD ignored, or a wait for any process)"
        ) from None
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage


def _run_on_windows(
    argv: list[str], options: dict[str, Any], timeout_s: float | None, pass_fds: Sequence[int]
) -> dict[str, Any]:
    """Run on Windows, where waiting with a timeout does not poll.

    Times and memory of an ended process are not to be had there through psutil.
    """
    if pass_fds:
        raise ValueError("descriptors cannot be passed on Windows")
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    started_ns = PERF_COUNTER()
    child = subprocess.Popen(  # noqa: S603  # running the user's own command is the purpose
        argv, creationflags=flags, **options
    )
    timed_out = False
    try:
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        ended_ns = PERF_COUNTER()
    finally:
        if child.poll() is None:
            kill_tree(child.pid)
            child.kill()
            child.wait()
    return {"wall_ns": ended_ns - started_ns, "exit_status": child.returncode, "timed_out": timed_out}
