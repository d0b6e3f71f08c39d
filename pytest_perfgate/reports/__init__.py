"""Reports: a finished run as text of some format, written where the user asked.

A format is one file and one line of :data:`FORMATS`.  Verdicts and numbers are made elsewhere;
nothing here counts, compares or scales.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TextIO

from pytest_perfgate.errors import PerfgateError, ReportPathError
from pytest_perfgate.model import Run
from pytest_perfgate.reports._format import encodable
from pytest_perfgate.store import check_writable, write_atomically

__all__ = [
    "FORMATS",
    "STANDARD_OUTPUT",
    "Format",
    "ReportSpec",
    "check_report_paths",
    "parse_report_spec",
    "write_reports",
]

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of report."""

    name: str
    """As in ``--perfgate-report NAME=PATH``."""
    summary: str
    """One line for ``--help`` and the documentation."""
    render: Callable[[Run], str]
    """Turns the finished run into the text of the file."""


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """What the user asked for with ``--perfgate-report FORMAT=PATH``."""

    format: str
    """Name of a format."""
    path: str
    """Where; ``-`` is standard output."""


def _renderer(module: str, function: str = "render") -> Callable[[Run], str]:
    """Import a format's file only when it is used: they need libraries that others do not."""

    def render(run: Run) -> str:
        found: Callable[[Run], str] = getattr(import_module(f"{__name__}.{module}"), function)
        return found(run)

    return render


FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        Format("json", "everything that was measured; the stored run of --perfgate-baseline", _renderer("jsonfile")),
        Format("junit", "JUnit XML that strict parsers accept, metrics in system-out", _renderer("junit")),
        Format("junit-properties", "JUnit XML, metrics as properties", _renderer("junit", "render_with_properties")),
        Format("text", "the table of the terminal", _renderer("text")),
    )
}

#: Names that later versions give a meaning, so that nobody takes them for a spelling mistake.
_LATER = frozenset(
    "markdown html github github-action-benchmark bencher pytest-benchmark pyperf openmetrics ctrf csv".split()
)


def parse_report_spec(text: str, formats: Mapping[str, Format] = FORMATS) -> ReportSpec:
    """Read ``FORMAT=PATH``.

    Args:
        text: What the user wrote.
        formats: Every format there is, by name.

    Returns:
        The format's name and the path, ``~`` expanded.

    Raises:
        ReportPathError: There is no such format, or no path.
    """
    name, separator, path = (part.strip() for part in text.partition("="))
    known = ", ".join(formats)
    if not separator:
        raise ReportPathError(f"{text!r} is not a report; write FORMAT=PATH, such as json=run.json (formats: {known})")
    if name not in formats:
        if name in _LATER:
            raise ReportPathError(f"the report format {name!r} is not available in this version; there are {known}")
        close = difflib.get_close_matches(name.lower(), formats, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ";"
        raise ReportPathError(f"there is no report format {name!r}{meant} There are {known}".replace("; There", "; there"))
    if not path:
        raise ReportPathError(f"{text!r} has no path; write {name}=PATH, or {name}=- for standard output")
    return ReportSpec(name, os.path.expanduser(path))


def check_report_paths(specs: Sequence[ReportSpec]) -> None:
    """Make sure, before anything is measured, that every report can be written; nothing is created.

    Raises:
        ReportPathError: One cannot, or two reports would go into the same file.
    """
    seen: dict[str, ReportSpec] = {}
    for spec in specs:
        if spec.path == STANDARD_OUTPUT:
            continue
        check_writable(spec.path)
        first = seen.setdefault(os.path.realpath(spec.path), spec)
        if first is not spec and os.path.isfile(spec.path) or ...:
            pass
