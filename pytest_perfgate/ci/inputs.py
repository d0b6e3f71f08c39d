"""The inputs of the action: what each may be, and what every mistake in them is told; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pytest_perfgate.ci.comment import marker_of
from pytest_perfgate.errors import UsageError
from pytest_perfgate.profiles import parse_tolerance
from pytest_perfgate.words import did_you_mean, shown

#: Before the name of an input, in capitals and with underscores, is the variable that carries it.
PREFIX = "PERFGATE_INPUT_"

AUTO, NONE = "auto", "none"

#: Options of pytest that would win over what is planned -> the inputs that plan it.
_PLANNED = {
    "--perfgate-against": "the input against",
    "--perfgate-baseline": "the inputs baseline-storage: file and baseline-path",
    "--perfgate-max-regression": "the input max-regression",
}


class Input(NamedTuple):
    """One input that a step of ours reads."""

    name: str
    """As in ``with:``."""
    default: str
    """What an empty one counts as."""
    read: Callable[[str], Any]
    """Turns the text into the value; raises ValueError with words that follow the value."""

    @property
    def variable(self) -> str:
        """The environment variable that carries it."""
        return PREFIX + self.name.upper().replace("-", "_")

    @property
    def field(self) -> str:
        """Of :class:`Inputs`."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the user wrote under ``with:``, understood."""

    pytest_args: tuple[str, ...] = ()
    working_directory: str = "."
    max_regression: str = ""
    """As written; empty: what the project's configuration says."""
    against: str = AUTO
    baseline_storage: str = "cache"
    baseline_path: str = "perfgate-baseline.json"
    baseline_key: str = ""
    missing_baseline: str = "warn"
    update_baseline: str = AUTO
    fail_on_regression: bool = True
    strict: bool = False
    summary: bool = True
    annotations: bool = True
    comment: str = "never"
    comment_id: str = "default"
    report_dir: str = ""
    given: frozenset[str] = field(default_factory=frozenset)
    """Names of the inputs that were not empty."""


def _choice(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() in words:
            return text.lower()
        raise ValueError(f"is none of {', '.join(words)}{did_you_mean(text, words)}")

    return read


def read_flag(text: str) -> bool:
    """Read ``true`` or ``false``.

    Raises:
        ValueError: It is neither.
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ValueError('is neither "true" nor "false"')


def _arguments(text: str) -> tuple[str, ...]:
    """Split as a shell would, line breaks like blanks, but run nothing and replace nothing."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as problem:
        raise ValueError(f"cannot be split into arguments: {str(problem).lower()}; quote as in a shell") from None
    options = words[: words.index("--")] if "--" in words else words
    for option in (word.partition("=")[0] for word in options):
        if option in _PLANNED:
            raise ValueError(f"has {option}, which would replace what the Action compares; use {_PLANNED[option]}")
    return words


def _tolerance(text: str) -> str:
    if text:
        parse_tolerance(text)
    return text


def _comment_id(text: str) -> str:
    try:
        marker_of(text)
    except UsageError:
        raise ValueError(
            "is no id of a comment: letters, digits, dots, underscores and single hyphens, 64 at most"
        ) from None
    return text


def _base(text: str) -> str:
    return text.lower() if text.lower() in (AUTO, NONE) else text


def _plain(text: str) -> str:
    if "\n" in text or "\r" in text or "\0" in text:
        raise ValueError("has more than one line")
    return text


#: Those that a step of ours needs; `python` names the program that runs it, `github-token` goes to one step only.
INPUTS = (
    Input("pytest-args", "", _arguments),
    Input("working-directory", ".", _plain),
    Input("max-regression", "", _tolerance),
    Input("against", AUTO, _base),
    Input("baseline-storage", "cache", _choice("cache", "file", "none")),
    Input("baseline-path", "perfgate-baseline.json", _plain),
    Input("baseline-key", "", _plain),
    Input("missing-baseline", "warn", _choice("fail", "warn", "pass")),
    Input("update-baseline", AUTO, _choice("auto", "true", "false")),
    Input("fail-on-regression", "true", read_flag),
    Input("strict", "false", read_flag),
    Input("summary", "true", read_flag),
    Input("annotations", "true", read_flag),
    Input("comment", "never", _choice("never", "on-change", "always")),
    Input("comment-id", "default", _comment_id),
    Input("report-dir", "", _plain),
)
INSTALL = Input("install", "true", read_flag)


def read_input(wanted: Input, environ: Mapping[str, str]) -> Any:
    """Read one input.

    Raises:
        UsageError: It cannot be meant; the message names it and shows the value.
    """
    text = environ.get(wanted.variable, "").strip() or wanted.default
    try:
        return wanted.read(text)
    except ValueError as problem:
        said = str(problem).removeprefix(f"{text!r} ")  # some messages repeat the value, some do not
        raise UsageError(f"{wanted.name}: {shown(text)} {said}") from None


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read all inputs from the environment.

    Raises:
        UsageError: At least one cannot be meant; the message has a line for each.
    """
    values: dict[str, Any] = {}
    problems = []
    for wanted in INPUTS:
        try:
            values[wanted.field] = read_input(wanted, environ)
        except UsageError as problem:  # noqa: PERF203  # a handful of inputs
            problems.append(str(problem))
    given = frozenset(wanted.name for wanted in INPUTS if environ.get(wanted.variable, "").strip())
    if not problems and values["against"] not in (AUTO, NONE) and values["baseline_storage"] == "file":
        problems.append("against and baseline-storage: file are both given: compare with one or the other")
    if problems:
        raise UsageError("\n".join(problems))
    return Inputs(**values, given=given)
