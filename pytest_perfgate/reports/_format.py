"""How texts that others chose are made fit for a line, a column or an encoding; numbers are units' affair."""

from __future__ import annotations

import re

from pytest_perfgate.units import format_value

#: One character for one wherever a table may hold it, so that columns stay in line.
_ASCII = str.maketrans(
    {
        "µ": "u",
        "μ": "u",
        "×": "x",
        "±": "+-",
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "∞": "inf",
        "█": "#",
        "░": ".",
    }
)

_ELLIPSIS = "..."  # three characters everywhere: a table must not get out of line in ASCII


def asciified(text: str) -> str:
    """Write *text* with ASCII characters: signs as one would type them, everything else escaped."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    """Make *text* fit for a stream.

    Args:
        text: Anything.
        encoding: Of the stream; None when it has none and takes everything.

    Returns:
        *text* itself where the encoding can hold it, else in ASCII.
    """
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return asciified(text)
    return text


def on_one_line(text: str) -> str:
    """Escape what would move the cursor, colour the screen or break the line; runs of blanks become one."""
    words = " ".join(text.split())
    return words if words.isprintable() else "".join(map(_visible, words))


def shortened_id(text: str, width: int) -> str:
    """Cut a case's id down to *width* characters: the folders go first, then the file, the test's name last.

    Args:
        text: Such as ``tests/unit/test_a.py::TestB::test_c[x]#perf``; without line breaks.
        width: At least 5.

    Returns:
        The id, or ``...test_a.py::TestB::test_c[x]#perf``, or less.
    """
    if len(text) <= width:
        return text
    path, bracket, parameters = text.partition("[")
    for separator in ("/", "::"):
        kept = path.rpartition(separator)[2] + bracket + parameters
        if len(_ELLIPSIS) + len(kept) <= width:
            return _ELLIPSIS + kept
    name = path.rpartition("::")[2] + bracket + parameters
    head = (width - len(_ELLIPSIS)) // 2
    tail = width - len(_ELLIPSIS) - head
    return f"{name[:head]}{_ELLIPSIS}{name[-tail:]}"


def interval_text(interval: tuple[float, float], unit: str, show_as: str = "") -> str:
    """Write both ends of an interval, the unit once where it is the same: ``405–421 ms``."""
    low, high = (format_value(end, unit, show_as=show_as) for end in interval)
    number, _, word = low.partition(" ")
    if word and high.endswith(f" {word}"):
        low = number
    between = " to " if interval[0] < 0 else "–"
    return f"{low}{between}{high}"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return re.sub(r"^'|'$", "", ascii(character))
