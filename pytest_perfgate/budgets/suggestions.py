"""The word that was probably meant, for messages about a word that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

#: Control characters, line breaks of any kind and lone surrogates: what would break a message.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def closest(
    word: str,
    known: Iterable[str],
    aliases: Mapping[str, str] | None = None,
    *,
    cutoff: float = 0.6,
) -> str:
    """Find the known word that *word* was probably meant to be.

    Args:
        word: As the user wrote it.
        known: What would have been right.
        aliases: Lower-case words of other tools and the known word for each.
        cutoff: How much alike two words must be, 0 to 1.

    Returns:
        The known word, or empty when none is close.
    """
    words, lowered = list(known), word.lower()
    if lowered in (aliases or {}):
        return (aliases or {})[lowered]
    by_lower = {candidate.lower(): candidate for candidate in reversed(words)}
    found = get_close_matches(lowered, by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else ""


def did_you_mean(
    word: str, known: Iterable[str], aliases: Mapping[str, str] | None = None, *, cutoff: float = 0.6
) -> str:
    """Word a suggestion as the end of a message: ``; did you mean "ms"?``, or empty."""
    meant = closest(word, known, aliases, cutoff=cutoff)
    return f'; did you mean "{meant}"?' if meant else ""


def printable(text: str) -> str:
    """Replace every character that would break a message by one blank, so that columns stay."""
    return _UNPRINTABLE.sub(" ", text)
