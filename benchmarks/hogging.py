"""Processes that keep processors busy beside what the benchmarks measure."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Keep processors busy, each in a session of its own.

    Linux may share out processors by sessions (autogroup): hogs in one session would have to do with a single share
    together, and disturb less than the programs of so many users.
    """
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()
