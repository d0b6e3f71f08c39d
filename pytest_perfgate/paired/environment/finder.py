"""Writes the bootstrap folder of a side: the ``sitecustomize.py`` that redirects imports, already compiled."""

from __future__ import annotations

import os
import py_compile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("override.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Everything that an override has to know.

    Attributes:
        title: How the side is called when a module is missing: ``base (3f2c1ab)``.
        tree: The folder of the side.
        twin: That of the other side.
        roots: Dotted name -> folder in the tree that holds its last part; None when the side lacks it.
        aside: Dotted name of a module of tests -> folder of the working tree that holds it.
        others: Other copies of the roots that must not stand in for what is missing.
        metadata: Whether the tree holds the ``*.dist-info`` of the side.
    """

    title: str
    tree: Path
    twin: Path
    roots: Mapping[str, str | None]
    aside: Mapping[str, Path]
    others: tuple[Path, ...]
    metadata: bool


def write_bootstrap(folder: Path, redirect: Redirect) -> None:
    """Write ``sitecustomize.py`` and its bytecode.

    Args:
        folder: The bootstrap folder; made.
        redirect: What it is to do.
    """
    tree = redirect.tree
    roots = {name: None if where is None else _join(tree, where) for name, where in redirect.roots.items()}
    arguments = (
        str(folder),
        redirect.title,
        roots,
        _parents(tree, redirect.roots),
        {name: str(where) for name, where in redirect.aside.items()},
        tuple(f"{other}{os.sep}" for other in redirect.others),
        (f"{tree}{os.sep}", f"{redirect.twin}{os.sep}"),
        str(tree) if redirect.metadata else "",
    )
    call = ", ".join(map(repr, arguments))
    folder.mkdir(parents=True)
    script = folder / "sitecustomize.py"
    script.write_text(f"{_SOURCE.read_text('utf-8')}\n\ninstall({call})\n", "utf-8")
    py_compile.compile(str(script), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def _join(tree: Path, where: str) -> str:
    return str(tree) if where == "." else str(tree / where)


def _parents(tree: Path, roots: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Give, for each namespace above a root, the folders that hold it on this side."""
    parents: dict[str, list[str]] = {}
    for root, where in roots.items():
        name, folder = root.rpartition(".")[0], where
        while name:
            folders = parents.setdefault(name, [])
            if folder is not None:
                folder = folder.rpartition("/")[0] or "."
                if (path := _join(tree, folder)) not in folders:
                    folders.append(path)
            name = name.rpartition(".")[0]
    return parents
