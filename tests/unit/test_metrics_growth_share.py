"""Growth over a stated number of calls, or time: estimated, judged where it can be, with the curve that shows it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from importlib.resources import files

import jsonschema
import pytest
from builders import make_run

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.gate import judge_test
from pytest_perfgate.measure import memory
from pytest_perfgate.metrics import growth_share
from pytest_perfgate.metrics.growth_share import GROWTH_SHARE, measure_growth_share
from pytest_perfgate.model import Budget, Case, Plan, Verdict
from pytest_perfgate.store import load_run_text, run_to_text

CASE = Case("t.py::test_long", "memory.growth.share")
MIB = 2**20


@pytest.fixture
def holding(monkeypatch):
    """Let the process hold what a made-up curve says, from (calls made) to MiB."""

    def hold(curve):
        calls = itertools.count()
        made = [0]

        def target():
            made[0] = next(calls)
            return made[0]

        monkeypatch.setattr(memory, "process_memory", lambda: ("unique set", lambda: int(curve(made[0]) * MIB)))
        monkeypatch.setattr(memory, "channels", dict)
        monkeypatch.setattr(growth_share, "_attributed", lambda *_: None)
        return target

    return hold


def measured(target, **how):
    how = how or {"iterations": 1000}
    return measure_growth_share(Plan(), CASE, target, **how)[1]


def verdict(measurement, growth="10%"):
    (finding,) = judge_test(CASE.test, parse_marker((), {"growth": growth}).budget, [measurement])
    return finding.verdict


def wandering(seed, sd):
    chance = random.Random(seed)
    return lambda _: 100 + chance.gauss(0, sd)


noise = random.Random(2)


def rising_in_noise(calls):
    return 100 + 0.0102 * calls + noise.gauss(0, 2)


CURVES = {
    "flat": (lambda _: 100, Verdict.PASS),
    "a rise of 5 %": (lambda n: 100 + 0.005 * n, Verdict.PASS),
    "a rise of 20 %": (lambda n: 100 + 0.02 * n, Verdict.OVER_BUDGET),
    "a cache that fills in the warm-up": (lambda n: 100 + min(n, 40), Verdict.PASS),
    "a cache that fills half way": (lambda n: 100 + 0.04 * min(n, 500), Verdict.OVER_BUDGET),
    "steps, a small one at a time": (lambda n: 100 + n // 250, Verdict.PASS),
    "a fall": (lambda n: 100 - 0.02 * n, Verdict.PASS),
    "one spike at the very end": (lambda n: 100 + 50 * (n > 1045), Verdict.PASS),
    "noise": (wandering(1, 1), Verdict.PASS),
    "a large sawtooth": (lambda n: 100 + 0.1 * (n % 420), Verdict.INCONCLUSIVE),
    "as much as is allowed, with noise": (rising_in_noise, Verdict.INCONCLUSIVE),
}


@pytest.mark.parametrize(("curve", "expected"), CURVES.values(), ids=CURVES)
def test_growth_over_many_calls_is_judged_where_it_can_be(holding, curve, expected):
    assert verdict(measured(holding(curve))) is expected


def test_the_measurement_says_what_grew_by_how_much(holding):
    found = measured(holding(lambda n: 100 + 0.02 * n))
    assert found.value == pytest.approx(0.2, rel=0.02)
    assert found.interval[0] < found.value < found.interval[1]
    assert found.interval[1] - found.value == pytest.approx(0.25 / 101, rel=0.02)  # no closer than memory is counted
    assert found.extra["calls"] == 1000
    assert found.extra["grown_bytes_per_call"] == pytest.approx(0.02 * MIB, rel=0.02)
    assert (found.unit, found.show_as, found.better.value) == ("ratio", "%", "lower")
    course = found.extra["memory_over_time"]
    assert {len(course[name]) for name in ("calls", "seconds", "bytes")} == {121}
    assert (course["kind"], course["blocks"]) == ("unique set", [])


def test_blocks_of_the_interpreter_are_told_beside(holding, monkeypatch):
    target = holding(lambda _: 100)
    counts = itertools.count(100_000, 100)
    monkeypatch.setattr(memory, "channels", lambda: {"blocks": lambda: next(counts)})
    found = measured(target)
    assert found.extra["blocks_growth"] == pytest.approx(0.12, rel=0.01)
    assert len(found.extra["memory_over_time"]["blocks"]) == 121


def test_growth_within_memory_that_was_free_before_counts(holding, monkeypatch):
    target = holding(lambda n: 100 + 0.001 * n)
    looks = itertools.count()
    monkeypatch.setattr(memory, "channels", lambda: {"heap": lambda: 30 * MIB + next(looks) * MIB // 4})
    found = measured(target)
    assert found.value == pytest.approx(0.3, rel=0.02)  # 30 MiB of the 100 that the process holds
    assert found.interval[0] > 0.29
    assert "the C heap in use grew by 30 MiB" in found.warnings[0]
    assert verdict(found) is Verdict.OVER_BUDGET


def test_a_heap_that_grows_as_the_process_does_says_nothing_new(holding, monkeypatch):
    target = holding(lambda n: 100 + 0.02 * n)
    looks = itertools.count()
    monkeypatch.setattr(memory, "channels", lambda: {"heap": lambda: 30 * MIB + next(looks) * MIB // 6})
    found = measured(target)
    assert found.value == pytest.approx(0.2, rel=0.02)
    assert found.warnings == ()


def test_blocks_that_the_process_is_too_small_for_are_no_plain_pass(holding, monkeypatch):
    target = holding(lambda _: 100)
    counts = itertools.count(100_000, 500)
    monkeypatch.setattr(memory, "channels", lambda: {"blocks": lambda: next(counts)})
    found = measured(target)
    assert found.value == 0
    assert found.interval[1] == pytest.approx(0.6, rel=0.01)
    assert "memory blocks became 60 % more while the unique set hardly grew" in found.warnings[0]
    assert verdict(found) is Verdict.INCONCLUSIVE


def test_the_same_leak_again_is_found_again():
    """What the first one has freed is there for the second."""

    def growth():
        kept = []
        return measure_growth_share(Plan(), CASE, lambda: kept.append(bytes(10_000)), iterations=2000)[1]

    first, again = growth(), growth()
    assert again.extra["grown_bytes_per_call"] == pytest.approx(10_000, rel=0.1)
    assert verdict(first) is verdict(again) is Verdict.OVER_BUDGET


def test_too_few_looks_are_no_verdict(holding, monkeypatch):
    target = holding(lambda _: 100)
    moments = itertools.count()
    monkeypatch.setattr(
        growth_share,
        "follow_time",
        lambda batch, seconds, timeout_s: growth_share.Course(
            "unique set", tuple(range(8)), tuple(float(next(moments)) for _ in range(8)), (100 * MIB,) * 8
        ),
    )
    found = measured(target, duration="8 s")
    assert found.doubt.startswith("only 7 looks at the memory in 7 s, and 24 are needed")
    assert verdict(found) is Verdict.INCONCLUSIVE


def test_time_instead_of_calls(holding):
    found = measured(holding(lambda _: 100), duration=0.05)
    assert found.extra["lasted_s"] >= 0.05
    assert found.value == 0
    assert measured(holding(lambda _: 100), duration="50 ms").extra["lasted_s"] >= 0.05


def test_where_a_leak_comes_from_is_named():
    kept = []

    def leak():
        kept.append(b"x" * 200_000)

    _, found = measure_growth_share(Plan(), CASE, leak, iterations=400)
    assert found.value > 0.05
    assert "test_metrics_growth_share.py" in found.extra["where"][0]
    assert 'kept.append(b"x" * 200_000)' in found.extra["where"][0]
    assert found.extra["grown_bytes_per_call"] == pytest.approx(200_000, rel=0.15)


def test_a_clean_function_stays_within_a_percent_or_two():
    result, found = measure_growth_share(Plan(), CASE, json.dumps, ([1, 2, 3],), iterations=2000)
    assert result == "[1, 2, 3]"
    assert found.interval[0] <= 0.02
    assert verdict(found, "10%") is Verdict.PASS
    assert "where" not in found.extra


def test_an_async_function_runs_on_one_loop():
    loops = set()

    async def target():
        loops.add(id(asyncio.get_running_loop()))
        return 7

    result, _ = measure_growth_share(Plan(), CASE, target, iterations=50)
    assert (result, len(loops)) == (7, 1)


def test_a_target_that_raises_is_told_with_the_call():
    numbers = itertools.count(1)

    def target():
        if next(numbers) == 60:
            raise ValueError("the sixtieth")

    with pytest.raises(ValueError, match="the sixtieth") as caught:
        measure_growth_share(Plan(), CASE, target, iterations=100)
    assert caught.value.__notes__ == ["raised by call 60 of the target"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "give iterations= or duration=, one of them"),
        ({"iterations": 100, "duration": "1 s"}, "one of them"),
        ({"iterations": 23}, "fewer than 24 calls"),
        ({"iterations": 0}, "at least 1"),
        ({"iterations": True}, "whole number"),
        ({"iterations": "100"}, "whole number"),
        ({"duration": 0}, "a time above 0"),
        ({"duration": -1}, "a time above 0"),
        ({"duration": float("nan")}, "a time above 0"),
        ({"duration": float("inf")}, "a time above 0"),
        ({"duration": True}, "give seconds"),
        ({"duration": "5"}, 'write it like duration="5 min"'),
        ({"duration": "5 fortnights"}, "is not a unit"),
        ({"duration": "0 s"}, "a time above 0"),
    ],
)
def test_amounts_that_cannot_be_meant_are_refused_before_the_first_call(how, said):
    with pytest.raises(UsageError, match=said):
        measure_growth_share(Plan(), CASE, pytest.fail, **how)


def test_what_is_not_callable_is_refused():
    with pytest.raises(CannotMeasureError, match="not callable"):
        measure_growth_share(Plan(), CASE, 3, iterations=100)


def test_a_watched_process_that_grew_is_no_verdict_and_one_that_did_not_is(holding, monkeypatch):
    monkeypatch.setattr(growth_share, "memory_watchers", lambda: ("coverage",))
    grown, flat = measured(holding(lambda n: 100 + 0.02 * n)), measured(holding(lambda _: 100))
    assert "run without" in grown.doubt
    assert verdict(grown) is Verdict.INCONCLUSIVE
    assert flat.doubt is None
    assert verdict(flat) is Verdict.PASS


def test_pages_shared_with_others_are_said_to_count(holding, monkeypatch):
    target = holding(lambda _: 100)
    monkeypatch.setattr(memory, "process_memory", lambda: ("resident set", lambda: 100 * MIB))
    assert "shared with other processes" in measured(target).warnings[0]


def test_the_curve_is_stored_as_the_schema_says_and_read_back(holding):
    run = make_run(*judge_test(CASE.test, Budget(), [measured(holding(lambda n: 100 + 0.02 * n))]))
    text = run_to_text(run)
    schema = json.loads((files("pytest_perfgate") / "schema/perfgate-run-1.json").read_text("utf-8"))
    checker = jsonschema.Draft202012Validator(schema)
    checker.validate(json.loads(text))
    assert load_run_text(text, "run.json") == run
    broken = json.loads(text)
    broken["cases"][0]["extra"]["memory_over_time"]["bytes"][3] = "much"
    assert not checker.is_valid(broken)


def test_the_metric_is_registered():
    assert GROWTH_SHARE.name == CASE.metric
