"""``perfgate ci summary``: the Markdown report goes where the build server shows it."""

from __future__ import annotations

import pytest
from builders import every_verdict_run, large_run, make_finding, make_measurement, make_run, ordinary_run

from pytest_perfgate.model import Verdict
from pytest_perfgate.reports import markdown


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_it_is_printed_where_nobody_names_a_file(perfgate, shelf):
    printed = perfgate("ci", "summary", shelf.put("run.json", run=every_verdict_run()))
    assert (printed.status, printed.out) == (0, markdown.render(every_verdict_run()))


def test_it_goes_to_the_summary_of_the_step(perfgate, shelf, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page"))
    printed = perfgate("ci", "summary", shelf.put("run.json", run=ordinary_run()))
    assert (printed.status, printed.out) == (0, "")
    assert (tmp_path / "page").read_text("utf-8") == markdown.render(ordinary_run())


def test_it_is_appended_to_what_is_there(perfgate, shelf, tmp_path):
    (tmp_path / "page.md").write_text("before")
    for _ in range(2):
        assert perfgate("ci", "summary", shelf.put("run.json", run=ordinary_run()), "--output", "page.md").status == 0
    report = markdown.render(ordinary_run())
    assert (tmp_path / "page.md").read_text("utf-8") == f"before\n{report}\n{report}"


def test_a_named_file_is_stronger_than_the_step_and_a_dash_is_standard_output(perfgate, shelf, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page"))
    assert perfgate("ci", "summary", shelf.put("run.json", run=ordinary_run()), "--output", "-").out
    assert not (tmp_path / "page").exists()


def test_what_is_there_counts(perfgate, shelf, tmp_path):
    worst = [
        make_finding(make_measurement(f"t.py::test_{number}"), Verdict.OVER_BUDGET, f"reason {number} " + "|" * 300)
        for number in range(60)
    ]
    (tmp_path / "page.md").write_text("x" * 20_000)
    run = shelf.put("run.json", run=make_run(*worst))
    assert perfgate("ci", "summary", run, "--output", "page.md", "--max-bytes", "30000").status == 0
    written = (tmp_path / "page.md").read_text("utf-8")
    assert 25_000 < len(written.encode()) <= 30_000
    assert "**Shortened to fit into 9,999 bytes" in written


def test_a_page_that_is_full_is_told(perfgate, shelf, tmp_path):
    (tmp_path / "page.md").write_text("x" * 999_000)
    printed = perfgate("ci", "summary", shelf.put("run.json", run=ordinary_run()), "--output", "page.md")
    assert printed.status == 2
    assert "page.md has 999,000 bytes already, so no report fits into 1,000,000" in printed.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["gone.json"], "there is no such file"),
        (["run.json", "--output", "no/such/page.md"], "cannot write to no/such/page.md: No such file or directory"),
        (["run.json", "--output", "."], "cannot write to .: Is a directory"),
        (["run.json", "--max-bytes", "12"], "a report of at most 12 bytes says nothing; give it 2,000 or more"),
        (["run.json", "--max-bytes", "1e6"], "'1e6' is not a number of bytes, such as 1000000"),
    ],
)
def test_what_cannot_be_had_is_explained(argv, said, perfgate, shelf):
    shelf.put("run.json", run=ordinary_run())
    printed = perfgate("ci", "summary", *argv)
    assert printed.status == 2
    assert said in printed.err


def test_a_large_run_stays_small(perfgate, shelf):
    printed = perfgate("ci", "summary", shelf.put("run.json", run=large_run(3000, 1)))
    assert "and 2,950 more within budget" in printed.out
    assert len(printed.out) < 20_000
