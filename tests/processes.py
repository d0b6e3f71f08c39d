"""What tests ask about processes that they do not wait for themselves."""

from __future__ import annotations

import psutil


def is_gone(pid: int) -> bool:
    """Tell whether a process ends, reaped or not, within ten seconds."""
    try:
        left = psutil.Process(pid)
        for _ in range(500):
            if left.status() == psutil.STATUS_ZOMBIE:
                return True
            psutil.wait_procs([left], timeout=0.02)
    except psutil.NoSuchProcess:
        return True
    return False
