"""One case over the rounds: what varies is tested, what does not is compared as it is."""

from __future__ import annotations

import math
import random

import pytest

from pytest_perfgate.judge.sequential import SequentialPolicy
from pytest_perfgate.model import Case, Verdict
from pytest_perfgate.paired.blocks import PairRound, Shape
from pytest_perfgate.paired.series import DIFFERENT_ROUNDS, EXACT_ROUNDS, Series, rounds_to_differ

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
def test_a_number_that_never_varies_is_decided_exactly(base, head, better, verdict):
    assert not numbers((base, head), better=better).is_done, "once is not known not to vary"
    needed = EXACT_ROUNDS if verdict == "pass" else DIFFERENT_ROUNDS
    assert not numbers(*[(base, head)] * (needed - 1), better=better).is_done
    series = numbers(*[(base, head)] * needed, better=better)
    assert series.is_done
    assert series.standing.verdict.value == verdict
    assert series.standing.interval == (series.standing.estimate,) * 2
    assert series.standing.confidence == 1.0


def test_a_tolerance_of_zero_is_meant():
    assert numbers((100, 100), (100, 100), tolerance=0.0).standing.verdict is Verdict.PASS
    assert numbers(*[(1000, 1001)] * 8, tolerance=0.0).standing.verdict is Verdict.REGRESSED


def test_a_number_of_two_values_by_chance_is_hardly_ever_taken_for_one_that_never_varies():
    wrong = 0
    for seed in range(300):
        rng = random.Random(seed)
        series = numbers(*[(rng.choice((100, 120)), rng.choice((100, 120))) for _ in range(60)])
        wrong += series.standing.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)
    assert wrong <= 3


def test_a_second_value_makes_a_number_one_that_varies():
    series = numbers(*[(100, 120)] * 7, (120, 120))
    assert not series.is_exact
    assert not series.is_done


@pytest.mark.parametrize(("cases", "rounds"), [(1, 8), (327, 8), (328, 9), (10_000, 11)])
def test_all_cases_together_err_no_more_often_than_the_rule_allows(cases, rounds):
    policy = SequentialPolicy(tolerance=0.05, cases=cases)
    assert rounds_to_differ(policy) == rounds
    assert cases * 2 * 4.0**-rounds <= policy.alpha


def test_a_difference_that_time_cut_short_is_inconclusive_and_says_what_is_missing():
    series = numbers((100, 120), (100, 120))
    series.look(POLICY, 0.05, last=True)
    assert series.standing.verdict is Verdict.INCONCLUSIVE
    assert "6 more process pairs would settle it" in series.standing.doubt
    assert math.exp(series.standing.estimate) == pytest.approx(1.2)


@pytest.mark.parametrize("pair", [(0, 5), (5, 0), (-1, 5), (5, -1)])
def test_from_or_to_zero_there_is_no_ratio_and_the_case_is_over(pair):
    assert not numbers(*[pair] * 7).is_done
    series = numbers(*[pair] * 8)
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


# -- tests that are played several times in one process


def played(*rounds, tolerance=0.05):
    """Look after every round of plays of a test's own call."""
    series = Series(case=Case("t", "call"), kind="value")
    for plays in rounds:
        for base, head in plays:
            series.add_play({"value": base, "better": "lower"}, {"value": head, "better": "lower"})
        series.end_round()
        series.look(POLICY, tolerance)
        if series.is_done:
            break
    return series


def noisy(rounds, *, first=1.0, later=1.0, spread=0.03, plays=9, seed=1):
    """Make rounds of plays whose head is so many times slower in the first play, and in later ones."""
    rng = random.Random(seed)
    return [
        [(rng.gauss(1, spread), (later if play else first) * rng.gauss(1, spread)) for play in range(plays)]
        for _ in range(rounds)
    ]


def test_the_ratio_of_a_round_is_the_median_of_its_plays_and_its_value_the_first_play():
    series = played([(1.0, 1.5), (1.01, 1.01), (1.0, 1.02)])
    assert series.log_ratios == [pytest.approx(math.log(1.02))]
    assert (series.base, series.head) == ([1.0], [1.5])


def test_rounds_of_one_play_before_the_others_do_not_count():
    series = played([(1.0, 5.0)], [(1.0, 1.01), (1.0, 1.01)])
    assert series.log_ratios == [pytest.approx(math.log(1.01))]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("first", [1.15, 1.4])
def test_what_only_the_first_play_of_a_process_pays_is_not_hidden_by_the_others(first, seed):
    series = played(*noisy(60, first=first, seed=seed))
    assert series.is_played_once
    assert series.standing.verdict is Verdict.REGRESSED
    assert math.exp(series.standing.estimate) == pytest.approx(first, rel=0.05)


def test_while_first_plays_look_worse_later_ones_let_nothing_pass():
    few = played(*noisy(5, first=1.2, spread=0.001, plays=2)[:4], *noisy(1, first=1.06, spread=0.001, plays=2))
    assert few.standing.verdict is None
    series = Series(case=Case("t", "call"), kind="value")
    for base, head in ((1.0, 1.2), (1.0, 1.0)):
        series.add_play({"value": base, "better": "lower"}, {"value": head, "better": "lower"})
    series.end_round()
    series.look(POLICY, 0.05, last=True)
    assert series.standing.verdict is Verdict.INCONCLUSIVE


def test_later_plays_that_are_another_kind_of_work_decide_nothing():
    cached = [[plays[0], *[(1e-5, 2e-5)] * 8] for plays in noisy(60, spread=0.005)]
    series = played(*cached)
    assert series.is_played_once
    assert series.standing.verdict is Verdict.PASS


def test_later_plays_like_the_first_decide_sooner():
    taken = []
    for seed in range(10):
        rounds = noisy(60, spread=0.06, seed=seed)
        many, one = played(*rounds), played(*[plays[:1] for plays in rounds])
        assert many.standing.verdict is Verdict.PASS
        assert not many.is_played_once
        taken.append((len(many.base), len(one.base)))
    assert sum(many for many, _ in taken) * 2 < sum(one for _, one in taken)


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
    series = numbers(*[(100, 110)] * 8)
    standing = series.standing
    assert standing.verdict is Verdict.REGRESSED
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
