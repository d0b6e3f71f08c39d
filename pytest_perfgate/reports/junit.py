"""JUnit XML: a test case per measured case, in the two dialects that the readers of such files split into.

The schema of Jenkins' xunit plugin (``junit-10.xsd``) knows no properties of a test case, so the strict
dialect says the metrics as ``[[PROPERTY|name=value]]`` lines of ``system-out``, a convention of
https://github.com/testmoapp/junitxml; the other one writes ``<properties>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from junit_xml import TestCase, TestSuite

from pytest_perfgate.model import Case, Finding, Policy, Run, Verdict
from pytest_perfgate.units import SECONDS

_SUITE = "perfgate"

#: What XML 1.0 forbids or discourages, as junit-xml has it, and the carriage return, which readers change.
_ILLEGAL = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAKS = re.compile("[\t\n\u2028\u2029]")

_SKIPPED = (Verdict.MISSING, Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE)


def render(run: Run) -> str:
    """Write *run* as JUnit XML that is valid under ``junit-10.xsd``.

    Returns:
        ASCII text with its XML declaration.
    """
    return _document(run, strict=True)


def render_with_properties(run: Run) -> str:
    """Write *run* as JUnit XML whose test cases carry their metrics as properties.

    Returns:
        ASCII text with its XML declaration.
    """
    return _document(run, strict=False)


class _Case(TestCase):  # type: ignore[misc]  # junit-xml has no types
    """A test case of junit-xml that knows its metrics and always says its time."""

    def __init__(self, name: str, classname: str, *, seconds: float = 0.0, facts: Mapping[str, str]) -> None:
        lines = "".join(_property_line(fact, value) for fact, value in facts.items())
        super().__init__(_one_line(name), _one_line(classname), seconds, stdout=lines)
        self.facts = facts


class _Suite(TestSuite):  # type: ignore[misc]  # junit-xml has no types
    """A test suite of junit-xml without what junit-xml 1.9 gets wrong.

    It writes an attribute that the schema does not know (``disabled``), sums of seconds with an exponent, no
    time where it is 0, and properties for the whole suite only.
    """

    def __init__(self, cases: list[_Case], run: Run, *, strict: bool) -> None:
        super().__init__(
            _SUITE,
            cases,
            hostname=_one_line(run.machine.hostname),
            timestamp=_one_line(run.started),
            properties=_suite_properties(run),
        )
        self._seconds, self._strict = run.duration_s, strict

    def build_xml_doc(self, encoding: str | None = None) -> ET.Element:
        """Build the element as junit-xml does, then mend it."""
        element: ET.Element = super().build_xml_doc(encoding)
        element.attrib.pop("disabled", None)
        element.set("time", f"{self._seconds:.3f}")
        for case, child in zip(self.test_cases, element.iterfind("testcase"), strict=True):
            child.set("time", f"{case.elapsed_sec:.3f}")
            if not self._strict:
                _say_properties(child, case.facts)
        return element


def _document(run: Run, *, strict: bool) -> str:
    suite = _Suite(list(_cases(run)), run, strict=strict).build_xml_doc()
    counts = {name: suite.get(name, "0") for name in ("tests", "failures", "errors", "time")}
    # junit-xml's own serialiser says `disabled` again, and parses its output once more to indent it.
    root = ET.Element("testsuites", {"name": _SUITE} | counts)
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="us-ascii").decode()}\n'


def _cases(run: Run) -> Iterator[_Case]:
    policy = Policy(strict=bool(run.settings.get("strict", False)))
    for finding in run.findings:
        measured = finding.measurement
        seconds = measured.value if measured.unit == SECONDS and measured.value else 0.0
        classname, name = _address(finding.case)
        case = _Case(name, classname, seconds=seconds, facts=dict(_facts(finding)))
        _say_verdict(case, finding, policy)
        yield case
    if run.failures:
        whole = _Case("perfgate.run", _SUITE, facts={})
        said = _clean("\n".join(run.failures))
        whole.add_error_info(said, said, "perfgate.RunFailed")
        yield whole


def _say_verdict(case: _Case, finding: Finding, policy: Policy) -> None:
    """Fail, skip or pass the test case; an empty message would be dropped and the case would pass."""
    verdict = finding.verdict
    said = _clean(finding.reason).strip() or verdict.value
    if verdict is Verdict.FAILED_TO_MEASURE:
        case.add_error_info(said, said, _type(verdict))
    elif policy.fails(verdict):
        case.add_failure_info(said, said, _type(verdict))
    elif verdict in _SKIPPED:
        case.add_skipped_info(said if verdict.value in said else f"{verdict.value}: {said}", said)


def _type(verdict: Verdict) -> str:
    return "perfgate." + verdict.value.title().replace("-", "")


def _address(case: Case) -> tuple[str, str]:
    """Split a case as pytest's own report does, below a name of its own so that the two never collide.

    Returns:
        Class name such as ``perfgate.tests.test_a.TestB`` and name such as ``test_c[x]#perf``.
    """
    path, bracket, parameters = case.test.partition("[")
    file, *inner = path.split("::")
    names = [file.removesuffix(".py").replace("/", "."), *inner]
    own = case.id.removeprefix(case.test)
    return ".".join([_SUITE, *names[:-1]]), names[-1] + bracket + parameters + own


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    """Name everything that was measured and judged, base units only, each as text."""
    measured, tightest, change = finding.measurement, finding.tightest, finding.change
    found: dict[str, Any] = {
        "verdict": finding.verdict.value,
        "value": measured.value,
        "unit": measured.unit,
        "better": measured.better.value,
        "statistic": measured.statistic,
        **_ends("interval", measured.interval),
        "rounds": measured.rounds,
        "iterations": measured.iterations,
    }
    if tightest is not None:
        found |= {"budget": tightest.expression, "limit": tightest.limit, "profile": tightest.profile}
    if change is not None:
        found |= {
            "change.ratio": change.ratio,
            **_ends("change.interval", change.interval),
            "change.confidence": change.confidence,
            "change.tolerance": change.tolerance,
            "change.against": change.against,
            "change.pairs": change.pairs,
            "change.processes": change.processes,
        }
    found |= {f"extra.{key}": value for key, value in measured.extra.items() if not isinstance(value, (dict, list))}
    for name, value in found.items():
        if value is not None:
            yield f"perfgate.{name}", _written(value)


def _ends(name: str, interval: tuple[float, float] | None) -> dict[str, float]:
    return {} if interval is None else {f"{name}.low": interval[0], f"{name}.high": interval[1]}


def _suite_properties(run: Run) -> dict[str, str]:
    machine, commit = run.machine, run.commit or {}
    found = {
        "verdict": run.outcome.value,
        "machine.cpu": machine.cpu,
        "machine.cores": machine.cores,
        "machine.memory_bytes": machine.memory_bytes,
        "machine.os": f"{machine.os} {machine.os_release} {machine.arch}",
        "machine.ci": machine.ci,
        "profile": run.profile,
        "profile.matched_by": run.profile_matched_by,
        "python": run.python.series,
        "python.version": run.python.version,
        "tolerance": run.settings.get("max_regression"),
        "strict": run.settings.get("strict"),
        "baseline": run.settings.get("baseline"),
        "against": run.settings.get("against"),
        "commit": commit.get("id"),
        "commit.branch": commit.get("branch"),
        "commit.dirty": commit.get("dirty"),
        "notes": "; ".join(run.notes) or None,
    }
    return {f"perfgate.{name}": _one_line(_written(value)) for name, value in found.items() if value is not None}


def _say_properties(element: ET.Element, facts: Mapping[str, str]) -> None:
    """Put the metrics first, where readers look for them, in place of the lines of ``system-out``."""
    for printed in element.findall("system-out"):
        element.remove(printed)
    if facts:
        properties = ET.Element("properties")
        for name, value in facts.items():
            ET.SubElement(properties, "property", {"name": _one_line(name), "value": _one_line(value)})
        element.insert(0, properties)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _property_line(name: str, value: str) -> str:
    """Write one metric for ``system-out``; the convention ends a property at the first ``]]``."""
    return f"[[PROPERTY|{_one_line(name)}={_one_line(value)}".replace("]]", "] ]") + "]]\n"


def _one_line(text: str) -> str:
    """Make *text* fit for an attribute, whose line breaks XML readers turn into blanks."""
    return _LINE_BREAKS.sub(_escaped, _clean(text))


def _clean(text: str) -> str:
    """Escape what XML cannot hold the way pytest does: ``#x1B``."""
    return _ILLEGAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"#x{ord(found[0]):02X}"
