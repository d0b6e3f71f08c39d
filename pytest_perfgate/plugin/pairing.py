"""The paired comparison as pytest sees it: before the first test that measures, all that do are compared at once.

Under xdist the worker that comes to such a test first compares for all of them, alone on the machine, and leaves what
it found in the folder that the workers of the run share.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_perfgate.errors import PerfgateError
from pytest_perfgate.model import Case, Comparison, Finding, Measurement, Verdict
from pytest_perfgate.plugin.measuring import recorder_of
from pytest_perfgate.plugin.recorder import Recorder
from pytest_perfgate.words import counted

if TYPE_CHECKING:
    from pytest_perfgate.paired.crew import WorkerProgram
    from pytest_perfgate.paired.environment import Side, Sides
    from pytest_perfgate.paired.terms import Progress, Terms
    from pytest_perfgate.settings import Settings

_FOUND = "compared.json"
_WORKER_MODULE = "pytest_perfgate.plugin.side_worker"
#: A worker gives up a target that hangs by itself; only one that cannot is ended from here, so much later.
_GRACE_S = 5.0
#: A log gets a line so often, lest silence be taken for a hang.
_TELLING_S = 30.0
#: What is one number per process and takes as long as it may, such as a speedup, has to be had so many times within the
#: time for a case: on both sides, in as many rounds as it takes to tell a change.
_VALUES = 40


class Pairing:
    """Compares once, and then knows what there is to know about every test.

    Args:
        config: The pytest configuration of this process.
        settings: In force.
        sides: Base and head.
        shared: Folder that the processes of this run share; None when there is only this one.
    """

    def __init__(self, config: pytest.Config, settings: Settings, sides: Sides, shared: Path | None) -> None:
        self._config, self._settings, self._sides, self._shared = config, settings, sides, shared
        self._found: dict[str, Any] | None = None
        self._compared: frozenset[str] = frozenset()
        self.against = sides.base.label
        config.pluginmanager.register(self, "perfgate-pairing")

    # -- the tests themselves, once, in this process

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Do not run what has ended its worker before it came to measure: it would end this process as well."""
        if not self.findings_of(item.nodeid):
            self._refuse_deadly(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        """Do not run what has ended its worker while it was measured."""
        recorder = recorder_of(pyfuncitem)
        if recorder is not None and pyfuncitem.nodeid in self._deadly:
            for case in self.findings_of(pyfuncitem.nodeid):
                recorder.replay(recorder.begin(case.metric.partition(".")[0], case.metric, case.name))
        self._refuse_deadly(pyfuncitem)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Give up a target that hangs, also where it is only called and not measured."""
        from pytest_perfgate.measure.timeout import given_up_after

        with given_up_after(self._settings.timeout_s if item.nodeid in self._compared else 0.0):
            yield

    @property
    def _deadly(self) -> Mapping[str, str]:
        lost: Mapping[str, str] = (self._found or {}).get("lost", {})
        return lost

    def _refuse_deadly(self, item: pytest.Item) -> None:
        if item.nodeid in self._deadly:
            pytest.fail(f"not run here, because {self._deadly[item.nodeid]}", pytrace=False)

    # -- comparing

    def ensure(self, tests: Mapping[str, float]) -> None:
        """Compare, unless that has been done; the caller has the machine to itself.

        Args:
            tests: Node ids of every test to compare -> tolerance.
        """
        self._compared = frozenset(tests)
        if self._found is None and self._shared is not None and (self._shared / _FOUND).exists():
            self._found = json.loads((self._shared / _FOUND).read_text("utf-8"))
        if self._found is not None:
            return
        self._found = self._compare(tests)
        if self._shared is not None:
            written = self._shared / f"{_FOUND}.{os.getpid()}"
            written.write_text(json.dumps(self._found), "utf-8")
            written.replace(self._shared / _FOUND)

    @property
    def problem(self) -> str:
        """Why nothing was compared; empty when something was."""
        return str((self._found or {}).get("problem", ""))

    @property
    def notes(self) -> list[str]:
        """Remarks on the comparison as a whole."""
        return list((self._found or {}).get("notes", ()))

    def recorder(self, **facts: Any) -> Recorder:
        """Make the recorder of a test, which knows what was measured."""
        return ReplayRecorder(self.findings_of(facts["test"]), self.why_not(facts["test"]), **facts)

    def findings_of(self, test: str) -> dict[Case, Finding]:
        """Return what was found of each case of a test."""
        from pytest_perfgate.store import finding_from_dict

        packed = (self._found or {}).get("findings", {}).get(test, ())
        return {finding.case: finding for finding in map(finding_from_dict, packed)}

    def why_not(self, test: str) -> str:
        """Say why nothing was learned of a test; empty when something was."""
        return self.problem or str((self._found or {}).get("given_up", {}).get(test, ""))

    def compare(self, head: Measurement, *, tolerance: float) -> Comparison:
        """Say what the comparison found of one case (the part of a baseline, :class:`pytest_perfgate.gate.Baseline`).

        Args:
            head: What stands for it in this run.
            tolerance: The run's; the comparison had that of the test.
        """
        del tolerance
        found = self.findings_of(head.case.test).get(head.case)
        if found is None:
            return Comparison(verdict=Verdict.NO_BASELINE, reason=self.why_not(head.case.test) or _NOT_MET)
        return Comparison(
            change=found.change, verdict=None if found.change is not None else found.verdict, reason=found.reason
        )

    def _compare(self, tests: Mapping[str, float]) -> dict[str, Any]:
        from pytest_perfgate.paired.comparison import PairedComparison
        from pytest_perfgate.plugin.paired_findings import packed_findings

        comparison = PairedComparison(
            self._program(tests), self._sides, list(tests), self._terms(tests), report=self._teller()
        )
        try:
            outcome = comparison.run()
        except PerfgateError as problem:
            return {"problem": f"the paired comparison with {self.against} came to nothing: {problem}"}
        found = packed_findings(outcome, comparison, self._sides)
        return {**found, "given_up": dict(comparison.given_up), "lost": dict(comparison.lost)}

    def _program(self, tests: Mapping[str, float]) -> WorkerProgram:
        from pytest_perfgate.paired.crew import WorkerProgram

        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        return WorkerProgram(
            module=_WORKER_MODULE,
            facts={
                "args": [str(argument) for argument in self._config.invocation_params.args],
                "collect": [str(self._config.rootpath / file) for file in files],
                "path": list(sys.path),
                "max_time": f"{max(1, round(self._settings.case_time_s * 1000 / _VALUES))}ms",
                "plugins": [name for name in ("pytest_cov",) if self._config.pluginmanager.hasplugin(name)],
            },
            cwd=self._config.invocation_params.dir,
            # The folder that holds both sides: it goes with them, also when this process is killed.
            scratch=Path(os.path.commonpath([self._sides.base.location, self._sides.head.location])),
        )

    def _terms(self, tests: Mapping[str, float]) -> Terms:
        from pytest_perfgate.paired.processors import usable_processors
        from pytest_perfgate.paired.terms import Terms

        settings = self._settings
        return Terms(
            tolerance=lambda test: tests[test],
            most_case_s=settings.case_time_s,
            most_run_s=settings.run_time_s,
            timeout_s=settings.timeout_s + _GRACE_S if settings.timeout_s else None,
            processors=usable_processors(),
            seed=int.from_bytes(os.urandom(8), "big"),
        )

    def _teller(self) -> Callable[[Progress], None]:
        """Return what tells a person how far it is: at once on a terminal, in a log now and then."""
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._config.get_verbosity() < 0:
            return lambda _: None
        told_s = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told_s
            text = (
                f"perfgate: against {self.against}, round {progress.round}: {progress.undecided} of "
                f"{counted(progress.cases, 'case')} undecided, {progress.elapsed_s:.0f} s"
            )
            if reporter.isatty:
                reporter.rewrite(text if progress.undecided else "", erase=True)
            elif progress.undecided and progress.elapsed_s - told_s >= _TELLING_S:
                told_s = progress.elapsed_s
                reporter.ensure_newline()
                reporter.write_line(text)

        return tell


_NOT_MET = "the paired comparison did not come to this case"


class ReplayRecorder(Recorder):
    """Knows what was measured before the test ran.

    Args:
        found: Case -> what was found of it.
        why_not: Why nothing was learned of the test; empty when something was.
        **facts: As :class:`~pytest_perfgate.plugin.recorder.Recorder` takes them.
    """

    def __init__(self, found: Mapping[Case, Finding], why_not: str, **facts: Any) -> None:
        super().__init__(**facts)
        self._found, self._why_not = found, why_not

    def known(self, case: Case) -> Measurement | None:
        """Return what was measured of *case*, or why it was not; None for a phase that holds measurements itself."""
        if case in self._found:
            return self._found[case].measurement
        if case.metric == "call" and self._found:
            return None
        return Measurement(case=case, unit="s", error=self._why_not or _NOT_MET)


def packed_sides(sides: Sides) -> dict[str, Any]:
    """Turn *sides* into plain objects, for another process."""

    def packed(side: Side) -> dict[str, Any]:
        facts = dataclasses.asdict(side)
        return {name: str(fact) if isinstance(fact, Path) else fact for name, fact in facts.items()}

    return {"base": packed(sides.base), "head": packed(sides.head), "notes": list(sides.notes)}


def unpacked_sides(packed: Mapping[str, Any]) -> Sides:
    """Make sides of plain objects."""
    from pytest_perfgate.paired.environment import Side, Sides

    def side(facts: Mapping[str, Any]) -> Side:
        places = {name: Path(facts[name]) for name in ("bootstrap", "location", "project") if facts[name] is not None}
        return Side(**{**facts, **places, "roots": tuple(facts["roots"]), "binaries": tuple(facts["binaries"])})

    return Sides(base=side(packed["base"]), head=side(packed["head"]), notes=tuple(packed["notes"]))


def locate(name: str) -> Path | None:
    """Say where this process imports *name* from.

    Returns:
        A module's file, a package's ``__init__.py`` or the first folder of a namespace package; None when there is
        no such module.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if spec.origin is not None and spec.has_location:
        return Path(spec.origin)
    places: Sequence[str] = list(spec.submodule_search_locations or ())
    return Path(places[0]) if places else None
