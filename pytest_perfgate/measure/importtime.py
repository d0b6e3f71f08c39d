"""Which module takes how long to import, and who asked for it, as ``python -X importtime`` tells; no gated number.

Telling costs 4 to 10 % of the time, so that it is a run of its own and its times are shares to point with.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

#: Makes an interpreter tell.
ENVIRONMENT: Mapping[str, str] = {"PYTHONPROFILEIMPORTTIME": "1"}

#: ``import time:   271 |    271 |   encodings.utf_8``: two blanks for each level; who asks comes after what it imports.
_ROW = re.compile(r"import time:\s+(?P<own>\d+) \|\s+(?P<all>\d+) \| (?P<depth> *)(?P<module>\S+)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTime:
    """One module."""

    module: str
    own_s: float
    """Without what it imports."""
    total_s: float
    """With what it is the first to import."""
    imported_by: str
    """The module that imported it first; empty for what was asked for."""


def read_import_times(stderr: str, only: Collection[str]) -> list[ImportTime]:
    """Read what the interpreter told.

    Args:
        stderr: All that it wrote; what is not of this kind is passed over, threads may break a line.
        only: Names of the modules that count; those of a bare interpreter do not.

    Returns:
        The modules in the order in which their imports ended.
    """
    found: list[ImportTime] = []
    waiting: list[tuple[int, int]] = []
    parents: dict[int, str] = {}
    for row in map(_ROW.match, stderr.splitlines()):
        if row is None or row["module"] not in only:
            continue
        depth = len(row["depth"])
        while waiting and waiting[-1][0] > depth:
            _, place = waiting.pop()
            parents.setdefault(place, row["module"])
        waiting.append((depth, len(found)))
        found.append(
            ImportTime(module=row["module"], own_s=int(row["own"]) / 1e6, total_s=int(row["all"]) / 1e6, imported_by="")
        )
    return [
        ImportTime(module=one.module, own_s=one.own_s, total_s=one.total_s, imported_by=parents.get(place, ""))
        for place, one in enumerate(found)
    ]


def slowest(times: Collection[ImportTime], most: int) -> list[ImportTime]:
    """Return those that take longest by themselves, the worst first."""
    return sorted(times, key=lambda one: (-one.own_s, one.module))[:most]
