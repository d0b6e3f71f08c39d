"""Where a folder is in what was checked out: build servers name files from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path


def place_in_workspace(folder: Path, environ: Mapping[str, str]) -> str:
    """Say where *folder* is, seen from the workspace of the build server, else from the top of its repository.

    Args:
        folder: Such as pytest's root folder.
        environ: Environment variables; GitHub's runner names its workspace in one.

    Returns:
        Such as ``packages/parser``, always with ``/``; empty for the top itself and where there is none.
    """
    place = folder.resolve()
    top = next(_tops(place, environ), place)
    return "" if place == top else place.relative_to(top).as_posix()


def _tops(place: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    workspace = environ.get("GITHUB_WORKSPACE")
    if workspace and place.is_relative_to(Path(workspace).resolve()):
        yield Path(workspace).resolve()
    yield from (above for above in (place, *place.parents) if (above / ".git").exists())
