"""Numbers of the user's own."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.metrics.custom import custom_measurement, validate_name
from pytest_perfgate.model import Better, Case

CASE = Case("test_it.py::test_it", "hits")


@pytest.mark.parametrize(
    ("value", "unit", "base", "stored"),
    [
        (12, "", "count", 12),
        (12, "queries", "queries", 12),
        (12, "ms", "s", 0.012),
        (2, "MB", "B", 2 * 1024**2),
        (0.93, "%", "ratio", 0.93),
        (2.5, "x", "ratio", 2.5),
        (Decimal("1.5"), "s", "s", 1.5),
        (Fraction(1, 2), "", "count", 0.5),
    ],
)
def test_units_are_converted_to_base_units(value, unit, base, stored):
    measured = custom_measurement(CASE, value, unit=unit)
    assert (measured.unit, measured.value) == (base, pytest.approx(stored))
    assert measured.statistic == "value"
    assert measured.samples == (measured.value,)


def test_several_numbers_are_a_sample():
    measured = custom_measurement(CASE, [3, 1, 2], unit="ms", better="higher")
    assert measured.samples == (0.003, 0.001, 0.002)
    assert measured.value == 0.002
    assert measured.statistic == "median"
    assert measured.better is Better.HIGHER


def test_numpy_numbers_are_numbers():
    np = pytest.importorskip("numpy")
    assert custom_measurement(CASE, np.float32(1.5)).value == 1.5
    assert custom_measurement(CASE, np.array(1.5)).value == 1.5
    with pytest.raises(CannotMeasureError, match="not a number"):
        custom_measurement(CASE, np.bool_(True))
    assert custom_measurement(CASE, np.array([1.0, 2.0, 4.0])).value == 2.0


@pytest.mark.parametrize(
    ("statistic", "value"), [("median", 2.0), ("mean", 7.0), ("min", 1.0), ("max", 18.0), (None, 2.0)]
)
def test_a_statistic_is_taken_from_several_numbers(statistic, value):
    measured = custom_measurement(CASE, [1, 18, 2], statistic=statistic)
    assert (measured.value, measured.statistic) == (value, statistic or "median")


@pytest.mark.parametrize(
    ("value", "statistic", "word"), [(3, "mean", "several"), ([3], "men", "mean"), ([3], 4, "max")]
)
def test_a_statistic_that_cannot_be_taken_is_refused(value, statistic, word):
    with pytest.raises(UsageError, match=word):
        custom_measurement(CASE, value, statistic=statistic)


def test_an_interval_needs_several_numbers():
    assert custom_measurement(CASE, range(20)).interval is not None
    assert custom_measurement(CASE, range(20), statistic="mean").interval is None
    assert custom_measurement(CASE, 3).interval is None


def test_an_iterator_is_read_once():
    assert custom_measurement(CASE, (n for n in (3, 1))).samples == (3.0, 1.0)


@pytest.mark.parametrize("value", [{"a": 1}, {1, 2}, {}.keys()])
def test_what_is_no_sequence_is_refused(value):
    with pytest.raises(CannotMeasureError, match="list"):
        custom_measurement(CASE, value)


def test_a_number_too_large_for_its_unit_is_refused():
    with pytest.raises(CannotMeasureError, match="finite"):
        custom_measurement(CASE, 1e308, unit="GB")


@pytest.mark.parametrize("unit", [3, None, "a\nb", "x" * 50, "\x1b[31m"])
def test_a_unit_that_reports_could_not_carry_is_refused(unit):
    with pytest.raises(UsageError, match="unit="):
        custom_measurement(CASE, 3, unit=unit)


@pytest.mark.parametrize(
    "value", ["12", None, True, float("nan"), float("inf"), [], [1, "2"], object(), [True], 10**400]
)
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(CannotMeasureError, match="hits"):
        custom_measurement(CASE, value)


def test_a_percentage_that_should_be_a_ratio_is_refused():
    with pytest.raises(CannotMeasureError, match=r"0\.93 for 93 %"):
        custom_measurement(CASE, 93, unit="%")
    assert custom_measurement(CASE, 1.2, unit="%").value == 1.2


@pytest.mark.parametrize("better", ["high", "Higher", "", 3, None])
def test_an_unknown_direction_is_refused(better):
    with pytest.raises(UsageError, match="lower"):
        custom_measurement(CASE, 1, better=better)


@pytest.mark.parametrize("name", ["", "a b", "1x", "x#y", "x:y", 3, None, "a\n"])
def test_a_name_that_reports_could_not_carry_is_refused(name):
    with pytest.raises(UsageError):
        validate_name(name)


def test_a_name_of_perfgates_own_is_refused():
    validate_name("cache_hit_rate", ["perf"])
    with pytest.raises(UsageError, match="taken"):
        validate_name("perf", ["perf"])
