"""Where the running environment has things: import names, installed distributions and their files."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path


def locate_module(name: str) -> Path | None:
    """Say where this process would import a name from; packages above it get imported.

    Args:
        name: Dotted import name.

    Returns:
        The ``__init__`` or module file, or the first folder of a namespace; None when it cannot be imported.
    """
    try:
        spec = find_spec(name)
    except Exception:  # noqa: BLE001  # a package above it may do anything when it is imported
        return None
    if spec is None:
        return None
    if spec.origin and spec.has_location:
        return Path(spec.origin)
    return next((Path(folder) for folder in spec.submodule_search_locations or ()), None)


def normalised(name: str) -> str:
    """Write the name of a distribution the one way in which names are compared.

    Args:
        name: As anybody wrote it.

    Returns:
        In lower case, with single dashes.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_version(name: str | None) -> str | None:
    """Say which version of a distribution is installed.

    Args:
        name: Of the distribution, if it is known.

    Returns:
        The version; None when it is not installed.
    """
    try:
        return metadata.version(name) if name else None
    except (metadata.PackageNotFoundError, KeyError):
        return None


def installed_files(name: str) -> tuple[Path, list[str]] | None:
    """List what a distribution has installed, as far as it lies where it can be imported.

    Args:
        name: Of the distribution.

    Returns:
        The folder, and relative paths with ``/`` of files that exist; None when it is not installed or keeps no list.
    """
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    folder = Path(str(found.locate_file(""))).resolve()
    paths = [file.as_posix() for file in found.files or () if ".." not in file.parts and file.suffix != ".pyc"]
    return folder, [path for path in paths if (folder / path).is_file()]
