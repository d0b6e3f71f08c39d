"""What the xdist controller adds: the lock directory, what workers collected, mistakes that workers found."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.plugin.exclusive import FileLocks
from pytest_perfgate.plugin.transport import FACTS_SUFFIX, raise_told

if TYPE_CHECKING:
    from pytest_perfgate.paired.environment import Sides
    from pytest_perfgate.plugin.reporting import Reporting


class Controller:
    """Prepares workers and listens to them.

    Args:
        config: The pytest configuration of the controller.
        reporting: The reporting half.
        baseline: Absolute path of the stored run to compare with, if any; workers may stand elsewhere.
        sides: What a paired comparison compares, or None.
    """

    def __init__(self, config: pytest.Config, reporting: Reporting, baseline: Path, sides: Sides | None) -> None:
        self._reporting, self._baseline, self._sides = reporting, baseline, sides
        self._directory = Path(tempfile.mkdtemp(prefix="pytest-perfgate-"))
        self._locks = FileLocks(self._directory, "controller")
        self._collecting: set[str] = set()
        self._has_started = False
        config.add_cleanup(self._clean_up)

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the locks are; one that replaces a dead worker starts while nobody measures.

        The first workers need no lock: xdist hands out no test before all of them have collected.
        """
        node.workerinput["perfgate"] = {
            "locks": str(self._directory),
            "baseline": str(self._baseline),
        }
        if self._sides is not None:
            from pytest_perfgate.plugin.pairing import packed_sides

            node.workerinput["perfgate"]["sides"] = packed_sides(self._sides)
        if self._has_started:
            if not self._collecting:
                self._locks.acquire_shared()
            self._collecting.add(node.gateway.id)

    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Let others measure again when the replacement has collected."""
        self._reporting.learn({"collected": ids})
        file = self._directory / f"{node.gateway.id}{FACTS_SUFFIX}"
        if file.exists():
            self._reporting.learn(json.loads(file.read_text("utf-8")))
        self._has_started = True
        self._settled(node)

    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker that ended in order says of its collection.

        Raises:
            pytest.UsageError: A marker cannot be meant.
        """
        self._settled(node)
        raise_told(node)
        facts = (getattr(node, "workeroutput", None) or {}).get("perfgate")
        if facts:
            self._reporting.learn(facts)

    def _settled(self, node: Any) -> None:
        self._collecting.discard(node.gateway.id)
        if not self._collecting:
            self._locks.release_shared()

    def _clean_up(self) -> None:
        self._locks.close()
        shutil.rmtree(self._directory, ignore_errors=True)
