"""Commands inside a comparison of two versions: they must import the version that this process was given."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence

from pytest_perfgate.errors import CannotMeasureError

#: Folder that stays first on ``PYTHONPATH`` whatever a test asks for: it decides which of two versions is measured.
FIRST_ON_PATH = "PERFGATE_FIRST_ON_PATH"


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


def _ignores_path(words: Sequence[str]) -> bool:
    """Tell whether a command is a Python that does not look at ``PYTHONPATH``, or at what it finds there."""
    if not os.path.basename(words[0]).startswith("python"):  # noqa: PTH119  # any string a user wrote
        return False
    for word in words[1:]:
        if not word.startswith("-") or word[:2] in ("-c", "-m", "--"):
            return False
        if word[:2] in ("-X", "-W"):
            continue
        if set(word[1:]) & set("IES"):
            return True
    return False
