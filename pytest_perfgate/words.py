"""The words people write in markers, settings and commands: patterns, showing, counting, finding what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

_LONGEST_SHOWN = 80
#: Control characters, line breaks of any kind and lone surrogates: what would break a message.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001  # lru_cache keys by position
    # Not fnmatch: node ids contain brackets, which are a character class to it.
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(letter) or re.escape(letter) for letter in pattern)
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def shown(value: object) -> str:
    """Write a value of the configuration as it stands there, shortened, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) and value.isprintable() else ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def counted(number: int, noun: str) -> str:
    """Write ``1 case``, ``1,200 cases``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def printable(text: str) -> str:
    """Replace every character that would break a message by one blank, so that columns stay."""
    return _UNPRINTABLE.sub(" ", text)


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
