"""Puts the facts together; where each of them comes from is in the files beside this one."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from pytest_perfgate.machine import system
from pytest_perfgate.machine.cgroups import cpu_quota, memory_limit_bytes
from pytest_perfgate.machine.hosted import hosted_ci
from pytest_perfgate.machine.processor import cpu_model
from pytest_perfgate.model import Machine, Python

_ROOT = Path("/")
_OS_NAMES = {"darwin": "macos"}


def current_machine(*, root: Path = _ROOT, environ: Mapping[str, str] | None = None) -> Machine:
    """Find out what this machine is, as far as the process may use it.

    Args:
        root: Where ``proc`` and ``sys`` are looked for.
        environ: The environment that tells a hosted CI; None: that of the process.

    Returns:
        The facts.  Cores count affinity and cgroup quotas, memory counts cgroup limits; one that cannot be found
        out is empty or 0, none of them raises.
    """
    name = platform.system().lower()
    memory_total = system.total_memory_bytes()
    limit = memory_limit_bytes(root)
    return Machine(
        os=_OS_NAMES.get(name, name),
        os_release=platform.release(),
        arch=platform.machine(),
        cpu=cpu_model(root),
        cores=capacity(root=root),
        cores_total=system.total_cpus(),
        memory_bytes=memory_total if limit is None else min(limit, memory_total or limit),
        memory_total_bytes=memory_total,
        on_battery=system.is_on_battery(),
        ci=hosted_ci(os.environ if environ is None else environ),
        hostname=platform.node(),
    )


def capacity(*, root: Path = _ROOT) -> float:
    """Count the cores that this process may use.

    Args:
        root: Where ``proc`` and ``sys`` are looked for.

    Returns:
        The smaller of the CPUs it may run on and the cgroup quota on their time, > 0; 1.5 is possible.
    """
    usable, quota = float(system.usable_cpus()), cpu_quota(root)
    return usable if quota is None else min(usable, quota)


def current_python() -> Python:
    """Describe the interpreter that runs this."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    debug = bool(sysconfig.get_config_var("Py_DEBUG")) or hasattr(sys, "gettotalrefcount")
    return Python(
        implementation=platform.python_implementation(),
        version=platform.python_version(),
        build=" ".join(["free-threaded"] * free_threaded + ["debug"] * debug),
    )
