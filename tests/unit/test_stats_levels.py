"""How far a series has moved: right for lines, steps and what levels off, and honest about what comes and goes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_perfgate import stats
from pytest_perfgate.errors import TooFewValuesError
from pytest_perfgate.stats import correlation_length, isotonic, level_shift

LENGTH = 121


def noisy(curve, seed=1, sd=1.0):
    rng = np.random.default_rng(seed)
    return [float(curve(place / (LENGTH - 1)) + rng.normal(scale=sd)) for place in range(LENGTH)]


def held(shift, truth):
    return shift.moved - shift.reach <= truth <= shift.moved + shift.reach


CURVES = {
    "flat": (lambda t: 100, 0),
    "a steady rise": (lambda t: 100 + 20 * t, 20),
    "a fall": (lambda t: 100 - 20 * t, -20),
    "levelling off": (lambda t: 100 + 20 * min(1, t / 0.5), 20),
    "a step in the middle": (lambda t: 100 + 20 * (t > 0.5), 20),
    "a late rise": (lambda t: 100 + 40 * max(0, t - 0.5), 20),
}


@pytest.mark.parametrize(("curve", "truth"), CURVES.values(), ids=CURVES)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(curve, truth):
    shifts = [level_shift(noisy(curve, seed)) for seed in range(200)]
    assert sum(held(shift, truth) for shift in shifts) >= 185
    assert abs(np.mean([shift.moved for shift in shifts]) - truth) < 0.5
    assert np.mean([shift.reach for shift in shifts]) < 3


@pytest.mark.parametrize("curve", [lambda t: 100, lambda t: 100 + 20 * t], ids=["flat", "rising"])
def test_without_noise_it_is_exact(curve):
    shift = level_shift(noisy(curve, sd=0))
    assert shift.moved == pytest.approx(curve(1) - curve(0), abs=1e-9)
    assert shift.reach == pytest.approx(0, abs=1e-6)


def test_the_last_value_alone_and_a_spike_say_nothing():
    values = noisy(lambda t: 100)
    calm = level_shift(values)
    values[-1] = values[60] = 500.0
    assert level_shift(values).moved == pytest.approx(calm.moved, abs=0.3)
    assert level_shift(values).reach < 2 * calm.reach + 0.5


@pytest.mark.parametrize("periods", [1.5, 2.5, 3.5, 8, 20])
def test_a_sawtooth_has_not_moved_for_certain(periods):
    shift = level_shift(noisy(lambda t: 100 + 20 * (t * periods % 1), sd=0.1))
    assert held(shift, 0)


@pytest.mark.parametrize(("memory", "least"), [(0.5, 88), (0.8, 85), (0.9, 78)])
def test_what_wanders_around_a_level_has_mostly_not_moved_for_certain(memory, least):
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(100):
        now, values = rng.normal() / math.sqrt(1 - memory**2), []
        for _ in range(LENGTH):
            now = memory * now + rng.normal()
            values.append(now)
        found += held(level_shift(values), 0)
    assert found >= least


def test_a_shift_takes_twelve_values_and_a_sensible_confidence():
    with pytest.raises(TooFewValuesError, match="at least 12"):
        level_shift([1.0] * 11)
    with pytest.raises(ValueError, match="finite"):
        level_shift([1.0] * 12 + [math.nan])
    with pytest.raises(ValueError, match="confidence"):
        level_shift([1.0] * 12, confidence=1)
    assert stats.FEWEST_LEVELS == 12


def test_the_monotone_curve_is_that_of_scipy():
    rng = np.random.default_rng(7)
    for size in (1, 2, 3, 10, 100):
        values = list(rng.normal(size=size) + np.arange(size) / 10)
        assert isotonic(values) == pytest.approx(list(scipy.optimize.isotonic_regression(values).x), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_a_monotone_curve_rises_and_keeps_what_rises(values):
    fitted = isotonic(values)
    assert fitted == sorted(fitted)
    assert isotonic(sorted(values)) == pytest.approx(sorted(values), rel=1e-9, abs=1e-9)
    assert math.fsum(fitted) == pytest.approx(math.fsum(values), rel=1e-6, abs=1e-3)


def test_correlation_is_found_where_it_is():
    rng = np.random.default_rng(11)

    def series(rho):
        now, seen = 0.0, []
        for _ in range(2000):
            now = rho * now + rng.normal()
            seen.append(now)
        return seen

    assert correlation_length(series(0.0)) == pytest.approx(1, abs=0.4)
    assert correlation_length(series(0.9)) == pytest.approx(19, rel=0.4)  # (1 + rho) / (1 - rho)
    assert correlation_length([3.0] * 10) == 1
    assert correlation_length([1.0, 2.0] * 20) == 1


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=60),
    st.floats(-1e6, 1e6),
    st.floats(0.01, 100),
)
def test_a_shift_moves_and_scales_with_its_values(values, offset, factor):
    plain, changed = level_shift(values), level_shift([factor * value + offset for value in values])
    size = max(map(abs, values)) * factor + abs(offset) + 1
    assert changed.moved == pytest.approx(factor * plain.moved, rel=1e-6, abs=1e-6 * size)
    backwards = level_shift([-value for value in values])
    assert backwards.moved == pytest.approx(-plain.moved, rel=1e-9, abs=1e-9)
    assert backwards.reach == pytest.approx(plain.reach, rel=1e-6, abs=1e-6)
