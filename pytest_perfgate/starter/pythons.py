"""Which version of Python a workflow uses, by what the project requires; reads no file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

#: What there is to choose from where the running one is not allowed, the version that most people test with first.
KNOWN = ((3, 13), (3, 12), (3, 14), (3, 11), (3, 10))
_CLAUSE = re.compile(r"(?P<comparison>~=|===?|!=|<=?|>=?)\s*v?(?P<release>\d+(?:\.\d+)*)(?:\.\*)?")
#: Longer than any release that is written, so that of 3.12 some patch release fits ``>3.12.1``.
_NEWEST_PATCH = 99


def allowed_python(requires: str, running: tuple[int, int] = sys.version_info[:2]) -> str:
    """Choose a version.

    Args:
        requires: Such as ``>=3.12,<4``; what is not understood limits nothing.
        running: The version that is taken when it is allowed, or when none is.

    Returns:
        Such as ``3.13``.
    """
    clauses = [found for found in map(_CLAUSE.fullmatch, map(str.strip, requires.split(","))) if found]
    fitting = (version for version in (running, *KNOWN) if all(_fits(version, clause) for clause in clauses))
    major, minor = next(fitting, running)
    return f"{major}.{minor}"


def _fits(version: Sequence[int], clause: re.Match[str]) -> bool:
    """Tell whether the newest patch release of a version is allowed; that is what a workflow gets."""
    release = [int(part) for part in clause["release"].split(".")]
    newest = [*version, _NEWEST_PATCH]
    starts = newest[: len(release)] == release
    below = newest < release + [0] * (3 - len(release))
    comparison = clause["comparison"]
    if comparison == "~=":
        return not below and newest[: len(release) - 1] == release[:-1]
    if comparison in ("==", "==="):  # a patch release that is named: its minor version is the nearest that can be
        return list(version)[: len(release)] == release[:2]
    if comparison == "!=":
        return not starts
    return not below if comparison.startswith(">") else below or (comparison == "<=" and starts)
