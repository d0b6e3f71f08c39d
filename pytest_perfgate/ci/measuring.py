"""How pytest is started to measure for the action: the program, its arguments and its environment."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from pytest_perfgate.ci.inputs import PREFIX
from pytest_perfgate.ci.plan import BASE, Plan
from pytest_perfgate.ci.settling import FailedTest

#: What the plugin of that name writes to.
OUTCOMES_VARIABLE = "PERFGATE_OUTCOMES"
OUTCOMES_PLUGIN = "pytest_perfgate.plugin.outcomes"
RUN, JUNIT, MARKDOWN = "perfgate.json", "perfgate.xml", "perfgate.md"

#: Files by which a step speaks to the runner: code under test has no business there.
_RUNNERS_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
#: What the steps of the action tell each other, and that modules of the workspace are not ours to import.
_OURS = ("PERFGATE_PLAN", "PERFGATE_SETTLED", "PERFGATE_RESTORED", "PERFGATE_PYTHON", "PYTHONSAFEPATH")


def pytest_program(python: str, scripts: str) -> list[str]:
    """Find pytest as people call it.

    Args:
        python: The interpreter.
        scripts: Folder of the scripts of its environment.

    Returns:
        The script of that environment: `python -m pytest` would import a package from the current folder that the
        project has installed, perhaps compiled, elsewhere.  Without a script it has to be that all the same.
    """
    script = shutil.which("pytest", path=scripts)
    return [script] if script else [python, "-m", "pytest"]


def pytest_command(program: Sequence[str], plan: Plan, *, has_baseline: bool) -> list[str]:
    """Write the command that measures.

    Args:
        program: What starts pytest.
        plan: What to do; the user's own arguments come last; those that would undo the plan were refused with it.
        has_baseline: Whether the stored run to compare with is there.
    """
    # By the name of its entry point: there once, whether or not plugins are found by themselves.
    command = [*program, "-p", "perfgate", "-p", OUTCOMES_PLUGIN, "--perfgate"]
    command.append(f"--perfgate-report=json={Path(plan.report_dir) / RUN}")
    if plan.compare == BASE:
        command.append(f"--perfgate-against={plan.against}")
    elif has_baseline:
        command.append(f"--perfgate-baseline={plan.baseline}")
    if plan.max_regression:
        command.append(f"--perfgate-max-regression={plan.max_regression}")
    if plan.strict:
        command.append("--perfgate-strict")
    return [*command, *plan.pytest_args]


def child_environ(environ: Mapping[str, str], outcomes: str) -> dict[str, str]:
    """Make the environment of the pytest that measures.

    Args:
        environ: Of this step.
        outcomes: Where the pytest leaves which tests failed.

    Returns:
        The same without what would let the suite speak to the runner in our name.
    """
    hidden = {*_RUNNERS_FILES, *_OURS}
    kept = {name: text for name, text in environ.items() if name not in hidden and not name.startswith(PREFIX)}
    return {**kept, OUTCOMES_VARIABLE: outcomes}


def run_to_its_end(command: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> int:
    """Run a program; when this process is told to end, tell the program, and wait for it.

    Nobody would end a program that is left behind, and it would go on to use the machine and to print.

    Args:
        command: The program and its arguments.
        cwd: Folder to run it in.
        env: Its whole environment.

    Returns:
        Its exit status, negative for the signal that ended it.

    Raises:
        OSError: It cannot be started.
    """
    with subprocess.Popen(command, cwd=cwd, env=env) as process:  # noqa: S603  # the user's own arguments, and no shell

        def pass_on(number: int, frame: FrameType | None) -> None:
            del frame
            process.send_signal(number)

        before = signal.signal(signal.SIGTERM, pass_on)
        try:
            return process.wait()
        except BaseException:  # an interrupt from the keyboard
            process.kill()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)


def failed_tests(text: str) -> tuple[FailedTest, ...]:
    """Read what the plugin wrote; what is none holds no failed test, and the exit status of pytest speaks alone."""
    try:
        return tuple(FailedTest(str(test), str(when)) for test, when in json.loads(text)["failed"])
    except (ValueError, TypeError, KeyError):
        return ()


def usage_error(text: str) -> str:
    """Read, from what the plugin wrote, the user's mistake that let no test run; empty when there was none."""
    try:
        return str(json.loads(text).get("usage", ""))
    except (ValueError, AttributeError):
        return ""
