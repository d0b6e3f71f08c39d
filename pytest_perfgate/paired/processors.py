"""Which processors workers can be bound to, one after the other."""

from __future__ import annotations

import psutil


def usable_processors() -> tuple[int, ...]:
    """Return the numbers of the processors this process may use; empty where processes cannot be bound to one."""
    try:
        mine = psutil.Process().cpu_affinity()
    except (psutil.Error, OSError, AttributeError):  # AttributeError: macOS
        return ()
    return tuple(mine or ())
