"""Facts besides times: from the worker that knows them to the finding that tells them."""

from __future__ import annotations

import pytest
from fakes import FakeClock

from pytest_perfgate.measure.sampler import drive
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.paired.facts import differences, merged_facts
from pytest_perfgate.paired.respondent import Respondent
from pytest_perfgate.paired.series import Series

CASE = Case("t", "startup.imports", "cli")


class Line:
    """A line on which everything to be heard was said beforehand."""

    def __init__(self, *dos):
        self._dos = list(dos)

    def say(self, **message):
        pass

    def hear(self):
        return {"do": self._dos.pop(0), "iterations": 1, "rounds": 1}


@pytest.mark.parametrize(("dos", "told"), [(["block", "end"], 1), (["end"], 0), (["alone"], 0)])
def test_facts_are_kept_of_cases_whose_blocks_were_measured(dos, told):
    respondent = Respondent(Line(*dos))
    drive(
        respondent.planner(CASE)(Plan(rounds=2, iterations=1, warmup=0), clock=FakeClock(), tick_ns=1),
        lambda iterations: 10**7,
    )
    respondent.hand_over(CASE, lambda: {"extra": {"modules": 3}, "warnings": ["w"], "samples": [1.0], "value": 1.0})
    expected = {"metric": "startup.imports", "name": "cli", "extra": {"modules": 3}, "warnings": ["w"]}
    assert respondent.take_facts() == [expected] * told
    assert respondent.take_facts() == []


def test_facts_of_a_case_that_failed_after_its_blocks_are_nobodys():
    respondent = Respondent(Line("block", "end"))
    drive(respondent.planner(CASE)(Plan(), clock=FakeClock(), tick_ns=1), lambda iterations: 10**7)
    assert respondent.take_facts() == []
    respondent.hand_over(CASE, lambda: pytest.fail("the test it belonged to is over"))


def test_a_series_keeps_its_own_facts_if_both_sides_have_them():
    series = Series(case=CASE, kind="blocks")
    mine, other = ({"metric": "startup.imports", "name": name} for name in ("cli", "gui"))
    series.add_facts([other, mine], [mine])
    series.add_facts([mine], [other])
    series.add_facts([], [mine])
    assert series.facts == {"base": [mine], "head": [mine]}


def test_of_several_processes_the_newest_counts_but_for_numbers_that_vary():
    rounds = [{"cpu_s": cpu, "modules": 40 + at, "names": [at]} for at, cpu in enumerate([0.3, 0.1, 0.2])]
    assert merged_facts(rounds) == {"cpu_s": 0.2, "modules": 42, "names": [2]}
    assert merged_facts([{"cpu_s": 0.1}, {"cpu_s": 3, "peak": 1.5}, {"cpu_s": 0.2, "peak": 0.5}])["cpu_s"] == 0.2
    assert merged_facts([{}, {"peak": 1.0}, {"peak": 2.0, "ok": True}]) == {"peak": 1.5, "ok": True}


def test_processes_are_starved_where_most_of_them_were():
    said, calm = {"starved": "it waited", "cpu_s": 0.1}, {"cpu_s": 0.2}
    assert merged_facts([said, said, calm])["starved"] == "it waited"
    assert "starved" not in merged_facts([calm, calm, said])
    assert "starved" not in merged_facts([calm, said])


def modules(*names):
    return {"module_names": list(names)}


def faults(count):
    return {"page_faults": count}


def test_modules_that_came_in_every_round_are_named():
    base, head = [modules("a", "b")] * 2, [modules("a", "b", "x.y", "x"), modules("a", "b", "x.y", "x", "once")]
    assert differences(base, head) == ["imports 5 modules, 2 at base: new x, x.y"]
    many = [modules("a", "b", *"vwxyz")] * 2
    assert differences(base, many) == ["imports 7 modules, 2 at base: new v, w, x and 2 more"]
    assert differences(many, base) == ["imports 2 modules, 7 at base: gone v, w, x and 2 more"]
    assert differences(base, [modules("a", "y", "z")] * 2) == ["imports 3 modules, 2 at base: new y, z; gone b"]
    assert differences(base, [modules("a", "b", "x"), modules("a", "b", "y")]) == ["imports 3 modules, 2 at base"]


@pytest.mark.parametrize(
    "head",
    [
        [modules("a", "b"), modules("a", "x")],
        [modules("a", "b", "x"), modules("a", "b")],
        [modules("a", "b", "x"), modules("a")],
        [modules("a", "b", "x"), {}],
        [modules("a", "b", "x"), {"module_names": None}],
    ],
    ids=["as many", "once", "now more, now fewer", "not told", "unknown"],
)
def test_modules_that_do_not_differ_in_every_round_are_not_worth_a_word(head):
    assert differences([modules("a", "b")] * 2, head) == []


def test_one_round_shows_nothing_that_can_be_relied_on():
    assert differences([modules("a")], [modules("a", "b")]) == []
    assert differences([faults(100)], [faults(200)]) == []
    assert differences([], []) == []


@pytest.mark.parametrize(
    ("base", "head", "told"),
    [
        ((1000, 1010), (1100, 1120), ["1110 page faults, 1005 at base (+10.4 %)"]),
        ((1100.0, 1120.0), (1000.0, 1010.0), ["1005 page faults, 1110 at base (-9.5 %)"]),
        ((1000, 1010), (1100, 1050), []),
        ((1000, 1010), (1100, 900), []),
        ((1000, 1000), (1000, 1000), []),
        ((0, 1000), (500, 2000), []),
        ((None, 1000), (1500, 2000), []),
        ((1000, 1000), (None, 2000), []),
    ],
    ids=["more", "fewer", "within once", "now more, now fewer", "same", "from none", "unknown", "unknown at head"],
)
def test_page_faults_are_told_when_every_round_has_clearly_more_or_fewer(base, head, told):
    assert differences([faults(one) for one in base], [faults(one) for one in head]) == told
