"""Whom to blame for a broken limit on an import: a table for people, out of what the measurement knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from pytest_perfgate.model import Finding, Verdict
from pytest_perfgate.reports._format import on_one_line, shortened_id
from pytest_perfgate.units import SECONDS, format_value

#: Of a longer chain of imports the middle is left out: who asked first, and what the import began with, say most.
_LONGEST_CHAIN = 5
_WIDEST_NAME = 26


def import_table(finding: Finding) -> list[str]:
    """Write who imported what must not be imported, and which imports took longest.

    Args:
        finding: Any; only one that is over its budget and has measured imports has something to show.

    Returns:
        Lines; none where there is nothing to show.
    """
    extra = finding.measurement.extra
    slowest = extra.get("slowest_imports")
    if finding.verdict is not Verdict.OVER_BUDGET or not isinstance(slowest, list) or not slowest:
        return []
    return [*_chains(finding, extra.get("imported_by")), *_slowest(slowest)]


def _slowest(rows: Sequence[Any]) -> list[str]:
    cells = [
        (
            shortened_id(on_one_line(str(row["module"])), _WIDEST_NAME),
            format_value(float(row["own_s"]), SECONDS),
            format_value(float(row["total_s"]), SECONDS),
            shortened_id(on_one_line(str(row["imported_by"])), _WIDEST_NAME),
        )
        for row in rows
        if isinstance(row, Mapping) and {"module", "own_s", "total_s", "imported_by"} <= set(row)
    ]
    titles = ["slowest imports", "alone", "with its own", "imported by"]
    aligned = ["left", "right", "right", "left"]
    printed = tabulate(cells, titles, tablefmt="simple", disable_numparse=True, colalign=aligned)
    return [f"  {line.rstrip()}" for line in printed.splitlines()]


def _chains(finding: Finding, parents: object) -> list[str]:
    """Say by which way each forbidden module came in."""
    names = finding.measurement.extra.get("module_names")
    if not isinstance(parents, Mapping) or not isinstance(names, list):
        return []
    lines = []
    for check in finding.checks:
        if check.holds or check.operator is not None:
            continue
        for module in check.expression.removeprefix("forbid ").split(", "):
            found = module if module in names else next((one for one in names if one.startswith(f"{module}.")), "")
            chain = _chain(found, parents)
            if chain:
                lines.append(f"  {found} is imported by {_joined(chain)}")
    return lines


def _chain(module: str, parents: Mapping[str, Any]) -> list[str]:
    chain: list[str] = []
    while (module := str(parents.get(module, ""))) and module not in chain:
        chain.append(module)
    return chain


def _joined(chain: Sequence[str]) -> str:
    link = ", which is imported by "
    if len(chain) <= _LONGEST_CHAIN:
        return link.join(chain)
    return f"{link.join(chain[: _LONGEST_CHAIN - 1])}, …{link.removeprefix(',')}{chain[-1]}"
