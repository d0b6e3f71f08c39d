"""Run one fresh process and read what it cost; knows no metric and does not judge the exit status.

Wall time runs from just before the spawn to the moment the kernel reports the exit.  Nothing here
calls ``Popen.wait(timeout=...)`` on the way: up to Python 3.14 it polls with growing sleeps, which
adds up to 50 ms to what it times (python/cpython pull request 144047).  On Linux a pidfd is polled,
elsewhere a thread keeps the deadline; neither wakes up while the process runs.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.ending import deadline, end_group, kill_tree

if TYPE_CHECKING:
    import resource

#: Of each of stdout and stderr; beyond it the middle is left out, so that a chatty program cannot
#: fill our memory.
KEPT_OUTPUT_BYTES = 8 * 2**20

#: A peak is only believed when it is this far above our own: the kernel sums resident pages per
#: CPU, inexactly.
_PEAK_SLACK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRun:
    """What one process, with every descendant it waited for, did and cost.

    None stands where the platform does not tell.
    """

    wall_s: float
    """From the spawn to the exit."""
    user_s: float | None
    system_s: float | None
    peak_bytes: int | None
    """Peak resident memory; None when it cannot be told from that of the spawning process."""
    minor_faults: int | None
    """Pages mapped without reading a disk."""
    major_faults: int | None
    """Pages that had to be read from a disk."""
    exit_status: int
    """As :mod:`subprocess` has it: -N for a process that signal N ended."""
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    """Whether it was killed, with its whole process group, because its time was up."""
    left_behind: bool = False
    """Whether it exited while processes of its group still ran; they were killed."""


def run_process(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: bytes | None = None,
    timeout_s: float | None = None,
    pass_fds: Sequence[int] = (),
) -> ProcessRun:
    """Run a program in a session of its own, to its end.

    Its output goes to unnamed temporary files: a pipe would have to be drained by this process, on
    a core the program may need.  Whatever happens, interrupt included, no process of its group and
    no descriptor is left.

    Args:
        argv: Program and arguments; the program is looked up on the ``PATH`` of *env*.
        env: The whole environment; None for ours.
        cwd: Directory to run in; None for ours.
        stdin: What it can read; None for nothing.
        timeout_s: Seconds after which it is killed with its group; None or 0 for never.
        pass_fds: Descriptors it inherits besides the standard ones (POSIX).

    Returns:
        The finished run; a process killed for its time has ``timed_out`` set.

    Raises:
        OSError: It could not be started.
        CannotMeasureError: Something else in this process took its exit status.
    """
    with contextlib.ExitStack() as files:
        out, err = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        options: dict[str, Any] = {
            "env": env,
            "cwd": cwd,
            "stdin": _readable(stdin, files),
            "stdout": out,
            "stderr": err,
        }
        run = _run_on_windows if sys.platform == "win32" else _run_on_posix
        facts = run(list(argv), options, timeout_s or None, pass_fds)
        return ProcessRun(stdout=_kept(out), stderr=_kept(err), **facts)


def _readable(content: bytes | None, files: contextlib.ExitStack) -> int | IO[bytes]:
    if content is None:
        return subprocess.DEVNULL
    source: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by *files*
    files.enter_context(source)
    source.write(content)
    source.seek(0)
    return source


def _kept(file: IO[bytes]) -> bytes:
    """Read what a process wrote, without the middle when it is more than we keep."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if size <= KEPT_OUTPUT_BYTES:
        return file.read()
    half = KEPT_OUTPUT_BYTES // 2
    start = file.read(half)
    file.seek(size - half)
    return start + b"\n... %d bytes left out ...\n" % (size - 2 * half) + file.read(half)


def _run_on_posix(
    argv: list[str], options: dict[str, Any], timeout_s: float | None, pass_fds: Sequence[int]
) -> dict[str, Any]:
    with deadline(timeout_s) as limit:
        started_ns = time.perf_counter_ns()
        child = subprocess.Popen(  # noqa: S603  # running the user's own command is the purpose
            argv, start_new_session=True, pass_fds=tuple(pass_fds), **options
        )
        try:
            limit.hold(child.pid)
            status, usage = _reap(child)
            ended_ns = time.perf_counter_ns()
        except BaseException:
            kill_tree(child.pid)
            with contextlib.suppress(CannotMeasureError):
                _reap(child)
            raise
    return {
        "wall_s": (ended_ns - started_ns) / 1e9,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_bytes": _peak_of_child(usage.ru_maxrss),
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
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


def _peak_of_child(maxrss: int) -> int | None:
    """Take a child's peak memory, if it is its own.

    At ``exec`` the kernel folds the peak of the address space that is left behind into the child's
    maximum, and after vfork that is our own: a child smaller than its spawner reports the spawner's
    size (Linux, fs/exec.c, ``exec_mmap``: ``setmax_mm_hiwater_rss``).  So only a peak above our own
    says anything about the child.

    Args:
        maxrss: ``ru_maxrss`` as wait4 gave it.

    Returns:
        Bytes, or None.
    """
    import resource  # noqa: PLC0415  # does not exist on Windows

    scale = 1 if sys.platform == "darwin" else 1024
    own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    peak_bytes = maxrss * scale
    return peak_bytes if peak_bytes > own_bytes + _PEAK_SLACK_BYTES else None


def _run_on_windows(
    argv: list[str], options: dict[str, Any], timeout_s: float | None, pass_fds: Sequence[int]
) -> dict[str, Any]:
    """Run on Windows, where waiting with a timeout does not poll.

    Times and memory of an ended process are not to be had there through psutil.
    """
    if pass_fds:
        raise ValueError("descriptors cannot be passed on Windows")
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    started_ns = time.perf_counter_ns()
    child = subprocess.Popen(  # noqa: S603  # running the user's own command is the purpose
        argv, creationflags=flags, **options
    )
    timed_out = False
    try:
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        ended_ns = time.perf_counter_ns()
    finally:
        if child.poll() is None:
            kill_tree(child.pid)
            child.kill()
            child.wait()
    nothing = dict.fromkeys(("user_s", "system_s", "peak_bytes", "minor_faults", "major_faults"))
    return {
        "wall_s": (ended_ns - started_ns) / 1e9,
        "exit_status": child.returncode,
        "timed_out": timed_out,
        **nothing,
    }
