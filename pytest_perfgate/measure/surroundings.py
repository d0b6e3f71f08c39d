"""What in this process makes its numbers unlike those of ordinary runs: tracers, debuggers, development modes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import tracemalloc

_TOOLS = {0: "a debugger", 1: "coverage", 2: "a profiler", 5: "an optimizer"}
_TOOL_IDS = 6


def watchers() -> tuple[str, ...]:
    """Name what watches this process run, such as ``a trace function (coverage)``."""
    found = []
    for kind, function in (("trace", sys.gettrace()), ("profile", sys.getprofile())):
        if function is not None:
            found.append(f"a {kind} function ({_origin(function)})")
    monitoring = getattr(sys, "monitoring", None)  # 3.12
    if monitoring is not None:
        for tool in range(_TOOL_IDS):
            name = monitoring.get_tool(tool)
            if name is not None and monitoring.get_events(tool):
                found.append(f"{_TOOLS.get(tool, 'a tool')} ({name})")
    return tuple(found)


def memory_watchers() -> tuple[str, ...]:
    """Name what watches this process and keeps memory of its own for it: growth may be theirs."""
    found = list(watchers())
    if tracemalloc.is_tracing():
        found.append("tracemalloc")
    if _memray_is_tracking():
        found.append("memray")
    return tuple(found)


def _memray_is_tracking() -> bool:
    """Tell by what memray hands to new threads as long as it tracks; it has no other sign that can be seen."""
    return "memray" in sys.modules and _origin(threading.getprofile()) == "memray"


def disturbances() -> tuple[str, ...]:
    """List what slows this process down beside the target, one sentence each."""
    found = [f"{watcher} is watching this process: times are those of watched code" for watcher in watchers()]
    if tracemalloc.is_tracing():
        found.append("tracemalloc is tracing: allocations take several times as long as they would")
    if sys.flags.dev_mode:
        found.append("Python's development mode is on (-X dev): times are those of checked code")
    elif os.environ.get("PYTHONMALLOC", "").endswith("debug") and not sys.flags.ignore_environment:
        found.append("the debugging allocator is on (PYTHONMALLOC): times are those of checked memory")
    if _loop_is_debugged():
        found.append("asyncio's debug mode is on: every step of the event loop takes several times as long")
    return tuple(found)


def _loop_is_debugged() -> bool:
    try:
        return asyncio.get_running_loop().get_debug()
    except RuntimeError:
        return False


def _origin(thing: object) -> str:
    """Name the package that a function or a callable object comes from."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0]
