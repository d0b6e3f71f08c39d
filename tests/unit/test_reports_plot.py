"""Curves drawn with characters: every point is where it belongs, and nothing is wider than asked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_perfgate.reports._format import asciified
from pytest_perfgate.reports._plot import plot

RISING = [(float(x), float(x)) for x in range(20)]


def test_a_rising_line_rises_from_corner_to_corner():
    lines = plot([(float(x), float(x)) for x in range(15)], 16, 15, unicode=False)
    assert lines[0] == "|" + " " * 14 + "*"
    assert lines[14] == "|*"
    assert [line.index("*") for line in lines[:15]] == list(range(15, 0, -1))
    assert lines[15] == "+" + "-" * 15


def test_what_lies_between_points_is_joined():
    lines = plot([(0.0, 0.0), (14.0, 2.0)], 16, 3, unicode=False)
    assert lines[0].endswith("*")
    assert lines[2].startswith("|*.")
    assert sum(line.count("*") for line in lines) == 2
    assert sum(line.count(".") for line in lines) == 13


def test_labels_stand_at_both_ends():
    lines = plot(RISING, 40, 4, unicode=False, x_labels=("0", "20 calls"), y_labels=("1 MiB", "20 MiB"))
    assert lines[0].startswith("20 MiB |")
    assert lines[3].startswith(" 1 MiB |*")
    assert lines[5].startswith(" " * 8 + "0 ")
    assert lines[5].endswith("20 calls")
    assert max(map(len, lines)) == 40


def test_a_flat_curve_lies_in_the_middle():
    lines = plot([(0.0, 7.0), (1.0, 7.0)], 20, 5, unicode=False)
    assert [row for row, line in enumerate(lines[:5]) if "*" in line] == [2]


def test_what_is_outside_the_range_is_shown_at_its_edge():
    lines = plot([(0.0, -5.0), (1.0, 50.0)], 20, 3, unicode=False, y_range=(0.0, 1.0))
    assert lines[2].startswith("|*")
    assert lines[0].endswith("*")


def test_many_points_of_one_column_are_their_mean():
    points = [(float(x // 100), float(x % 2)) for x in range(400)]
    lines = plot(points, 20, 3, unicode=False, y_range=(0.0, 1.0))
    assert lines[1].count("*") == 4


def test_nothing_is_plotted_of_nothing():
    assert plot([], 20, 5, unicode=True) == []


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(odd):
    with pytest.raises(ValueError, match="finite"):
        plot([(0.0, odd)], 20, 5, unicode=True)


@pytest.mark.parametrize(("width", "height"), [(15, 5), (20, 2)])
def test_too_small_a_plot_is_refused(width, height):
    with pytest.raises(ValueError, match="shows nothing"):
        plot(RISING, width, height, unicode=True)


def test_signs_become_ascii_one_for_one():
    drawn, plain = (plot(RISING, 30, 5, unicode=unicode) for unicode in (True, False))
    assert [asciified(line) for line in drawn] == plain
    assert all(line.isascii() for line in plain)


numbers = st.floats(min_value=-1e12, max_value=1e12)


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=50), st.integers(16, 90), st.integers(3, 20))
def test_a_plot_keeps_to_its_size(points, width, height):
    lines = plot(points, width, height, unicode=True)
    assert len(lines) == height + 1
    assert all(len(line) <= width for line in lines)
    assert any("•" in line for line in lines)
