"""The sides of ``dist:REQUIREMENT``: a release as base; as head the project, or what is installed."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.building import installed_roots
from pytest_perfgate.paired.environment.cache import obtain
from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.installer import InstallError, install, platform_key
from pytest_perfgate.paired.environment.locating import installed_files, installed_version
from pytest_perfgate.paired.environment.trees import copy_files

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*"
    r"(?P<rest>@\s*\S.*|\(?\s*(?:(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;]+\s*,?\s*)*\)?)(?:;.*)?"
)
#: Exactly one version, which never changes.
_PINNED = re.compile(r"={2,3}\s*[^*,\s]+")
#: Where the installer looks changes what it finds.
_INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "UV_INDEX_URL")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What follows ``dist:``.

    Attributes:
        text: As it is written.
        name: Of the distribution.
        pinned: Whether it can mean one version only.
    """

    text: str
    name: str
    pinned: bool


def read_requirement(text: str) -> Requirement:
    """Read a requirement.

    Args:
        text: ``yarl==1.9.2``, ``yarl<2``, ``yarl``, ``yarl @ URL``.

    Returns:
        Its parts.

    Raises:
        AgainstError: It is none.
    """
    found = _REQUIREMENT.fullmatch(text.strip())
    if found is None:
        raise AgainstError(f"dist:{text} names no distribution; write dist:NAME==VERSION, such as dist:yarl==1.9.2")
    return Requirement(text.strip(), found["name"], bool(_PINNED.fullmatch(found["rest"].strip(" ()"))))


def release(wanted: Requirement, tree: Path, cache: Path, say: Callable[[str], None]) -> Draft:
    """Install a release as base.

    Args:
        wanted: Which.
        tree: Where its files go.
        cache: Where installed releases are kept; one that is not pinned is looked for anew every day.
        say: Receives a line when it takes long.

    Returns:
        The side.

    Raises:
        AgainstError: It cannot be found or installed, or there is nothing in it to import.
    """
    said = "" if wanted.pinned else dt.datetime.now(dt.timezone.utc).date().isoformat()

    def make(folder: Path) -> None:
        say(f"installing {wanted.text} ...")
        install(wanted.text, folder)

    key = platform_key(wanted.text, said, *(os.environ.get(name, "") for name in _INDEX_VARIABLES))
    try:
        entry = obtain(cache, f"dist-{key}", make)
    except InstallError as problem:
        raise AgainstError(
            f"dist:{wanted.text} cannot be installed on this Python; check name and version with "
            f"`pip download --no-deps {wanted.text!r}`, its output ends with\n{problem}"
        ) from None
    shutil.copytree(entry, tree, symlinks=True)
    roots = installed_roots(tree)
    if not roots:
        raise AgainstError(f"dist:{wanted.text} holds nothing to import; name the distribution that holds the package")
    return Draft(name="base", label=_label(wanted, tree), tree=tree, roots=roots, installed=True)


def _label(wanted: Requirement, tree: Path) -> str:
    for folder in tree.glob("*.dist-info"):
        return f"{wanted.name} {folder.name.removesuffix('.dist-info').rpartition('-')[2]}"
    return wanted.text


def installed(wanted: Requirement, tree: Path) -> Draft | None:
    """Copy the distribution that is installed as head.

    Args:
        wanted: Its name counts.
        tree: Where its files go.

    Returns:
        The side; None when it is installed as a link to where it is developed.

    Raises:
        AgainstError: It is not installed.
    """
    found = installed_files(wanted.name)
    if found is None:
        raise AgainstError(
            f"{wanted.name} is neither this project nor installed here, so there is nothing to compare "
            f"dist:{wanted.text} with; run `pip install {wanted.name}`"
        )
    folder, names = found
    copy_files(folder, names, tree)
    roots = {name: where for name, where in installed_roots(tree).items() if not name.startswith("__editable__")}
    if not roots or any(name.endswith(".pth") for name in names):
        shutil.rmtree(tree)
        return None
    label = f"{wanted.name} {installed_version(wanted.name)} as installed"
    return Draft(name="head", label=label, tree=tree, roots=roots, installed=True)
