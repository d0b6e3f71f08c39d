"""Reports as files, to look at and to notice what a change does to them.

After a change that is meant, write them anew with ``PERFGATE_UPDATE_GOLDEN=1 pytest tests/golden`` and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import empty_run, every_verdict_run, ordinary_run

from pytest_perfgate.reports import FORMATS

HERE = Path(__file__).parent
RUNS = {"ordinary": ordinary_run, "empty": empty_run, "every_verdict": every_verdict_run}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_a_report_looks_as_it_did(known, name):
    path = HERE / known.name / f"{name}.golden"
    rendered = known.render(RUNS[name]())
    if os.environ.get("PERFGATE_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(rendered, encoding="utf-8", newline="\n")
    assert path.is_file(), "write it with PERFGATE_UPDATE_GOLDEN=1 and read it"
    assert rendered == path.read_text("utf-8")


def test_no_golden_file_is_left_of_what_is_gone():
    expected = {f"{known.name}/{name}.golden" for known in FORMATS for name in RUNS}
    assert {path.relative_to(HERE).as_posix() for path in HERE.rglob("*.golden")} == expected
