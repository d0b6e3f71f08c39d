"""Where a test is written, for reports that point at its line."""

from __future__ import annotations

import linecache
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.model import Location

#: Between the first decorator of a test and its ``def``; a table of parameters may be long.
_MOST_LINES = 2000


def location_of(item: pytest.Item) -> Location:
    """Say where *item* is written.

    Args:
        item: A collected test of any kind.

    Returns:
        File and, where it is known, line.  A test that is written outside the root folder (inherited from an
        installed package) is said to be in the file that collected it.
    """
    from pytest_perfgate.model import Location

    file, first, _ = item.location
    place = file.replace(os.sep, "/")
    if place.startswith("../") or Path(file).is_absolute():
        return Location(file=item.nodeid.partition("::")[0])
    if first is None:
        return Location(file=place)
    return Location(file=place, line=1 + _def_line(item, str(item.config.rootpath / file), first))


def _def_line(item: pytest.Item, path: str, first: int) -> int:
    """Find the line of the ``def``, from 0; pytest knows that of the first decorator."""
    if not isinstance(item, pytest.Function):
        return first
    wanted = re.compile(rf"\s*(?:async\s+)?def\s+{re.escape(item.originalname)}\b")
    lines = linecache.getlines(path)[first : first + _MOST_LINES]
    return first + next((number for number, line in enumerate(lines) if wanted.match(line)), 0)
