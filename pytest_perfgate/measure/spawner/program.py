"""The program of the spawner: starts a process, waits for its end, tells what it cost; knows nothing of this package.

Run compiled, as ``python -I -S program.pyc FOLDER PARENT``, by :mod:`pytest_perfgate.measure.spawner.remote`, after its
first stage has made this process the subreaper of everything that it starts.  It is one file, however long, as it is
run by its path, where nothing else of ours can be imported.  It stays small, and imports only what is written in C:
the kernel counts the memory of a spawner as the child's, and whatever wakes up here takes a processor that a child may
need.

Messages in both directions are a length of four bytes and a value in marshal's format.  While a process runs, a number
that comes in is a signal for its group (0: end it at once); anything else, and the end of the parent, ends everything.
"""

from __future__ import annotations

import errno
import gc
import marshal
import os
import resource  # noqa: F401  # os.wait4 would import it while a child is waited for
import select
import sys
import time

TYPE_CHECKING = False  # typing itself would be half of what this process imports
if TYPE_CHECKING:
    from typing import Any

#: Signal 9 is SIGKILL everywhere; the signal module would triple what this process imports.
_KILL = 9
_IN, _OUT = 0, 1
_CHUNK_BYTES = 2**16
#: Processes that end by themselves once their parent is gone (multiprocessing's resource tracker) get a moment for it.
_LOOK_EVERY_S = 0.01
#: What is killed and still there after so long hangs in the kernel.
_GIVE_UP_S = 5.0

clock = time.perf_counter_ns


class Gone(Exception):  # noqa: N818  # not an error: nobody is there any more
    """The parent has ended, or wants this process to."""


def say(value: Any) -> None:
    """Send a message."""
    packed = marshal.dumps(value)
    left = memoryview(len(packed).to_bytes(4, "little") + packed)
    while left:
        left = left[os.write(_OUT, left) :]


def hear() -> Any:
    """Wait for a message.

    Raises:
        Gone: There is nobody to send one, or it says so.
    """
    value = marshal.loads(_exactly(int.from_bytes(_exactly(4), "little")))  # noqa: S302  # from our own parent
    if value is None:
        raise Gone
    return value


def _exactly(count: int) -> bytes:
    parts = []
    while count:
        part = os.read(_IN, min(count, _CHUNK_BYTES))
        if not part:
            raise Gone
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Stream:
    """One of a child's two outputs: taken from a pipe as it comes, and put into a file.

    Args:
        path: Of the file.
    """

    def __init__(self, path: str) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self.is_open = True

    def take(self) -> bytes:
        """Take what is there; nothing when there is none, or the pipe is closed (:attr:`is_open`)."""
        try:
            data = os.read(self.reading, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
        self.is_open = bool(data)
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        return data

    def close(self) -> None:
        """Take the rest and give back the descriptors."""
        while self.is_open and self.take():
            pass
        os.close(self.reading)
        os.close(self._file)


class Run:
    """One process from its start to its end.

    Args:
        ask: What the parent wants: ``argv env cwd stdin timeout_s grace_s tell affinity restored program``.
        folder: Where outputs are written.
        parent: Descriptor that becomes readable when the parent ends.
    """

    def __init__(self, ask: dict[str, Any], folder: str, parent: int) -> None:
        self._ask, self._folder, self._parent = ask, folder, parent
        self._streams: dict[int, Stream] = {}
        self._number: dict[int, int] = {}
        self._poll = select.poll()
        self._pid = 0
        self._timed_out = False
        self._first_ns: int | None = None
        self._gone = False

    def __call__(self) -> dict[str, Any]:
        """Run it; return what it did and cost, or ``{"errno": ...}`` when it could not be started."""
        os.chdir(self._ask["cwd"])
        _bind(self._ask["affinity"])
        stdin = os.open(self._ask["stdin"], os.O_RDONLY | os.O_CLOEXEC)
        out, err = Stream(self._folder + "/out"), Stream(self._folder + "/err")
        try:
            started_ns = self._start(stdin, out, err)
        finally:
            for descriptor in (stdin, out.writing, err.writing):
                os.close(descriptor)
            if not self._pid:
                out.close()
                err.close()
            os.chdir("/")
        if self._ask["tell"]:
            say(("started", self._pid, started_ns))
        facts = self._wait(started_ns)
        facts["left_behind"] = end_rest(0.0 if self._timed_out or self._gone else self._ask["grace_s"])
        out.close()
        err.close()
        if self._gone:
            raise Gone
        return facts

    def _start(self, stdin: int, out: Stream, err: Stream) -> int:
        ask = self._ask
        actions = [(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, out.writing, 1)]
        actions.append((os.POSIX_SPAWN_DUP2, err.writing, 2))
        for stream in (out, err):
            self._streams[stream.reading] = stream
            self._number[stream.reading] = len(self._number)
            self._poll.register(stream.reading, select.POLLIN)
        for descriptor in (_IN, self._parent):
            self._poll.register(descriptor, select.POLLIN)
        started_ns = clock()
        self._pid = os.posix_spawn(
            ask["program"], ask["argv"], ask["env"], file_actions=actions, setsid=True, setsigdef=ask["restored"]
        )
        return started_ns

    def _wait(self, started_ns: int) -> dict[str, Any]:
        ended = os.pidfd_open(self._pid)
        self._poll.register(ended, select.POLLIN)
        timeout_s = self._ask["timeout_s"]
        until_ns = None if timeout_s is None else started_ns + int(timeout_s * 1e9)
        while True:
            events = self._poll.poll(_milliseconds(until_ns))
            now_ns = clock()
            found = [descriptor for descriptor, _ in events]
            self._take(events, now_ns)
            if ended in found:
                break
            if not found and until_ns is not None and now_ns >= until_ns:
                self._timed_out, until_ns = True, None
                self._signal(_KILL)
            if self._parent in found or (_IN in found and not self._obey()):
                self._gone = True
                for descriptor in (_IN, self._parent):
                    self._poll.unregister(descriptor)
                self._signal(_KILL)
        os.close(ended)
        return self._reaped(now_ns, started_ns)

    def _take(self, events: list[tuple[int, int]], now_ns: int) -> None:
        for descriptor, event in events:
            stream = self._streams.get(descriptor)
            if stream is None:
                continue
            # At its end a process closes its outputs a moment before it is known to have ended: no time for more.
            stream.is_open = event != select.POLLHUP
            data = stream.take() if stream.is_open else b""
            if data and self._first_ns is None:
                self._first_ns = now_ns
            if data and self._ask["tell"] == "output":
                say(("output", now_ns, data, self._number[descriptor]))
            if not stream.is_open:
                self._poll.unregister(descriptor)
                del self._streams[descriptor]

    def _obey(self) -> bool:
        """Do as the parent says; tell whether it wants to go on."""
        try:
            order = hear()
        except Gone:
            return False
        self._signal(order or _KILL)
        return True

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def _reaped(self, ended_ns: int, started_ns: int) -> dict[str, Any]:
        """Read what a process leaves behind that has exited, and let it go."""
        accounts = _schedstat(self._pid)  # still there while the process is not reaped
        _, status, usage = os.wait4(self._pid, 0)
        return {
            "pid": self._pid,
            "wall_ns": ended_ns - started_ns,
            "first_output_ns": None if self._first_ns is None else self._first_ns - started_ns,
            "on_cpu_ns": accounts and accounts[0],
            "queued_ns": accounts and accounts[1],
            "user_s": usage.ru_utime,
            "system_s": usage.ru_stime,
            "minor_faults": usage.ru_minflt,
            "major_faults": usage.ru_majflt,
            "blocks_read": usage.ru_inblock,
            "peak_bytes": usage.ru_maxrss * 1024,
            "exit_status": os.waitstatus_to_exitcode(status),
            "timed_out": self._timed_out,
        }


def _bind(processors: list[int]) -> None:
    """Use the processors that the parent may use, who is moved from one to another while it compares."""
    if set(processors) != os.sched_getaffinity(0):
        try:
            os.sched_setaffinity(0, processors)
        except OSError:
            pass


def _milliseconds(until_ns: int | None) -> int | None:
    """Say how long poll(2) may wait; it takes a C int, and rounding down would make it spin at the end."""
    if until_ns is None:
        return None
    return max(0, min((until_ns - clock()) // 1_000_000 + 1, 2**31 - 1))


def _schedstat(pid: int) -> list[int] | None:
    """Read nanoseconds on a processor and nanoseconds waiting for one, of a process's first thread."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            return [int(number) for number in file.read().split()[:2]]
    except (OSError, ValueError):
        return None


# -- what a process leaves running: as this process is a subreaper, all of it becomes its child


def end_rest(grace_s: float) -> bool:
    """End every process that is still there.

    Args:
        grace_s: How long they may take to end by themselves.

    Returns:
        Whether any of them had to be killed.
    """
    grace_ns, began_ns = int(grace_s * 1e9), clock()
    while _has_children():
        if clock() - began_ns >= grace_ns:
            _kill_children()
            return True
        time.sleep(_LOOK_EVERY_S)
    return False


def _has_children() -> bool:
    """Let go of all that have ended, and tell whether others are left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def _kill_children() -> None:
    """Kill the children of this process until none is left: those of a killed one become its own."""
    until_ns = clock() + int(_GIVE_UP_S * 1e9)
    while _has_children() and clock() < until_ns:
        for pid in _children():
            try:
                os.kill(pid, _KILL)
            except (ProcessLookupError, PermissionError):
                pass
        time.sleep(_LOOK_EVERY_S / 10)


def _children() -> list[int]:
    me, found = str(os.getpid()).encode(), []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{int(name)}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except (OSError, ValueError):
            continue
        if fields[1:2] == [me]:
            found.append(int(name))
    return found


def serve(folder: str, parent: int) -> None:
    """Run what the parent asks for, one process after the other, until it wants no more."""
    idle = select.poll()
    for descriptor in (_IN, parent):
        idle.register(descriptor, select.POLLIN)
    try:  # a libc that cannot start a session is told now, and not in the middle of a test
        os.posix_spawn("/", ["/"], {}, setsid=True)
    except PermissionError:
        say("ready")
    while True:
        found = [descriptor for descriptor, _ in idle.poll()]
        if parent in found:
            return
        try:
            ask = hear()
            if isinstance(ask, int):  # a signal that crossed the end of its process
                continue
            say(("ended", Run(ask, folder, parent)()))
        except Gone:
            return
        except OSError as problem:
            say(("failed", problem.errno or errno.EINVAL, ""))
        except ValueError as problem:
            say(("failed", None, str(problem)))


def main() -> None:
    """Serve, and take away the folder in the end."""
    folder, parent = sys.argv[1], int(sys.argv[2])
    gc.disable()
    os.chdir("/")
    try:
        if os.getppid() == parent:
            serve(folder, os.pidfd_open(parent))
    finally:
        end_rest(0.0)
        try:
            for name in os.listdir(folder):
                os.unlink(f"{folder}/{name}")
            os.rmdir(folder)
        except OSError:  # the parent was first
            pass


if __name__ == "__main__":
    main()
