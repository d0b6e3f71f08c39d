"""How much of the suite a run was asked for; where something is missing, whether that is anybody's mistake."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from pytest_perfgate.words import is_pattern, matches

#: Options that leave out tests before anybody counts them, or name tests in another way than by folders.
_NARROWING = ("keyword", "markexpr", "lf", "ignore", "ignore_glob", "pyargs")


class Extent:
    """What one run was asked to collect.

    Args:
        config: The pytest configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._root = config, config.rootpath.resolve()
        self._asked = list(self._folders())
        #: Modules and folders that were skipped or failed while they were collected: their tests are not known.
        self._unknown: list[str] = []

    def leave_out(self, collector: str) -> None:
        """Remember that the tests of a collector, a node id, are not known."""
        self._unknown.append(collector.partition("::")[0])

    def is_narrowed(self, deselected: Collection[str]) -> bool:
        """Tell whether the run was asked for single tests or files, or tests were deselected.

        Args:
            deselected: Node ids; those that ``--perfgate-only`` drops have no budget and so were not missed by one.
        """
        narrowed = any(self._config.getoption(name, None) for name in _NARROWING)
        return narrowed or not self._asked or (bool(deselected) and not self._config.getoption("perfgate_only"))

    def covers(self, row: str) -> bool:
        """Tell whether every test that *row*, a node id or a pattern, can speak of was to be collected.

        Returns:
            False as well where such a test may be in a module whose tests are not known.
        """
        file = row.partition("::")[0]
        if any(not one or matches(file, one) or file.startswith(f"{one}/") for one in self._unknown):
            return False
        place = self._root / _before_wildcards(file)
        return any(place.is_relative_to(folder) for folder in self._asked)

    def _folders(self) -> Iterator[Path]:
        """List the folders asked for; none when a file or a test was."""
        config, whole = self._config, self._root
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            yield whole
            return
        found = [Path(config.invocation_params.dir, arg).resolve() for arg in config.args]
        if not all(path.is_dir() for path in found):
            return
        yield from found
        testpaths = [whole / path for path in config.getini("testpaths")]
        if testpaths and all(any(path.is_relative_to(folder) for folder in found) for path in testpaths):
            yield whole


def _before_wildcards(file: str) -> str:
    """Keep the folders of *file* before the first one with a wildcard."""
    return "/".join(takewhile(lambda folder: not is_pattern(folder), file.split("/")))
