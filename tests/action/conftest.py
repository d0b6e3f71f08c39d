"""The real action.yml, run by a model of the runner on a little project whose numbers a test chooses."""

from __future__ import annotations

from pathlib import Path

import pytest
from action.job import ROOT, Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job on the default branch."""
    if not (ROOT / "action.yml").exists():
        pytest.skip("action.yml is not here")
    return Job(tmp_path)
