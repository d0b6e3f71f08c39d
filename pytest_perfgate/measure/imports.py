"""Import a module in a fresh interpreter, timed from inside it; knows no metric.

The child takes its own time around the import, so that neither the interpreter's start nor its end
counts.  It reports through a file of its own: standard output and error belong to the module.
"""

from __future__ import annotations

import ast
import keyword
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.command import (
    Command,
    Runner,
    check_exit,
    exit_shown,
    expected_statuses,
    last_words,
    make_command,
)
from pytest_perfgate.measure.process import ProcessRun, run_process

#: Run by ``python -c`` with ``{ask!r}`` filled in.  Imports nothing that a bare interpreter has not
#: imported already, or the count of new modules would miss it; so it reports with repr().
_CHILD = """\
import sys, time
def perfgate(ask):
    if not ask["keep_cwd"] and sys.path[:1] == [""]:
        del sys.path[0]
    extra = [entry for entry in ask["path"] if entry not in sys.path]
    sys.path[:] = sys.path + extra if ask["append"] else extra + sys.path
    use = ask["first_use"] and compile(ask["first_use"], "<first_use>", "exec")
    clock, told = time.perf_counter, {"phase": "import"}
    def tell():
        with open(ask["report"], "w", encoding="utf-8", errors="backslashreplace") as report:
            report.write(repr(told))
    def peak():
        try:
            with open("/proc/self/status") as status:
                rows = [row for row in status if row.startswith("VmHWM:")]
            return int(rows[0].split()[1]) * 1024
        except (OSError, LookupError, ValueError):
            return None
    def queued():
        try:
            with open("/proc/self/schedstat", "rb") as account:
                return int(account.read().split()[1]) / 1e9
        except (OSError, LookupError, ValueError):
            return None
    early = sorted(map(str, sys.modules))
    gone = {name: sys.modules.pop(name) for name in ask["unload"] if getattr(sys.modules.get(name), "__spec__", None)}
    bare = set(sys.modules)
    try:
        before = queued()
        start = clock()
        package = __import__(ask["module"])
        told["import_s"] = clock() - start
        told["queued_s"] = None if before is None else queued() - before
        new = set(sys.modules) - bare
        told["modules"], told["peak_bytes"] = sorted(map(str, new)), peak()
        told["early"] = early
        if use:
            told["phase"] = "first use"
            tell()
            names = {"__name__": "__main__", ask["module"].split(".")[0]: package}
            start = clock()
            try:
                exec(use, names)
            except SystemExit as exit:
                if exit.code:
                    raise
            told["first_use_s"] = clock() - start
            told["first_use_modules"] = sorted(map(str, set(sys.modules) - bare - new))
        told["phase"] = "done"
    except BaseException as problem:
        told["problem"] = "%s: %s" % (type(problem).__name__, problem)
        raise
    finally:
        tell()
perfgate({ask!r})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """One import in a fresh interpreter."""

    import_s: float
    """Wall time of the import statement alone."""
    modules: tuple[str, ...]
    """Names of the modules that the import added, sorted; those that were loaded before are not among them."""
    first_use_s: float | None
    """Wall time of the first use, None when none was asked for."""
    first_use_modules: tuple[str, ...]
    """Names of the modules that the first use added on top, sorted."""
    peak_bytes: int | None
    """Peak resident memory of the interpreter just after the import (Linux)."""
    process: ProcessRun
    """The whole process, the interpreter's start and end included."""
    loaded_before: tuple[str, ...] = ()
    """Names of the modules that were there when the import began, sorted."""
    queued_s: float | None = None
    """Time within the import that its thread waited for a processor (Linux)."""

    @property
    def uncontended_s(self) -> float | None:
        """Wall time of the import without that waiting; None where it is not known, or other threads may have run."""
        if self.queued_s is None or self.process.uncontended_s is None:
            return None
        return max(0.0, self.import_s - self.queued_s)

    @property
    def wall_s(self) -> float:
        """Wall time of the whole process."""
        return self.process.wall_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCommand:
    """An import that has been checked, ready to be run."""

    module: str
    command: Command
    """Without the place to report to, which every run gets anew."""
    ask: Mapping[str, Any]
    """What the child is told; literals only."""

    def run(self, runner: Runner = run_process) -> ImportRun:
        """Import once, in a fresh interpreter.

        Args:
            runner: Runs the interpreter.

        Returns:
            What the child measured.

        Raises:
            CannotMeasureError: The interpreter could not be started, did not end in time, or the
                module or its first use raised or ended the process.
        """
        with tempfile.TemporaryDirectory(prefix="perfgate-", ignore_cleanup_errors=True) as folder:
            report = Path(folder, "report")
            code = _CHILD.replace("{ask!r}", repr({**self.ask, "report": str(report)}))
            process = self.command.run_anyhow(runner, ("-c", code))
            told = _read(report)
        if process.timed_out and "problem" not in (told or ()):
            raise CannotMeasureError(self._explain_timeout(told, process))
        if told is None or told["phase"] != "done":
            raise CannotMeasureError(self._explain(told, process))
        check_exit(self.command, process, expected_statuses(0))
        return ImportRun(
            import_s=told["import_s"],
            modules=tuple(told["modules"]),
            first_use_s=told.get("first_use_s"),
            first_use_modules=tuple(told.get("first_use_modules", ())),
            peak_bytes=told["peak_bytes"],
            process=process,
            loaded_before=tuple(told.get("early", ())),
            queued_s=told.get("queued_s"),
        )

    def _explain_timeout(self, told: Mapping[str, Any] | None, process: ProcessRun) -> str:
        limit = f"did not end within {self.command.timeout_s:g} s; the process group was killed"
        if told is None or told["phase"] != "done":
            what = f"{'first use of' if told else 'import'} {self.module} {limit}"
        else:
            limit += "; is there a thread that goes on, and is no daemon?"
            what = f"the interpreter that imported {self.module} {limit}"
        return what + last_words(process)

    def _explain(self, told: Mapping[str, Any] | None, process: ProcessRun) -> str:
        python = self.command.argv[0]
        where = "import" if told is None or told["phase"] == "import" else "first use of"
        if told is None or "problem" not in told:
            return (
                f"{where} {self.module} ended the interpreter before it was done: it "
                f"{exit_shown(process)}{last_words(process)}"
            )
        problem = told["problem"]
        top = self.module.partition(".")[0]
        hint = ""
        if told["phase"] == "import" and problem == f"ModuleNotFoundError: No module named {top!r}":
            hint = f"; is it installed for {python}, or missing from pytest's `pythonpath`?"
        return f"{where} {self.module} failed in a fresh interpreter: {problem}{hint}" + (
            "" if hint else last_words(process)
        )


def make_import(
    module: object,
    *,
    first_use: str | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = None,
    python: str | os.PathLike[str] = sys.executable,
) -> ImportCommand:
    """Check what a user wants to import, and where.

    The child finds what the test finds: entries of our ``sys.path`` that it lacks (pytest's own,
    such as ``pythonpath`` and folders of tests) go in front of its own, or behind them when *env*
    sets ``PYTHONPATH``.  The current directory is on its path only if it is on ours, or given as
    *cwd*.  Another *python* gets none of this: its path is its own.

    Args:
        module: Dotted name.
        first_use: Statements run after the import, with the top-level package bound to its name.
        env: Variables added to the environment; None as a value takes one away.
        cwd: Directory to run in.
        timeout_s: Seconds one run may take, > 0; None or 0 for no limit.
        python: The interpreter.

    Returns:
        The import, ready to be run.

    Raises:
        UsageError: Something in it cannot be meant.
    """
    name = checked_module(module)
    if first_use is not None:
        _check_code(first_use)
    command = make_command([python], env=env, cwd=cwd, timeout_s=timeout_s)
    same = command.argv[0] == sys.executable
    here = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100  # resolve() follows links
    return ImportCommand(
        module=name,
        command=command,
        ask={
            "module": name,
            "first_use": first_use,
            "unload": (),
            "path": [entry for entry in here if os.path.exists(entry)] if same else [],  # noqa: PTH110  # plain strings, as sys.path holds them
            "append": "PYTHONPATH" in (env or {}),
            "keep_cwd": not same or cwd is not None or str(Path.cwd()) in here,
        },
    )


def checked_module(module: object) -> str:
    """Check that *module* is a dotted name.

    Raises:
        UsageError: It is something else; the message guesses what was meant.
    """
    if not isinstance(module, str):
        raise UsageError(f"a module is named by a string, not {module!r}")
    parts = module.split(".")
    if all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return module
    guess = module.removesuffix(".py").strip("./\\ ")
    guess = guess.replace("/", ".").replace("\\", ".").replace("-", "_")
    fits = all(part.isidentifier() for part in guess.split("."))
    hint = f"; did you mean {guess!r}?" if fits and guess != module else ""
    raise UsageError(f"{module!r} is not the name of a module, such as 'package.module'{hint}")


def checked_modules(modules: object, option: str) -> tuple[str, ...]:
    """Check a list of module names; a single string is refused, since it would be read by letters.

    Raises:
        UsageError: It is something else.
    """
    if isinstance(modules, str) or not isinstance(modules, Iterable):
        raise UsageError(f"{option}={modules!r} is not a list; write {option}=[{modules!r}]")
    return tuple(checked_module(module) for module in modules)


def _check_code(first_use: object) -> None:
    if not isinstance(first_use, str):
        raise UsageError(
            f"first_use={first_use!r} is not a string of Python, such as "
            f"\"package.main(['--help'])\"; it runs in another interpreter"
        )
    try:
        compile(first_use, "<first_use>", "exec")
    except (SyntaxError, ValueError) as problem:
        raise UsageError(f"first_use={first_use!r} is not Python: {problem}") from None


def _read(report: Path) -> dict[str, Any] | None:
    try:
        told = ast.literal_eval(report.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
    return told if isinstance(told, dict) else None
