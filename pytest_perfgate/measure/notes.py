"""What is noted on an exception of the target's: which call raised it; the exception itself stays the user's own."""

from __future__ import annotations

import contextlib

_BEGINNING = "raised by "


def note_origin(problem: BaseException, origin: str) -> None:
    """Note on *problem* what raised it, as ``add_note`` does, which Python 3.10 has not got.

    Args:
        problem: Raised by the target.
        origin: Such as ``call 17 of the target``.
    """
    text = f"{_BEGINNING}{origin}"
    if hasattr(problem, "add_note"):  # 3.11
        problem.add_note(text)
    else:
        # What pytest and the exceptiongroup backport show on 3.10 as well; some exceptions have no place for it.
        with contextlib.suppress(AttributeError, TypeError):
            vars(problem).setdefault("__notes__", []).append(text)


def noted_origins(problem: BaseException | None) -> list[str]:
    """List what :func:`note_origin` noted on *problem*."""
    return [str(note) for note in getattr(problem, "__notes__", ()) if str(note).startswith(_BEGINNING)]
