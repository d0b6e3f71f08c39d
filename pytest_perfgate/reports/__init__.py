"""Reports: a finished run as text of some format, written where the user asked.

A format is one file and one line of :data:`FORMATS`.  Verdicts and numbers are made elsewhere;
nothing here counts, compares or scales.
"""

from __future__ import annotations

import difflib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, TypeVar

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

_T = TypeVar("_T")


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


FORMATS: tuple[Format, ...] = (
    Format("json", "everything that was measured; the stored run of --perfgate-baseline", _renderer("jsonfile")),
    Format("junit", "JUnit XML that strict parsers accept, metrics in system-out", _renderer("junit")),
    Format("junit-properties", "JUnit XML, metrics as properties", _renderer("junit", "render_with_properties")),
    Format("markdown", "what a page of a build or of a pull request shows, verdict first", _renderer("markdown")),
    Format("github", "annotations of GitHub Actions, at the lines of the tests that fail", _renderer("github")),
    Format("text", "the table of the terminal", _renderer("text")),
)

Formats = Iterable[Format] | Mapping[str, Format]
"""The formats there are, with those of plugins; by name or not."""

#: Names that later versions give a meaning, so that nobody takes them for a spelling mistake.
_LATER = frozenset(
    (
        "html",
        "github-action-benchmark",
        "bencher",
        "pytest-benchmark",
        "pyperf",
        "openmetrics",
        "ctrf",
        "csv",
    )
)


def parse_report_spec(text: str, formats: Formats = FORMATS) -> ReportSpec:
    """Read ``FORMAT=PATH``.

    Args:
        text: What the user wrote.
        formats: Every format there is.

    Returns:
        The format's name and the path, ``~`` expanded.

    Raises:
        ReportPathError: There is no such format, or no path.
    """
    name, separator, path = (part.strip() for part in text.partition("="))
    known = tuple(_by_name(formats))
    if not separator:
        example = f"write FORMAT=PATH, such as json=run.json (formats: {', '.join(known)})"
        raise ReportPathError(f"{text!r} is not a report; {example}")
    if name not in known:
        raise ReportPathError(_about_unknown(name, known))
    if not path:
        raise ReportPathError(f"{text!r} has no path; write {name}=PATH, or {name}=- for standard output")
    return ReportSpec(name, str(Path(path).expanduser()) if path.startswith("~") else path)


def check_report_paths(specs: Sequence[ReportSpec], taken: Mapping[str, str | os.PathLike[str]] | None = None) -> None:
    """Make sure, before anything is measured, that every report can be written; nothing is created.

    Args:
        specs: What to write where.
        taken: What no report may overwrite, nor be overwritten by -> where it is.

    Raises:
        ReportPathError: One cannot, or two reports would go into the same file, or one into a file that is taken.
    """
    seen: dict[str, ReportSpec] = {}
    for spec in specs:
        if spec.path == STANDARD_OUTPUT:
            continue
        there = check_writable(spec.path)
        if there is not None and not stat.S_ISREG(there.st_mode):
            continue  # a device or a pipe takes several
        for what, path in (taken or {}).items():
            if _is_same_file(path, spec.path):
                report = f"{spec.format}={spec.path}"
                raise ReportPathError(f"the report {report} and {what} are one file; name another place for the report")
        first = seen.setdefault(os.path.realpath(spec.path), spec)
        if first is not spec:
            both = f"{first.format}={first.path} and {spec.format}={spec.path}"
            raise ReportPathError(f"two reports would go into the same file: {both}; name another place for one")


def _is_same_file(one: str | os.PathLike[str], other: str) -> bool:
    """Tell whether two paths lead to one file, by whatever links or spelling; it need not exist."""
    try:
        return Path(one).samefile(other)
    except OSError:  # one of them is not there yet
        return os.path.realpath(one) == os.path.realpath(other)


def write_reports(
    run: Run,
    specs: Sequence[ReportSpec],
    formats: Formats = FORMATS,
    stdout: TextIO | None = None,
) -> None:
    """Render every report, then write each one, completely or not at all.

    Args:
        run: The finished run.
        specs: What to write where.
        formats: Every format there is.
        stdout: Where ``-`` goes; None: standard output.

    Raises:
        PerfgateError: At least one report could not be had; the others were written all the same.
    """
    problems: list[PerfgateError] = []
    known = _by_name(formats)
    texts = [_attempt(problems, _rendered, run, known[spec.format]) for spec in specs]
    for spec, text in zip(specs, texts, strict=True):
        if text is not None:
            _attempt(problems, _write, text, spec.path, stdout or sys.stdout)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise PerfgateError("\n".join(map(str, problems)))


def _attempt(problems: list[PerfgateError], step: Callable[..., _T], *arguments: Any) -> _T | None:
    """Take one step; what goes wrong is kept for the end and stops no other report."""
    try:
        return step(*arguments)
    except PerfgateError as problem:
        problems.append(problem)
        return None


def _rendered(run: Run, wanted: Format) -> str:
    """Render one report; a format may come from a plugin, whose mistakes must not cost the other reports."""
    try:
        text: object = wanted.render(run)
    except PerfgateError:
        raise
    except Exception as problem:
        place = _last_line_of(problem)
        raise PerfgateError(
            f"the report format {wanted.name!r} failed with {type(problem).__name__}: {problem} ({place}); "
            "nothing was written for it: report this to whoever offers the format"
        ) from problem
    if not isinstance(text, str):
        raise PerfgateError(f"the report format {wanted.name!r} returned {type(text).__name__} and not a text")
    return text


def _write(text: str, path: str, stdout: TextIO) -> None:
    if path != STANDARD_OUTPUT:
        write_atomically(path, text)
        return
    stdout.write(encodable(text, stdout.encoding))
    stdout.flush()


def _last_line_of(problem: BaseException) -> str:
    """Say where *problem* was raised: the only line of a traceback that a person needs."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "no place" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _about_unknown(name: str, known: Sequence[str]) -> str:
    there = f"there are {', '.join(known)}"
    if name in _LATER:
        return f"the report format {name!r} is not available in this version; {there}"
    close = difflib.get_close_matches(name.lower(), known, n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no report format {name!r}; {meant}{there}"


def _by_name(formats: Formats) -> dict[str, Format]:
    return dict(formats) if isinstance(formats, Mapping) else {known.name: known for known in formats}
