"""Workflow commands of GitHub Actions: lines that the runner obeys; nothing about what they should say.

Source: ``ActionCommand.cs`` and ``IssueCommandExtension`` of github.com/actions/runner.
"""

from __future__ import annotations

#: What the runner takes apart; the percent sign first, or the others would be escaped twice.
_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))
#: The runner cuts a message after 4096 characters; ours are cut where it shows.
_LONGEST_MESSAGE = 4000
_LONGEST_PROPERTY = 400


def command(name: str, message: str = "", **properties: str) -> str:
    """Write a workflow command.

    Args:
        name: Such as ``error``, ``warning``, ``notice``, ``group``.
        message: Any text.
        properties: Such as ``title``, ``file``, ``line``; empty ones are left out.

    Returns:
        One line without its break.
    """
    given = ",".join(
        f"{key}={_escaped(value, _LONGEST_PROPERTY, _PROPERTY)}" for key, value in properties.items() if value
    )
    return f"::{name}{' ' if given else ''}{given}::{_escaped(message, _LONGEST_MESSAGE, _DATA)}"


def _escaped(text: str, most: int, table: tuple[tuple[str, str], ...]) -> str:
    if len(text) > most:
        text = f"{text[:most]} ..."
    for sign, written in table:
        text = text.replace(sign, written)
    return text
