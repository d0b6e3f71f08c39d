"""``perfgate show`` and ``perfgate merge``: a stored run as text; several stored runs as one."""

from __future__ import annotations

import json
import sys

import pytest
from builders import every_verdict_run, make_machine, make_run, ordinary_run

from pytest_perfgate.reports import text
from pytest_perfgate.store import load_run

linux = pytest.mark.skipif(sys.platform != "linux", reason="places of Linux")


@pytest.mark.parametrize("run", [ordinary_run(), every_verdict_run(), make_run()], ids=["good", "bad", "empty"])
def test_show_prints_the_report_and_judges_nothing(run, perfgate, shelf, monkeypatch):
    shelf.put("run.json", run=run)
    status, out, err = perfgate("show", "run.json")
    assert (status, err) == (0, "")
    assert out == text.render(run, width=120)


def test_show_prints_as_many_rows_as_asked_for(perfgate, shelf):
    run = shelf.put("run.json", *(shelf.counted(1, f"t.py::test_{number}") for number in range(70)))
    count = [perfgate("show", run, *more).out.count("t.py::test_") for more in ([], ["--limit=3"], ["--limit", "0"])]
    assert count == [50, 3, 70]


@pytest.fixture
def three(shelf):
    """Three runs of the same code."""
    return [
        shelf.put(f"{number}.json", shelf.timed(0.1 + number / 1000), shelf.counted(7), started=f"2026-01-0{number}")
        for number in (1, 2, 3)
    ]


def test_merged_runs_are_one_run_that_loads_and_knows_its_processes(perfgate, three, shelf):
    status, out, err = perfgate("merge", *three, "-o", "out.json")
    assert (status, out) == (0, "")
    assert err == "perfgate: merged 3 runs (2 cases) into out.json\n"
    merged = load_run(shelf.folder / "out.json")
    assert [len(finding.measurement.processes) for finding in merged.findings] == [3, 3]
    assert perfgate("show", "out.json").status == 0
    assert perfgate("gate", "out.json").status == 0
    assert perfgate("compare", three[0], "out.json").status == 0


def test_merging_to_standard_output_prints_the_run_and_nothing_else(perfgate, three):
    status, out, err = perfgate("merge", *three, "-o", "-")
    assert status == 0
    assert json.loads(out)["format"] == "perfgate-run"
    assert "merged 3 runs" in err


def test_the_order_of_options_and_runs_does_not_matter(perfgate, three, shelf):
    assert perfgate("merge", "--output", "a.json", *three).status == 0
    assert perfgate("merge", *three, "--output=b.json").status == 0
    first, second = ((shelf.folder / name).read_bytes() for name in ("a.json", "b.json"))
    assert first == second


def test_the_merged_run_may_take_the_place_of_one_of_its_parts(perfgate, three, shelf):
    assert perfgate("merge", *three, "-o", three[0]).status == 0
    assert len(load_run(shelf.folder / three[0]).findings[0].measurement.processes) == 3


def test_runs_of_different_machines_are_not_merged(perfgate, three, shelf):
    other = shelf.put("other.json", shelf.timed(0.1), machine=make_machine(cpu="Other CPU"), started="else")
    before = shelf.put("out.json", shelf.counted(99))
    content = (shelf.folder / before).read_bytes()
    status, out, err = perfgate("merge", *three, other, "-o", "out.json")
    assert (status, out) == (2, "")
    assert "Other CPU" in err
    assert (shelf.folder / before).read_bytes() == content


def test_one_run_and_the_same_run_twice_are_not_merged(perfgate, three, shelf):
    names = shelf.names()
    for runs, said in ((three[:1], "at least two"), ([three[0], three[1], three[0]], "same run")):
        status, out, err = perfgate("merge", *runs, "-o", "out.json")
        assert (status, out) == (2, "")
        assert said in err
    assert shelf.names() == names


def test_a_run_in_which_nothing_was_measured_is_not_merged(perfgate, three, shelf):
    empty = shelf.put("empty.json")
    names = shelf.names()
    status, out, err = perfgate("merge", *three, empty, "-o", "out.json")
    assert (status, out) == (2, "")
    assert "nothing was measured in empty.json" in err
    assert shelf.names() == names


@pytest.mark.parametrize(
    "place",
    [
        *("none/out.json", ".", "1.json/out.json", ""),
        *(pytest.param(place, marks=linux) for place in ("/dev/full", "/proc/out.json")),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left_there(place, perfgate, three, shelf):
    names = shelf.names()
    status, out, err = perfgate("merge", *three, "-o", place)
    assert (status, out) == (2, "")
    assert err.startswith("perfgate: error: ")
    assert shelf.names() == names


def test_a_place_that_cannot_be_written_is_told_before_any_run_is_read(perfgate):
    status, out, err = perfgate("merge", "gone-1.json", "gone-2.json", "-o", "none/out.json")
    assert (status, out) == (2, "")
    assert "create it first: mkdir -p" in err
    assert "gone-1" not in err


def test_merging_needs_a_place(perfgate, three):
    status, _, err = perfgate("merge", *three)
    assert status == 2
    assert "-o/--output" in err
