"""The line between a worker and the process that compares: one JSON object per message, each way."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from typing import Any

from pytest_perfgate.measure.clock import MONOTONIC_S

#: A worker imports pytest and a test suite before it has anything to say.
CONNECT_TIMEOUT_S = 120.0

_CHUNK_BYTES = 65536

Message = dict[str, Any]


class LineClosedError(Exception):
    """The other end is gone."""


class LineSilentError(Exception):
    """The other end said nothing in time."""


class Line:
    """One end of the line.

    Args:
        end: A connected socket, taken over.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._heard = bytearray()
        # A child that the worker forks inherits the socket, and must not answer in its parent's name.
        self._owner = os.getpid()

    def say(self, **message: Any) -> None:
        """Send a message.

        Raises:
            LineClosedError: Nobody listens any more.
        """
        self._check_owner()
        try:
            self._end.settimeout(None)
            self._end.sendall(json.dumps(message).encode() + b"\n")
        except OSError as problem:
            raise LineClosedError(f"the other end is gone: {problem}") from None

    def hear(self, timeout_s: float | None = None) -> Message:
        """Wait for the next message.

        Args:
            timeout_s: Patience in seconds; None for ever.

        Raises:
            LineClosedError: The other end is gone.
            LineSilentError: It said nothing in time.
        """
        self._check_owner()
        limit = None if timeout_s is None else MONOTONIC_S() + timeout_s
        while (end := self._heard.find(b"\n")) < 0:
            self._heard += self._receive(limit, timeout_s)
        text = bytes(self._heard[:end])
        del self._heard[: end + 1]
        message: Message = json.loads(text)
        return message

    def close(self) -> None:
        """Hang up; harmless when it is done already."""
        with contextlib.suppress(OSError):
            self._end.close()

    def _receive(self, limit: float | None, timeout_s: float | None) -> bytes:
        try:
            self._end.settimeout(None if limit is None else max(limit - MONOTONIC_S(), 1e-3))
            chunk = self._end.recv(_CHUNK_BYTES)
        except TimeoutError:
            raise LineSilentError(f"it said nothing for {timeout_s:g} s") from None
        except OSError as problem:
            raise LineClosedError(f"the other end is gone: {problem}") from None
        if not chunk:
            raise LineClosedError("the other end is gone")
        return chunk

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise LineClosedError("a child of the worker was forked while it was measured, and has no line of its own")


class Switchboard:
    """Where workers call in: a socket on this machine's loopback that only those who know the token may use."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=8)
        self._token = secrets.token_hex(16)
        self._waiting: dict[str, Line] = {}

    @property
    def address(self) -> str:
        """What a worker has to know, as one word."""
        return f"{self._server.getsockname()[1]}:{self._token}"

    def line_of(self, name: str, *, is_alive: Any, timeout_s: float = CONNECT_TIMEOUT_S) -> Line:
        """Wait until the worker *name* has called in.

        Args:
            name: Of the worker, as it was told.
            is_alive: Called now and then; False ends the wait.
            timeout_s: Patience in seconds.

        Raises:
            LineClosedError: The worker died first.
            LineSilentError: It did not call in time.
        """
        limit = MONOTONIC_S() + timeout_s
        while name not in self._waiting:
            if MONOTONIC_S() > limit:
                raise LineSilentError(f"it did not start within {timeout_s:g} s")
            alive = is_alive()
            self._server.settimeout(0.1)
            try:
                end, _ = self._server.accept()
            except TimeoutError:
                if not alive:
                    raise LineClosedError("it ended before it was ready") from None
                continue
            self._admit(end)
        return self._waiting.pop(name)

    def _admit(self, end: socket.socket) -> None:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(end)
        with contextlib.suppress(LineClosedError, LineSilentError, ValueError, AttributeError):
            greeting = line.hear(1.0)
            if secrets.compare_digest(str(greeting.get("token")).encode(errors="replace"), self._token.encode()):
                self._waiting[str(greeting.get("name"))] = line
                return
        line.close()

    def close(self) -> None:
        """Take no more calls, and hang up on those whom nobody asked for."""
        for line in self._waiting.values():
            line.close()
        self._server.close()


def call_in(address: str, name: str) -> Line:
    """Call the switchboard, from a worker.

    Args:
        address: From :attr:`Switchboard.address`.
        name: Of this worker.

    Raises:
        LineClosedError: Nobody answers: the process that compares has ended.
    """
    port, _, token = address.partition(":")
    try:
        end = socket.create_connection(("127.0.0.1", int(port)), timeout=CONNECT_TIMEOUT_S)
    except OSError as problem:
        raise LineClosedError(f"the process that compares does not answer: {problem}") from None
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line = Line(end)
    line.say(token=token, name=name)
    return line
