"""Reading and writing quantities."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest

from pytest_perfgate import units
from pytest_perfgate.units import format_change, format_value, parse, parse_as, to_base


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("250ms", 0.25, "s"),
        ("250 ms", 0.25, "s"),
        ("  1.5s ", 1.5, "s"),
        ("7 ns", 7e-9, "s"),
        ("7us", 7e-6, "s"),
        ("7\u00b5s", 7e-6, "s"),
        ("7\u03bcs", 7e-6, "s"),
        ("2 min", 120.0, "s"),
        ("1h", 3600.0, "s"),
        ("64MB", 64 * 2**20, "B"),
        ("64 MiB", 64 * 2**20, "B"),
        ("1kb", 1024, "B"),
        ("5 bytes", 5.0, "B"),
        ("5 bytes/call", 5.0, "B/call"),
        ("5b", 5.0, "B"),
        ("0 B/call", 0.0, "B/call"),
        ("2 KiB/call", 2048, "B/call"),
        ("3 blocks/call", 3.0, "blocks/call"),
        ("5%", 0.05, "ratio"),
        ("2.5x", 2.5, "ratio"),
        ("2.5×", 2.5, "ratio"),
        ("1000/s", 1000.0, "/s"),
        ("12", 12.0, "count"),
        ("1_000", 1000.0, "count"),
        ("1e3 ns", 1e-6, "s"),
        (".5s", 0.5, "s"),
        ("5. s", 5.0, "s"),
        ("+5ms", 0.005, "s"),
        ("-5ms", -0.005, "s"),
    ],
)
def test_a_number_with_its_unit_is_read_into_the_base_unit(text, value, unit):
    assert parse(text) == units.Quantity(value, unit)


@pytest.mark.parametrize("number", [9, 35, 41, 57, 69, 4.35, 87.55, 0.07])
@pytest.mark.parametrize(("unit", "power"), [("%", 2), ("ms", 3), ("us", 6), ("ns", 9)])
def test_powers_of_ten_leave_no_rounding_error(number, unit, power):
    expected = float(f"{number}e-{power}")
    assert parse(f"{number}{unit}").value == expected
    assert to_base(number, unit).value == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a number with a unit"),
        ("ms", "is not a number with a unit"),
        ("5 ms ms", "is not a number with a unit"),
        ("0 B / call", "is not a number with a unit"),
        ("nano", "is not a number with a unit"),
        ("300 msx", "'msx' in '300 msx' is not a unit; known are ns, us, ms"),
        ("5 MS", "'MS' in '5 MS' is not a unit"),
        ("1.1.1", "'.1' in '1.1.1' is not a unit"),
        ("1e", "'e' in '1e' is not a unit"),
        ("1_ms", "'_ms' in '1_ms' is not a unit"),
        ("1__0ms", "'__0ms' in '1__0ms' is not a unit"),
        ("nan", "is not a finite number"),
        ("NaN ms", "is not a finite number"),
        ("-inf", "is not a finite number"),
        ("infinity s", "is not a finite number"),
        ("Infinity", "is not a finite number"),
        ("1e400 ms", "is not a finite number"),
        ("1e308 TB", "is not a finite number"),
    ],
)
def test_what_is_no_quantity_is_refused_with_a_message_that_quotes_it(text, said):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert repr(text) in str(caught.value)


def test_the_message_about_an_unknown_unit_stays_short():
    with pytest.raises(ValueError) as caught:
        parse("5 parsec")
    assert len(str(caught.value)) < 120


def test_the_spellings_come_in_the_same_order_in_every_process():
    code = "from pytest_perfgate import units; print(units.known_spellings())"
    printed = set()
    for seed in "123":
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        printed.add(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(printed) == 1


def test_the_spellings_of_one_unit_are_all_of_that_unit():
    spellings = units.known_spellings("B")
    assert "MiB" in spellings
    assert "bytes" in spellings
    assert {units.base_unit(word)[0] for word in spellings} == {"B"}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400, "nan"])
def test_a_number_that_is_not_finite_has_no_base_unit(number):
    with pytest.raises(ValueError, match="not a finite number"):
        to_base(number, "ms")


def test_a_users_own_word_is_its_own_unit():
    assert to_base(12, "queries") == units.Quantity(12.0, "queries")
    assert units.base_unit("queries") == ("queries", 1.0)
    assert not units.is_known("queries")
    assert units.is_known("MiB")


def test_a_setting_is_read_in_the_unit_it_must_have():
    assert parse_as("3s", "s", example="3s") == 3.0
    assert parse_as("5 %", "ratio", example="5%") == 0.05
    assert parse_as("0s", "s", example="3s") == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3", "has the wrong unit or none; write it like 3s"),
        ("5%", "has the wrong unit or none; write it like 3s"),
        ("-3s", "is negative; write it like 3s"),
        ("three", "is not a number with a unit"),
        ("nan s", "is not a finite number"),
    ],
)
def test_a_setting_in_another_unit_is_refused_with_an_example(text, said):
    with pytest.raises(ValueError) as caught:
        parse_as(text, "s", example="3s")
    assert said in str(caught.value)
    assert "write it like 3s" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.412, "s", "412 ms"),
        (0.4125, "s", "412 ms"),
        (43.1e-6, "s", "43.1 µs"),
        (0.9995, "s", "1 s"),
        (0.99949, "s", "999 ms"),
        (0.00099996, "s", "1 ms"),
        (1234.5, "s", "1234 s"),
        (0.0, "s", "0 s"),
        (-0.0, "s", "0 s"),
        (-0.4, "s", "-400 ms"),
        (2e-13, "s", "0.0002 ns"),
        (2e-25, "s", "2e-16 ns"),
        (64 * 2**20, "B", "64 MiB"),
        (1023.99, "B", "1 KiB"),
        (1000, "B", "1000 B"),
        (0, "B/call", "0 B/call"),
        (2048, "B/call", "2 KiB/call"),
        (3, "blocks/call", "3 blocks/call"),
        (1000, "/s", "1000 /s"),
        (12, "count", "12"),
        (12345678, "count", "12345678"),
        (0.1 + 0.2, "ratio", "0.3"),
        (3, "queries", "3 queries"),
        (3, "", "3"),
        (math.nan, "s", "nan"),
        (math.inf, "B", "inf"),
    ],
)
def test_a_value_is_written_in_the_unit_that_fits_it(value, unit, shown):
    assert format_value(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "show_as", "shown"),
    [(0.93, "%", "93 %"), (2.514, "×", "2.51×"), (0.5, "", "0.5"), (1e307, "%", "inf %")],
)
def test_a_ratio_is_written_as_its_metric_wants(value, show_as, shown):
    # 1e307 is no share that anybody has, but a renderer must not fail on it.
    assert format_value(value, "ratio", show_as=show_as) == shown


def test_more_digits_are_written_when_asked_for():
    assert format_value(0.4004, "s", digits=4) == "400.4 ms"
    assert format_value(0.4004, "s", digits=1) == "400 ms"


@pytest.mark.parametrize(
    ("change", "shown"), [(0.082, "+8.2 %"), (-0.5, "-50.0 %"), (0.0, "+0.0 %"), (math.inf, "inf")]
)
def test_a_change_is_written_with_its_sign(change, shown):
    assert format_change(change) == shown
