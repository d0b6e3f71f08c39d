"""One case over the rounds: what varies is tested, what does not is compared as it is."""

from __future__ import annotations

import math

import pytest

from pytest_perfgate.judge.sequential import SequentialPolicy
from pytest_perfgate.model import Case, Verdict
from pytest_perfgate.paired.blocks import PairRound, Shape
from pytest_perfgate.paired.series import Series

POLICY = SequentialPolicy(tolerance=0.05)
SHAPE = Shape(iterations=10, rounds=1, pairs=3, warmup=0, pinned=True)


def numbers(*pairs, better="lower", tolerance=0.05, last=False):
    """Look after every round of numbers; return the series and the rounds it took."""
    series = Series(case=Case("t", "hits"), kind="value")
    for base, head in pairs:
        series.add_values({"value": base, "better": better}, {"value": head, "better": better})
        series.look(POLICY, tolerance, last=last)
    return series


def times(*ratios, last=False):
    series = Series(case=Case("t", "perf"), kind="blocks")
    for ratio in ratios:
        series.add_blocks(PairRound(base_s=(1.0, 2.0, 3.0), head_s=(ratio, 2 * ratio, 3 * ratio), shape=SHAPE))
        series.look(POLICY, 0.05, last=last)
    return series


EXACT = {
    "same": (100, 100, "lower", "pass"),
    "worse": (100, 110, "lower", "regressed"),
    "better": (100, 90, "lower", "improved"),
    "within": (100, 104, "lower", "pass"),
    "on the tolerance": (100, 105, "lower", "pass"),
    "just beyond": (100_000, 105_001, "lower", "regressed"),
    "more is better": (100, 110, "higher", "improved"),
    "less is worse": (110, 100, "higher", "regressed"),
    "both zero": (0, 0, "lower", "pass"),
    "both negative": (-2, -2, "lower", "pass"),
}


@pytest.mark.parametrize(("base", "head", "better", "verdict"), list(EXACT.values()), ids=list(EXACT))
def test_a_number_that_never_varies_is_decided_exactly_in_two_rounds(base, head, better, verdict):
    assert not numbers((base, head), better=better).is_done, "once is not known not to vary"
    series = numbers((base, head), (base, head), better=better)
    assert series.is_done
    assert series.standing.verdict.value == verdict
    assert series.standing.interval == (series.standing.estimate,) * 2
    assert series.standing.confidence == 1.0


def test_a_tolerance_of_zero_is_meant():
    assert numbers((100, 100), (100, 100), tolerance=0.0).standing.verdict is Verdict.PASS
    assert numbers((1000, 1001), (1000, 1001), tolerance=0.0).standing.verdict is Verdict.REGRESSED


@pytest.mark.parametrize("pair", [(0, 5), (5, 0), (-1, 5), (5, -1)])
def test_from_or_to_zero_there_is_no_ratio_and_the_case_is_over(pair):
    series = numbers(pair, pair)
    assert series.is_done
    assert not math.isfinite(series.standing.interval[0])


def test_a_number_that_varies_waits_for_more_rounds():
    assert not numbers((100, 110), (101, 110)).is_done
    many = numbers(*[(100 + n % 3, 130 + n % 2) for n in range(12)])
    assert many.standing.verdict is Verdict.REGRESSED


def test_a_number_that_varies_and_touches_zero_ends_with_the_time():
    assert not numbers((0, 1), (1, 2)).is_done
    series = numbers((0, 1), (1, 2), last=True)
    assert series.is_done
    assert series.standing.verdict is Verdict.INCONCLUSIVE


def test_higher_is_better_turns_the_sign_of_what_varies():
    assert numbers((100, 130), (101, 131), better="higher").worsenings == pytest.approx([-math.log(1.3)] * 2, abs=0.01)
    assert numbers(*[(100 + n % 3, 130) for n in range(12)], better="higher").standing.verdict is Verdict.IMPROVED


def test_a_slowdown_and_its_absence_are_decided_by_rounds():
    assert times(*[1.5 + n / 1000 for n in range(12)]).standing.verdict is Verdict.REGRESSED
    assert times(*[0.5 + n / 1000 for n in range(12)]).standing.verdict is Verdict.IMPROVED
    assert times(*[1.0 + n / 10_000 for n in range(12)]).standing.verdict is Verdict.PASS


def test_times_that_are_equal_by_chance_are_not_exact():
    assert not times(1.5, 1.5).is_done


def test_time_up_is_inconclusive_and_says_what_would_settle_it():
    series = times(1.5, last=True)
    assert series.standing.verdict is Verdict.INCONCLUSIVE
    assert "more process pairs would settle it" in series.standing.doubt
    assert times(last=True).standing is None


def test_a_round_without_any_ratio_is_kept_and_never_decides():
    series = times(1.0)
    series.add_blocks(PairRound(base_s=(0.0,), head_s=(0.0,), shape=SHAPE))
    series.look(POLICY, 0.05)
    assert not series.is_done
    series.look(POLICY, 0.05, last=True)
    assert series.standing.verdict is Verdict.INCONCLUSIVE


def test_what_is_decided_stays_so():
    series = numbers((100, 110), (100, 110))
    standing = series.standing
    series.look(POLICY, 0.5)
    assert series.standing is standing
    assert Series(case=Case("t", "perf"), kind="blocks", no_base="new").is_done
    assert Series(case=Case("t", "perf"), kind="blocks", no_head="raises").is_done


def test_blocks_are_counted_and_summed_up():
    series = times(1.1, 1.2)
    assert series.pairs == 6
    assert series.base == [2.0, 2.0]
    assert series.head == pytest.approx([2.2, 2.4])
    assert len(series.head_samples) == 6
    assert series.shape is SHAPE
