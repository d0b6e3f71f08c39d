"""What becomes of the interpreter lock of a free-threaded Python while something is measured."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Collection
from importlib.machinery import ExtensionFileLoader

from pytest_perfgate.measure.scaling import gil_is_enabled

_MOST_NAMED = 3


class GilWatch:
    """Remembers whether the lock was on, and what was imported, when it was made."""

    def __init__(self) -> None:
        self.was_enabled = gil_is_enabled()
        self._modules = frozenset(sys.modules)

    def remark(self) -> str:
        """Say that a Python made for threads runs one at a time all the same; empty where it does not, or was not."""
        if not sysconfig.get_config_var("Py_GIL_DISABLED") or not gil_is_enabled():
            return ""
        if self.was_enabled:
            return (
                "this free-threaded Python runs with its GIL on: PYTHON_GIL=1, -X gil=1, or an extension module that "
                "is not made for threads (Python's RuntimeWarning names it)"
            )
        names = extension_modules(set(sys.modules) - self._modules)
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        by = f"{', '.join(names[:_MOST_NAMED])}{more}" if names else "an extension module"
        return f"GIL re-enabled by {by} while the work ran: from then on its threads took turns"


def extension_modules(names: Collection[str]) -> list[str]:
    """Pick the modules that are not written in Python: only they can switch the lock back on."""
    loaders = {name: getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None) for name in names}
    return sorted(name for name, loader in loaders.items() if isinstance(loader, ExtensionFileLoader))
