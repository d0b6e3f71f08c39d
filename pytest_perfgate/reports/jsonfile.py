"""The JSON report: the stored run itself, as :mod:`pytest_perfgate.store` writes it."""

from __future__ import annotations

from pytest_perfgate.model import Run
from pytest_perfgate.store import run_to_text


def render(run: Run) -> str:
    """Write *run* as JSON; see the JSON Schema ``schema/perfgate-run-1.json``.

    Returns:
        ASCII text, base units only, one line per case.
    """
    return run_to_text(run)
