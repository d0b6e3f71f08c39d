"""What a step tells the runner: files of assignments, and workflow commands in its log; knows no step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_COMMAND = re.compile(r"\s*::([A-Za-z-]+)(?: ([^\n]*?))?::(.*)")
_LEVELS = ("error", "warning", "notice")
#: The runner keeps so many of each level per step, and all steps of a composite action count as one.
MOST_ANNOTATIONS = 10
LONGEST_MESSAGE = 4096


class FileCommandError(Exception):
    """The runner would fail the step: "Unable to process file command"."""


class Annotation(NamedTuple):
    """One annotation."""

    level: str
    message: str
    properties: dict[str, str]

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.properties.get('file', '')}:{self.properties.get('line', '')}"


def assignments(text: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` and ``NAME<<DELIMITER`` as the runner does: whichever sign comes first in a line decides."""
    found: dict[str, str] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            if not delimiter or delimiter not in lines:
                raise FileCommandError(f"Matching delimiter not found {delimiter!r}")
            end = lines.index(delimiter)
            value, lines = "\n".join(lines[:end]), lines[end + 1 :]
        else:
            raise FileCommandError(f"Invalid format {line!r}")
        if not name:
            raise FileCommandError(f"Invalid format {line!r}")
        found[name] = value
    return found


def annotations(log: str) -> Iterator[Annotation]:
    """Find the annotations in a log, where commands are not switched off."""
    stopped = None
    for line in log.splitlines():
        if stopped is not None:
            if line.strip() == f"::{stopped}::":
                stopped = None
            continue
        found = _COMMAND.fullmatch(line)
        if found is None:
            continue
        name, properties, data = found[1].lower(), found[2] or "", _unescaped(found[3])
        if name == "stop-commands":
            stopped = data
        elif name in _LEVELS:
            pairs = (pair.partition("=") for pair in properties.split(",") if "=" in pair)
            known = {key.strip(): _unescaped(value, (":", "%3A"), (",", "%2C")) for key, _, value in pairs}
            yield Annotation(name, data[:LONGEST_MESSAGE], known)


def kept(found: list[Annotation]) -> list[Annotation]:
    """Leave what the page of a run shows."""
    counts = dict.fromkeys(_LEVELS, 0)
    shown = []
    for one in found:
        counts[one.level] += 1
        if counts[one.level] <= MOST_ANNOTATIONS:
            shown.append(one)
    return shown


def _unescaped(text: str, *more: tuple[str, str]) -> str:
    for sign, code in (("\r", "%0D"), ("\n", "%0A"), *more, ("%", "%25")):
        text = text.replace(code, sign)
    return text
