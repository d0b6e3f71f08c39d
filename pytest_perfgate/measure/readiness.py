"""What a user calls ready: output, a pattern, a port, an HTTP status, or what a function says.

How it is found out is in :mod:`pytest_perfgate.measure.probes`; starting and stopping the application is
:mod:`pytest_perfgate.measure.application`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from pytest_perfgate.errors import UsageError
from pytest_perfgate.measure.probes import (
    PORT,
    TYPICAL_STATUS,
    Answering,
    Asked,
    FirstOutput,
    Listening,
    Matching,
    Readiness,
    unfinished,
)
from pytest_perfgate.measure.targets import is_async

FIRST_OUTPUT = ("output", "first_output")
_LARGEST_PORT = 65535
_FORMS = (
    '"output" (the first output), re.compile("..."), a port such as 8000, "port" with {port} in the command, '
    '"http://127.0.0.1:8000/health", or a function'
)


def make_readiness(
    ready: object, *, status: object = None, has_placeholder: bool
) -> tuple[Callable[[int], Readiness], bool]:
    """Check what a user calls ready.

    Args:
        ready: One of the forms that :mod:`.readiness` knows.
        status: HTTP status, or several of which any will do; None for 200 to 399.
        has_placeholder: Whether :data:`.probes.PORT` is in the command or its environment.

    Returns:
        What makes the readiness of one run, given a free port, and whether it needs that port.

    Raises:
        UsageError: It cannot be meant.
    """
    is_url = isinstance(ready, str) and "://" in ready
    if status is not None and not is_url:
        raise UsageError(f"status={status!r} is for a URL, and ready={ready!r} is none")
    if isinstance(ready, str) and (ready == "port" or PORT in ready):
        if not has_placeholder:
            raise UsageError(
                f'ready={ready!r} chooses a free port: write {PORT} in the command, such as "--port={PORT}"'
            )
        if ready == "port":
            return Listening, True
        _check_url(ready.replace(PORT, "8000"))
        wanted = _statuses(status)
        return (lambda port: Answering(ready.replace(PORT, str(port)), wanted)), True
    if isinstance(ready, str) and is_url:
        _check_url(ready)
        wanted = _statuses(status)
        return (lambda _: Answering(ready, wanted)), False
    names_port = isinstance(ready, int) or (isinstance(ready, str) and ready not in FIRST_OUTPUT)
    return _without_url(ready), has_placeholder and not names_port


def _without_url(ready: object) -> Callable[[int], Readiness]:
    if isinstance(ready, str) and ready in FIRST_OUTPUT:
        return lambda _: FirstOutput()
    if isinstance(ready, re.Pattern):
        return lambda _: Matching(ready)
    if isinstance(ready, int) and not isinstance(ready, bool):
        port = _checked_port(ready)
        return lambda _: Listening(port)
    if callable(ready):
        if is_async(ready):
            raise unfinished(getattr(ready, "__name__", repr(ready)))
        return lambda _: Asked(ready)
    if isinstance(ready, str):
        host, colon, port_text = ready.rpartition(":")
        if colon and host and port_text.isdigit() and not set(host) & set(" \t/\\*+?()|^$"):
            number = _checked_port(int(port_text))
            return lambda _: Listening(number, (host.strip("[]"),))
        raise UsageError(f"ready={ready!r} is none of {_FORMS}; for a text to wait for write re.compile({ready!r})")
    if ready is None:
        raise UsageError(f"an application needs ready=, by which it is told to be ready: {_FORMS}")
    raise UsageError(f"ready={ready!r} is none of {_FORMS}")


def _checked_port(port: int) -> int:
    if not 1 <= port <= _LARGEST_PORT:
        raise UsageError(f'ready={port} is not a port (1 to {_LARGEST_PORT}); for a free one write ready="port"')
    return port


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_fine = False
    if not is_fine:
        raise UsageError(f'ready={url!r} is not a URL such as "http://127.0.0.1:8000/health" (http only, no https)')


def _statuses(status: object) -> Collection[int]:
    if status is None:
        return TYPICAL_STATUS
    wanted = status if isinstance(status, Collection) and not isinstance(status, str) else (status,)
    if not wanted or any(isinstance(one, bool) or not isinstance(one, int) or not 100 <= one <= 599 for one in wanted):  # noqa: PLR2004  # what HTTP has
        raise UsageError(f"status={status!r} is not an HTTP status or a list of them")
    return frozenset(wanted)
