"""A worker of a paired comparison: a pytest of its own that runs the tests it is told to, case by case.

Started by :mod:`pytest_perfgate.paired.crew`; everything it needs stands in the JSON file that it is given.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_perfgate.model import Case, Finding, Measurement
from pytest_perfgate.paired.line import Line, LineClosedError, call_in
from pytest_perfgate.paired.origin import loaded_apart, loaded_from
from pytest_perfgate.paired.respondent import Respondent
from pytest_perfgate.plugin.measuring import Measuring
from pytest_perfgate.plugin.recorder import Recorder
from pytest_perfgate.store import measurement_to_dict

#: Present in the configuration of a worker.
RESPONDENT = pytest.StashKey[Respondent]()

#: Options that would make a worker write files, distribute tests or stop early, and what they are set to.
_QUIET: dict[str, Any] = {
    "perfgate": True,
    "perfgate_against": None,
    "perfgate_baseline": None,
    "perfgate_only": False,
    "perfgate_report": [],
    "numprocesses": None,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "tx": [],
    "looponfail": False,
    "usepdb": False,
    "trace": False,
    "maxfail": 0,
    "lf": False,
    "failedfirst": False,
    "newfirst": False,
    "stepwise": False,
    "stepwise_skip": False,
    "xmlpath": None,
    "htmlpath": None,
    "report_log": None,
    "json_report": False,
    "no_cov": True,
    "reruns": 0,
    "continue_on_collection_errors": True,
    "verbose": 0,
    "tbstyle": "auto",
    "log_file": None,
    "cacheclear": False,
}
#: Plugins of pytest's own that remember a run for the next one.
_REMEMBERING = ("lfplugin", "nfplugin", "stepwiseplugin")
_MOST_PROBLEM_CHARACTERS = 500


def main(path: str) -> None:
    """Run as a worker.

    Args:
        path: Of the JSON file that says how.
    """
    _die_with_parent()
    asked = json.loads(Path(path).read_text("utf-8"))
    try:
        line = call_in(asked["address"], asked["name"])
    except LineClosedError as problem:
        sys.exit(str(problem))
    sys.path[:] = asked["path"]
    sys.argv[:] = ["pytest", *asked["args"]]
    quiet = []
    if "pytest_cov" in asked["plugins"]:
        quiet.append("--no-cov")  # read before any hook of ours could say so
    os._exit(_status(pytest.main([*asked["args"], *quiet], plugins=[SideWorker(line, asked)])))


def _status(code: int | pytest.ExitCode) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


def _die_with_parent() -> None:
    """Ask Linux to end this process when the one that compares is killed; elsewhere the closed line does it later."""
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    set_death_signal = 1  # PR_SET_PDEATHSIG of linux/prctl.h
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


class SideWorker:
    """The plugin that makes a pytest a worker.

    Args:
        line: To the process that compares.
        asked: What the JSON file says.
    """

    def __init__(self, line: Line, asked: Mapping[str, Any]) -> None:
        self._line, self._asked = line, asked
        self._ending: dict[str, str] = {}
        self._collect_problems: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        """Take back what the user's options would make a worker do; collect only what is compared."""
        for name, value in _QUIET.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        # Not by `-p no:terminal`, which would make `-q` and other options of the user's unknown.
        config.pluginmanager.set_blocked("terminalreporter")
        config.option.perfgate_max_time = self._asked["max_time"]
        config.option.basetemp = self._asked["basetemp"]
        config.args[:] = self._asked["collect"]
        config.stash[RESPONDENT] = Respondent(self._line)
        return (yield)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep plugins that remember this run for the next one from doing so."""
        for name in _REMEMBERING:
            plugin = session.config.pluginmanager.get_plugin(name)
            if plugin is not None:
                session.config.pluginmanager.unregister(plugin)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember why a file could not be collected."""
        if report.failed:
            self._collect_problems[report.nodeid] = _last_line(str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests one is told to, in the order one is told."""
        items = {item.nodeid: item for item in session.items}

        def item_of(test: str) -> pytest.Item | None:
            # To the ids that its own workers see, xdist adds the group under --dist=loadgroup.
            return items.get(test) or items.get(test.rpartition("@")[0])

        respondent = session.config.stash[RESPONDENT]
        self._say("ready")
        while (told := self._hear())["do"] == "go":
            item, following = item_of(told["test"]), item_of(told["next"] or "")
            if item is None:
                self._say("over", outcome="failed", problem=self._why_not_collected(told["test"]))
                continue
            self._ending = {"outcome": "passed", "problem": ""}
            # A test that is to be run again has to be set up again: only its module stays set up.
            nextitem = item.parent if following is item else following
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            self._say("over", facts=respondent.take_facts(), **self._ending)
        session.shouldstop = False
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Tell of an interruption as of any failure."""
        with _interruption_is_failure():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Tell of an interruption as of any failure."""
        with _interruption_is_failure():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how the test ended."""
        if report.failed:
            problem = _last_line(str(report.longrepr))
            beside = "; base and head run side by side" if report.when == "setup" else ""
            self._ending = {"outcome": "failed", "problem": f"{problem} (in its {report.when} phase{beside})"}
        elif report.skipped and self._ending["outcome"] == "passed":
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self._ending = {"outcome": "skipped", "problem": str(getattr(report, "wasxfail", why))}

    def _why_not_collected(self, test: str) -> str:
        for node, problem in self._collect_problems.items():
            if test.startswith(node):
                return f"{node or 'the session'} cannot be collected: {problem}"
        return "the test is not collected"

    def _say(self, what: str, **more: Any) -> None:
        tests = {os.path.realpath(file) for file in self._asked["collect"]}  # head's on both sides, however called
        apart = loaded_apart([file for file in self._asked["apart"] if file not in tests])
        self._line.say(say=what, loaded=loaded_from(self._asked["roots"]), apart=apart, **more)

    def _hear(self) -> Mapping[str, Any]:
        try:
            return self._line.hear()
        except LineClosedError:
            return {"do": "bye"}


class MeasuringSide(Measuring):
    """Measures as the process that compares says; budgets are judged there and not here."""

    def make_recorder(self, item: pytest.Item, **facts: Any) -> Recorder:
        """Make a recorder that answers to the process that compares."""
        return SideRecorder(item.config.stash[RESPONDENT], **facts)

    def _judge(self, item: pytest.Item, problem: BaseException | None) -> tuple[Finding, ...]:
        del item, problem
        return ()


class SideRecorder(Recorder):
    """Hands over what is measured.

    Args:
        respondent: Of this worker.
        **facts: As :class:`~pytest_perfgate.plugin.recorder.Recorder` takes them.
    """

    def __init__(self, respondent: Respondent, **facts: Any) -> None:
        super().__init__(**facts)
        self._respondent = respondent
        self._announced: set[Case] = set()

    def planner(self, case: Case) -> Any:
        """Leave the rounds of a case to the process that compares."""
        self._announced.add(case)
        return self._respondent.planner(case)

    @contextlib.contextmanager
    def measuring(self, case: Case, *, timed: bool = True) -> Iterator[None]:
        """Wait for one's turn where the case is one number."""
        if case.metric not in ("perf", "startup.command", "startup.imports", "startup.app"):
            self._announce(case)
        with super().measuring(case, timed=timed):
            yield

    def add(self, measurement: Measurement) -> Measurement:
        """Hand it over where it is asked for, besides keeping it."""
        kept = super().add(measurement)
        if kept.case not in self._announced:  # measured in passing, as the peak of a test's call phase is
            self._announce(kept.case)
        self._respondent.hand_over(kept.case, lambda: measurement_to_dict(kept))
        return kept

    def _announce(self, case: Case) -> None:
        self._announced.add(case)
        self._respondent.wait_for_turn(case)


@contextlib.contextmanager
def _interruption_is_failure() -> Iterator[None]:
    """Fail a test that interrupts: it comes from the test, as Ctrl-C is not ours to handle.

    It would end this worker with all that is left to play, and nobody could say why.
    """
    try:
        yield
    except KeyboardInterrupt:
        pytest.fail("the test raised KeyboardInterrupt", pytrace=False)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    told = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (told[0] if told else lines[-1] if lines else "it failed")[:_MOST_PROBLEM_CHARACTERS]
