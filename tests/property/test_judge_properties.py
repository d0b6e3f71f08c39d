"""What holds of comparison and verdict whatever was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import make_check, make_finding, make_measurement, make_run
from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate.compare import compare_measurements, merge_runs
from pytest_perfgate.gate import regate
from pytest_perfgate.judge import judge
from pytest_perfgate.model import Better, Operator, Verdict

#: Best first; a tie where neither is better news than the other.
RANK = {
    Verdict.IMPROVED: 0,
    Verdict.PASS: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.REGRESSED: 3,
    Verdict.OVER_BUDGET: 4,
}

values = st.floats(1e-6, 1e3)
factors = st.floats(1.0, 50.0)
tolerances = st.floats(0.0, 0.5)
limits = st.none() | values
powers_of_two = st.integers(-15, 15).map(lambda exponent: 2.0**exponent)


@st.composite
def measurements(draw, unit=None, better=None):
    """Draw a measurement of one case: one or several processes, one or several rounds."""
    processes = draw(st.lists(values, min_size=1, max_size=6))
    samples = draw(st.lists(values, min_size=1, max_size=12))
    ordered = sorted(processes)
    return make_measurement(
        value=ordered[len(ordered) // 2],
        processes=tuple(processes),
        samples=tuple(samples),
        interval=(min(samples), max(samples)),
        unit=unit or draw(st.sampled_from(["s", "B", "count", "ratio", "rows"])),
        better=better or draw(st.sampled_from(Better)),
    )


def scaled(measurement, factor):
    """Multiply every value by *factor*."""
    return replace(
        measurement,
        value=measurement.value * factor,
        processes=tuple(x * factor for x in measurement.processes),
        samples=tuple(x * factor for x in measurement.samples),
        interval=tuple(x * factor for x in measurement.interval),
    )


def held_against(measurement, limit):
    """Hold a measurement against an upper limit, or a lower one where more is better."""
    if limit is None:
        return ()
    upper = measurement.better is Better.LOWER
    holds = measurement.value <= limit if upper else measurement.value >= limit
    operator = Operator.LE if upper else Operator.GE
    return (make_check(limit, measurement.value, unit=measurement.unit, operator=operator, holds=holds),)


def compared(base, head, tolerance):
    return compare_measurements(base, head, tolerance=tolerance, against="base.json")


def verdict(base, head, tolerance, limit=None):
    return judge(head, held_against(head, limit), compared(base, head, tolerance)).verdict


@pytest.mark.parametrize("better", Better)
@given(data=st.data(), tolerance=tolerances, factor=factors, limit=limits)
def test_a_worse_sample_never_gets_a_better_verdict(better, data, tolerance, factor, limit):
    unit = data.draw(st.sampled_from(["s", "B", "count", "ratio"]))
    base, head = (data.draw(measurements(unit=unit, better=better)) for _ in range(2))
    worse = scaled(head, factor if better is Better.LOWER else 1 / factor)
    before, after = RANK[verdict(base, head, tolerance, limit)], RANK[verdict(base, worse, tolerance, limit)]
    assert after >= before


@given(data=st.data(), tolerance=tolerances, factor=powers_of_two, limit=limits)
def test_scaling_all_values_and_limits_changes_no_verdict(data, tolerance, factor, limit):
    base = data.draw(measurements())
    head = data.draw(measurements(unit=base.unit, better=base.better))
    moved = None if limit is None else limit * factor
    before = verdict(base, head, tolerance, limit)
    assert verdict(scaled(base, factor), scaled(head, factor), tolerance, moved) is before


@given(data=st.data(), tolerance=tolerances)
def test_permuting_rounds_and_processes_changes_nothing(data, tolerance):
    base = data.draw(measurements())
    head = data.draw(measurements(unit=base.unit, better=base.better))
    shuffled = [
        replace(
            one,
            samples=tuple(data.draw(st.permutations(one.samples))),
            processes=tuple(data.draw(st.permutations(one.processes))),
        )
        for one in (base, head)
    ]
    assert compared(*shuffled, tolerance) == compared(base, head, tolerance)


@given(data=st.data(), tolerance=tolerances)
def test_swapping_base_and_head_mirrors_interval_and_verdict(data, tolerance):
    base = data.draw(measurements())
    head = data.draw(measurements(unit=base.unit, better=base.better))
    there, back = compared(base, head, tolerance).change, compared(head, base, tolerance).change
    assert there.ratio * back.ratio == pytest.approx(1, rel=1e-9)
    assert there.interval[0] * back.interval[1] == pytest.approx(1, rel=1e-9)
    assert there.interval[1] * back.interval[0] == pytest.approx(1, rel=1e-9)
    mirrored = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}
    found = verdict(base, head, tolerance)
    if found in mirrored:
        assert verdict(head, base, tolerance) is mirrored[found]


@given(data=st.data(), tolerance=tolerances)
def test_the_interval_encloses_the_ratio_and_both_are_positive(data, tolerance):
    base = data.draw(measurements())
    head = data.draw(measurements(unit=base.unit, better=base.better))
    change = compared(base, head, tolerance).change
    assert 0 < change.interval[0] <= change.ratio <= change.interval[1] < float("inf")


@given(data=st.data(), tolerances=st.tuples(tolerances, tolerances))
def test_a_larger_tolerance_never_turns_a_pass_into_less(data, tolerances):
    base = data.draw(measurements())
    head = data.draw(measurements(unit=base.unit, better=base.better))
    strict, lenient = (verdict(base, head, tolerance) for tolerance in sorted(tolerances))
    if strict in {Verdict.PASS, Verdict.IMPROVED}:
        assert lenient in {Verdict.PASS, Verdict.IMPROVED}
    if lenient is Verdict.REGRESSED:
        assert strict is Verdict.REGRESSED


@given(value=st.integers(1, 10**6), other=st.integers(1, 10**6), tolerance=tolerances)
def test_a_count_is_never_inconclusive(value, other, tolerance):
    base, head = (
        make_measurement(value=float(x), unit="count", samples=(float(x),), interval=None) for x in (value, other)
    )
    assert verdict(base, head, tolerance) is not Verdict.INCONCLUSIVE


@given(data=st.data())
def test_the_order_of_cases_changes_no_verdict(data):
    pairs = [
        [
            replace(data.draw(measurements(unit="s", better=Better.LOWER)), case=make_measurement(f"t::t{i}").case)
            for _ in range(2)
        ]
        for i in range(data.draw(st.integers(1, 4)))
    ]
    order = data.draw(st.permutations(range(len(pairs))))

    def judged(positions):
        base, head = (make_run(*(make_finding(pairs[i][side]) for i in positions)) for side in (0, 1))
        found = regate(head, base, against="base.json", tolerance=0.05, strict=False)
        return {finding.case.id: finding for finding in found.findings}

    assert judged(order) == judged(range(len(pairs)))


@given(data=st.data())
def test_the_order_of_runs_changes_no_merged_value(data):
    runs = [
        make_run(make_finding(data.draw(measurements(unit="s", better=Better.LOWER))), started=str(i)) for i in range(3)
    ]
    one, other = (merge_runs(order).findings[0].measurement for order in (runs, data.draw(st.permutations(runs))))
    assert (one.value, one.interval, sorted(one.processes)) == (other.value, other.interval, sorted(other.processes))
