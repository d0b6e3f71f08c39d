"""The words of the configuration: patterns, how a word is shown in a message, which one was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

_LONGEST_SHOWN = 80


def is_pattern(text: str) -> bool:
    """Tell whether *text* stands for more than itself."""
    return "*" in text or "?" in text


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Hold a text against a pattern.

    Args:
        pattern: ``*`` stands for anything, ``?`` for one character; nothing else is special.
        text: The whole text has to match.
        ignore_case: Whether ``EPYC`` matches ``epyc``.

    Returns:
        Whether it matches.
    """
    regex = "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(regex, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def shown(value: object) -> str:
    """Write a value of the configuration as it stands there, shortened, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) and value.isprintable() else ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def did_you_mean(word: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str:
    """Word a suggestion as the end of a message.

    Args:
        word: As the user wrote it.
        known: What would have been right.
        aliases: Words that others use, in lower case, and ours for each.

    Returns:
        ``; did you mean "cores"?``, or empty when nothing is close.
    """
    lowered = word.lower()
    by_lower = {candidate.lower(): candidate for candidate in known}
    alias = (aliases or {}).get(lowered)
    close = [alias] if alias else [by_lower[found] for found in difflib.get_close_matches(lowered, by_lower, n=1)]
    return f'; did you mean "{close[0]}"?' if close else ""
