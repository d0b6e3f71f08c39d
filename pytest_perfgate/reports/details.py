"""What follows the reason of one finding, whatever it measured; what that is, is each metric's own file here."""

from __future__ import annotations

from pytest_perfgate.model import Finding
from pytest_perfgate.reports.import_times import import_table
from pytest_perfgate.reports.memory_details import memory_lines


def details(finding: Finding, *, width: int = 80, unicode: bool = True) -> list[str]:
    """Write tables, places and plots that explain a finding which did not pass.

    Args:
        finding: Any.
        width: Columns there are.
        unicode: Whether signs outside ASCII may be used.

    Returns:
        Lines; none where the reason says it all.
    """
    return [*import_table(finding), *memory_lines(finding, width=width, unicode=unicode)]
