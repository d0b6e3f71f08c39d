"""Stored runs: a :class:`~pytest_perfgate.model.Run` as a JSON file and back, without loss.

Here stand the format's number, its history and what opens a file; what a field looks like is in
``packing`` and ``reading``, how a file gets onto the disk in ``files``, and where it can in ``destinations``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pytest_perfgate.errors import BadRunFileError
from pytest_perfgate.model import Run
from pytest_perfgate.store.destinations import check_writable
from pytest_perfgate.store.fields import FieldError
from pytest_perfgate.store.files import write_atomically
from pytest_perfgate.store.packing import (
    clean_text,
    finding_to_dict,
    measurement_to_dict,
    packed_run,
    plain,
)
from pytest_perfgate.store.reading import (
    MAX_CASES,
    finding_from_dict,
    measurement_from_dict,
    run_from_fields,
)

__all__ = [
    "FORMAT",
    "MAX_BYTES",
    "MAX_CASES",
    "VERSION",
    "check_writable",
    "clean_text",
    "finding_from_dict",
    "finding_to_dict",
    "load_run",
    "load_run_text",
    "measurement_from_dict",
    "measurement_to_dict",
    "plain",
    "run_from_dict",
    "run_to_dict",
    "run_to_text",
    "store_run",
    "write_atomically",
]

FORMAT = "perfgate-run"

# History of the format; a change that an older reader would misunderstand takes a new number.
#   1  the first: schema/perfgate-run-1.json
VERSION = 1

#: A function per old version that turns its object into the next one's.  None yet: 1 is the first.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

#: More than a run of MAX_CASES cases with a hundred rounds each takes; beyond it, it is no run.
MAX_BYTES = 512 * 1024 * 1024

_AGAIN = "write it again with: pytest --perfgate --perfgate-report json=PATH"


def run_to_dict(run: Run) -> dict[str, Any]:
    """Turn *run* into the object of the JSON report: JSON types only, base units only."""
    return {"format": FORMAT, "version": VERSION} | packed_run(run)


def run_from_dict(raw: object) -> Run:
    """Turn the object of a JSON report into a run.

    Args:
        raw: What :func:`run_to_dict` returned, or a parsed file.

    Returns:
        The run; everything it says was checked.

    Raises:
        BadRunFileError: It is something else; the message gives the JSON path of the first offence.
    """
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise BadRunFileError(f"this is not a stored run but {_recognised(raw)}; {_AGAIN}")
    version = raw.get("version")
    if type(version) is not int or version < 1:
        raise BadRunFileError(f"version is {version!r}, which never was one; {_AGAIN}")
    if version > VERSION:
        raise BadRunFileError(
            f"this was written by a newer pytest-perfgate (format version {version}, "
            f"known up to {VERSION}); upgrade pytest-perfgate"
        )
    newest: dict[str, Any] = raw
    for old in range(version, VERSION):
        newest = MIGRATIONS[old](newest)
    try:
        return run_from_fields(newest)
    except FieldError as problem:
        raise BadRunFileError(f"{problem}; {_AGAIN}") from None
    except RecursionError:
        raise BadRunFileError(f"it is nested too deeply to be a stored run; {_AGAIN}") from None


def run_to_text(run: Run) -> str:
    """Write *run* as JSON text, one line per case so that two files can be compared by eye.

    Returns:
        ASCII text that ends with a line break; no NaN, no infinity.
    """
    encode = json.JSONEncoder(allow_nan=False).encode
    fields = []
    for key, value in run_to_dict(run).items():
        if key == "cases" and value:
            lines = ",\n".join(f"    {encode(case)}" for case in value)
            fields.append(f'  "cases": [\n{lines}\n  ]')
        else:
            fields.append(f"  {encode(key)}: {encode(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def store_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write *run* to *path*, completely or not at all.

    Raises:
        ReportPathError: It cannot be written there; the message says why and what to do.
    """
    write_atomically(path, run_to_text(run))


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a stored run.

    Args:
        path: A file that ``--perfgate-report json=PATH`` or :func:`store_run` wrote.

    Returns:
        The run, equal to the one that was stored.

    Raises:
        BadRunFileError: It is missing, unreadable, or not a stored run.
    """
    name = clean_text(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            # Pipes have no size, so what was read is counted as well.
            content = b"" if status.st_size > MAX_BYTES else file.read(MAX_BYTES + 1)
            too_large = status.st_size > MAX_BYTES or len(content) > MAX_BYTES
    except (OSError, ValueError) as problem:
        _explain(name, problem)
    if too_large:
        most = f"{MAX_BYTES // 1024**2} MiB"
        remedy = "if it is a stored run, store fewer tests in one run; else check the path"
        raise BadRunFileError(f"{name}: larger than {most}, so not read; {remedy}")
    return load_run_text(_decoded(content, name), name)


def load_run_text(text: str, name: str) -> Run:
    """Read a stored run from text that was read already, such as standard input.

    Args:
        text: The JSON report.
        name: What messages call it.

    Raises:
        BadRunFileError: It is empty, truncated, not JSON, or not a stored run.
    """
    if not text.strip():
        raise BadRunFileError(f"{name}: empty; {_AGAIN}")
    try:
        return run_from_dict(json.loads(text, parse_constant=_refuse))
    except BadRunFileError as problem:
        raise BadRunFileError(f"{name}: {problem}") from None
    except json.JSONDecodeError as problem:
        said = _about_syntax(text, problem)
        raise BadRunFileError(f"{name}: {said}; {_AGAIN}") from None
    except RecursionError:
        said = "nested too deeply to be a stored run"
        raise BadRunFileError(f"{name}: {said}; {_AGAIN}") from None
    except ValueError as problem:  # a whole number of thousands of digits
        raise BadRunFileError(f"{name}: a number is out of range ({problem}); {_AGAIN}") from None


def _refuse(word: str) -> NoReturn:
    raise BadRunFileError(f"holds {word}, which is no number and not JSON either; {_AGAIN}")


def _explain(name: str, problem: OSError | ValueError) -> NoReturn:
    """Say why a file could not be read and what to do."""
    match problem:
        case FileNotFoundError():
            said = f"there is no such file; {_AGAIN.replace('write it again', 'make it')}"
        case IsADirectoryError():
            said = "this is a folder; name the file in it"
        case PermissionError() if Path(name).is_dir():  # what Windows says of a folder
            said = "this is a folder; name the file in it"
        case PermissionError():
            said = "not readable by this user; change its permissions"
        case OSError():
            said = f"cannot be read ({problem.strerror or problem}); check the path"
        case _:
            said = f"cannot be the name of a file ({problem}); check the path"
    raise BadRunFileError(f"{name}: {said}") from None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        hint = _AGAIN
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what `>` makes in Windows PowerShell 5
            hint = "it looks like UTF-16; let --perfgate-report json=PATH write the file"
        raise BadRunFileError(f"{name}: not UTF-8 (byte {problem.start}); {hint}") from None


def _about_syntax(text: str, problem: json.JSONDecodeError) -> str:
    """Tell a file that was cut off from one that never was JSON."""
    place = f"line {problem.lineno}, column {problem.colno}"
    content = text.strip()
    cut_off = problem.pos >= len(text.rstrip()) or content[-1] != "}"
    if content[0] == "{" and cut_off:
        return f"truncated: it ends in the middle of the JSON ({place})"
    return f"not JSON: {problem.msg} ({place})"


def _recognised(raw: object) -> str:
    """Say what a JSON value that is no stored run looks like."""
    if not isinstance(raw, dict):
        return f"a JSON {'list' if isinstance(raw, list) else 'value'}"
    if "format" in raw:
        return f"a file whose format is {raw['format']!r:.60} and not {FORMAT!r}"
    if "benchmarks" in raw and "machine_info" in raw:
        return "a pytest-benchmark file, which this version cannot read"
    if "benchmarks" in raw and "version" in raw:
        return "a pyperf file, which this version cannot read"
    keys = ", ".join(map(repr, list(raw)[:3]))
    return f'a JSON object without "format": "{FORMAT}" (its first keys: {keys or "none"})'
