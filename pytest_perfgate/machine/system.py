"""What psutil says of the machine, each fact with what to believe when psutil cannot tell."""

# ruff: noqa: PLC0415  # psutil costs some ms, which only those pay who ask it something
from __future__ import annotations

import os
import warnings


def total_cpus() -> int:
    """Count the logical CPUs of the machine, at least 1."""
    import psutil

    try:
        found = psutil.cpu_count()
    except (OSError, RuntimeError, psutil.Error):
        found = None
    return found or os.cpu_count() or 1


def usable_cpus() -> int:
    """Count the logical CPUs that this process may run on, at least 1."""
    import psutil

    try:
        allowed = psutil.Process().cpu_affinity()
    except (AttributeError, OSError, RuntimeError, psutil.Error):  # macOS has no affinity
        allowed = None
    return len(allowed) if allowed else total_cpus()


def total_memory_bytes() -> int:
    """Tell the memory of the machine in bytes, 0 when that cannot be found out."""
    import psutil

    try:
        with warnings.catch_warnings():
            # It warns of statistics that /proc/meminfo lacks in some containers; the total is not among them.
            warnings.simplefilter("ignore")
            return psutil.virtual_memory().total
    except (OSError, RuntimeError, ValueError, psutil.Error):
        return 0


def is_on_battery() -> bool:
    """Tell whether the machine surely runs on its battery; without a battery, or when unsure, it does not."""
    import psutil

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            battery = psutil.sensors_battery()
    except Exception:  # noqa: BLE001  # drivers answer with anything, and some platforms lack the function
        return False
    return battery is not None and battery.power_plugged is False
