"""The command that measures the same again on another machine, made of what is plain enough to be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from pytest_perfgate.model import Finding, Run, Verdict
from pytest_perfgate.reports._cells import policy_of

#: More tests than this are not typed again but run as a whole.
_MOST_TESTS = 10
_LONGEST_WORD = 300

#: Whoever opens a pull request chooses these words, and somebody pastes them into a shell.
_PLAIN = re.compile(r"[A-Za-z0-9_.](?:[A-Za-z0-9_./:=,+~^-]|\[|\])*")
_UNSETTLED = (Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE)
_DEFAULT_TOLERANCE = 0.05


def reproduce_lines(run: Run, ordered: Sequence[Finding]) -> list[str]:
    """Write the command line, and the change of folder before it where there is one.

    Args:
        run: The run.
        ordered: Its findings, worst first.

    Returns:
        Lines for a shell.  A test whose parameters are not plain is named without them, which runs it with all; other
        words that are not plain are left out or, where something has to stand there, are for the reader to fill in.
    """
    words = ["pytest", "--perfgate", *_options(run)]
    tests = _tests(run, ordered)
    words += tests or ["--perfgate-only"]
    command = " ".join(shlex.quote(word) for word in words)
    root = run.settings.get("root")
    return [f"cd {shlex.quote(root)}", command] if _is_plain(root) else [command]


def _options(run: Run) -> Iterator[str]:
    settings = run.settings
    if _is_plain(run.profile):
        yield from ("--perfgate-profile", run.profile)
    against, baseline = (
        given if _is_plain(given) else "BASE" if given else ""
        for given in (settings.get("against"), settings.get("baseline"))
    )
    if against:
        yield from ("--perfgate-against", against)
    if baseline:  # one word: after a blank, pytest takes a file for a place of tests
        yield f"--perfgate-baseline={baseline}"
    tolerance = settings.get("max_regression")
    compares = settings.get("against") or settings.get("baseline")
    if compares and isinstance(tolerance, float) and tolerance != _DEFAULT_TOLERANCE:
        yield from ("--perfgate-max-regression", f"{tolerance * 100:g}%")
    if policy_of(run).strict:
        yield "--perfgate-strict"


def _tests(run: Run, ordered: Sequence[Finding]) -> list[str]:
    """Name the tests that fail, or, where none does, those that could not be told."""
    policy = policy_of(run)
    failing = [finding for finding in ordered if policy.fails(finding.verdict)]
    wanted = failing or [finding for finding in ordered if finding.verdict in _UNSETTLED]
    found = dict.fromkeys(_typed(finding.case.test) for finding in wanted if finding.verdict is not Verdict.MISSING)
    return [] if "" in found or len(found) > _MOST_TESTS else list(found)


def _typed(test: str) -> str:
    """Write a node id as plainly as is needed: whole, without its parameters, its file; empty when none is plain."""
    return next(filter(_is_plain, (test, test.partition("[")[0], test.partition("::")[0])), "")


def _is_plain(word: object) -> TypeGuard[str]:
    return isinstance(word, str) and len(word) <= _LONGEST_WORD and _PLAIN.fullmatch(word) is not None
