"""Run one fresh process and read what it cost; knows no metric and does not judge the exit status.

Wall time runs from just before the spawn to the moment the kernel reports the exit.  On Linux a small interpreter
starts the process and waits for it (:mod:`pytest_perfgate.measure.spawner`), so that neither the size of this process
nor what its threads do enters the figures.  Elsewhere, and where that cannot be had, this process does it itself, and
says so.  Nothing here calls ``Popen.wait(timeout=...)`` on the way: up to Python 3.14 it polls with growing sleeps,
which adds up to 50 ms to what it times (python/cpython pull request 144047).  On Linux a pidfd is polled, elsewhere a
thread keeps the deadline; neither wakes up while the process runs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_perfgate.measure.spawner import here as this_process
from pytest_perfgate.measure.spawner import remote
from pytest_perfgate.measure.spawner.order import Order

#: Of each of stdout and stderr; beyond it the middle is left out, so that a chatty program cannot
#: fill our memory.
KEPT_OUTPUT_BYTES = 8 * 2**20

#: The two accounts of processor time that the kernel keeps differ by no more in a process of one thread.
_ONE_THREAD, _ACCOUNTING_S = 0.05, 0.001

#: A first thread that did less of the work than this share of it waited for something else than all of it did.
_LEADING = 0.5

#: What the spawner always tells of a process, and how it is called.
_FACTS = {
    "queued_ns": "the time waited for a processor",
    "user_s": "processor time",
    "minor_faults": "page faults",
    "peak_bytes": "peak memory",
    "blocks_read": "blocks read from a disk",
}
_NO_ACCOUNT = (
    "this system does not tell how long a process waits for a processor (/proc/<pid>/schedstat): a busy machine is not "
    "told from a slow program"
)

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
    """Peak resident memory; no less than the spawner's own 9 MB are told, and None where this process is the spawner
    and it cannot be told from ours."""
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
    """Whether it exited while processes that it had started still ran; they were killed."""
    on_cpu_s: float | None = None
    """Time on a processor, of its first thread alone (Linux)."""
    queued_s: float | None = None
    """Time that its first thread could have run and no processor was free (Linux)."""
    blocks_read: int | None = None
    """Blocks of 512 bytes that had to be read from a disk for it."""
    first_output_s: float | None = None
    """From the spawn to the first byte on stdout or stderr; None without output, too."""
    untold: str = ""
    """Why some of this is not known and the rest less exact, one clause; empty where it is all there."""

    @property
    def contention(self) -> float | None:
        """The share of the time in which its first thread wanted to run that it had to wait for a processor.

        None where that is not known, or others did most of the work: a shell that starts a program waits by chance.
        """
        if self.queued_s is None or not self.on_cpu_s:
            return None
        if self.cpu_s is not None and self.on_cpu_s < self.cpu_s * _LEADING - _ACCOUNTING_S:
            return None
        return self.queued_s / (self.queued_s + self.on_cpu_s)

    @property
    def cpu_s(self) -> float | None:
        """Time of processors of all its threads, and of every descendant it waited for."""
        return None if self.user_s is None or self.system_s is None else self.user_s + self.system_s

    @property
    def uncontended_s(self) -> float | None:
        """Wall time without the waiting for a processor.

        None where that is not known, or known of one thread of several: then others may have run meanwhile.
        """
        if self.queued_s is None or self.on_cpu_s is None or self.cpu_s is None:
            return None
        if abs(self.cpu_s - self.on_cpu_s) > max(_ONE_THREAD * self.cpu_s, _ACCOUNTING_S):
            return None
        return max(0.0, self.wall_s - self.queued_s)


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

    Whatever happens, interrupt included, no process that it started and no descriptor is left.

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
    order = Order(
        argv=list(argv),
        env=os.environ if env is None else env,
        cwd=absolute(cwd),
        stdin=stdin,
        timeout_s=timeout_s or None,
    )
    spawner = None if pass_fds else remote.current()
    if spawner is None:
        return _run_here(order, pass_fds)
    with spawner.running(order) as running:
        facts = running.end()
        return made_of_spawned(facts, spawner.folder)


def absolute(cwd: str | os.PathLike[str] | None) -> str:
    """Return where *cwd* is: below the directory of this process, also when somebody took that away (Linux)."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        here = Path(f"/proc/{os.getpid()}/cwd")
    return str(here / (cwd or ""))


def made_of(facts: Mapping[str, Any], outputs: Sequence[IO[bytes]], untold: str = "") -> ProcessRun:
    """Put together what was told of a process.

    Args:
        facts: Told by the spawner, or by :mod:`.spawner.here`; what is not there is not known.
        outputs: What it wrote to stdout and to stderr.
        untold: Why something is not there.
    """
    stdout, stderr = map(_kept, outputs)
    known = ("user_s", "system_s", "minor_faults", "major_faults", "blocks_read")
    return ProcessRun(
        **{name: facts.get(name) for name in known},
        wall_s=facts["wall_ns"] / 1e9,
        peak_bytes=_peak_of_child(facts.get("peak_bytes"), facts.get("spawners_peak_bytes", 0)),
        exit_status=facts["exit_status"],
        stdout=stdout,
        stderr=stderr,
        timed_out=facts["timed_out"],
        left_behind=facts.get("left_behind", False),
        on_cpu_s=_seconds(facts.get("on_cpu_ns")),
        queued_s=_seconds(facts.get("queued_ns")),
        first_output_s=_seconds(facts.get("first_output_ns")),
        untold=untold,
    )


def made_of_spawned(facts: Mapping[str, Any], folder: Path) -> ProcessRun:
    """Do so for a process of the spawner, before the next one overwrites what it wrote into *folder*."""
    with (folder / "out").open("rb") as out, (folder / "err").open("rb") as err:
        return made_of(facts, (out, err), "" if facts["on_cpu_ns"] else _NO_ACCOUNT)


def _seconds(elapsed_ns: int | None) -> float | None:
    return None if elapsed_ns is None else elapsed_ns / 1e9


def _run_here(order: Order, pass_fds: Sequence[int] = ()) -> ProcessRun:
    """Run in this process; output goes to unnamed files, as a pipe would have to be drained on a core it may need."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        facts = this_process.run(order, out, err, pass_fds)
        return made_of(facts, (out, err), untold(facts))


def untold(facts: Mapping[str, Any], elsewhere: Collection[str] = ()) -> str:
    """Say what is less well known where this process starts commands itself; empty where the spawner does.

    Args:
        facts: What was told of the process.
        elsewhere: Names of facts that are known from elsewhere, or asked for by nobody.
    """
    why = remote.problem()
    if not why:
        return ""
    unknown = [what for name, what in _FACTS.items() if name not in elsewhere and facts.get(name) is None]
    unknown += [] if "first_output_ns" in facts else ["the time to the first output"]
    unknown += ["the peak memory of a small program"] if facts.get("peak_bytes") is not None else []
    what = f"not known are {', '.join(unknown)}; " if unknown else ""
    left = "in a session of its own " if "left_behind" in facts else ""
    return (
        f"{why}: {what}times include what a large pytest process adds, and what a command leaves running {left}is not "
        f"found"
    )


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


def _peak_of_child(peak_bytes: int | None, spawners_bytes: int) -> int | None:
    """Take a child's peak memory, if it is its own.

    At ``exec`` the kernel folds the peak of the address space that is left behind into the child's maximum, and after
    vfork that is the spawner's: a child smaller than its spawner reports the spawner's size (Linux, fs/exec.c,
    ``exec_mmap``: ``setmax_mm_hiwater_rss``).  The small interpreter is as small as any Python, so what it tells is a
    bound close above; of a large pytest only a peak above its own says anything about a child.

    Args:
        peak_bytes: As wait4 gave it.
        spawners_bytes: The peak of the process that started it; 0 for the small interpreter.

    Returns:
        Bytes, or None.
    """
    if peak_bytes is None or peak_bytes <= spawners_bytes + _PEAK_SLACK_BYTES * bool(spawners_bytes):
        return None
    return peak_bytes
