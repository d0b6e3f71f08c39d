"""A performance gate for pytest: measure, judge, report.

The public names are imported on first use, so that an idle plugin costs nothing.

PYTEST_DONT_REWRITE: the workers of a paired comparison import this package before pytest, which warns of it otherwise,
and where a suite has ``filterwarnings = error`` no worker would start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_perfgate.metrics import Metric
    from pytest_perfgate.model import (
        Better,
        Budget,
        Case,
        Change,
        Finding,
        Limit,
        Machine,
        Measurement,
        Profile,
        Run,
        Verdict,
    )
    from pytest_perfgate.reports import Format
    from pytest_perfgate.store import load_run, store_run

    __version__: str

_HOME = {
    "Better": "model",
    "Budget": "model",
    "Case": "model",
    "Change": "model",
    "Finding": "model",
    "Format": "reports",
    "Limit": "model",
    "Machine": "model",
    "Measurement": "model",
    "Metric": "metrics",
    "Profile": "model",
    "Run": "model",
    "Verdict": "model",
    "load_run": "store",
    "store_run": "store",
}

__all__ = [  # noqa: RUF022  # kept in the order of _HOME, which a test compares with it
    "Better",
    "Budget",
    "Case",
    "Change",
    "Finding",
    "Format",
    "Limit",
    "Machine",
    "Measurement",
    "Metric",
    "Profile",
    "Run",
    "Verdict",
    "load_run",
    "store_run",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import a public name, or read the version, when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # 20 ms that `pytest` need not pay

        return version("pytest-perfgate")
    if name in _HOME:
        from importlib import import_module  # noqa: PLC0415  # only when something is asked for

        return getattr(import_module(f"pytest_perfgate.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
