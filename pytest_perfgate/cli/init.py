"""``perfgate init``: a first configuration, a first test with a budget, and workflows, after showing them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_perfgate.cli._command import COULD_NOT_JUDGE, PASSED, say
from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_perfgate.starter import Start

_ACTION = re.compile(r"(?!\.)[\w.-]+(/(?!\.\.?[/@])[\w.-]+)+@[\w./-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate init``."""
    parser.description = """\
Give a project its first settings, a first test with a budget that passes as it
is, and the GitHub workflows that gate pull requests and comment on them.  All
of it is shown before it is written, a file that is there is left alone, and
when one cannot be written none is.  Nothing but these files is changed."""
    parser.epilog = """\
example:
  perfgate init --dry-run
  perfgate init --yes --no-workflows

exit status: 0 written, or everything was there already; 2 nothing was written:
not wanted, not asked for, or not possible"""
    parser.add_argument("--yes", action="store_true", help="write without asking; for scripts")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    parser.add_argument("--no-workflows", action="store_true", help="leave the workflows of GitHub out")
    parser.add_argument(
        "--action",
        metavar="ACTION",
        help="what the workflow uses, OWNER/NAME@REFERENCE (default: the published Action)",
    )
    parser.add_argument("--rootdir", metavar="DIR", help="the folder of the project (default: this folder)")


def run(namespace: argparse.Namespace) -> int:
    """Show, ask, write.

    Returns:
        0 when the files are there; 2 when nothing was written.

    Raises:
        UsageError: The folder does not exist, or a file cannot be written.
    """
    from pytest_perfgate.starter import ACTION, plan_start, write_all
    from pytest_perfgate.words import counted

    start = plan_start(
        _root(namespace.rootdir),
        workflows=not namespace.no_workflows,
        action=_action(namespace.action) or ACTION,
    )
    say("\n".join(_shown(start)))
    if not start.changes:
        say("nothing to write: everything is there already")
        return PASSED
    files = counted(len(start.changes), "file")
    if namespace.dry_run:
        say(f"dry run: {files} would be written, none was")
        return PASSED
    if not namespace.yes and not _is_wanted(files):
        return COULD_NOT_JUDGE
    write_all(start.changes)
    say("\n".join(_next_steps(files, start)))
    return PASSED


def _root(given: str | None) -> Path:
    if given is None:
        return Path.cwd()
    if not Path(given).is_dir():
        raise UsageError(f"--rootdir {given}: there is no such folder")
    return Path(given)


def _action(given: str | None) -> str | None:
    if given is not None and not _ACTION.fullmatch(given):
        raise UsageError(f"--action {given}: write OWNER/NAME@REFERENCE, such as owner/pytest-perfgate@v1")
    return given


def _shown(start: Start) -> Iterator[str]:
    """Write what each file gets, whole: nobody should agree to what they have not seen."""
    yield f"project: {start.root}"
    for change in start.changes:
        yield ""
        what = "new file" if change.before is None else "at the end of"
        yield f"{what} {_relative(change.path, start.root)}:"
        yield from (f"  | {line}".rstrip() for line in change.added.strip("\r\n").splitlines())
    yield ""
    yield from (f"left alone: {_relative(path, start.root)}: {why}" for path, why in start.left_alone)
    yield from (f"note: {note}" for note in start.notes)


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _is_wanted(files: str) -> bool:
    """Ask; where nobody can answer, say what to do instead."""
    if sys.stdin is None or not sys.stdin.isatty():
        say("perfgate: nothing was written: nobody is there to ask; add --yes, or --dry-run to only look", sys.stderr)
        return False
    say(f"write {files}? [y/N]")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was written")
    return False


def _next_steps(files: str, start: Start) -> Iterator[str]:
    yield f"wrote {files}"
    yield "next: add pytest-perfgate to what your tests need, then"
    yield "  pytest --perfgate                           measure, and hold the budgets"
    if start.has_package:
        yield "  pytest --perfgate --perfgate-against HEAD   compare your changes with the last commit"
    else:
        yield "two versions can be compared once there is a package that a test imports (see the note)"
