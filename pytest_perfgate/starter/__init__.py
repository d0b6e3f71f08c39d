"""A first set-up for a project: which files it gets, and why one is left alone; asks nobody and prints nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_perfgate.errors import SettingsError
from pytest_perfgate.settings import read_settings_file
from pytest_perfgate.settings.file import read_tables
from pytest_perfgate.starter.project import Project, read_project
from pytest_perfgate.starter.texts import first_test_text, settings_text
from pytest_perfgate.starter.workflows import ACTION, comment_text, file_names, gate_text
from pytest_perfgate.starter.writing import Change, write_all

__all__ = ["ACTION", "Change", "Start", "plan_start", "write_all"]

_DISTRIBUTION = "pytest-perfgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a project gets."""

    root: Path
    """The folder of the project."""
    changes: tuple[Change, ...]
    """Files to make, and text to append, in the order in which they are shown."""
    left_alone: tuple[tuple[Path, str], ...]
    """Files that are not touched, each with the reason."""
    has_package: bool
    """Whether there is a package of which two versions can be compared."""
    notes: tuple[str, ...]
    """What the user should know besides."""


@dataclass(frozen=True, slots=True)
class _LeftAlone:
    path: Path
    why: str


def plan_start(root: Path, *, workflows: bool = True, action: str = ACTION) -> Start:
    """Say what a project would get; nothing is written.

    Args:
        root: The folder of the project.
        workflows: Whether it gets workflows of GitHub.
        action: The Action they use, ``owner/name@reference``.

    Returns:
        The files; none when everything is there.

    Raises:
        SettingsError: The configuration that is there cannot be read.
    """
    project = read_project(root)
    steps = [_settings(project), _first_test(project)]
    if workflows:
        steps.extend(_workflows(project, action))
    return Start(
        root=project.root,
        changes=tuple(step for step in steps if isinstance(step, Change)),
        left_alone=tuple((step.path, step.why) for step in steps if isinstance(step, _LeftAlone)),
        has_package=_imported(project) is not None,
        notes=tuple(_notes(project, workflows=workflows)),
    )


def _settings(project: Project) -> Change | _LeftAlone:
    """Append to ``pyproject.toml`` where there is one that can be added to, else make ``perfgate.toml``."""
    path, own = project.root / "pyproject.toml", project.root / "perfgate.toml"
    if os.path.lexists(own):
        return _LeftAlone(own, "it is there already")
    if not path.is_file():
        return Change(path=own, before=None, added=settings_text(table=False))
    before = path.read_bytes()
    change = Change(path=path, before=before, added=_fitted(settings_text(table=True), before))
    if project.has_table:
        return _LeftAlone(path, "it has settings of perfgate already")
    try:
        read_tables(project.root, b"", change.after)
    except SettingsError:  # no table can be added where all tools are written as one value
        return Change(path=own, before=None, added=settings_text(table=False))
    return change


def _fitted(text: str, before: bytes) -> str:
    """Give text for the end of a file the line breaks of the file, and a blank line before it."""
    newline = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before.strip() else "\n" if before.endswith(b"\n") else "\n\n"
    return (gap + text).replace("\n", newline)


def _first_test(project: Project) -> Change | _LeftAlone:
    path = project.root / project.tests / project.test_file
    if os.path.lexists(path):
        return _LeftAlone(path, "it is there already")
    marker = str(read_settings_file(project.root).get("marker", "budget"))
    return Change(path=path, before=None, added=first_test_text(marker, _imported(project)))


def _imported(project: Project) -> str | None:
    """Choose what the first test imports, installed yet or not: a comparison needs a test that does."""
    return project.package or project.unreachable


def _workflows(project: Project, action: str) -> Iterator[Change | _LeftAlone]:
    folder = (project.top or project.root) / ".github" / "workflows"
    gate, comment = (folder / name for name in file_names(project.below_top))
    below = project.below_top
    if os.path.lexists(gate):  # then it may hand over its report in another way, or not at all
        yield _LeftAlone(gate, "it is there already, so the workflow that comments is yours to add as well")
        return
    text = gate_text(branch=project.branch, python=project.python, install=project.install, folder=below, action=action)
    yield Change(path=gate, before=None, added=text)
    if os.path.lexists(comment):
        yield _LeftAlone(comment, "it is there already")
    else:
        text = comment_text(python=project.python, requirement=_requirement(), folder=below)
        yield Change(path=comment, before=None, added=text)


def _requirement() -> str:
    from importlib import metadata  # noqa: PLC0415  # slow, and only this needs it

    try:
        return f"{_DISTRIBUTION}=={metadata.version(_DISTRIBUTION)}"
    except metadata.PackageNotFoundError:  # a working copy
        return _DISTRIBUTION


def _notes(project: Project, *, workflows: bool) -> Iterator[str]:
    if project.unreachable:
        yield (
            f"the tests cannot import {project.unreachable} as things are, and the first one does: install the project "
            f"first (python -m pip install --editable .), or name its folder in pytest's setting pythonpath"
        )
    if _imported(project) is None:
        yield (
            "no package was found here, so there is nothing of which two versions could be compared yet: that needs a "
            "package, and a test that imports it"
        )
    if project.top is None and workflows:
        yield "this is not in a git repository; GitHub reads workflows at the top of one"
    above = _configured_above(project)
    if above:
        yield f"{above} is configured as a project too; this is for {project.root} alone (--rootdir names another)"


def _configured_above(project: Project) -> Path | None:
    """Find a folder above that pytest would take for the root, in the same repository."""
    names = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py")
    if project.top is None or any((project.root / name).is_file() for name in names):
        return None
    above = (folder for folder in project.root.parents if folder.is_relative_to(project.top))
    return next((folder for folder in above if any((folder / name).is_file() for name in names)), None)
