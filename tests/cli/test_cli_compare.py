"""``perfgate compare``: the changes, worst first; it reports and never fails."""

from __future__ import annotations

import pytest
from builders import hostile_run, make_finding, make_machine, make_measurement

from pytest_perfgate.model import Better, Verdict


def rows(out: str) -> list[list[str]]:
    """Take the table apart: the words of each row."""
    lines = iter(out.splitlines())
    assert any(line.startswith("---") for line in lines)
    return [line.split() for line in iter(lambda: next(lines, ""), "")]


@pytest.fixture
def pair(shelf):
    """Make a base and a run of tests with exact values: test -> (base, now)."""

    def make(**values: tuple[float, float]) -> list[str]:
        return [
            shelf.put(name, *(shelf.counted(sides[side], test) for test, sides in values.items()), started=name)
            for side, name in enumerate(("base.json", "run.json"))
        ]

    return make


def test_changes_are_listed_worst_first_with_both_values(perfgate, pair):
    status, out, err = perfgate("compare", *pair(same=(4, 4), worse=(10, 11), better=(10, 5), worst=(10, 20)))
    assert (status, err) == (0, "")
    assert rows(out) == [
        ["worst#queries", "10", "20", "+100.0", "%", "exact", "regressed"],
        ["worse#queries", "10", "11", "+10.0", "%", "exact", "regressed"],
        ["same#queries", "4", "4", "+0.0", "%", "exact", "pass"],
        ["better#queries", "10", "5", "-50.0", "%", "exact", "improved"],
    ]
    assert out.splitlines()[-1] == "4 compared, tolerance 5 %: 2 regressed, 1 pass, 1 improved"


def test_worse_comes_first_whichever_way_is_better(perfgate, shelf):
    rates = [
        [shelf.counted(value, test, better=Better.HIGHER) for test, value in side]
        for side in (
            [("t.py::up", 50), ("t.py::down", 100)],
            [("t.py::up", 100), ("t.py::down", 50)],
        )
    ]
    base, run = shelf.put("base.json", *rates[0]), shelf.put("run.json", *rates[1])
    found = [(row[0], row[3]) for row in rows(perfgate("compare", base, run).out)]
    assert found == [("t.py::down#queries", "-50.0"), ("t.py::up#queries", "+100.0")]


def test_from_nothing_to_something_is_the_worst_though_it_has_no_percentage(perfgate, pair):
    found = rows(perfgate("compare", *pair(worse=(10, 30), leak=(0, 64))).out)
    assert [row[0] for row in found] == ["leak#queries", "worse#queries"]
    assert found[0][1:] == ["0", "64", "-", "regressed"]


def test_the_interval_and_what_would_settle_it_are_shown(perfgate, shelf):
    base, run = (
        shelf.put(f"{value}.json", shelf.timed(value), shelf.timed(value, "t.py::b")) for value in (0.1, 0.103)
    )
    out = perfgate("compare", base, run).out
    assert "99 % interval" in out
    assert " to +" in out
    assert "and 1 more: inconclusive: one process on each side" in " ".join(out.split())
    assert out.splitlines()[-1] == "2 compared, tolerance 5 %: 2 inconclusive"


def test_the_tolerance_of_the_command_line_counts(perfgate, pair):
    runs = pair(worse=(10, 11))
    assert rows(perfgate("compare", *runs, "--max-regression", "20%").out)[0][-1] == "pass"
    assert rows(perfgate("compare", *runs).out)[0][-1] == "regressed"


def test_verdicts_are_those_of_the_gate(perfgate, pair, shelf):
    runs = pair(same=(4, 4), worse=(10, 11), better=(10, 5), zero=(0, 1))
    perfgate("gate", runs[1], "--baseline", runs[0], "--report", "text=gate.txt")
    gated = {words[0]: words[-1] for words in rows((shelf.folder / "gate.txt").read_text("utf-8"))}
    compared = rows(perfgate("compare", *runs).out)
    assert {words[0].partition("#")[0]: words[-1] for words in compared} == gated


def test_missing_new_and_renamed_cases_are_listed_and_counted(perfgate, shelf):
    same = shelf.counted(1, "t.py::test_same")
    base = shelf.put("base.json", same, shelf.counted(2, "t.py::test_gone[1]"), shelf.counted(2, "t.py::test_moved"))
    run = shelf.put("run.json", same, shelf.counted(2, "t.py::test_new"), shelf.counted(2, "u.py::test_moved"))
    status, out, _ = perfgate("compare", base, run)
    said = " ".join(out.split())
    assert status == 0
    assert "missing: t.py::test_gone[1]#queries: base.json has it (2)" in said
    assert "missing: t.py::test_moved#queries" in said
    assert "looks renamed to u.py::test_moved#queries" in said
    assert "new: t.py::test_new#queries" in said
    assert "2 missing here, 2 new, 1 renamed" in said


def test_long_lists_are_cut_and_counted(perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(1), *(shelf.counted(1, f"a.py::old_{n}[{n}]") for n in range(30)))
    run = shelf.put("run.json", *(shelf.counted(1, f"t.py::test_{n}[{n}]") for n in range(40)), shelf.counted(1))
    out = perfgate("compare", base, run).out
    assert out.count("missing: ") == 10
    assert out.count("new: ") == 10
    assert "... and 20 more" in out
    assert "... and 30 more" in out


def test_fifty_rows_are_shown_unless_asked_for_more(perfgate, pair):
    runs = pair(**{f"test_{number}": (100, 100 + number) for number in range(70)})
    out = perfgate("compare", *runs).out
    assert len(rows(out)) == 50
    assert rows(out)[0][0] == "test_69#queries"
    assert "... and 20 more; --limit 0 shows all" in out
    assert len(rows(perfgate("compare", *runs, "--limit", "2").out)) == 2
    assert len(rows(perfgate("compare", *runs, "--limit", "0").out)) == 70


def test_runs_of_different_machines_cannot_be_compared(perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(1), machine=make_machine(cpu="Other CPU"))
    status, out, _ = perfgate("compare", base, shelf.put("run.json", shelf.counted(2)))
    assert status == 2
    assert "the baseline was measured on Other CPU" in out
    assert out.count("the baseline was measured on") == 1
    assert out.splitlines()[-1] == "nothing could be compared"


@pytest.mark.parametrize("side", ["base", "run"])
def test_a_run_without_measurements_cannot_be_compared(side, perfgate, shelf):
    full, empty = shelf.put("full.json", shelf.counted(1)), shelf.put("empty.json")
    status, out, _ = perfgate("compare", *((empty, full) if side == "base" else (full, empty)))
    assert status == 2
    assert out.splitlines()[-1] == "nothing could be compared"


def test_a_case_that_could_not_be_measured_is_explained_beside_the_others(perfgate, shelf):
    failed = make_finding(make_measurement("t.py::test_raises", value=None), Verdict.FAILED_TO_MEASURE, "it raised")
    base = shelf.put("base.json", shelf.counted(1), make_finding(make_measurement("t.py::test_raises")))
    status, out, _ = perfgate("compare", base, shelf.put("run.json", shelf.counted(1), failed))
    assert status == 0
    assert len(rows(out)) == 1
    assert "t.py::test_raises#perf: it raised" in out


def test_a_case_that_changed_its_meaning_is_explained_beside_the_others(perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(1), shelf.counted(1, "t.py::rate"))
    run = shelf.put("run.json", shelf.counted(1), shelf.counted(1, "t.py::rate", better=Better.HIGHER))
    status, out, _ = perfgate("compare", base, run)
    assert status == 0
    assert len(rows(out)) == 1
    assert "t.py::rate#queries: " in out
    assert "higher is better" in " ".join(out.split())


def test_a_run_compared_with_itself_is_told_so(perfgate, shelf):
    run = shelf.put("run.json", shelf.counted(1))
    assert "it is this very run" in perfgate("compare", run, run).out


def test_both_runs_are_described(perfgate, shelf):
    base = shelf.put("base.json", shelf.counted(1), commit={"id": "3f2c1ab9d0e44c0f8f5d", "dirty": True})
    run = shelf.put("run.json", shelf.counted(1), started="2026-01-02T05:00:00+00:00")
    lines = perfgate("compare", base, run).out.splitlines()
    assert lines[0].startswith("base: base.json (commit 3f2c1ab9d0e4 with uncommitted changes, 2026-01-02T03:04:05")
    assert lines[1] == "now:  run.json (2026-01-02T05:00:00+00:00, profile standard)"


def test_lines_fit_the_width_asked_for(perfgate, shelf, monkeypatch):
    long = "tests/unit/of/something/test_with_a_long_name.py::TestClass::test_that_says_what_it_is_about"
    base, run = (shelf.put(f"{value}.json", shelf.timed(value, long)) for value in (0.1, 0.103))
    monkeypatch.setenv("COLUMNS", "100")
    table = perfgate("compare", base, run).out.splitlines()[3:6]
    assert all(60 < len(line) <= 100 for line in table)


def test_hostile_texts_do_not_reach_the_terminal(perfgate, shelf):
    run = shelf.put("run.json", run=hostile_run())
    status, out, _ = perfgate("compare", run, run)
    assert status == 0
    assert out.replace("\n", "").isprintable()
