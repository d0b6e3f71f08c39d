"""The two sides of a comparison as they lie on disk, ready to be imported; how they got there is not said here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.paired.environment.binaries import renew

#: Would send the bytecode that was made beforehand to the wrong place, or would have it compiled anew.
_BYTECODE_VARIABLES = ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One version of the code under test.

    Attributes:
        name: ``base`` or ``head``.
        label: What it is called in messages: ``3f2c1ab (origin/main)``, ``../other``, ``yarl 1.9.2``,
            ``the working tree``.
        bootstrap: Folder that comes first on ``PYTHONPATH``; its ``sitecustomize.py`` redirects the imports.
        location: Folder under which everything lies that is imported from this side.
        roots: Dotted import names that are redirected, the same on both sides: ``("yarl",)``, ``("ns.pkg", "_fast")``.
        missing: Those of the roots that this side lacks; importing them is a ``ModuleNotFoundError`` that says so.
        binaries: Compiled files that only this side has, relative to the location: each round gets new copies of them.
        project: The user's own folder that :attr:`location` is a copy of; None for any other version.
        is_source: Whether the location is laid out as it is developed, and not as it is installed.
        apart: Modules of the user's own folder that differ between the sides, tests left out: absolute paths, from
            which no worker may load anything.
        digest: SHA-256 (hexadecimal) over names and content of the files of the roots, tests left out.
    """

    name: str
    label: str
    bootstrap: Path
    location: Path
    roots: tuple[str, ...]
    missing: tuple[str, ...] = ()
    binaries: tuple[str, ...] = ()
    project: Path | None = None
    is_source: bool = False
    apart: tuple[str, ...] = ()
    digest: str

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Make the environment of a process that is to import this side.

        Args:
            environ: The variables as they are now, usually ``os.environ``.

        Returns:
            A copy with ``PYTHONPATH`` starting with :attr:`bootstrap`, and without what moves bytecode elsewhere.
        """
        kept = {name: value for name, value in environ.items() if name not in _BYTECODE_VARIABLES}
        rest = environ.get("PYTHONPATH")
        kept["PYTHONPATH"] = os.pathsep.join([str(self.bootstrap), *([rest] if rest else [])])
        return kept

    def renew(self) -> None:
        """Have what is compiled lie elsewhere in memory for the processes that are started from now on."""
        renew(self.location, self.binaries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Base and head, prepared the same way.

    Attributes:
        base: What is compared against.
        head: The working tree, or what is installed.
        notes: Sentences that a user should read: files taken from elsewhere, installed copies that are stale ...
    """

    base: Side
    head: Side
    notes: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether both sides hold the same code: an A/A run, which is allowed and says so.

        Modules that differ and are not swapped count as well: nobody can tell what they are good for.
        """
        return self.base.digest == self.head.digest and not self.head.apart
