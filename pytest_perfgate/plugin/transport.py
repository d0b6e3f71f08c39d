"""What travels from the process that measures to the one that reports.

Findings ride on the test report, as plain dicts: whatever stands in a report's ``__dict__`` crosses xdist.  A mistake
that a worker finds in a marker rides on what xdist lets a worker say at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.model import Finding

#: What the file ends with in which a worker says what it collected.
FACTS_SUFFIX = ".facts"

_ATTRIBUTE = "perfgate"


def attach(report: pytest.TestReport, findings: Sequence[Finding]) -> None:
    """Put *findings* on *report*."""
    from pytest_perfgate.store import finding_to_dict

    setattr(report, _ATTRIBUTE, [finding_to_dict(finding) for finding in findings])


def detach(report: pytest.TestReport) -> tuple[Finding, ...] | None:
    """Take the findings off *report*; None when it carries none."""
    packed: list[dict[str, Any]] | None = getattr(report, _ATTRIBUTE, None)
    if packed is None:
        return None
    from pytest_perfgate.store import finding_from_dict

    # The attribute goes: report plugins that write __dict__ to JSON (pytest-reportlog) need not repeat every sample.
    delattr(report, _ATTRIBUTE)
    return tuple(finding_from_dict(one) for one in packed)


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
