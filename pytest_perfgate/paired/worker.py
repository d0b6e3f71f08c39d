"""One worker as the comparing process sees it: its process, its line, the processors it may use."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from pytest_perfgate.measure.ending import kill_tree
from pytest_perfgate.paired.line import Line, LineClosedError, LineSilentError, Message, Switchboard

#: What a worker may take to tear its fixtures down when all is over.
_FAREWELL_S = 20.0
#: Of what a worker wrote before it was ready, for messages.
_LAST_LINES = 8
#: Of what it wrote since it was last heard: more than that, or longer, is no last word.
_FEW_LINES, _FEW_CHARACTERS = 3, 400
#: How Python itself begins to tell of a crash; the stacks that follow are long.
_CRASH = "Fatal Python error"


class WorkerLostError(Exception):
    """A worker died or hangs; the message says how."""

    def __init__(self, worker: Worker, how: str, *, hangs: bool = False) -> None:
        self.worker, self.hangs = worker, hangs
        super().__init__(how)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one block took."""

    ns: int
    """Of the clock that measures."""
    cpu_ns: int
    """On a processor, by the thread that ran it, everything around the rounds included."""
    process_ns: int
    """Likewise by all threads of the process."""


class CaseLostError(Exception):
    """A worker broke off a case: its test ended instead of answering.

    Args:
        worker: The one.
        message: What it said instead.
        other_is_past: Whether the other worker has left the case behind and goes on; it waits at it otherwise.
    """

    def __init__(self, worker: Worker, message: Message, *, other_is_past: bool = False) -> None:
        self.worker, self.message, self.other_is_past = worker, message, other_is_past
        super().__init__(str(message.get("problem") or "the test ended"))


class Worker:
    """A worker process.

    Args:
        side: ``base`` or ``head``.
        name: Of this one worker, as it calls in.
        argv: Program and arguments.
        env: The whole environment.
        cwd: Directory it runs in.
    """

    def __init__(self, side: str, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self.side, self.name = side, name
        self._line: Line | None = None
        self._is_ready = False
        #: How much it had written when it was last heard: that has nothing to do with its end.
        self._heard_bytes = 0
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed when the worker is
        self._process = subprocess.Popen(  # noqa: S603  # our own worker
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",  # Ctrl-C is ours to handle: workers are then told to go
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def connect(self, switchboard: Switchboard) -> None:
        """Wait until it has called in.

        Raises:
            WorkerLostError: It died, or did not call.
        """
        try:
            self._line = switchboard.line_of(self.name, is_alive=lambda: self._process.poll() is None)
        except (LineClosedError, LineSilentError) as problem:
            raise WorkerLostError(self, self._how(problem)) from None

    def say(self, **message: Any) -> None:
        """Tell it something.

        Raises:
            WorkerLostError: It is gone.
        """
        assert self._line is not None  # noqa: S101  # connected before anything is said
        try:
            self._line.say(**message)
        except LineClosedError as problem:
            raise WorkerLostError(self, self._how(problem)) from None

    def hear(self, timeout_s: float | None) -> Message:
        """Wait for what it says next.

        Raises:
            WorkerLostError: It is gone, or says nothing in time; it is killed then.
        """
        assert self._line is not None  # noqa: S101  # as above
        try:
            heard = self._line.hear(timeout_s)
        except LineClosedError as problem:
            raise WorkerLostError(self, self._how(problem)) from None
        except LineSilentError as problem:
            raise WorkerLostError(self, self._how(problem), hangs=True) from None
        self._is_ready = True
        self._heard_bytes = os.fstat(self._output.fileno()).st_size
        return heard

    def run_block(self, *, iterations: int, rounds: int, timeout_s: float | None) -> Took:
        """Have it run a block.

        Raises:
            CaseLostError: The target raised; the test is over.
            WorkerLostError: It is gone, or the block does not end.
        """
        self.say(do="block", iterations=iterations, rounds=rounds)
        heard = self.hear(timeout_s)
        if heard["say"] != "took":
            raise CaseLostError(self, heard)
        return Took(ns=heard["ns"], cpu_ns=heard["cpu_ns"], process_ns=heard["process_ns"])

    def pin(self, processors: Collection[int]) -> bool:
        """Let it run on these processors only; tell whether that was possible."""
        try:
            psutil.Process(self.pid).cpu_affinity(list(processors))
        except (psutil.Error, OSError, ValueError, AttributeError):  # AttributeError: macOS
            return False
        return True

    def is_pinned(self, processors: Collection[int]) -> bool:
        """Tell whether it may still run on these processors only; nobody but us should have changed that."""
        try:
            return set(psutil.Process(self.pid).cpu_affinity() or ()) == set(processors)
        except (psutil.Error, OSError, AttributeError):  # as above
            return False

    def farewell(self) -> None:
        """Let it tear down what it set up and end; kill it when it does not."""
        with contextlib.suppress(WorkerLostError, AssertionError):
            self.say(do="bye")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_FAREWELL_S)
        self.kill()

    def kill(self) -> None:
        """End it with everything that it started; harmless when it has ended."""
        if self._line is not None:
            self._line.close()
        if self._process.poll() is None:
            kill_tree(self._process.pid)
            self._process.wait()
        elif os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):  # what it left behind in its session
                os.killpg(self._process.pid, signal.SIGKILL)
        if not self._output.closed:
            self._output.close()

    def last_words(self) -> str:
        """Quote what pytest calls the error, or the end of what it wrote, one indented line each; empty without any.

        Of one that was ready, only what it wrote since it was last heard, and only if that is short.
        """
        if self._output.closed:
            return ""
        end = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._heard_bytes, end - 8192))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        if self._is_ready:
            crash = [line for line in lines if line.startswith(_CRASH)]
            is_short = len(lines) <= _FEW_LINES and sum(map(len, lines)) <= _FEW_CHARACTERS
            return "".join(f"\n    {line}" for line in (crash[:1] or (lines if is_short else [])))
        lines = lines[-_LAST_LINES:]
        errors = [line[2:].strip() for line in lines if line.startswith("E  ")]
        if errors:
            return f": {errors[0]}"
        return "".join(f"\n    {line}" for line in lines)

    def _how(self, problem: Exception) -> str:
        if isinstance(problem, LineSilentError):
            return f"the {self.side} worker hangs: {problem}"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        status = self._process.returncode
        if status is None:
            return f"the {self.side} worker hung up without ending"
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        return f"the {self.side} worker {ended}{self.last_words()}"
