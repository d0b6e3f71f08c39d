"""A side in the making: its files are there, its import names are known, nothing is built or redirected yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_perfgate.paired.environment.contents import files_of
from pytest_perfgate.paired.environment.declared import Declared


@dataclass(slots=True, kw_only=True)
class Draft:
    """One side while it is prepared.

    Attributes:
        name: ``base`` or ``head``.
        label: What it is called in messages.
        tree: Its files.
        declared: What they say of themselves.
        roots: Dotted name -> folder of the tree that holds its last part.
        project: The user's own folder that the tree is a copy of; None for an export or an installed distribution.
        installed: Whether the tree is laid out as it would be installed, with metadata, rather than as it is developed.
    """

    name: str
    label: str
    tree: Path
    declared: Declared = field(default_factory=Declared)
    roots: dict[str, str] = field(default_factory=dict)
    project: Path | None = None
    installed: bool = False

    def files(self, aside: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
        """Give the files of all roots.

        Args:
            aside: Modules of tests, which are left out.

        Yields:
            Name and place of each.
        """
        for root, where in self.roots.items():
            yield from files_of(self.tree, root, where, aside)

    def folders(self) -> Iterator[Path]:
        """Give the places of the roots in the user's own folder.

        Yields:
            The folder of a package; the path without suffix of a module.
        """
        if self.project is not None:
            for root, where in self.roots.items():
                yield self.project / where / root.rpartition(".")[2]
