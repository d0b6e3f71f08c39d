"""Between what a speedup lies on a busy machine, from made-up windows; and what would be on one with cores enough."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_perfgate.measure.parallel import Window
from pytest_perfgate.measure.stints import Stint, timed_stint
from pytest_perfgate.measure.undisturbed import (
    Surroundings,
    core_share,
    ends,
    held_up_s,
    steady_gain,
    with_cores_enough,
)

MS = 1_000_000


def serial(wall=0.1, cpu=None, queued=0.0):
    return Window(wall, wall - queued if cpu is None else cpu, queued)


def stint(worker, wall_ms, queued_ms=0.0, waited_ms=None):
    waited = queued_ms if waited_ms is None else waited_ms
    return Stint((1, worker), round(wall_ms * MS), round(queued_ms * MS), round(waited * MS))


def parallel(*stints, wall=0.05, cpu=0.1, queued=0.0):
    return Window(wall, cpu, queued, stints)


def around(**fields):
    return Surroundings(**{"able": 2.0, "capacity": 2.0, "workers": 2, **fields})


def test_on_an_idle_machine_the_ends_meet():
    quiet = parallel(stint(1, 50), stint(2, 50))
    assert ends([serial()] * 3, [quiet] * 3, around()) == (2.0, 2.0)


def test_workers_that_had_to_wait_may_be_faster_than_they_seem():
    held_up = parallel(stint(1, 80, 30), stint(2, 50, 5), wall=0.08)
    assert ends([serial()], [held_up], around()) == pytest.approx((1.25, 2.0))
    assert held_up_s(held_up) == pytest.approx(0.03)
    assert ends([serial()], [parallel(stint(1, 80, 10), wall=0.08)], around())[1] == pytest.approx(0.1 / 0.07)


def test_what_waking_up_took_and_what_the_collecting_thread_waited_count_as_well():
    held_up = parallel(stint(1, 20, 1, 4), stint(1, 20, 0, 3), stint(2, 40, 2), queued=0.005)
    assert held_up_s(held_up) == pytest.approx(0.012)


def test_a_serial_pass_that_had_to_wait_makes_a_speedup_seem_larger_than_it_is():
    # Code that takes turns: 0.1 s of work either way, and the serial pass had half a core.
    lower, upper = ends([serial(0.2, queued=0.1)], [parallel(wall=0.1)], around())
    assert (lower, upper) == pytest.approx((1.0, 2.0))


def test_work_that_only_waits_is_not_excused_by_others_who_take_cores():
    sleeping = serial(wall=0.1, cpu=0.0005)
    crowd = around(is_crowded=True, lost=1.9)
    serialised = [parallel(wall=0.1), parallel(stint(1, 100, 0, 4), stint(2, 100), wall=0.1)]
    for one in serialised:
        assert 1.0 <= ends([sleeping], [one], crowd)[1] < 1.4
    assert ends([serial(wall=0.1, cpu=0.01)], [serialised[0]], crowd)[1] == 2.0, "workers nobody watched may starve"
    assert ends([serial(wall=0.1, cpu=0.01)], [serialised[1]], crowd)[1] < 1.4
    assert ends([serial(wall=0.1, cpu=0.03)], [serialised[1]], crowd)[1] == 2.0


def test_work_that_needs_no_cores_is_excused_by_what_it_was_seen_to_wait_and_a_little_for_each_chunk():
    sleeping, crowd = serial(wall=0.1, cpu=0.0015), around(is_crowded=True, lost=1.9)
    serialised = parallel(*(stint(worker, 50) for worker in (1, 2, 1, 2)), wall=0.1)
    assert ends([sleeping], [serialised], crowd)[1] == pytest.approx(100 / 96)
    seen_waiting = parallel(stint(1, 50, 0, 20), stint(2, 50, 0, 1), wall=0.1)
    assert ends([sleeping], [seen_waiting], crowd)[1] == pytest.approx(100 / 78)
    short = parallel(*(stint(worker, 1) for worker in (1, 2) * 4), wall=0.01)
    assert ends([serial(wall=0.01, cpu=0.0001)], [short], crowd)[1] == pytest.approx(1.3), "never more than a share"
    assert ends([serial(wall=0.1, cpu=0.01)], [serialised], crowd)[1] == pytest.approx(1.3), "it needs cores at times"


def test_where_waiting_is_not_accounted_for_the_time_on_a_core_stands_in_on_a_crowded_machine():
    hidden = Window(0.2, 0.1)
    assert ends([hidden], [parallel(wall=0.1)], around(is_crowded=True))[0] == pytest.approx(1.0)
    assert ends([hidden], [parallel(wall=0.1)], around())[0] == pytest.approx(2.0)
    sleeping = Window(0.2, 0.001)
    assert ends([sleeping], [parallel(wall=0.1)], around(is_crowded=True))[0] == pytest.approx(2.0), "it did not wait"


def test_beside_a_crowd_anything_up_to_the_most_is_possible():
    assert ends([serial()], [parallel(wall=0.1)], around(is_crowded=True))[1] == 2.0
    assert ends([serial()], [parallel(wall=0.04)], around(is_crowded=True))[1] == pytest.approx(2.5), "never below it"


def test_where_workers_tell_nothing_what_others_took_may_have_hit_one_of_them():
    assert ends([serial()], [parallel(wall=0.0625)], around(lost=0.2))[1] == pytest.approx(2.0)
    assert ends([serial()], [parallel(wall=0.08)], around(lost=0.1))[1] == pytest.approx(1.25 / 0.9)
    assert ends([serial()], [parallel(stint(1, 80), wall=0.08)], around(lost=0.1))[1] == pytest.approx(1.25)
    assert ends([serial()], [parallel(wall=0.08)], around(lost=3.0))[1] == 2.0


def test_what_threads_that_tell_nothing_waited_for_a_core_counts_as_well():
    held_up = Window(0.08, 0.1, 0.005, crew_queued_s=0.025)
    assert held_up_s(held_up) == pytest.approx(0.03)
    assert ends([serial()], [held_up], around())[1] == pytest.approx(2.0)
    assert ends([serial()], [held_up], around(workers=4))[1] == pytest.approx(1.25), (
        "beyond the cores it excuses nothing"
    )


def threads(wall, waited, cpu=0.1):
    """Make a pass of two threads, one of which waited."""
    return parallel(stint(1, wall * 1000, waited * 1000), stint(2, wall * 1000), wall=wall, cpu=cpu)


def test_threads_that_take_turns_are_not_excused_because_the_kernel_had_them_share_a_core():
    in_turns = threads(0.1, 0.04)
    assert ends([serial()], [in_turns], around())[1] == pytest.approx(1.0)
    assert ends([serial()], [Window(0.1, 0.1, crew_queued_s=0.04)], around())[1] == pytest.approx(1.0)
    assert ends([serial()], [threads(0.1, 0.04)], around(lost=0.1))[1] == pytest.approx(1 / 0.9), "others had some"
    assert ends([serial()], [threads(0.1, 0.04, cpu=0.12)], around())[1] == pytest.approx(1 / 0.6), (
        "no turns: 1.2 cores"
    )


def test_of_a_short_pass_of_work_that_waits_and_of_what_is_done_elsewhere_turns_are_not_known():
    short = [serial(0.01)], [threads(0.01, 0.004, cpu=0.01)]
    assert ends(*short, around())[1] == pytest.approx(1 / 0.6), "the kernel had no time to part them"
    assert ends([serial(cpu=0.05)], [threads(0.1, 0.04, cpu=0.05)], around())[1] == pytest.approx(1 / 0.6)
    assert ends([serial()], [threads(0.1, 0.04, cpu=0.001)], around())[1] == pytest.approx(1 / 0.6), "processes"


def test_where_most_of_a_few_pairs_were_hit_the_others_tell_what_is_possible():
    hit, spared = parallel(wall=0.08), parallel(wall=0.05)
    nine = [hit] * 5 + [spared] * 4
    assert ends([serial()] * 9, nine, around()) == pytest.approx((1.25, 2.0))
    assert ends([serial()] * 9, [hit] * 8 + [spared], around())[1] == pytest.approx(1.25), "one of nine is luck"
    assert ends([serial()] * 3, [hit] * 2 + [spared], around())[1] == pytest.approx(2.0), "one of three is not"
    assert ends([serial()] * 9, nine, around(workers=4))[1] == pytest.approx(2.0)


def test_workers_beyond_the_cores_wait_for_each_other_which_excuses_nothing():
    busy = parallel(*(stint(n, 100, 50) for n in range(4)), wall=0.1)
    assert ends([serial()], [busy], around(workers=4))[1] == pytest.approx(1.0)


def test_what_spinning_processes_did_not_get_the_code_may_not_have_got_either():
    seen = serial(), parallel(wall=0.08)
    assert ends([seen[0]], [seen[1]], around(gains=(1.6, 1.0, 1.7)))[1] == pytest.approx(1.5625)
    assert ends([seen[0]], [seen[1]], around(gains=(2.1,)))[1] == pytest.approx(1.25), "it gained all there is"
    assert ends([seen[0]], [seen[1]], around(gains=(0.5,)))[1] == 2.0, "and never beyond the most"


@settings(deadline=None)  # neighbours take time from tests as well
@given(
    walls=st.lists(st.tuples(*[st.floats(0.001, 10)] * 2), min_size=1, max_size=9),
    waited=st.floats(0, 1),
    is_crowded=st.booleans(),
    gains=st.lists(st.floats(0.1, 4), max_size=3),
)
def test_the_ends_enclose_the_median_of_the_ratios(walls, waited, is_crowded, gains):
    one = [serial(first, queued=first * waited) for first, _ in walls]
    other = [parallel(stint(1, second * 1000, second * 1000 * waited), wall=second) for _, second in walls]
    lower, upper = ends(one, other, around(is_crowded=is_crowded, gains=tuple(gains)))
    middle = statistics.median(first / second for first, second in walls)
    assert 0 < lower <= middle * (1 + 1e-9)
    assert middle * (1 - 1e-9) <= upper < math.inf


def test_waiting_for_a_core_is_no_waiting_for_anything_else():
    assert core_share(serial(0.4, cpu=0.1, queued=0.3)) == pytest.approx(1.0)
    assert core_share(serial(0.4, cpu=0.1)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("gains", "is_crowded", "known"),
    [
        ((1.3, 1.31, 1.29, 1.3, 1.32, 1.3), False, 1.32),
        ((1.3, 1.31, 1.29, 1.3, 1.32, 1.3), True, None),
        ((1.3, 1.9, 1.2, 1.6, 2.0, 1.4), False, None),
        ((1.3, 1.3, 1.3), False, None),
        ((), False, None),
    ],
    ids=["steady", "crowded", "changing", "few", "none"],
)
def test_what_the_machine_gives_is_known_where_it_does_not_change(gains, is_crowded, known):
    assert steady_gain(gains, is_crowded=is_crowded) == known


def test_on_a_machine_with_cores_enough():
    shared = parallel(*(stint(n, 100, 75) for n in range(4)), wall=0.1, cpu=0.001)
    assert with_cores_enough([serial()], [shared], 4) == pytest.approx(4.0)
    behind_a_lock = parallel(*(stint(n, 100, 0) for n in range(4)), wall=0.1, cpu=0.2)
    assert with_cores_enough([serial()], [behind_a_lock], 4) == pytest.approx(1.0)
    one_long_chunk = parallel(stint(1, 80), stint(2, 10), stint(3, 5), stint(4, 5), wall=0.1, cpu=0.001)
    assert with_cores_enough([serial()], [one_long_chunk], 4) == pytest.approx(1.25)
    assert with_cores_enough([serial()], [parallel()], 4) is None


def test_what_threads_that_took_turns_would_make_of_several_cores_is_not_known():
    in_turns = parallel(*(stint(n, 100, 45) for n in range(4)), wall=0.1, cpu=0.1)
    assert with_cores_enough([serial()], [in_turns], 4) is None
    assert with_cores_enough([serial()], [in_turns], 4, had_several=False) == pytest.approx(100 / 55)
    at_a_time = parallel(*(stint(n, 100, 45) for n in range(4)), wall=0.1, cpu=0.19)
    assert with_cores_enough([serial()], [at_a_time], 4) == pytest.approx(100 / 55)


def test_a_stint_holds_the_results_and_what_the_thread_waited():
    results, seen = timed_stint(lambda task, first, items: [task(item) + first for item in items], abs, 10, [-1, -2])
    assert results == [11, 12]
    if seen is not None:  # the system keeps an account
        assert 0 <= seen.queued_ns <= seen.waited_ns
        assert seen.wall_ns > 0
        assert seen.own_ns == max(0, seen.wall_ns - seen.queued_ns)


def test_without_an_account_there_are_results_all_the_same(monkeypatch):
    monkeypatch.setattr("pytest_perfgate.measure.stints.open_account", lambda: None)
    monkeypatch.setattr("pytest_perfgate.measure.stints._own", type("Empty", (), {})())
    assert timed_stint(lambda task, first, items: list(items), abs, 0, [1]) == ([1], None)
