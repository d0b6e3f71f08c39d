"""A process that threads of this one watch while it runs, where there is no spawner; what they notice is later."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

from pytest_perfgate.measure.clock import PERF_COUNTER
from pytest_perfgate.measure.ending import end_group, kill_tree
from pytest_perfgate.measure.spawner.order import Order, Output

_CHUNK_BYTES = 2**16


class Watched:
    """A running process with three threads: one per output, one that waits for its end.

    Args:
        order: What to run.
        files: Where its outputs go.

    Raises:
        OSError: It could not be started.
    """

    def __init__(self, order: Order, files: tuple[IO[bytes], IO[bytes]]) -> None:
        self.facts: Mapping[str, Any] | None = None
        self._came: queue.SimpleQueue[Output | Mapping[str, Any]] = queue.SimpleQueue()
        self._first_ns: int | None = None
        windows = sys.platform == "win32"
        group: dict[str, Any] = {"start_new_session": True}
        if windows:
            group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        self.started_ns = PERF_COUNTER()
        self._child = subprocess.Popen(  # noqa: S603  # running the user's own command is the purpose
            list(order.argv),
            env=order.env,
            cwd=order.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            **group,
        )
        self.pid = self._child.pid
        pipes = (self._child.stdout, self._child.stderr)
        self._readers = [
            threading.Thread(target=self._read, args=(number, pipe, files[number]), daemon=True)
            for number, pipe in enumerate(pipes)
        ]
        for thread in (*self._readers, threading.Thread(target=self._wait, daemon=True)):
            thread.start()

    def _read(self, number: int, pipe: IO[bytes], file: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed, as somebody else keeps it open
            while data := os.read(pipe.fileno(), _CHUNK_BYTES):
                now_ns = PERF_COUNTER()
                self._first_ns = self._first_ns or now_ns
                file.write(data)
                self._came.put(Output(now_ns, data, number))

    def _wait(self) -> None:
        status = self._child.wait()
        ended_ns = PERF_COUNTER()
        left = sys.platform != "win32" and end_group(self.pid)
        for reader in self._readers:
            reader.join(1.0)
        first_ns = self._first_ns
        self._came.put(
            {
                "wall_ns": ended_ns - self.started_ns,
                "first_output_ns": None if first_ns is None else first_ns - self.started_ns,
                "exit_status": status,
                "timed_out": False,
                "left_behind": left,
            }
        )

    def output(self, timeout_s: float) -> Output | None:
        """Wait for output or for the end; None when nothing came in time, or it is over."""
        try:
            came = None if self.facts is not None else self._came.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if came is None or isinstance(came, Output):
            return came
        self.facts = came
        return None

    def signal(self, number: int) -> None:
        """Send a signal to its group; 0 kills it with everything that it started."""
        if self.facts is not None:
            return
        if number == 0 or sys.platform == "win32":
            kill_tree(self.pid)
            return
        if self._child.returncode is not None:  # what it left running is ended, and told, as what it left running
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.Signals(number))

    def end(self) -> Mapping[str, Any]:
        """Wait for the end, and say what it did and cost."""
        while self.facts is None:
            self.output(1.0)
        return self.facts

    def close(self) -> None:
        """End it if it still runs, and give back the pipes."""
        self.signal(0)
        self.end()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def running(order: Order, files: tuple[IO[bytes], IO[bytes]]) -> Iterator[Watched]:
    """Start a process; it is over when the block is.

    Args:
        order: What to run.
        files: Where its outputs go.

    Raises:
        OSError: It could not be started.
    """
    watched = Watched(order, files)
    with contextlib.closing(watched):
        yield watched
