"""How a step speaks to GitHub's runner: outputs in a file, commands on or off; nothing about what is said."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from pytest_perfgate.errors import UsageError


def assignments(values: Mapping[str, str]) -> str:
    """Write outputs so that no value can end itself and begin another.

    Args:
        values: Name -> value, any text.

    Returns:
        The lines to append; every value between delimiters that are drawn for it.
    """
    return "".join(_assignment(name, value) for name, value in values.items())


def _assignment(name: str, value: str) -> str:
    delimiter = f"ghadelimiter_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def append(path: str | None, text: str, *, variable: str) -> None:
    """Append to a file of the runner.

    Args:
        path: Where; None or empty when the runner named none.
        text: What.
        variable: That the path came from, for the message.

    Raises:
        UsageError: There is no such file here.
    """
    if not path:
        raise UsageError(
            f"{variable} is not set: this command is a step of GitHub Actions; elsewhere use perfgate gate"
        )
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except OSError as problem:
        raise UsageError(f"cannot write to {variable} ({path}): {problem.strerror or problem}") from None


def stop_token() -> str:
    """Make a word that nobody can guess; commands are off from ``::stop-commands::word`` to ``::word::``."""
    return f"perfgate-{secrets.token_hex(16)}"
