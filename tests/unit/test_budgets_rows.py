"""Rows of a profile's budget table that speak of no test, and what they were meant to be."""

from __future__ import annotations

import pytest

from pytest_perfgate.budgets import combine, idle_rows, meant_row
from pytest_perfgate.model import Profile

TESTS = ["tests/test_a.py::test_parse[x]", "tests/test_a.py::TestB::test_load", "tests/test_cli.py::test_version"]


@pytest.mark.parametrize(
    "row",
    [
        "tests/test_a.py::test_parse[x]",
        "tests/test_a.py::test_parse",
        "tests/test_a.py::*",
        "*::test_load",
        "*[x]",
        "tests/test_cli.py::test_v?rsion",
        "*",
    ],
)
def test_a_row_is_idle_exactly_where_it_gives_no_test_a_budget(row):
    profile = Profile(name="ci", budgets={row: {"ms": 3}})
    assert idle_rows(profile, TESTS) == []
    assert any(combine([], profile=profile, test=test) for test in TESTS)
    others = [test.replace("test_", "check_") for test in TESTS]
    expected = [] if row in ("*", "*[x]") else [row]
    assert idle_rows(profile, others) == expected
    assert any(combine([], profile=profile, test=test) for test in others) is not bool(expected)


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ("tests/test_a.py::test_prase", "tests/test_a.py::test_parse"),
        ("tests/test_a.py::test_parse[y]", "tests/test_a.py::test_parse[x]"),
        ("tests/test_a.py::test_load", "tests/test_a.py::TestB::test_load"),
        ("tests/test_clo.py::test_version", "tests/test_cli.py::test_version"),
        ("test_cli.py::test_version", "tests/test_cli.py::test_version"),
        ("tests/test_clo.py::*", "tests/test_cli.py::*"),
        ("tests/test_clo.py", "tests/test_cli.py"),
        ("tests/test_a.py::test_q*", ""),
        ("*::test_q", ""),
        ("somewhere::else", ""),
    ],
)
def test_the_row_that_was_meant(row, meant):
    assert meant_row(row, TESTS) == meant


def test_without_tests_every_row_is_idle_and_none_was_meant():
    profile = Profile(name="ci", budgets={"a.py::b": {"ms": 3}, "*": {"ms": 4}})
    assert idle_rows(profile, []) == ["a.py::b", "*"]
    assert meant_row("a.py::b", []) == ""
