"""Texts that others chose, made harmless within Markdown; what is written is the formats' affair.

A person who opens a pull request chooses names of tests, reasons, branches.  None of it may become markup, a link, a
mention, a cell of a table, the end of a comment or a command to a runner, in CommonMark or in GitHub's and GitLab's
dialects of it.  Character references do that: they "cannot be used in place of symbols indicating structure"
(CommonMark 0.31.2, section 2.5).  What sites look for in the finished text (mentions, numbers of issues, addresses) is
broken by a zero width space.
"""

from __future__ import annotations

import re

from pytest_perfgate.reports._format import on_one_line

#: Breaks what sites make links of; nobody sees it but in the source.
_BREAK = "&#8203;"
_ELLIPSIS = "…"

_HARMFUL = re.compile(
    r"""
    # mentions, issues, what GitLab has besides, addresses
      (?P<linked> @ | [\#!&~$%](?=\d) | [!&~$%](?=\w) | :(?=//) )
    | (?P<word> \bwww(?=\.) | \bgh(?=-\d) )
    # a list, a heading, a rule, a command, where it begins the line
    | (?P<first> ^[-+](?!\d) | ^[=:\#] | ^\d(?=\d*[.)](?:\s|$)) )
    # workflow commands, of today and of old
    | (?P<pair> (?<=:): | (?<=\#)\# )
    # what begins or ends something wherever it stands
    | (?P<sign> [\\`*\[\]<>&|~$] )
    # within a word and at its end, an underscore begins nothing
    | (?P<edge> (?<![A-Za-z0-9])_ )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def escaped(text: str, most: int = 1000) -> str:
    """Write *text* so that a reader sees it as it is, and no program sees anything in it.

    Args:
        text: Anything.
        most: Characters of it that are kept; what is cut ends with ``…``.

    Returns:
        One line of Markdown, for a paragraph, a list, a heading or the cell of a table.
    """
    return _HARMFUL.sub(_harmless, cut(on_one_line(text), most))


def code(text: str, most: int = 200) -> str:
    """Write *text* in the type of code; a code span in a table could hold neither ``|`` nor a backtick."""
    return f"<code>{escaped(text, most)}</code>"


def cut(text: str, most: int) -> str:
    """Keep the first *most* characters; ``…`` is one of them where something is left out."""
    return text if len(text) <= most else text[: most - 1] + _ELLIPSIS


def _harmless(found: re.Match[str]) -> str:
    if found["word"]:
        return found[0] + _BREAK
    return f"&#{ord(found[0])};" + (_BREAK if found["linked"] else "")
