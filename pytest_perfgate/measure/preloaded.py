"""What an import asks for although ``site`` had loaded it before the import began; times nothing, knows no metric.

A line of a ``.pth`` file runs in every interpreter: the import hook of an editable install loads ``re`` and ``pathlib``
before any package can.  Without it they come in with the package, as they do for everybody who installs it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.command import Command, Runner
from pytest_perfgate.measure.imports import ImportCommand, ImportRun
from pytest_perfgate.measure.process import run_process

#: With -S, importing ``site`` runs no .pth file and no sitecustomize: what is there then is in any interpreter.
_BARE = "import sys, time, site; print(sorted(sys.modules))"
_TIMEOUT_S = 30.0
#: What installers and administrators have every interpreter load, and no package imports: without it nothing is told.
_OF_EVERY_START = re.compile(r"_distutils_hack|_virtualenv|__editable___\w+|(?:site|user)customize|encodings\.\w+")
#: Modules named in a message.
_NAMED = 3


def preloaded(wanted: ImportCommand, run: ImportRun, runner: Runner = run_process) -> tuple[str, ...]:
    """Find the modules that were loaded before the import began, and that it might have asked for itself.

    Args:
        wanted: The import.
        run: One run of it.
        runner: Runs the interpreter.

    Returns:
        Their names, sorted; a bare interpreter's are not among them.

    Raises:
        CannotMeasureError: The bare interpreter does not say what it has.
    """
    if not run.loaded_before:
        return ()
    like = wanted.command
    argv = (like.argv[0], "-I", "-S", "-c", _BARE)
    bare = Command(argv=argv, env=like.env, cwd=like.cwd, stdin=None, timeout_s=_TIMEOUT_S).run(runner)
    try:
        names = frozenset(ast.literal_eval(bare.stdout.decode()))
    except (SyntaxError, ValueError, TypeError):
        raise CannotMeasureError("a bare interpreter did not say which modules it has") from None
    early = frozenset(run.loaded_before) - names
    return tuple(sorted(name for name in early if not _OF_EVERY_START.fullmatch(name)))


def counted(wanted: ImportCommand, run: ImportRun, early: Iterable[str], runner: Runner = run_process) -> ImportRun:
    """Add to a run the modules that its import asks for though they were there, as one more run without them tells.

    Args:
        wanted: The import.
        run: One run of it; its times stay.
        early: Names of those that were there.
        runner: Runs the interpreter.

    Returns:
        The run with more modules.

    Raises:
        CannotMeasureError: The import does not succeed when they are taken away before.
    """
    if not (names := tuple(early)):
        return run
    try:
        again = without(wanted, names).run(runner)
    except CannotMeasureError as problem:
        raise CannotMeasureError(why_untold(wanted.module, names, problem)) from None
    modules = frozenset(run.modules) | frozenset(again.modules)
    used = frozenset(run.first_use_modules) | frozenset(again.first_use_modules)
    return replace(run, modules=tuple(sorted(modules)), first_use_modules=tuple(sorted(used - modules)))


def without(wanted: ImportCommand, early: Iterable[str]) -> ImportCommand:
    """Make the import that finds none of *early* loaded."""
    return replace(wanted, ask={**wanted.ask, "unload": tuple(early)})


def why_untold(module: str, early: tuple[str, ...], problem: Exception) -> str:
    """Say why it is not known what the import brings in, and what to do about it."""
    some = ", ".join(early[:_NAMED]) + (" ..." if len(early) > _NAMED else "")
    first = str(problem).partition("\n")[0]
    return (
        f"which modules import {module} brings in is not known: a .pth file or sitecustomize loads {some} before, and "
        f"when they are taken away, {first.removesuffix('; its stderr ends:')}; "
        f"install what does so without --editable, or without it"
    )
