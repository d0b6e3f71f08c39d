"""The ``startup`` fixture: fresh processes and fresh interpreters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_perfgate.plugin.meters._front import Front, refuse_unknown, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.metrics.startup import AppResult, CommandResult, ImportsResult

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


#: Options that say how to measure, and nothing of what is run.
_OF_MEASURING = ("runs", "warmup", "cold")


class Startup(Front):
    """Time that fresh processes take: ``startup.command(argv)``, ``startup.imports("pkg")``, ``startup.app(argv)``."""

    METRICS = ("startup.command", "startup.imports", "startup.app")

    @told_clearly
    def command(self, argv: Sequence[str | os.PathLike[str]], *, name: str = "", **options: Any) -> CommandResult:
        """Run a command in fresh processes, from spawn to exit.

        Args:
            argv: Program and arguments, as a list; never a string for a shell.
            name: Tells several cases of one test apart.
            **options: ``runs warmup env cwd stdin timeout expect_exit cold``, see the reference of fixtures.

        Returns:
            Exit status, stdout and stderr of the last run, as :class:`subprocess.CompletedProcess`.
        """
        __tracebackhide__ = True
        from pytest_perfgate.metrics import startup

        options = _renamed(options, "startup.command", startup.COMMAND_OPTIONS)
        begun = self._begin("startup", "startup.command", name)
        if begun is None:
            once = {key: value for key, value in options.items() if key not in _OF_MEASURING}
            return startup.run_command(argv, **once)
        return self._measured(
            begun,
            lambda recorder, case: startup.measure_command(
                recorder.plan, case, argv, planner=recorder.planner(case), **options
            ),
        )

    @told_clearly
    def imports(self, module: str, *, name: str = "", **options: Any) -> ImportsResult:
        """Import a module in fresh interpreters.

        Args:
            module: Dotted name.
            name: Tells several cases of one test apart.
            **options: ``runs warmup first_use forbid env cwd timeout python cold``, see the reference of fixtures.

        Returns:
            What was imported, as read in the last run.
        """
        __tracebackhide__ = True
        from pytest_perfgate.metrics import startup

        options = _renamed(options, "startup.imports", startup.IMPORTS_OPTIONS)
        forbid = options.pop("forbid", ())
        begun = self._begin("startup", "startup.imports", name)
        if self._recorder is not None:
            self._recorder.forbid(forbid)
        if begun is None:
            once = {key: value for key, value in options.items() if key not in _OF_MEASURING}
            return startup.import_once(module, **once)
        return self._measured(
            begun,
            lambda recorder, case: startup.measure_imports(
                recorder.plan, case, module, planner=recorder.planner(case), **options
            ),
        )

    @told_clearly
    def app(
        self, argv: Sequence[str | os.PathLike[str]], *, ready: Any = None, name: str = "", **options: Any
    ) -> AppResult:
        """Start an application, wait until it is ready, and stop it with everything that it started.

        Args:
            argv: Program and arguments, as a list; ``{port}`` stands for a free port unless *ready* names one.
            ready: ``"output"``, a compiled pattern, a port, ``"host:port"``, ``"port"``, a URL, or a function.
            name: Tells several cases of one test apart.
            **options: ``status stop runs warmup env cwd timeout cold``, see the reference of fixtures.

        Returns:
            How the last run went.
        """
        __tracebackhide__ = True
        from pytest_perfgate.metrics import startup

        options = _renamed(options, "startup.app", startup.APP_OPTIONS)
        begun = self._begin("startup", "startup.app", name)
        if begun is None:
            once = {key: value for key, value in options.items() if key not in _OF_MEASURING}
            return startup.run_app_once(argv, ready=ready, **once)
        return self._measured(
            begun,
            lambda recorder, case: startup.measure_app(
                recorder.plan, case, argv, ready=ready, planner=recorder.planner(case), **options
            ),
        )


def _renamed(options: dict[str, Any], call: str, allowed: Sequence[str]) -> dict[str, Any]:
    """Refuse unknown options by name; ``timeout`` is the public spelling of ``timeout_s``."""
    options = dict(options)
    refuse_unknown(call, options, allowed)
    if "timeout" in options:
        options["timeout_s"] = options.pop("timeout")
    return options
