"""What travels from the process that measures to the one that reports.

Findings ride on the test report, as plain dicts: whatever stands in a report's ``__dict__`` crosses xdist.  A mistake
that a worker finds in a marker rides on what xdist lets a worker say at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.model import Case, Finding

#: What the file ends with in which a worker says what it collected.
FACTS_SUFFIX = ".facts"

_ATTRIBUTE = "perfgate"


def attach(report: pytest.TestReport, findings: Sequence[Finding]) -> None:
    """Put *findings* on *report*."""
    from pytest_perfgate.store import finding_to_dict

    packed: list[dict[str, Any]] = []
    for finding in findings:
        try:
            packed.append(finding_to_dict(finding))
        except ValueError as problem:  # noqa: PERF203  # one odd number must not end the session
            packed.append(finding_to_dict(_unusable(finding.case, str(problem))))
    setattr(report, _ATTRIBUTE, packed)


def detach(report: pytest.TestReport) -> tuple[Finding, ...] | None:
    """Take the findings off *report*; None when it carries none."""
    packed: list[dict[str, Any]] | None = getattr(report, _ATTRIBUTE, None)
    if packed is None:
        return None
    # The attribute goes: report plugins that write __dict__ to JSON (pytest-reportlog) need not repeat every sample.
    delattr(report, _ATTRIBUTE)
    return tuple(_unpacked(one) for one in packed)


def _unpacked(packed: dict[str, Any]) -> Finding:
    from pytest_perfgate.errors import BadRunFileError
    from pytest_perfgate.model import Case
    from pytest_perfgate.store import finding_from_dict

    try:
        return finding_from_dict(packed)
    except BadRunFileError as problem:  # one odd number must not end the session
        case = Case(str(packed.get("test", "")), str(packed.get("metric", "")), str(packed.get("name") or ""))
        return _unusable(case, str(problem))


def _unusable(case: Case, problem: str) -> Finding:
    from pytest_perfgate.model import Better, Finding, Measurement, Verdict

    reason = f"what was measured cannot be used: {problem}"
    measurement = Measurement(case=case, unit="", better=Better.LOWER, error=reason)
    return Finding(measurement=measurement, verdict=Verdict.FAILED_TO_MEASURE, reason=reason)


_PROBLEM = "perfgate_problem"


def tell_or_raise(config: pytest.Config, items: list[pytest.Item], problem: pytest.UsageError) -> None:
    """Stop the run because of a mistake in a marker.

    A worker that raises during collection leaves its controller waiting, so a worker runs nothing instead and leaves
    the mistake for the controller to tell.

    Raises:
        pytest.UsageError: *problem*, where there are no workers.
    """
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise problem
    output[_PROBLEM] = str(problem)
    items.clear()


def raise_told(node: Any) -> None:
    """Raise the mistake that an xdist worker found, in the controller.

    Args:
        node: The worker's, when it is down.

    Raises:
        pytest.UsageError: It found one.
    """
    problem = (getattr(node, "workeroutput", None) or {}).get(_PROBLEM)
    if problem:
        raise pytest.UsageError(problem)
