"""Findings ride on the test report, as plain dicts, from the process that measured to the one that reports.

Whatever stands in a report's ``__dict__`` crosses xdist, so there is one attribute and one pair of functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_perfgate.model import Finding

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
