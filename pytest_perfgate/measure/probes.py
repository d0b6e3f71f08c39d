"""Ways in which one start of an application tells that it is ready; which of them a user means is not here.

What is said in ``ready=`` is read by :mod:`pytest_perfgate.measure.readiness`.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Generator, Sequence
from typing import Any
from urllib.parse import urlsplit

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.timeout import TargetHangsError, given_up_after
from pytest_perfgate.words import printable

#: Stands for a free port of our choosing in the command, its environment and the URL.
PORT = "{port}"
#: Where an application that is told a port only may listen.
_LOOPBACK = ("127.0.0.1", "::1")
_FREE_PORTS, _TRIES = (20_000, 32_000), 100
#: Of what it wrote, so much is searched again when more comes.
_REMEMBERED = 2**16
TYPICAL_STATUS = frozenset(range(200, 400))
#: An application that answers, though not yet as it should, is not asked as often as a port is tried.
_ANSWER_AGAIN_S = 0.002
#: What has run nothing yet, and is true all the same.
_UNFINISHED = (Awaitable, AsyncIterator, Generator)
#: What waits until it is ready does not return before the start; asking once is not worth longer.
_BEFORE_S = 0.5


class Readiness:
    """One run's way to find out; polled where nothing tells by itself."""

    tell = "start"
    """What has to be heard from the process (:class:`pytest_perfgate.measure.spawner.order.Order`)."""
    shown = ""
    """What is waited for, for messages."""
    again_s = 0.0004
    """How often to look: it bounds how late readiness is noticed, and what looking costs the application."""

    def check_before(self) -> None:
        """Refuse to measure what is ready before it was started.

        Raises:
            CannotMeasureError: It is.
        """

    def hears(self, data: bytes, stream: int) -> bool:
        """Tell whether this output makes it ready."""
        del data, stream
        return False

    def looks(self, left_s: float) -> bool:
        """Look whether it is ready.

        Args:
            left_s: Seconds that looking may take.
        """
        del left_s
        return False

    def remark(self) -> str:
        """Say what was seen last, as the end of a message."""
        return ""


class FirstOutput(Readiness):
    """The first byte that it writes."""

    tell, shown = "output", "any output"

    def hears(self, data: bytes, stream: int) -> bool:
        """Look at what it wrote."""
        del stream
        return bool(data)


class Matching(Readiness):
    """Output that a pattern is found in."""

    tell = "output"

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._pattern, self._seen = pattern, [b"", b""]
        self.shown = f"output that matches {pattern.pattern!r}"

    def hears(self, data: bytes, stream: int) -> bool:
        """Look at what it wrote."""
        seen = self._seen[stream] = self._seen[stream][-_REMEMBERED:] + data
        is_text = isinstance(self._pattern.pattern, str)
        return self._pattern.search(seen.decode("utf-8", "replace") if is_text else seen) is not None


class Listening(Readiness):
    """A port that takes a connection."""

    def __init__(self, port: int, hosts: Sequence[str] = _LOOPBACK) -> None:
        self._port, self._hosts = port, hosts
        self.shown = f"port {port}" if hosts is _LOOPBACK else f"port {port} of {hosts[0]}"

    def check_before(self) -> None:
        """Refuse what is ready already."""
        if self._is_open(1.0):
            raise CannotMeasureError(
                f"port {self._port} is open before the application is started: something else would be measured; "
                f'end what listens there, or let a free port be chosen with ready="port" and {PORT} in the command'
            )

    def looks(self, left_s: float) -> bool:
        """Ask once."""
        return self._is_open(left_s)

    def _is_open(self, left_s: float) -> bool:
        for host in self._hosts:
            with contextlib.suppress(OSError), socket.create_connection((host, self._port), min(left_s, 1.0)) as found:
                return bool(found.getsockname() != found.getpeername())  # else it met itself, see free_port
        return False


class Answering(Readiness):
    """A URL that answers with the right status."""

    def __init__(self, url: str, status: Collection[int]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._status, self._last = status, ""
        wanted = "" if status is TYPICAL_STATUS else " or ".join(map(str, sorted(status))) + " from "
        self.shown = f"{wanted}{url}" if wanted else f"an answer from {url}"
        self._port_probe = Listening(self._port, (self._host,))

    def check_before(self) -> None:
        """Refuse what is ready already."""
        self._port_probe.check_before()

    def looks(self, left_s: float) -> bool:
        """Ask once."""
        self.again_s = Readiness.again_s
        connection = http.client.HTTPConnection(self._host, self._port, timeout=max(0.001, left_s))
        try:
            connection.request("GET", self._path, headers={"Connection": "close"})
            answer = connection.getresponse().status
        except ConnectionRefusedError:
            return False
        except (OSError, http.client.HTTPException) as problem:
            self._last = f"{type(problem).__name__}: {printable(str(problem).strip())}"
            return False
        finally:
            connection.close()
        self._last = f"status {answer}"
        self.again_s = _ANSWER_AGAIN_S
        return answer in self._status

    def remark(self) -> str:
        """Say what it was told last."""
        return self._last and f"; it last answered with {self._last}"


#: How the lines begin that ``python -v`` writes: imports, what site does, and its greeting.
_VERBOSE = (b"# ", b"import ", b"Processing ", b"Adding directory", b"Python ", b'Type "help"')


class Quiet(Readiness):
    """Another readiness, deaf to what an interpreter says on stderr of its imports.

    Args:
        other: What is waited for.
    """

    def __init__(self, other: Readiness) -> None:
        self._other, self._line = other, b""
        self.tell, self.shown, self.again_s = other.tell, other.shown, other.again_s

    def check_before(self) -> None:
        """Do as the other."""
        self._other.check_before()

    def looks(self, left_s: float) -> bool:
        """Look as the other."""
        return self._other.looks(left_s)

    def remark(self) -> str:
        """Say what the other saw."""
        return self._other.remark()

    def hears(self, data: bytes, stream: int) -> bool:
        """Pass on stdout as it comes, and of stderr whole lines of the program's own."""
        if stream == 0:
            return self._other.hears(data, stream)
        *lines, self._line = (self._line + data).splitlines(keepends=True) if data else [b""]
        if self._line.endswith(b"\n"):
            lines, self._line = [*lines, self._line], b""
        own = b"".join(line for line in lines if not line.startswith(_VERBOSE))
        return bool(own) and self._other.hears(own, stream)


class Asked(Readiness):
    """A function that says so."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function, self._last = function, ""
        self._name = getattr(function, "__name__", repr(function))
        self.shown = f"{self._name}() to be true"

    def check_before(self) -> None:
        """Refuse what is ready already."""
        if self.looks(_BEFORE_S):
            raise CannotMeasureError(
                f"{self._name}() is true already before the application is started: nothing would be measured; remove "
                f"what an earlier run left behind (a function that looks for a file may delete it when it is there), "
                f"or let it ask for what only this start makes true"
            )
        self._last = ""  # of this start nothing is known yet

    def looks(self, left_s: float) -> bool:
        """Ask once."""
        try:
            with given_up_after(left_s):
                answer = self._function()
            if isinstance(answer, _UNFINISHED):
                if isinstance(answer, Coroutine):
                    answer.close()  # or Python warns somewhere else that it was never awaited
                raise unfinished(self._name)
            return bool(answer)
        except OSError as problem:  # what most probes raise until they succeed
            self._last = f"it last raised {type(problem).__name__}: {problem}"
        except TargetHangsError:
            self._last = "the function did not return"
        return False

    def remark(self) -> str:
        """Say what it was told last."""
        return self._last and f"; {self._last}"


def unfinished(name: str) -> UsageError:
    """Make the error for a function whose answer is still to be had."""
    return UsageError(
        f"ready={name} gives something that has to be awaited or iterated, which is true whatever it would say: give a "
        f"plain function that returns the answer, for an async one lambda: asyncio.run({name}())"
    )


def free_port() -> int:
    """Return a port that nobody listens on; somebody may take it before the application does.

    It lies below the ports that systems give to whoever connects: trying one of those again and again may, by chance,
    connect to itself, which looks like an application that listens.
    """
    for port in random.sample(range(*_FREE_PORTS), _TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_LOOPBACK[0], port))
            return port
    raise CannotMeasureError(f"no free port was found between {_FREE_PORTS[0]} and {_FREE_PORTS[1]}")
