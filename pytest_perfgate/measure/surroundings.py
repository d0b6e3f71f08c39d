"""What in this process makes its times unlike those of ordinary runs: tracers, debuggers, development modes."""

from __future__ import annotations

import sys
import threading

_TOOLS = {0: "a debugger", 1: "coverage", 2: "a profiler", 5: "an optimizer"}
_TOOL_IDS = 6


def disturbances() -> tuple[str, ...]:
    """List what slows this process down beside the target, one sentence each."""
    found = []
    tracer = sys.gettrace()
    if tracer is not None:
        found.append(f"a trace function is active ({_name(tracer)}): times are those of traced code")
    if sys.getprofile() is not None or getattr(threading, "getprofile", lambda: None)() is not None:
        found.append(f"a profile function is active ({_name(sys.getprofile())}): times are those of profiled code")
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        for tool in range(_TOOL_IDS):
            name = monitoring.get_tool(tool)
            if name is not None and monitoring.get_events(tool):
                what = _TOOLS.get(tool, "a tool")
                found.append(f"{what} is watching this process ({name}): times are those of monitored code")
    if sys.flags.dev_mode:
        found.append("Python's development mode is on (-X dev): times are those of checked code")
    return tuple(found)


def _name(thing: object) -> str:
    kind = type(thing)
    module = getattr(thing, "__module__", None) or kind.__module__
    return str(module)
