"""What windows say of a speedup: made-up windows, beside which the machine was crowded, shared, steady or not."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from pytest_perfgate.budgets import parse_marker
from pytest_perfgate.gate import judge_test
from pytest_perfgate.measure.interpreterlock import GilWatch
from pytest_perfgate.measure.pairs import Pairs
from pytest_perfgate.measure.parallel import Clocks, Window
from pytest_perfgate.measure.scaling import universal_scalability
from pytest_perfgate.measure.stints import Stint
from pytest_perfgate.metrics.speedup import measure_speedup_of
from pytest_perfgate.metrics.speedup.facts import Point, Timed, measurement_of
from pytest_perfgate.model import Case, Plan, Verdict

CASE = Case("tests/test_pool.py::test_scaling", "speedup")
MS = 1_000_000


def stints(workers, wall_s, queued_s=0.0):
    return tuple(
        Stint((1, n), round(wall_s * 1e9), round(queued_s * 1e9), round(queued_s * 1e9)) for n in range(workers)
    )


def measured(serial, parallel, *, workers=2, capacity=2.0, left=None, gains=(), backend="process", curve=(), pairs=9):
    facts = {"target": "work", "workers": workers, "backend": backend}
    windows = Pairs([serial] * pairs, [parallel] * pairs)
    found = measurement_of(CASE, Timed(windows, left, tuple(gains)), capacity, GilWatch(), facts, curve)
    assert json.loads(json.dumps(found.extra, allow_nan=False)) == found.extra
    return found


def verdict(found, **budget):
    (finding,) = judge_test(CASE.test, parse_marker((), budget).budget, [found])
    return finding.verdict


def test_on_an_idle_machine_nothing_is_said_of_disturbance():
    found = measured(Window(0.1, 0.1), Window(0.05, 0.0, 0.0, stints(2, 0.05)), left=2.0, gains=[1.98] * 9)
    assert "disturbance" not in found.extra
    assert "speedup_at_least" not in found.extra
    assert found.extra["machine_ceiling"] == 1.98
    assert verdict(found, speedup=1.5) is Verdict.PASS
    assert verdict(found, efficiency=0.9) is Verdict.PASS


def test_a_limit_within_the_scatter_of_the_pairs_is_not_broken_for_certain():
    # A kernel that wakes both workers on one core, now and then, and says so nowhere.
    hit, spared = Window(0.062, 0.1), Window(0.05, 0.1)
    pairs = Pairs([Window(0.1, 0.1)] * 9, [hit] * 5 + [spared] * 4)
    facts = {"target": "work", "workers": 2, "backend": "callable"}
    found = measurement_of(CASE, Timed(pairs, 2.0, (1.99,) * 9), 2.0, GilWatch(), facts)
    assert found.value == pytest.approx(1.613, abs=1e-3)
    assert found.extra["disturbance"] == "pairs of passes differ, 1.61× to 2.00×"
    assert verdict(found, speedup=1.8) is Verdict.INCONCLUSIVE
    assert verdict(found, efficiency=0.9) is Verdict.INCONCLUSIVE
    assert verdict(found, speedup=1.6) is Verdict.PASS


def test_steady_pairs_below_a_limit_break_it():
    found = measured(Window(0.1, 0.1), Window(0.062, 0.1), left=2.0, gains=[1.99] * 9, backend="callable")
    assert "disturbance" not in found.extra
    assert verdict(found, speedup=1.8) is Verdict.OVER_BUDGET


def test_perfect_code_beside_hogs_is_not_failed():
    # Two processes of five on two cores got 0.8 of them, one of four got half a core.
    serial = Window(0.2, 0.1, 0.1)
    found = measured(serial, Window(0.16, 0.0, 0.0, stints(2, 0.125, 0.075)), left=0.65, gains=[1.6] * 9)
    assert found.value == pytest.approx(1.25)
    assert found.ceiling == 2.0
    assert found.extra["kind"] == "cpu-bound", "waiting for a core is not waiting"
    assert found.extra["disturbance"].startswith(
        "other programs left 0.7 of 2 cores; the serial pass waited for a core"
    )
    for asked in ({"speedup": 1.5}, {"efficiency": 0.9}):
        assert verdict(found, **asked) is Verdict.INCONCLUSIVE


def test_code_that_takes_turns_does_not_pass_because_hogs_slowed_the_serial_pass_more():
    serial = Window(0.2, 0.1, 0.1)
    found = measured(serial, Window(0.12, 0.1, 0.0, stints(2, 0.12, 0.02)), left=0.65, backend="thread")
    assert found.value == pytest.approx(1.667, abs=1e-3)
    for asked in ({"speedup": 1.5}, {"efficiency": 0.8}):
        assert verdict(found, **asked) is Verdict.INCONCLUSIVE


def test_code_that_takes_turns_does_not_pass_by_efficiency_where_hardly_a_core_is_left():
    found = measured(Window(0.1, 0.1), Window(0.1, 0.1), left=1.0, backend="thread")
    assert found.extra["efficiency"] == pytest.approx(0.5)
    assert verdict(found, efficiency=0.7) is Verdict.INCONCLUSIVE
    quiet = measured(Window(0.1, 0.1), Window(0.1, 0.1), left=2.0, backend="thread")
    assert verdict(quiet, efficiency=0.7) is Verdict.OVER_BUDGET
    assert verdict(quiet, speedup=1.5) is Verdict.OVER_BUDGET


def test_a_short_neighbour_that_only_the_workers_met_is_not_their_fault():
    found = measured(Window(0.1, 0.1), Window(0.075, 0.0, 0.0, stints(2, 0.075, 0.025)), left=1.85)
    assert found.extra["disturbance"] == "workers waited for a core for 33% of their time"
    assert verdict(found, speedup=1.5) is Verdict.INCONCLUSIVE
    assert verdict(found, speedup=1.3) is Verdict.PASS


def expressed(found, expression):
    (finding,) = judge_test(CASE.test, parse_marker((expression,), {}).budget, [found])
    return finding.verdict


def test_what_follows_from_a_disturbed_speedup_is_no_better_known_than_it():
    busy = Window(0.2, 0.1, 0.1), Window(0.22, 0.1, 0.0, stints(2, 0.22, 0.17))
    curve = (Point(2, 0.9, 0.01), Point(4, 0.91, 0.01))
    found = measured(*busy, left=0.65, backend="thread", capacity=4.0, workers=4, curve=curve)
    for fact in ("serial_fraction", "amdahl_fraction"):
        assert expressed(found, f"{fact} < 20%") is Verdict.INCONCLUSIVE
    for expression in ("busy_cores > 1", "overhead_s < 1ms", "parallel_s < 150ms"):
        assert expressed(found, expression) is Verdict.INCONCLUSIVE
    assert expressed(found, "busy_cores > 4") is Verdict.OVER_BUDGET
    assert expressed(found, "parallel_s < 1s") is Verdict.PASS


def test_threads_that_got_hardly_a_core_in_either_pass_may_keep_all_of_them_busy():
    starved = measured(Window(0.8, 0.1, 0.7), Window(0.8, 0.1, 0.0, stints(2, 0.8, 0.75)), left=0.1, backend="thread")
    assert starved.extra["busy_cores"] == pytest.approx(0.125)
    assert expressed(starved, "busy_cores > 1.5") is Verdict.INCONCLUSIVE
    assert expressed(starved, "parallel_s < 60ms") is Verdict.INCONCLUSIVE
    assert expressed(starved, "parallel_s < 40ms") is Verdict.OVER_BUDGET


def test_what_follows_from_a_speedup_is_decided_where_nobody_disturbs_or_it_is_certain():
    quiet = measured(Window(0.1, 0.1), Window(0.1, 0.1), left=2.0, backend="thread")
    assert expressed(quiet, "serial_fraction < 20%") is Verdict.OVER_BUDGET
    assert expressed(quiet, "busy_cores > 1.5") is Verdict.OVER_BUDGET
    waiting = measured(Window(0.1, 0.1), Window(0.095, 0.0, 0.0, stints(2, 0.095, 0.005)), left=1.85)
    assert "disturbance" in waiting.extra
    assert expressed(waiting, "serial_fraction < 20%") is Verdict.OVER_BUDGET


def test_waiting_beside_hogs_is_decided():
    found = measured(Window(0.2, 0.001), Window(0.05, 0.001), workers=4, left=0.5, backend="thread")
    assert found.extra["kind"] == "io-bound"
    assert verdict(found, speedup=3.5) is Verdict.PASS


# -- any neighbours, as a scheduler would deal with them: a pass gets shares of cores and waits for the rest of its time

SHARES = st.floats(0.05, 1)
WORK_S = 0.1


def left_of(*shares):
    """What others left, as the counters would show it: as many cores as were ours, or idle where nothing was taken."""
    return 2.0 - sum(1 - share for share in shares)


@settings(deadline=None)  # neighbours take time from tests as well
@given(pairs=st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=3, max_size=9), is_told=st.booleans())
def test_perfect_code_is_never_failed_by_neighbours(pairs, is_told):
    windows, left = Pairs(), 0.0
    for alone, one, other in pairs:
        serial_s, worker_s = WORK_S / alone, (WORK_S / 2 / one, WORK_S / 2 / other)
        windows.serial.append(Window(serial_s, WORK_S, serial_s - WORK_S if is_told else 0.0))
        seen = [
            Stint((1, n), *(round(each * 1e9) for each in (wall_s, wall_s - WORK_S / 2, wall_s - WORK_S / 2)))
            for n, wall_s in enumerate(worker_s)
        ]
        windows.parallel.append(Window(max(worker_s), 0.0, 0.0, tuple(seen) if is_told else ()))
        left += left_of(one, other) / len(pairs)
    facts = {"target": "work", "workers": 2, "backend": "process"}
    if not is_told:
        # The counters are an average; a neighbour that comes and goes is only seen by those who wait for it.
        left = min(left_of(one, other) for _, one, other in pairs)
    found = measurement_of(CASE, Timed(windows, left, ()), 2.0, GilWatch(), facts)
    for asked in ({"speedup": 1.9}, {"efficiency": 0.95}):
        assert verdict(found, **asked) in {Verdict.PASS, Verdict.INCONCLUSIVE}


@settings(deadline=None)  # neighbours take time from tests as well
@given(pairs=st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=9), is_told=st.booleans())
def test_code_that_takes_turns_is_never_passed_by_neighbours(pairs, is_told):
    windows = Pairs()
    for alone, turns in pairs:
        serial_s, parallel_s = WORK_S / alone, WORK_S / turns
        windows.serial.append(Window(serial_s, WORK_S, serial_s - WORK_S if is_told else 0.0))
        windows.parallel.append(Window(parallel_s, WORK_S))
    left = min(alone for alone, _ in pairs) + 1.0
    facts = {"target": "work", "workers": 2, "backend": "thread"}
    found = measurement_of(CASE, Timed(windows, left, ()), 2.0, GilWatch(), facts)
    for asked in ({"speedup": 1.2}, {"efficiency": 0.6}):
        assert verdict(found, **asked) in {Verdict.OVER_BUDGET, Verdict.INCONCLUSIVE}


STEADY = [1.30, 1.31, 1.29, 1.30, 1.32, 1.30, 1.31, 1.30, 1.29]


def test_what_the_machine_gives_steadily_takes_the_place_of_its_cores():
    found = measured(Window(0.1, 0.1), Window(0.08, 0.0), left=2.0, gains=STEADY)
    assert found.ceiling == 1.31
    assert found.extra["efficiency"] == pytest.approx(1.25 / 1.31)
    assert found.extra["efficiency_against"] == "min(workers, machine_ceiling)"
    assert verdict(found, efficiency=0.9) is Verdict.PASS
    assert verdict(found, speedup=1.5) is Verdict.INCONCLUSIVE
    turns = measured(Window(0.1, 0.1), Window(0.1, 0.0), left=2.0, gains=STEADY)
    assert verdict(turns, efficiency=0.9) is Verdict.OVER_BUDGET
    assert verdict(turns, efficiency=0.7) is Verdict.INCONCLUSIVE, "one worker alone reaches that"


def test_what_the_machine_gives_now_and_then_excuses_and_earns_nothing():
    changing = [1.0, 2.0, 1.2, 1.1, 1.9, 1.3, 1.0, 1.8, 1.3]
    found = measured(Window(0.1, 0.1), Window(0.08, 0.0), left=2.0, gains=changing)
    assert found.ceiling == 2.0
    assert found.extra["efficiency"] == pytest.approx(0.625)
    assert found.extra["disturbance"] == "processes that only spin gained 1.30× beside it"
    assert verdict(found, efficiency=0.9) is Verdict.INCONCLUSIVE
    assert verdict(found, speedup=1.5) is Verdict.INCONCLUSIVE
    assert verdict(measured(Window(0.1, 0.1), Window(0.12, 0.0), left=2.0, gains=changing), speedup=1.5) is (
        Verdict.OVER_BUDGET
    )


def test_work_that_waits_for_half_its_time_has_a_higher_ceiling_here_as_well():
    found = measured(Window(0.1, 0.08), Window(0.08, 0.0), workers=4, left=2.0, gains=STEADY)
    assert found.ceiling == pytest.approx(1.31 / 0.8)
    assert found.extra["efficiency_against"] == "min(workers, machine_ceiling / cpu_share)"


def test_with_more_workers_than_cores_an_estimate_says_what_cores_would_give():
    found = measured(Window(0.1, 0.1), Window(0.05, 0.0, 0.0, stints(8, 0.05, 0.0375)), workers=8, left=2.0)
    assert found.extra["speedup_if_cores"] == pytest.approx(8.0)
    assert verdict(found, speedup=6) is Verdict.INCONCLUSIVE, "an estimate is never held against a limit"
    assert "speedup_if_cores" not in measured(Window(0.1, 0.1), Window(0.05, 0.0, 0.0, stints(2, 0.05))).extra
    told_nothing = measured(Window(0.1, 0.1), Window(0.05, 0.0), workers=8, left=2.0)
    assert "speedup_if_cores" not in told_nothing.extra


def test_why_threads_take_turns_is_told_where_others_leave_room_to_see_it():
    seen = Window(0.1, 0.1), Window(0.1, 0.1)
    (said,) = measured(*seen, left=2.0, backend="thread").warnings
    assert "the GIL is held" in said or "a lock is held" in said
    assert measured(*seen, left=0.65, backend="thread").warnings == ("other programs left 0.7 of 2 cores",)


def test_the_interpreter_lock_is_looked_at_before_and_after():
    for backend, known in (("thread", True), ("callable", True), ("process", False)):
        extra = measured(Window(0.1, 0.1), Window(0.05, 0.1), backend=backend).extra
        assert ("gil" in extra, "gil_before" in extra) == (known, known)


# -- from the call to the facts


class Clockwork:
    """Clocks that only work moves; spinning processes that gain what they are told to."""

    def __init__(self, gain):
        self.wall_ns = self.cpu_ns = self.queued_ns = 0
        self.crews, self.left, self.gained = [], 0, gain

    @contextlib.contextmanager
    def queue(self):
        yield lambda: self.queued_ns

    @contextlib.contextmanager
    def spinners(self, count):
        self.crews.append(count)
        yield self
        self.left += 1

    def gain(self, *, alone_first):
        return self.gained

    def spend(self, wall_ms, cpu_ms, queued_ms=0):
        self.wall_ns += wall_ms * MS
        self.cpu_ns += cpu_ms * MS
        self.queued_ns += queued_ms * MS

    def measure(self, serial, parallel, **options):
        clocks = Clocks(
            wall_ns=lambda: self.wall_ns, cpu_ns=lambda: self.cpu_ns, queue=self.queue, spinners=self.spinners
        )
        options = {"workers": 4, "capacity": 2.5, **options}
        return measure_speedup_of(
            Plan(), CASE, lambda: self.spend(*serial), lambda: self.spend(*parallel), clocks=clocks, **options
        )[1]


def test_waiting_for_a_core_and_what_spinning_gains_reach_the_facts():
    clockwork = Clockwork(gain=1.7)
    found = clockwork.measure((100, 40, 60), (80, 80, 4))
    assert found.extra["cpu_share"] == pytest.approx(1.0)
    assert found.extra["machine_ceiling"] == 1.7
    assert found.ceiling == 1.7
    assert found.extra["speedup_at_least"] == pytest.approx(0.5)
    assert clockwork.crews == [3], "one for each core that can be had in part, started once"
    assert clockwork.left == 1


def test_nothing_spins_beside_work_that_waits_or_where_one_core_is_all_there_is():
    for options in ({"serial": (100, 1)}, {"serial": (100, 100), "capacity": 1.0}):
        clockwork = Clockwork(gain=1.7)
        found = clockwork.measure(parallel=(80, 80), **options)
        assert clockwork.crews == []
        assert "machine_ceiling" not in found.extra


# -- universal scalability


def law(contention, coherency, counts=(2, 3, 4, 6, 8)):
    return {float(n): n / (1 + contention * (n - 1) + coherency * n * (n - 1)) for n in counts}


@pytest.mark.parametrize(("contention", "coherency"), [(0.0, 0.0), (0.05, 0.002), (0.2, 0.0), (0.0, 0.01)])
def test_the_law_of_two_numbers_is_found_again(contention, coherency):
    assert universal_scalability(law(contention, coherency)) == pytest.approx((contention, coherency), abs=1e-9)


@settings(deadline=None)  # neighbours take time from tests as well
@given(st.lists(st.floats(0.2, 9), min_size=5, max_size=5))
def test_the_fit_is_that_of_scipy(speedups):
    counts = np.array([2.0, 3.0, 4.0, 6.0, 8.0])
    matrix = np.column_stack([counts - 1, counts * (counts - 1)])
    expected, _ = nnls(matrix, counts / np.array(speedups) - 1)
    found = universal_scalability(dict(zip(counts.tolist(), speedups, strict=True)))
    assert found == pytest.approx(tuple(expected), abs=1e-6)


def curve(noise=0.01, counts=(2, 3, 4, 6, 8)):
    return [Point(int(n), speedup, noise) for n, speedup in law(0.05, 0.002, counts).items()]


def test_the_law_of_two_numbers_is_kept_where_the_points_carry_it():
    windows = Window(0.1, 0.1), Window(0.02, 0.1)
    found = measured(*windows, workers=8, capacity=8.0, curve=curve(), left=8.0).extra
    assert (found["usl_contention"], found["usl_coherency"]) == pytest.approx((0.05, 0.002))
    assert found["curve_noise"] == [0.01] * 5
    for doubtful in (
        {"curve": curve(noise=0.02), "capacity": 8.0},
        {"curve": curve(counts=(2, 4, 6, 8)), "capacity": 8.0},
        {"curve": curve(), "capacity": 6.0},
        {"curve": curve(), "capacity": 8.0, "left": 3.0},
    ):
        assert "usl_contention" not in measured(*windows, workers=8, **doubtful).extra
    waiting = measured(Window(0.1, 0.001), windows[1], workers=8, capacity=2.0, curve=curve())
    assert "usl_contention" in waiting.extra, "cores do not limit what waits"


def test_the_noise_of_a_point_is_that_of_its_median():
    pairs = Pairs([Window(each, 0) for each in (1.0, 1.1, 0.9, 1.0)], [Window(1, 0)] * 4)
    assert Point.of(2, pairs) == Point(2, 1.0, pytest.approx(1.4826 * 1.2533 * 0.05 / 2, rel=1e-3))
