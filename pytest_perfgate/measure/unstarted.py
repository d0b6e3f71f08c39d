"""Why a program could not be started, in words that help; starting one is :mod:`pytest_perfgate.measure.process`'s."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


def why_not_started(program: str, env: Mapping[str, str], cwd: str | None, problem: OSError) -> str:
    """Say why a program could not be started and what to do about it.

    Args:
        program: As the user wrote it.
        env: The whole environment it was to have.
        cwd: Directory it was to run in; None for ours.
        problem: What the system said.
    """
    path = env.get("PATH", os.defpath)
    located = _located(program, path, cwd)
    if isinstance(problem, FileNotFoundError):
        if located is not None:
            return (
                f"{program!r} exists, but what its first line asks to be run by does not "
                f"({located}); install the package that provides it again"
            )
        return f"{program!r} was not found{_where_to_look(program, path)}"
    if isinstance(problem, PermissionError):
        if located and located.is_dir():
            return f"{program!r} is a directory ({located}); name the program that is to be started"
        return f"{program!r} is not executable ({located or program}); make it executable or name its program"
    return f"{program!r} could not be started: {problem.strerror or problem}"


def _located(program: str, path: str, cwd: str | None) -> Path | None:
    if os.path.dirname(program):  # noqa: PTH120  # Path("./app") forgets the "./"
        found = Path(cwd or ".", program)
        return found if found.exists() else None
    there = (Path(folder, program) for folder in path.split(os.pathsep) if folder)
    return next((one for one in there if one.exists()), None)


def _where_to_look(program: str, path: str) -> str:
    """Suggest what could be meant by a program that is not there."""
    if os.path.dirname(program):  # noqa: PTH120  # as above
        return ": no such file"
    beside = shutil.which(program, path=str(Path(sys.executable).parent))
    if beside:
        return f" on PATH, but {beside} exists; activate the environment or name that file"
    close = difflib.get_close_matches(program, _programs(path), 1)
    meant = f"did you mean {close[0]!r}? Or, " if close else ""
    where = f"this environment ({sys.prefix})"
    return f" on PATH; {meant}if a Python package provides it, is that package installed in {where}?"


def _programs(path: str) -> list[str]:
    names: set[str] = set()
    for folder in path.split(os.pathsep):
        with contextlib.suppress(OSError):
            names.update(os.listdir(folder or "."))  # noqa: PTH208  # names are all that is wanted
    return sorted(names)
