"""What must hold of calibrated values whatever was measured."""

from __future__ import annotations

import pytest
from builders import make_finding, make_measurement, make_run
from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate import store
from pytest_perfgate.compare import compare_measurements
from pytest_perfgate.measure.interleaving import Interleaved
from pytest_perfgate.measure.pinning import Processors

times = st.lists(st.integers(100_000, 10_000_000), min_size=2, max_size=30)
ratios = st.lists(st.floats(0.01, 1000), min_size=1, max_size=6)


def measured(round_ns, factor):
    """Interleave made-up rounds with blocks of 10 µs a unit on a machine that is *factor* times as slow."""
    now, left = [0], [each * factor for each in round_ns]

    def spend(ns):
        now[0] += ns
        return ns

    between = Interleaved(
        lambda: now[0],
        Processors(read=tuple),
        thread_ns=lambda: now[0],
        process_ns=lambda: now[0],
        block=lambda units, _: spend(units * 10_000 * factor),
    )
    run = between.around(lambda _: spend(left.pop(0)))
    for _ in round_ns:
        run(1)
    return between.facts(len(round_ns))


@given(times, st.integers(2, 50))
def test_a_slower_machine_changes_no_ratio(round_ns, factor):
    quick, slow = measured(round_ns, 1), measured(round_ns, factor)
    assert slow["calibrated"] == pytest.approx(quick["calibrated"])
    assert slow["calibrated_samples"] == pytest.approx(quick["calibrated_samples"], rel=1e-5)


def carrying(values, scale=1.0):
    extra = {"calibration": 1, "calibrated": values[0], "calibrated_processes": values, "calibrated_samples": values}
    seconds = tuple(scale * value for value in values)
    return make_measurement(value=seconds[0], processes=seconds, samples=seconds, interval=None, extra=extra)


@given(ratios, ratios, st.floats(1e-6, 1e6))
def test_swapping_mirrors_and_the_seconds_do_not_matter(base, head, scale):
    def change(one, other):
        return compare_measurements(one, other, tolerance=0.05, against="base").change

    there, back = change(carrying(base), carrying(head)), change(carrying(head), carrying(base))
    assert there.calibrated
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.interval[0] == pytest.approx(1 / back.interval[1])
    assert change(carrying(base, scale), carrying(head)) == there


@given(ratios)
def test_a_stored_run_keeps_them(values):
    run = make_run(make_finding(carrying(values)))
    assert store.run_from_dict(store.run_to_dict(run)) == run
