"""Workflow commands of GitHub Actions: lines that the runner obeys; nothing about what they should say."""

from __future__ import annotations

import secrets

#: What the runner takes apart; the percent sign first, or the others would be escaped twice.
_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))
#: The runner cuts a message after 4096 characters; ours are cut where it shows.
_LONGEST_MESSAGE = 4000


def command(name: str, message: str = "", **properties: str) -> str:
    """Write a workflow command.

    Args:
        name: Such as ``error``, ``warning``, ``notice``, ``group``.
        message: Any text.
        properties: Such as ``title``; empty ones are left out.

    Returns:
        One line without its break.
    """
    given = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items() if value)
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]} ..."
    return f"::{name}{' ' if given else ''}{given}::{_escaped(message, _DATA)}"


def stop_token() -> str:
    """Make a word that nobody can guess; commands are off from ``::stop-commands::word`` to ``::word::``."""
    return f"perfgate-{secrets.token_hex(16)}"


def _escaped(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for sign, code in table:
        text = text.replace(sign, code)
    return text
