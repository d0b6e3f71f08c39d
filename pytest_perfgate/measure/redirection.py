"""Commands inside a comparison of two versions: they must import the version that this process was given."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from pytest_perfgate.errors import CannotMeasureError

#: Folder that stays first on ``PYTHONPATH`` whatever a test asks for: it decides which of two versions is measured.
FIRST_ON_PATH = "PERFGATE_FIRST_ON_PATH"
#: Three folders, a line each: the user's project, the copy of it that this process measures, and head's copy.
COPIES = "PERFGATE_COPIES"
#: Files below these are head's on both sides, like the tests that call them.
_TESTS = frozenset({"test", "tests", "testing"})


def keep_first_on_path(env: MutableMapping[str, str]) -> None:
    """Put that folder, if there is one, before what *env* has on its ``PYTHONPATH``."""
    first = os.environ.get(FIRST_ON_PATH)
    if first:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (first, env.get("PYTHONPATH"))))


def refuse_what_escapes(words: Sequence[str], shown: str) -> None:
    """Refuse a command that would measure the same code on both sides.

    Args:
        words: Program and arguments.
        shown: The command as people read it.

    Raises:
        CannotMeasureError: It is a Python that does not look at ``PYTHONPATH``, inside a comparison.
    """
    if os.environ.get(FIRST_ON_PATH) and _ignores_path(words):
        raise CannotMeasureError(
            f"{shown} starts Python with -I, -E or -S, which ignores where the two versions are told apart: "
            f"both sides would measure the same code; leave the flag out of a comparison"
        )


def replace_script(words: Sequence[str], cwd: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """Inside a comparison, run the side's own copy of a script of the project; elsewhere change nothing.

    Args:
        words: Program and arguments.
        cwd: Directory to run in; None for ours.

    Returns:
        The same, with the program, or the script that a Python is to run, replaced if it is a file of the project.
    """
    copies = os.environ.get(COPIES, "").split("\n")
    place = _script_of(words)
    if len(copies) < 3 or place is None:  # noqa: PLR2004  # three folders
        return tuple(words)
    project, own, head = map(Path, copies)
    script = Path(cwd or ".", words[place]).absolute()
    try:
        below = script.resolve().relative_to(project.resolve())
    except (ValueError, OSError):
        return tuple(words)
    if _TESTS & set(below.parts[:-1]) or not (head / below).is_file():
        return tuple(words)
    return (*words[:place], str(own / below), *words[place + 1 :])


def _script_of(words: Sequence[str]) -> int | None:
    """Return which word names the file that is run; None when a Python runs something else."""
    if not _is_python(words[0]):
        return 0 if os.path.dirname(words[0]) else None  # noqa: PTH120  # else it is looked up on PATH
    place = 1
    while place < len(words) and words[place].startswith("-"):
        if words[place][:2] in ("-c", "-m") or words[place] == "-":
            return None
        place += 2 if words[place] in ("-X", "-W") else 1
    return place if place < len(words) else None


def _is_python(word: str) -> bool:
    return os.path.basename(word).startswith("python")  # noqa: PTH119  # any string a user wrote


def _ignores_path(words: Sequence[str]) -> bool:
    """Tell whether a command is a Python that does not look at ``PYTHONPATH``, or at what it finds there."""
    if not _is_python(words[0]):
        return False
    for word in words[1:]:
        if not word.startswith("-") or word[:2] in ("-c", "-m", "--"):
            return False
        if word[:2] in ("-X", "-W"):
            continue
        if set(word[1:]) & set("IES"):
            return True
    return False
