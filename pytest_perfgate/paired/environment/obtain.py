"""Gets the files of both sides, and agrees on the import names that are compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment import distributions, revisions
from pytest_perfgate.paired.environment.beside import beside
from pytest_perfgate.paired.environment.declared import read_declared
from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.git import toplevel
from pytest_perfgate.paired.environment.locating import normalised
from pytest_perfgate.paired.environment.project import (
    Locate,
    find_project,
    folders_to_look_in,
    without_foreign,
)
from pytest_perfgate.paired.environment.roots import find_roots, place_roots
from pytest_perfgate.paired.environment.trees import copy_files, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for, and where it is to be put.

    Attributes:
        against: What base is, as the user wrote it.
        root: pytest's rootdir.
        packages: Import names that the user wants compared; empty to find them.
        locate: Says where this environment imports a name from.
        cache: Where builds are kept.
        say: Receives lines about what takes long.
        scratch: A folder for what is needed in between.
        base: The folder of base; it does not exist yet.
        head: That of head.
    """

    against: str
    root: Path
    packages: tuple[str, ...]
    locate: Locate
    cache: Path
    say: Callable[[str], None]
    scratch: Path
    base: Path
    head: Path


def obtain_both(order: Order) -> tuple[Draft, Draft, list[str]]:
    """Get the files of both sides.

    Args:
        order: What was asked for.

    Returns:
        Base, head, and notes; both with their roots.

    Raises:
        AgainstError: A side cannot be had, or base holds none of the packages.
    """
    kind, colon, what = order.against.partition(":")
    if colon and kind == "dist":
        return _against_release(order, what)
    project = find_project(order.root, order.packages, order.locate)
    notes: list[str] = []
    if colon and kind == "path":
        base = _from_path(order, what, project)
    else:
        base, notes = _from_revision(order, project)
    head = _working_tree(order, project)
    _agree(base, head, order)
    return base, head, notes + revisions.dirty_submodules(project)


def _from_revision(order: Order, project: Path) -> tuple[Draft, list[str]]:
    commit = revisions.resolve(project, order.against)
    tree = order.base / "tree"
    scratch = order.scratch / "git"
    scratch.mkdir()
    notes = revisions.export(project, commit, tree, scratch)
    label = revisions.label(commit, order.against)
    return Draft(name="base", label=label, tree=tree, declared=read_declared(tree)), notes


def _from_path(order: Order, what: str, project: Path) -> Draft:
    folder = _folder(what, order.root)
    place = folder
    top = toplevel(project)
    if top is not None and not _holds_project(folder, order):  # the top of another checkout, of which we are a part
        place = folder / project.relative_to(top)
    if not place.is_dir():
        place = folder
    if place.samefile(project):
        raise AgainstError(
            f"path:{what} is the working tree itself; give another checkout, or HEAD for what is committed"
        )
    tree = order.base / "tree"
    copy_files(place, listed(place), tree)
    return Draft(name="base", label=what, tree=tree, declared=read_declared(tree))


def _folder(what: str, root: Path) -> Path:
    for folder in (Path(what).expanduser(), root / what):
        if what and folder.is_dir():
            return folder.resolve()
    raise AgainstError(
        f"there is no folder {what!r}, here or in {root}; give path:DIR with another checkout of the code"
    )


def _holds_project(folder: Path, order: Order) -> bool:
    declared = read_declared(folder)
    if order.packages:
        return bool(place_roots(folder, order.packages, folders_to_look_in(folder, (), declared, order.locate)))
    return bool(find_roots(folder, declared))


def _working_tree(order: Order, project: Path) -> Draft:
    tree = order.head / "tree"
    copy_files(project, listed(project), tree)
    return Draft(name="head", label="the working tree", tree=tree, declared=read_declared(tree), project=project)


def _agree(base: Draft, head: Draft, order: Order) -> None:
    """Find the roots of both sides, the names of each looked for in both."""
    project = head.project or order.root
    found: dict[str, str] = {}
    for draft in (base, head):
        if draft.installed:
            found |= draft.roots
        elif not order.packages:
            draft.roots = without_foreign(find_roots(draft.tree, draft.declared), project, draft.declared, order.locate)
            if not base.installed:  # a release has nothing but packages
                draft.roots |= beside(draft.tree, project, draft.roots, order.locate)
            found |= draft.roots
    names = order.packages or tuple(found)
    for draft in (base, head):
        draft.roots = {name: where for name, where in draft.roots.items() if name in names}
        absent = [name for name in names if name not in draft.roots]
        folders = folders_to_look_in(project, absent, draft.declared, order.locate)
        draft.roots |= place_roots(draft.tree, absent, ["."] if draft.installed else folders)
    _require(base, head, names)


def _require(base: Draft, head: Draft, names: Sequence[str]) -> None:
    for draft in (base, head):
        if not draft.roots:
            raise AgainstError(
                f"{draft.name} ({draft.label}) holds no {' or '.join(names) or 'package to compare'}; compare against "
                f'one that does, or name what to compare: [tool.perfgate] packages = ["name"]'
            )
    if not base.roots.keys() & head.roots.keys():
        raise AgainstError(
            f"base ({base.label}) holds {', '.join(base.roots)} and not {', '.join(head.roots)}; compare against "
            f"another version of the same code"
        )


def _against_release(order: Order, what: str) -> tuple[Draft, Draft, list[str]]:
    wanted = distributions.read_requirement(what)
    base = distributions.release(wanted, order.base / "tree", order.cache, order.say)
    head = _released_project(order, wanted.name, base)
    head = head or distributions.installed(wanted, order.head / "tree") or _linked(order, base)
    _agree(base, head, order)
    return base, head, revisions.dirty_submodules(head.project) if head.project else []


def _released_project(order: Order, name: str, base: Draft) -> Draft | None:
    """Take the project as head if it is the one that the distribution is made from.

    Raises:
        AgainstError: It is one that has nothing in common with the distribution.
    """
    try:
        project = find_project(order.root, order.packages, order.locate)
    except AgainstError:
        return None
    declared = read_declared(project)
    own = find_roots(project, declared)
    if declared.name is not None:
        if normalised(declared.name) == normalised(name):
            return _working_tree(order, project)
        if own and not order.packages and not own.keys() & base.roots.keys():
            named = ", ".join(f'"{root}"' for root in base.roots)
            raise AgainstError(
                f"{name} is not the project under test, {declared.name}, and holds none of its packages "
                f"({', '.join(own)}); write dist:{declared.name}==VERSION, or, to compare {name} itself, "
                f"[tool.perfgate] packages = [{named}]"
            )
        return None
    return _working_tree(order, project) if own.keys() & base.roots.keys() else None


def _linked(order: Order, base: Draft) -> Draft:
    """Take as head the folder that an editable installation links to."""
    for root in base.roots:
        place = order.locate(root)
        for folder in place.resolve().parents if place is not None else ():
            if any((folder / name).is_file() for name in ("pyproject.toml", "setup.py", "setup.cfg")):
                head = _working_tree(order, folder)
                head.label = f"the working tree of {os.path.relpath(folder)}"
                return head
    raise AgainstError(f"cannot find what {' and '.join(base.roots)} is installed from; install it with `pip install`")
