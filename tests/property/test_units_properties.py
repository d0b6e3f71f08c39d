"""What is true of every quantity."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pytest_perfgate import units
from pytest_perfgate.units import format_value, parse, to_base

ROUND_TRIP_UNITS = ["s", "B", "B/call", "blocks/call", "/s", "count"]
reasonable = st.floats(min_value=1e-12, max_value=1e15) | st.just(0.0)


@given(
    value=reasonable,
    sign=st.sampled_from([1, -1]),
    unit=st.sampled_from(ROUND_TRIP_UNITS),
    digits=st.integers(1, 9),
)
def test_what_is_written_reads_back_to_the_printed_precision(value, sign, unit, digits):
    quantity = parse(format_value(sign * value, unit, digits=digits))
    assert quantity.unit == unit
    assert abs(quantity.value - sign * value) <= 0.5000001 * value * 10 ** (1 - digits)


@given(value=reasonable, show_as=st.sampled_from(["%", "×"]))
def test_a_written_ratio_reads_back_as_a_ratio(value, show_as):
    quantity = parse(format_value(value, "ratio", show_as=show_as))
    assert quantity.unit == "ratio"
    assert abs(quantity.value - value) <= 0.005001 * value


@given(value=st.floats(allow_nan=False), unit=st.sampled_from(ROUND_TRIP_UNITS))
def test_every_number_can_be_written(value, unit):
    assert format_value(value, unit)


@given(a=reasonable, b=reasonable, unit=st.sampled_from(ROUND_TRIP_UNITS))
def test_a_larger_value_never_reads_back_as_the_smaller_one(a, b, unit):
    low, high = sorted((a, b))
    assert parse(format_value(low, unit)).value <= parse(format_value(high, unit)).value


@given(
    whole=st.integers(0, 10**6),
    decimals=st.integers(0, 999),
    word=st.sampled_from(["ns", "us", "ms", "s", "%", "x"]),
)
def test_decimal_text_is_rounded_only_once(whole, decimals, word):
    factor = {"ns": 10**9, "us": 10**6, "ms": 1000, "%": 100}.get(word, 1)
    text = f"{whole}.{decimals:03}"
    assert parse(text + word).value == float(Fraction(text) / factor)


@given(
    number=st.floats(min_value=0, max_value=1e12),
    word=st.sampled_from(units.known_spellings()),
)
def test_a_number_and_its_text_have_the_same_base_value(number, word):
    assert to_base(number, word) == to_base(repr(number), word) == parse(f"{number!r} {word}")


@given(text=st.text(max_size=20) | st.from_regex(r"[0-9.eE+_-]{0,8} ?[a-zA-Z%/µ]{0,6}", fullmatch=True))
def test_reading_any_text_gives_a_finite_quantity_or_a_value_error(text):
    try:
        quantity = parse(text)
    except ValueError:
        return
    assert abs(quantity.value) < float("inf")
    assert units.is_known(quantity.unit)
