"""What calls and objects allocate: the same numbers every time, checked against sys.getsizeof."""

import asyncio
import sys
import tracemalloc

import pytest

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.gate import judge_test
from pytest_perfgate.metrics.allocations import measure_allocations, measure_per_object
from pytest_perfgate.model import Case, Plan, Verdict

CALL, OBJECT = Case("t", "memory.allocations"), Case("t", "memory.per_object")


def allocations(target, *args):
    return measure_allocations(Plan(), CALL, target, args)


@pytest.mark.parametrize("size", [100, 10_000, 5_000_000])
def test_the_peak_of_a_call_is_what_it_allocates(size):
    result, measurement = allocations(bytearray, size)
    assert len(result) == size
    assert measurement.unit == "B"
    assert measurement.value == pytest.approx(sys.getsizeof(bytearray(size)), abs=100)


def test_the_same_code_gives_the_same_number():
    def work():
        return {str(n): [n] * 3 for n in range(500)}

    first, second = allocations(work)[1], allocations(work)[1]
    assert first.value == second.value > 10_000
    assert len(set(first.samples)) == 1


def test_a_call_that_allocates_nothing_is_nothing():
    assert allocations(int)[1].value == 0


def test_what_is_freed_during_the_call_counts_and_what_stays_is_told():
    kept = []

    def passing():
        block = bytearray(1_000_000)
        del block
        kept.append(bytearray(1000))
        return bytearray(10)

    _, measurement = allocations(passing)
    assert measurement.value == pytest.approx(1_000_000, rel=0.01)
    assert 1000 <= measurement.extra["kept_bytes"] <= 1500


def test_what_only_first_calls_allocate_is_left_out():
    cache = {}

    def cached():
        return cache.setdefault("key", bytearray(100_000)) if "key" not in cache else cache["key"]

    assert allocations(cached)[1].value == 0


def test_an_async_function_is_awaited():
    async def work():
        await asyncio.sleep(0)
        return bytearray(1_000_000)

    result, measurement = allocations(work)
    assert len(result) == 1_000_000
    assert measurement.value == pytest.approx(1_000_000, rel=0.05)


def test_somebody_elses_tracing_is_left_alone():
    tracemalloc.start()
    try:
        with pytest.raises(CannotMeasureError, match="tracemalloc is tracing already"):
            allocations(int)
        with pytest.raises(CannotMeasureError, match="tracemalloc is tracing already"):
            measure_per_object(Plan(), OBJECT, object)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_what_a_target_raises_comes_through_and_tracing_ends():
    with pytest.raises(ZeroDivisionError):
        allocations(lambda: 1 / 0)
    assert not tracemalloc.is_tracing()


@pytest.mark.parametrize("measure", [lambda: allocations(7), lambda: measure_per_object(Plan(), OBJECT, 7)])
def test_what_cannot_be_called_is_refused(measure):
    with pytest.raises(CannotMeasureError, match="not callable"):
        measure()


# -- one object


class Plain:
    __slots__ = ("a", "b")


class Cyclic:
    def __init__(self):
        self.me = self


def test_an_object_takes_what_python_says():
    result, measurement = measure_per_object(Plan(), OBJECT, Plain, n=5000)
    assert isinstance(result, Plain)
    collector_bytes = 16  # in front of what the collector tracks, which getsizeof counts
    assert measurement.value == pytest.approx(sys.getsizeof(Plain()), abs=collector_bytes)
    assert measurement.extra["recovered_by_refcount"] == pytest.approx(1, abs=0.01)
    assert not measurement.warnings


def test_objects_in_cycles_wait_for_the_collector():
    _, measurement = measure_per_object(Plan(), OBJECT, Cyclic, n=2000)
    assert measurement.extra["recovered_by_refcount"] == pytest.approx(0, abs=0.02)
    assert measurement.extra["recovered_by_collector"] == pytest.approx(1, abs=0.02)
    assert "the objects are in cycles" in measurement.warnings[0]


def test_objects_that_something_keeps_do_not_come_back():
    registry = []

    def make():
        made = bytearray(1000)
        registry.append(made)
        return made

    _, measurement = measure_per_object(Plan(), OBJECT, make, n=500)
    assert measurement.extra["kept"] == pytest.approx(1, abs=0.02)
    assert "something still refers to the objects" in measurement.warnings[0]


def kept_verdicts(measurement):
    return {finding.verdict for finding in judge_test("t", parse_marker(("kept < 1%",), {}).budget, [measurement])}


@pytest.mark.parametrize(
    ("make", "n", "said"),
    [
        (lambda: 7, 10_000, "10,000 objects took"),
        (lambda: 7, 100_000, "they are one and the same"),
        (object, 1, "make more objects, with a larger n="),
        (lambda: bytes(1000), 1, "too little to tell shares of"),
    ],
)
def test_of_next_to_nothing_no_shares_are_told(make, n, said):
    _, measurement = measure_per_object(Plan(), OBJECT, make, n=n)
    assert measurement.extra == {"objects": n}
    assert len(measurement.warnings) == 1
    assert said in measurement.warnings[0]
    assert Verdict.FAILED_TO_MEASURE in kept_verdicts(measurement)  # no data is never a pass


def test_one_large_object_has_shares():
    _, measurement = measure_per_object(Plan(), OBJECT, lambda: bytes(1_000_000), n=1)
    assert measurement.extra["recovered_by_refcount"] == pytest.approx(1, abs=0.01)
    assert kept_verdicts(measurement) == {Verdict.PASS}


def test_what_the_interpreter_keeps_to_use_again_is_no_cycle():
    """Dozens of dictionaries that were dropped are kept for the next ones until a collection."""
    _, measurement = measure_per_object(Plan(), OBJECT, dict, n=500)
    assert measurement.extra["recovered_by_refcount"] == pytest.approx(1, abs=0.01)
    assert not measurement.warnings


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "many"])
def test_how_many_must_be_a_number(n):
    with pytest.raises(UsageError, match="n="):
        measure_per_object(Plan(), OBJECT, object, n=n)


def test_an_async_maker_is_refused():
    async def make():
        return object()

    with pytest.raises(CannotMeasureError, match="not an async one"):
        measure_per_object(Plan(), OBJECT, make)
