"""The page of the run: of any suite it is shown, says what it leaves out, and never decides anything."""

from __future__ import annotations

import pytest
from action.job import CROWD
from action.runner import MOST_SUMMARY_BYTES

from pytest_perfgate.reports import markdown
from pytest_perfgate.store import load_run

#: Every one of these signs takes five or six characters in Markdown.
SIGNS = "|<`*[" * 48


def test_a_suite_whose_whole_report_is_over_the_limit_is_cut_where_it_shows_and_stays_red(job):
    job.write("test_it.py", CROWD)
    many = {f"{number:04}{SIGNS}": 100 for number in range(2000)}
    job.play(many)
    played = job.play(dict.fromkeys(many, 150))
    stored = load_run(played.outputs["report-json"])
    whole = markdown.render(stored, limit=len(many), max_bytes=10**9)
    assert len(whole.encode()) > MOST_SUMMARY_BYTES, "or this shows nothing: the runner drops such a page"

    page = played.summary
    assert page.startswith("## ❌ perfgate: fail\n\n2,000 measured: 2,000 regressed\n")
    assert 0 < len(page.encode()) <= markdown.MAX_BYTES
    assert "… and 1,950 more (1,950 failing, 0 within budget); all in the JSON report" in page
    assert len([line for line in page.splitlines() if line.endswith("| regressed |")]) == markdown.DEFAULT_LIMIT
    assert (played.outputs["status"], played.outputs["regressions"]) == ("fail", "2000")
    assert [step.name for step in played.steps if step.outcome == "failure"] == ["Verdict"]
    assert played.messages("error")[-2].startswith("perfgate: FAILED: 2,000 regressed")
    assert len(stored.findings) == len(many)


def test_a_page_that_cannot_be_written_is_told_and_decides_nothing(job):
    job.broken = {"step_summary"}
    played = job.play({"a": 100})
    assert played.is_green, played.log
    assert "perfgate: no summary: cannot write to GITHUB_STEP_SUMMARY" in played.step("Measure").log
    regressed = job.play({"a": 150})
    assert [step.name for step in regressed.steps if step.outcome == "failure"] == ["Verdict"]
    assert regressed.outputs["status"] == "fail"


@pytest.mark.parametrize("strict", ["true", "false"])
def test_the_page_of_a_run_that_could_not_be_told_says_so_first(job, strict):
    job.play({"a": 100, "b": 100})
    played = job.play({"a": 100}, strict=strict)
    assert played.is_green is (strict == "false")
    first = played.summary.splitlines()[0]
    assert first == ("## ⚠️ perfgate: inconclusive" if played.is_green else "## ❌ perfgate: fail")
