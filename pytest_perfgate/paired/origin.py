"""The proof that a worker imports what it should: where its roots were loaded from, and what it means if wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_perfgate.paired.environment.sides import Side


def loaded_from(roots: Sequence[str]) -> dict[str, str]:
    """Say where the roots that this process has imported came from.

    Args:
        roots: Dotted import names.

    Returns:
        Root -> its file, or the first folder of a package without one; only for what is imported.
    """
    places: dict[str, str] = {}
    for root in roots:
        module = sys.modules.get(root)
        if module is None:
            continue
        folders = getattr(module, "__path__", None) or [""]
        places[root] = str(getattr(module, "__file__", None) or next(iter(folders)))
    return places


def loaded_apart(files: Sequence[str]) -> dict[str, str]:
    """Say which modules this process has loaded from given files.

    Args:
        files: Absolute paths.

    Returns:
        Dotted name -> its file.
    """
    wanted = {os.path.normcase(os.path.realpath(file)): file for file in files}
    names = {os.path.split(file)[1] for file in wanted}  # to resolve few paths: this is asked after every test
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()) if wanted else ():
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.normcase(os.path.split(file)[1]) in names:
            place = os.path.normcase(os.path.realpath(file))
            if place in wanted:
                found[name] = wanted[place]
    return found


def shared_problem(side: Side, apart: Mapping[str, str]) -> str:
    """Say what is wrong with modules that differ and were loaded from the working tree all the same.

    Args:
        side: What the worker was to import.
        apart: What :func:`loaded_apart` said in the worker.

    Returns:
        One sentence; empty when there are none.
    """
    if not apart:
        return ""
    name, file = min(apart.items())
    more = f" (and {len(apart) - 1} more)" if len(apart) > 1 else ""
    named = ", ".join(f'"{root}"' for root in dict.fromkeys([*side.roots, name.partition(".")[0]]))
    return (
        f"{os.path.relpath(file)}{more} differs between base and head, but is not among what is compared "
        f"({', '.join(side.roots)}), so it was head's on both sides; name it: [tool.perfgate] packages = [{named}], or "
        f"move it to a folder of tests if it only serves them"
    )


def wrong_origins(side: Side, loaded: Mapping[str, str]) -> list[str]:
    """Find the roots that were not loaded from their side.

    Args:
        side: What the worker was to import.
        loaded: What :func:`loaded_from` said in the worker.

    Returns:
        A sentence for each, with the likely cause.
    """
    return [
        f"{root} was to be loaded from {side.name} ({side.label}) but came from {place or 'nowhere'}: {_cause()}"
        for root, place in loaded.items()
        if not _is_below(place, side.location)
    ]


def _is_below(place: str, location: Path) -> bool:
    if not place:
        return False
    path, top = Path(place), Path(location)
    return path.is_relative_to(top) or path.resolve().is_relative_to(top.resolve())


def _cause() -> str:
    """Name what gets past the redirection, the likeliest first."""
    return (
        "a plugin or a conftest.py loads it by its file name or before sitecustomize runs, or Python was started with "
        "-S, -I or another PYTHONPATH; import it by its name, or leave it out of [tool.perfgate] packages"
    )
