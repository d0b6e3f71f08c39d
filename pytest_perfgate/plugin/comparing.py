"""What a run is compared with: a stored run, or two sides that are measured now."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.model import Machine, MatchedProfile, Python
    from pytest_perfgate.paired.environment import Sides
    from pytest_perfgate.settings import Settings

#: Key in xdist's workerinput.
INPUT = "perfgate"


def is_side_worker(config: pytest.Config) -> bool:
    """Tell whether this process is a worker of a paired comparison."""
    side_worker = sys.modules.get("pytest_perfgate.plugin.side_worker")
    return side_worker is not None and side_worker.RESPONDENT in config.stash


def runs_no_test(config: pytest.Config) -> bool:
    """Tell whether pytest only shows what it would run, or how it would be set up: nothing can be measured then."""
    return any(config.getoption(option, False) for option in ("collectonly", "setuponly", "setupplan"))


def prepared_sides(config: pytest.Config, settings: Settings, worker_input: dict[str, Any] | None) -> Sides | None:
    """Prepare what the paired comparison compares; None without one."""
    if settings.against is None or is_side_worker(config) or runs_no_test(config):
        return None
    if config.getoption("perfgate_baseline") is not None and config.getoption("perfgate_against") is None:
        return None  # the configuration's base is for runs that say nothing else
    from pytest_perfgate.plugin.pairing import locate, unpacked_sides

    if worker_input is not None:
        return unpacked_sides(worker_input[INPUT]["sides"])
    from pytest_perfgate.paired.environment import prepared

    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)
    return stack.enter_context(
        prepared(settings.against, root=config.rootpath, packages=settings.packages, locate=locate, say=_teller(config))
    )


def _teller(config: pytest.Config) -> Callable[[str], None]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return (lambda _: None) if reporter is None else (lambda line: reporter.write_line(f"perfgate: {line}"))


def stored_baseline(
    config: pytest.Config,
    settings: Settings,
    machine: Machine,
    python: Python,
    matched: MatchedProfile,
    worker_input: dict[str, Any] | None,
) -> Baseline | None:
    """Load the stored run to compare with; None without one, or where another version of the code takes its place.

    Raises:
        UsageError: Both are asked for with equal right.
    """
    if settings.baseline is None or is_side_worker(config):
        return None
    if settings.against is not None:
        if config.getoption("perfgate_against") is not None and config.getoption("perfgate_baseline") is None:
            return None  # the configuration's baseline is for runs that say nothing else
        if config.getoption("perfgate_against") is not None or config.getoption("perfgate_baseline") is None:
            raise UsageError("both a base (against) and a baseline are given: compare with one or the other")
    from pytest_perfgate.gate import Baseline
    from pytest_perfgate.store import load_run

    path = Path(worker_input[INPUT]["baseline"]) if worker_input else baseline_path(config, settings)
    return Baseline(
        load_run(path),
        against=settings.baseline,
        machine=machine,
        python=python,
        profile=matched.name,
    )


def baseline_path(config: pytest.Config, settings: Settings) -> Path:
    """Find the baseline: an option counts from where pytest was called, the configuration from its own folder."""
    by_option = config.getoption("perfgate_baseline") is not None
    return Path(config.invocation_params.dir if by_option else config.rootpath, settings.baseline or "")
