"""Which module takes how long, as an interpreter tells."""

import itertools

import pytest

from pytest_perfgate.measure.importtime import read_import_times, slowest
from pytest_perfgate.metrics.startup import measure_imports
from pytest_perfgate.model import Case, Finding, Plan, Verdict
from pytest_perfgate.reports.import_times import import_table

TOLD = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   encodings
import time:       200 |        200 |     app.deep
something that the module itself says
import time:        50 |        250 |   app.part
import time:       300 |        300 |   numpy
import time:        10 |        560 | app
import time:         5 |          5 | late
"""
NAMES = {"app", "app.part", "app.deep", "numpy", "late"}


def by_module():
    return {one.module: one for one in read_import_times(TOLD, NAMES)}


def test_each_module_has_its_own_time_and_that_of_what_it_imports():
    times = by_module()
    assert set(times) == NAMES
    assert times["app.part"].own_s == pytest.approx(50e-6)
    assert times["app.part"].total_s == pytest.approx(250e-6)


def test_each_module_knows_who_imported_it():
    assert {name: one.imported_by for name, one in by_module().items()} == {
        "app": "",
        "app.part": "app",
        "app.deep": "app.part",
        "numpy": "app",
        "late": "",
    }


def test_the_slowest_come_first():
    assert [one.module for one in slowest(read_import_times(TOLD, NAMES), 2)] == ["numpy", "app.deep"]


def test_nothing_told_is_nothing_known():
    assert read_import_times("Traceback ...\n", {"app"}) == []


def test_a_real_import_is_attributed():
    case = Case("tests/test_app.py::test_import", "startup.imports")
    _, measurement = measure_imports(Plan(), case, "json", runs=1, warmup=0)
    assert measurement.extra["imported_by"]["json.scanner"] == "json.decoder"
    assert len(measurement.extra["slowest_imports"]) <= 10
    assert {"module", "own_s", "total_s", "imported_by"} == set(measurement.extra["slowest_imports"][0])


def finding(verdict, **extra):
    from builders import make_check, make_measurement

    forbidden = make_check(None, None, operator=None, expression="forbid numpy, pandas", holds=False, unit="")
    measurement = make_measurement(metric="startup.imports", extra=extra)
    return Finding(measurement=measurement, verdict=verdict, reason="", checks=(forbidden,))


KNOWN = {
    "slowest_imports": [{"module": "numpy", "own_s": 0.08, "total_s": 0.1, "imported_by": "app.plot"}],
    "imported_by": {"numpy": "app.plot", "app.plot": "app", "app": "app"},
    "module_names": ["app", "app.plot", "numpy"],
}


def test_a_broken_limit_shows_the_way_of_what_is_forbidden_and_the_slowest():
    lines = import_table(finding(Verdict.OVER_BUDGET, **KNOWN))
    assert lines[0].strip() == "numpy is imported by app.plot, which is imported by app"
    assert lines[1].split() == ["slowest", "imports", "alone", "with", "its", "own", "imported", "by"]
    assert lines[3].split() == ["numpy", "80", "ms", "100", "ms", "app.plot"]
    assert max(map(len, lines)) <= 80


def test_a_long_way_is_cut_in_the_middle_with_a_mark_and_ends_with_what_was_imported():
    way = ["numpy", "a", "b", "c", "d", "e", "app"]
    known = {**KNOWN, "imported_by": dict(itertools.pairwise(way))}
    line = import_table(finding(Verdict.OVER_BUDGET, **known))[0].strip()
    by = ", which is imported by "
    assert line == f"numpy is imported by a{by}b{by}c{by}d, … which is imported by app"
    known = {**KNOWN, "imported_by": dict(itertools.pairwise(["numpy", *way[2:]]))}
    assert import_table(finding(Verdict.OVER_BUDGET, **known))[0].strip() == (
        f"numpy is imported by b{by}c{by}d{by}e{by}app"
    )


def test_a_limit_that_holds_and_a_strange_file_show_nothing():
    assert import_table(finding(Verdict.PASS, **KNOWN)) == []
    assert import_table(finding(Verdict.OVER_BUDGET)) == []
    assert import_table(finding(Verdict.OVER_BUDGET, slowest_imports="x", imported_by=3)) == []
