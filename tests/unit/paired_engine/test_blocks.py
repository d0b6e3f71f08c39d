"""Blocks of base and head in turn: how many, in which order, on which processor, and what the ratio survives."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from paired_fakes import FakeWorker, World, case

from pytest_perfgate.paired import blocks
from pytest_perfgate.paired.blocks import BLOCK_NS, MOST_PAIRS, SEGMENT_PAIRS, Conditions, measure_pairs
from pytest_perfgate.paired.worker import CaseLostError

PROCESSORS = (0, 1, 5)


@pytest.fixture
def measured(monkeypatch):
    """Measure one case on two fresh workers."""

    def measure(base=None, head=None, *, slowness=lambda at_s: 1.0, seed=1, shape=None, most_s=10.0, **how):
        world = World(slowness).install(monkeypatch, blocks)
        processors = how.pop("processors", PROCESSORS)
        base, head = base or case(), head or case()
        workers = [FakeWorker(world, side, [one], **how).ready() for side, one in (("base", base), ("head", head))]
        told = [worker.hear(None) for worker in workers][1]
        conditions = Conditions(processors=processors, timeout_s=None, most_s=most_s, rng=random.Random(seed))
        try:
            result = measure_pairs(*workers, told, conditions, shape)
        except CaseLostError as lost:
            result = lost
        return result, workers, world

    return measure


@pytest.mark.parametrize("call_ns", [50.0, 1_000.0, 40_000.0, 300_000.0])
def test_iterations_are_found_that_make_a_block_of_about_a_millisecond(measured, call_ns):
    result, (base, head), _ = measured(case(call_ns=call_ns), case(call_ns=call_ns))
    assert 0.7 * BLOCK_NS <= result.shape.iterations * call_ns <= 2 * BLOCK_NS
    assert len(result.base_s) == len(result.head_s) == result.shape.pairs == MOST_PAIRS
    assert all(value == pytest.approx(call_ns / 1e9, rel=1e-3) for value in result.base_s)
    assert base.blocks == head.blocks


def test_a_slow_call_is_a_block_of_its_own_and_gets_fewer_pairs(measured):
    slow = case(call_ns=20e6)
    result, _, _ = measured(slow, slow)
    assert result.shape.iterations == 1
    assert result.shape.pairs == 10  # of 40 ms in 0.4 s


def test_a_case_without_time_left_gets_one_pair_at_least(measured):
    slow = case(call_ns=2e9)
    result, (base, head), _ = measured(slow, slow, most_s=0.0)
    assert len(result.base_s) == 1
    assert len(base.blocks) == len(head.blocks) == 2  # and no warm-up but the trial


def test_fixed_iterations_are_kept_and_rounds_fill_the_block(measured):
    fixed = case(call_ns=1_000.0, told={"iterations": 7})
    result, (base, _), _ = measured(fixed, fixed)
    assert result.shape.iterations == 7
    assert 0.7 * BLOCK_NS <= result.shape.rounds * 7 * 1_000.0 <= 2 * BLOCK_NS
    assert {iterations for iterations, _ in base.blocks} == {7}


def test_counted_rounds_and_warmup_are_kept_exactly(measured):
    counted = case(told={"iterations": 3, "rounds": 5, "warmup": 2})
    result, (base, head), _ = measured(counted, counted)
    assert len(result.base_s) == 5
    assert base.blocks == head.blocks == [(3, 1)] * 7
    again, (base, _), _ = measured(counted, counted, shape=result.shape)
    assert base.blocks == [(3, 1)] * 7
    assert again.shape.pinned


def test_counted_rounds_without_iterations_get_blocks_of_a_millisecond_all_the_same(measured):
    counted = case(call_ns=200.0, told={"rounds": 9})
    result, _, _ = measured(counted, counted)
    assert len(result.base_s) == 9
    assert result.shape.iterations * 200.0 >= 0.7 * BLOCK_NS


def test_a_clock_that_does_not_move_ends(measured):
    still = case(call_ns=0.0)
    result, _, _ = measured(still, still)
    assert result.log_ratio is None


@pytest.mark.parametrize("seed", range(40))
def test_within_two_pairs_each_side_is_first_once(measured, seed):
    result, _, world = measured(seed=seed)
    order = [side for side, what, _ in world.log if what == "block"]
    # The blocks after the warm-up, without the two thrown away whenever the processor changes.
    counted = []
    blocks_left = order[-(2 * MOST_PAIRS + 2 * (MOST_PAIRS // SEGMENT_PAIRS - 1)) :]
    for segment in range(MOST_PAIRS // SEGMENT_PAIRS):
        start = segment * (2 * SEGMENT_PAIRS + 2)
        counted += blocks_left[start : start + 2 * SEGMENT_PAIRS]
    assert len(counted) == 2 * len(result.base_s)
    for start in range(0, len(counted), 4):
        first, second, third, fourth = counted[start : start + 4]
        assert first != second
        assert [first, second] == [fourth, third], "ABBA or BAAB"


def test_the_order_is_drawn(measured):
    def first_sides(seed):
        _, _, world = measured(seed=seed)
        return [side for side, what, _ in world.log if what == "block"][-4]

    assert {first_sides(seed) for seed in range(20)} == {"base", "head"}


def test_both_share_one_processor_which_changes_every_few_pairs(measured):
    result, (base, head), world = measured()
    assert result.shape.pinned
    assert base.pinned == head.pinned
    *segments, last = base.pinned
    assert last == PROCESSORS, "free again at the end"
    assert len(segments) == MOST_PAIRS // SEGMENT_PAIRS
    assert all(len(segment) == 1 for segment in segments)
    assert all(one != other for one, other in itertools.pairwise(segments))
    places = [place for _, what, place in world.log if what == "block" and place]
    assert all(places[at] == places[at + 1] for at in range(0, len(places), 2))


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_target_that_raises_leaves_both_free_again(measured, side):
    raising = {side: case(raises=40)}
    result, workers, _ = measured(**raising)
    assert isinstance(result, CaseLostError)
    assert result.worker.side == side
    for worker in workers:
        assert worker.pinned[-1] == PROCESSORS


WHY_FREE = {
    "threads": ({"threads": 1.9}, "several threads"),
    "waits": ({"busy": 0.1, "threads": 0.1}, "waits for something"),
}


@pytest.mark.parametrize(("how", "words"), list(WHY_FREE.values()), ids=list(WHY_FREE))
@pytest.mark.parametrize("told", [{}, {"iterations": 1, "rounds": 4}], ids=["adaptive", "counted"])
def test_what_is_not_bound_to_a_processor_runs_free_and_says_why(measured, how, words, told):
    result, (base, _), _ = measured(case(**how, told=told), case(**how, told=told))
    assert not result.shape.pinned
    assert words in result.shape.why_free
    assert base.pinned == []


def test_startup_is_bound_although_its_work_is_done_by_children(measured):
    started = case("startup.command", busy=0.01, threads=0.01)
    result, _, _ = measured(started, started)
    assert result.shape.pinned


def test_without_affinity_workers_run_free(measured):
    result, (base, _), _ = measured(processors=())
    assert "no process" in result.shape.why_free
    assert base.pinned == []


def test_a_system_that_refuses_is_noticed(measured):
    result, _, _ = measured(can_be_pinned=False)
    assert not result.shape.pinned
    assert "does not let us" in result.shape.why_free


def test_a_target_that_moves_itself_is_noticed_and_left_free_from_then_on(measured):
    result, _, _ = measured(unpins=True)
    assert not result.shape.pinned
    assert "the target chooses" in result.shape.why_free


def _drifting(at_s: float) -> float:
    """A machine that gets slower and slower, with bursts of a neighbour."""
    return (1 + 4 * at_s) * (1.8 if math.sin(at_s * 130) > 0.7 else 1.0)


@pytest.mark.parametrize("change", [0.0, 0.10, -0.10])
@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_survives_what_happens_to_both_sides(measured, change, seed):
    head = case(call_ns=100_000.0 * (1 + change))
    result, _, _ = measured(case(), head, slowness=_drifting, seed=seed)
    assert result.log_ratio == pytest.approx(math.log1p(change), abs=0.02)
    half = len(result.base_s) // 2
    earlier, later = (statistics.median(times) for times in (result.base_s[:half], result.base_s[half:]))
    assert later / earlier > 1.1, "one side after the other would have shown a change that is none"
