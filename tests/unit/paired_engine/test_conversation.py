"""One test on two workers that need not measure the same: they meet where they can, and never lose step."""

from __future__ import annotations

import random

import pytest
from paired_fakes import FakeWorker, World, case

from pytest_perfgate.paired.cases import Cases, Controlled, Measured
from pytest_perfgate.paired.conversation import converse, follow
from pytest_perfgate.paired.terms import Terms


def terms(**more):
    facts = {"most_case_s": 20.0, "most_run_s": 100.0, "timeout_s": None, "processors": (0,), "seed": 1}
    return Terms(tolerance=lambda _: 0.05, **{**facts, **more})


@pytest.fixture
def talk():
    """Run one test on both sides and return its series by metric and name, and how it ended."""

    def talked(base, head, *, seed=1, base_ends=("passed", ""), head_ends=("passed", ""), cases=None):
        world = World()
        cases = cases or Cases(terms(), random.Random(seed))
        workers = [
            FakeWorker(world, side, script, ending=ending).ready()
            for side, script, ending in (("base", base, base_ends), ("head", head, head_ends))
        ]
        endings = converse(*workers, Measured(cases, "t", *workers), None)
        for one in cases.all:
            one.end_round()
        for worker in workers:
            assert not worker._heard
        return {(one.case.metric, one.case.name): one for one in cases.all}, endings, workers

    return talked


def test_the_same_cases_are_all_compared(talk):
    same = [case(name="a"), case("hits", kind="value"), case(name="b")]
    series, endings, _ = talk(same, same)
    assert list(series) == [("perf", "a"), ("hits", ""), ("perf", "b")]
    assert all(len(one.base) == len(one.head) == 1 and not one.no_base for one in series.values())
    assert endings.base["outcome"] == endings.head["outcome"] == "passed"


@pytest.mark.parametrize("kind", ["blocks", "value"])
def test_what_base_lacks_is_measured_alone_with_the_reason(talk, kind):
    base, head = [case(name="a", kind=kind)], [case(name="a", kind=kind), case(name="new", kind=kind)]
    series, _, _ = talk(base, head)
    assert not series["perf", "a"].no_base
    new = series["perf", "new"]
    assert "does not measure perf:new" in new.no_base
    assert new.told["head"][0]["value"] == 1.0
    assert new.is_done


def test_what_head_lacks_is_passed_by(talk):
    series, _, _ = talk([case(name="gone"), case(name="a"), case(name="late")], [case(name="a")])
    assert list(series) == [("perf", "a")]
    assert series["perf", "a"].base


def test_in_another_order_what_can_be_met_is_compared(talk):
    series, _, _ = talk([case(name="a"), case(name="b")], [case(name="b"), case(name="a")])
    assert not series["perf", "b"].no_base
    assert "at this place" in series["perf", "a"].no_base


def test_other_names_are_other_cases(talk):
    series, _, _ = talk([case(name="x"), case(name="y")], [case(name="u"), case(name="v")])
    assert set(series) == {("perf", "u"), ("perf", "v")}
    assert all(one.no_base and one.has_head for one in series.values())


def test_another_kind_under_the_same_name_is_another_case(talk):
    series, _, _ = talk([case("n", kind="blocks")], [case("n", kind="value")])
    assert series["n", ""].no_base


@pytest.mark.parametrize("raises", [0, 1, 30])
def test_a_target_that_raises_at_base_leaves_head_measured_alone(talk, raises):
    series, endings, _ = talk([case(name="a", raises=raises), case(name="b")], [case(name="a"), case(name="b")])
    assert endings.base["outcome"] == "failed"
    assert endings.head["outcome"] == "passed"
    for name in "ab":
        assert "fails against the base: ValueError: boom" in series["perf", name].no_base
        assert series["perf", name].has_head


@pytest.mark.parametrize("raises", [0, 1, 30])
def test_a_target_that_raises_at_head_ends_the_test_on_both_sides(talk, raises):
    series, endings, _ = talk([case(name="a"), case(name="b")], [case(name="a", raises=raises), case(name="b")])
    assert endings.head["outcome"] == "failed"
    assert endings.base["outcome"] == "passed"
    assert set(series) == {("perf", "a")}


@pytest.mark.parametrize("kind", ["blocks", "value"])
def test_a_target_that_raises_on_both_sides_fails_at_both(talk, kind):
    raising = [case(raises=0, kind=kind), case(name="b")]
    series, endings, _ = talk(raising, raising)
    assert endings.base["outcome"] == endings.head["outcome"] == "failed"
    assert len(series) == 1


@pytest.mark.parametrize("seed", range(6), ids=lambda seed: f"seed{seed}")  # who measures first is drawn
@pytest.mark.parametrize("side", ["base", "head"])
def test_a_number_that_one_side_fails_to_give_leaves_both_in_step(talk, side, seed):
    good = [case("hits", kind="value"), case("more", kind="value"), case(name="b")]
    bad = [case("hits", kind="value"), case("more", kind="value", raises=0), case(name="b")]
    scripts = {"base": good, "head": good, side: bad}
    series, endings, _ = talk(scripts["base"], scripts["head"], seed=seed)
    assert not series["hits", ""].no_base
    if side == "head":
        assert endings.base["outcome"] == "passed"
        assert set(series) == {("hits", ""), ("more", "")}
        return
    assert endings.head["outcome"] == "passed"
    for key in (("more", ""), ("perf", "b")):
        assert "fails against the base" in series[key].no_base
        assert series[key].has_head


@pytest.mark.parametrize("seed", range(6))
def test_a_phase_that_holds_a_case_gives_way_to_it(talk, seed):
    script = [case("call", kind="value", holds_cases=True), case(name="a"), case("hits", kind="value")]
    series, endings, _ = talk(script, script, seed=seed)
    assert not series["call", ""].has_head
    for key in (("perf", "a"), ("hits", "")):
        assert len(series[key].base) == 1
        assert not series[key].no_base
    assert endings.head["outcome"] == "passed"


def test_a_skip_at_base_is_said_to_be_one(talk):
    series, _, _ = talk([], [case()], base_ends=("skipped", "needs a newer codec"))
    assert series["perf", ""].no_base == "the test is skipped against the base: needs a newer codec"


def test_a_skip_at_head_leaves_nothing(talk):
    series, endings, _ = talk([case()], [], head_ends=("skipped", "not today"))
    assert series == {}
    assert endings.head["outcome"] == "skipped"


def test_a_decided_case_is_not_measured_again(talk):
    cases = Cases(terms(), random.Random(1))
    script = [case("hits", kind="value"), case(name="b")]
    series, _, _ = talk(script, script, cases=cases)
    series["hits", ""].no_base = "decided somehow"
    _, _, workers = talk(script, script, cases=cases)
    for worker in workers:
        assert [told["do"] for told in worker.told] == ["go", "end", "end"]
    assert len(series["hits", ""].base) == 1
    assert len(series["perf", "b"].base) == 2


def test_head_is_followed_alone_to_the_end():
    cases, world = Cases(terms(), random.Random(1)), World()
    head = FakeWorker(world, "head", [case(name="a"), case("hits", kind="value"), case(name="c", raises=0)]).ready()
    endings = follow(head, Measured(cases, "t", head, head), "base died", None)
    assert endings.head["outcome"] == "failed"
    assert [one.no_base for one in cases.all] == ["base died"] * 3
    assert [one.has_head for one in cases.all] == [True, True, False]


def test_base_is_compared_with_itself_where_the_shape_is_known():
    cases, world = Cases(terms(), random.Random(1)), World()
    script = [case(name="a"), case("hits", kind="value"), case(name="new")]
    base, head = (FakeWorker(world, side, script[:2]).ready() for side in ("base", "head"))
    converse(base, head, Measured(cases, "t", base, head), None)
    base, control = (FakeWorker(world, "base", script).ready() for _ in range(2))
    converse(base, control, Controlled(cases, "t", base, control), None)
    assert {key.name: values for key, values in cases.control.items()} == {"a": [0.0]}
