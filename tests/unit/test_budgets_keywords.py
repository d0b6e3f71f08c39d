"""The keywords of the marker and of a profile's table."""

from __future__ import annotations

import math

import pytest

from pytest_perfgate.budgets import KEYWORDS, parse_marker, parse_table
from pytest_perfgate.budgets.expressions import parse_expression
from pytest_perfgate.budgets.limits import described
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Operator


def one_limit(**keywords):
    (limit,) = parse_marker((), keywords).budget.limits
    return limit


def refusal(*args, **keywords):
    with pytest.raises(BudgetSyntaxError) as caught:
        parse_marker(args, keywords)
    return caught.value


@pytest.mark.parametrize(
    ("keyword", "number", "value", "text"),
    [
        ("ns", 50, 50e-9, "value <= 50ns"),
        ("us", 50, 50e-6, "value <= 50us"),
        ("ms", 400, 0.4, "value <= 400ms"),
        ("ms", 9, 0.009, "value <= 9ms"),
        ("ms", 0.5, 0.0005, "value <= 0.5ms"),
        ("s", 1.0, 1.0, "value <= 1s"),
        ("s", 1e-05, 1e-05, "value <= 1e-05s"),
    ],
)
def test_time_keywords_limit_the_headline_statistic_from_above(keyword, number, value, text):
    limit = one_limit(**{keyword: number})
    assert (limit.metric, limit.statistic, limit.operator) == (None, "value", Operator.LE)
    assert (limit.value, limit.unit, limit.text, limit.key) == (value, "s", text, "time")
    assert described(limit) == text.replace("value", "time")


@pytest.mark.parametrize(
    ("keyword", "value", "text"),
    [
        ("bytes", 64, "value <= 64B"),
        ("kb", 64 * 2**10, "value <= 64KB"),
        ("mb", 64 * 2**20, "value <= 64MB"),
        ("gb", 64 * 2**30, "value <= 64GB"),
    ],
)
def test_memory_keywords_are_powers_of_1024(keyword, value, text):
    limit = one_limit(**{keyword: 64})
    assert (limit.value, limit.unit, limit.text, limit.key) == (value, "B", text, "memory")
    assert described(limit) == text.replace("value", "memory")


@pytest.mark.parametrize(
    ("keyword", "value", "operator", "base", "unit", "text"),
    [
        ("growth", "0 B/call", Operator.LE, 0.0, "B/call", "growth <= 0 B/call"),
        ("growth", " 2 KiB/call", Operator.LE, 2048.0, "B/call", "growth <= 2 KiB/call"),
        ("growth", "0.5 blocks/call", Operator.LE, 0.5, "blocks/call", "growth <= 0.5 blocks/call"),
        ("speedup", 2.5, Operator.GE, 2.5, "ratio", "speedup >= 2.5"),
        ("efficiency", 0.7, Operator.GE, 0.7, "ratio", "efficiency >= 0.7"),
        ("efficiency", 1, Operator.GE, 1.0, "ratio", "efficiency >= 1"),
        ("modules", 140, Operator.LE, 140.0, "count", "modules <= 140"),
        ("modules", 0, Operator.LE, 0.0, "count", "modules <= 0"),
    ],
)
def test_the_other_limits_go_by_their_own_name(keyword, value, operator, base, unit, text):
    limit = one_limit(**{keyword: value})
    assert (limit.metric, limit.statistic, limit.operator) == (keyword, "value", operator)
    assert (limit.value, limit.unit, limit.text, limit.key) == (base, unit, text, keyword)


def test_growth_as_a_share_goes_by_a_name_of_its_own():
    limit = one_limit(growth="10%")
    assert (limit.metric, limit.value, limit.unit) == ("growth", 0.1, "ratio")
    assert (limit.text, limit.key) == ("growth <= 10%", "growth share")
    assert parse_expression("growth <= 10%") == limit


def test_numbers_of_other_libraries_are_numbers():
    numpy = pytest.importorskip("numpy")
    assert one_limit(ms=numpy.int64(400)).value == 0.4
    assert one_limit(ms=numpy.float64(0.5)).text == "value <= 0.5ms"


@pytest.mark.parametrize(
    ("value", "modules"),
    [
        ("numpy", ("numpy",)),
        (["numpy", "xml.dom"], ("numpy", "xml.dom")),
        (("b", "a", "b"), ("b", "a")),
        ({"b", "a"}, ("a", "b")),
    ],
)
def test_forbid_takes_one_module_or_several(value, modules):
    assert parse_marker((), {"forbid": value}).budget.forbid == modules


@pytest.mark.parametrize(
    ("value", "profiles"), [("ci", ("ci",)), (["ci", "laptop*"], ("ci", "laptop*")), ({"b", "a"}, ("a", "b"))]
)
def test_profile_takes_one_name_or_several(value, profiles):
    assert parse_marker((), {"ms": 1, "profile": value}).profiles == profiles


def test_rounds_and_tolerance_travel_with_the_limits():
    marker = parse_marker(("p(95) < 8ms",), {"ms": 5, "rounds": 3, "max_regression": "3 %"})
    assert marker.profiles == ()
    assert [limit.text for limit in marker.budget.limits] == ["p(95) < 8ms", "value <= 5ms"]
    assert marker.budget.rounds == 3
    assert marker.budget.max_regression == 0.03
    assert marker.budget.profile is None


def test_a_tolerance_alone_is_a_budget():
    assert parse_marker((), {"max_regression": "0%"}).budget.max_regression == 0.0


@pytest.mark.parametrize("keywords", [{}, {"profile": "ci"}, {"rounds": 5}, {"profile": "ci", "rounds": 5}])
def test_a_marker_that_asks_for_nothing_is_refused(keywords):
    assert "asks for nothing; give it a limit such as ms=400" in refusal(**keywords).message


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("msec", "ms"),
        ("milliseconds", "ms"),
        ("timeout", "s"),
        ("seconds", "s"),
        ("MS", "ms"),
        ("mss", "ms"),
        ("memory", "mb"),
        ("byte", "bytes"),
        ("speed_up", "speedup"),
        ("eficiency", "efficiency"),
        ("module", "modules"),
        ("forbidden", "forbid"),
        ("round", "rounds"),
        ("max_regresion", "max_regression"),
        ("tolerance", "max_regression"),
        ("profiles", "profile"),
    ],
)
def test_an_unknown_keyword_is_named_with_the_one_that_was_meant(keyword, meant):
    problem = refusal(**{keyword: 400})
    assert f'"{keyword}" is not a keyword of a budget; did you mean "{meant}"?' in problem.message
    assert problem.text == f"{keyword}=400"
    assert problem.column == 0


def test_a_keyword_like_no_other_is_answered_with_all_of_them():
    problem = refusal(max_usd=3)
    assert '"max_usd" is not a keyword' in problem.message
    assert "did you mean" not in problem.message
    for keyword in KEYWORDS:
        assert keyword in problem.message


NUMBERS = ("ns", "us", "ms", "s", "bytes", "kb", "mb", "gb", "speedup", "efficiency", "modules")


@pytest.mark.parametrize("keyword", NUMBERS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "takes a number"),
        ("400", "takes a number"),
        (None, "takes a number"),
        ([1], "takes a number"),
        (1j, "takes a number"),
        (math.nan, "must be finite"),
        (math.inf, "must be finite"),
        (10**400, "must be finite"),
        (-1, "must not be negative"),
        (-math.inf, "must be finite"),
    ],
)
def test_a_value_that_is_no_limit_is_refused_for_every_numeric_keyword(keyword, value, said):
    problem = refusal(**{keyword: value})
    assert problem.message.startswith(f"{keyword}= {said}")
    assert problem.text.startswith(f"{keyword}=")
    assert problem.column == len(keyword) + 1


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("ms", 0, "cannot be met: everything takes some time"),
        ("s", 0.0, "cannot be met"),
        ("gb", 1e308, "must be finite"),
        ("speedup", 0, "must be above 0"),
        ("efficiency", 0, "must be above 0"),
        ("efficiency", 1.01, "cannot be met: an efficiency of 1 is perfect scaling"),
        ("modules", 1.5, "takes a whole number"),
        ("growth", 0, 'write it like growth="0 B/call"'),
        ("growth", "0", "is per call"),
        ("growth", "0 B", "is per call"),
        ("growth", "0%", "cannot be met: no system counts memory so finely"),
        ("growth", "0.1x", "is per call, or a share"),
        ("growth", "-5%", "must not be negative"),
        ("growth", "5 %%", "is malformed"),
        ("growth", "-1 B/call", "must not be negative"),
        ("growth", "-0 B/call", "must not be negative"),
        ("growth", "nan B/call", "is malformed"),
        ("growth", "much", "is malformed"),
        ("forbid", [], "takes module names"),
        ("forbid", "", "takes module names"),
        ("forbid", [1], "takes module names"),
        ("forbid", 5, "takes module names"),
        ("forbid", ["num py"], '"num py" is not the dotted name of a module'),
        ("forbid", ["numpy."], "is not the dotted name of a module"),
        ("forbid", ["3d"], "is not the dotted name of a module"),
        ("rounds", 0, "takes a whole number of at least 1"),
        ("rounds", 2.0, "takes a whole number of at least 1"),
        ("rounds", True, "takes a whole number of at least 1"),
        ("rounds", "5", "takes a whole number of at least 1"),
        ("max_regression", 0.03, "takes a string with a percent sign"),
        ("max_regression", "3", "takes a string with a percent sign"),
        ("max_regression", "x%", "is malformed"),
        ("max_regression", "-3%", "is negative"),
        ("max_regression", "nan%", "takes a string with a percent sign"),
        ("profile", "", "takes a profile's name or several"),
        ("profile", [], "takes a profile's name or several"),
        ("profile", [None], "takes a profile's name or several"),
        ("profile", 5, "takes a profile's name or several"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(keyword, value, said):
    keywords = {"ms": 1, keyword: value} if keyword in {"profile", "rounds"} else {keyword: value}
    problem = refusal(**keywords)
    if value == "nan%":
        said = "is malformed"
    assert said in problem.message
    assert problem.column == len(keyword) + 1


def test_a_long_value_does_not_flood_the_message():
    assert len(refusal(ms="x" * 10_000).text) <= 120


def test_a_positional_number_is_pointed_to_the_keywords():
    assert "needs a keyword such as ms=400" in refusal(400).message


@pytest.mark.parametrize(
    ("args", "keywords", "quoted"),
    [
        (["max < 5ms", "max > 10ms"], {}, ["max < 5ms", "max > 10ms"]),
        (["max < 5ms", "max >= 5ms"], {}, ["max < 5ms", "max >= 5ms"]),
        (["max < 5ms", "min > 10ms"], {}, ["max < 5ms", "min > 10ms"]),
        (["p95 < 5ms", "median > 10ms"], {}, ["p95 < 5ms", "median > 10ms"]),
        (["p95 < 5ms", "p50 > 10ms"], {}, ["p95 < 5ms", "p50 > 10ms"]),
        (["p50 < 5ms", "median > 10ms"], {}, ["p50 < 5ms", "median > 10ms"]),
        (["median < 5ms", "p50 > 10ms"], {}, ["median < 5ms", "p50 > 10ms"]),
        (["p0 < 5ms", "min > 10ms"], {}, ["p0 < 5ms", "min > 10ms"]),
        (["p100 < 5ms", "max > 10ms"], {}, ["p100 < 5ms", "max > 10ms"]),
        (["mean < 5ms", "min > 10ms"], {}, ["mean < 5ms", "min > 10ms"]),
        (["max < 5ms", "mean > 10ms"], {}, ["max < 5ms", "mean > 10ms"]),
        (["median > 10ms"], {"ms": 5}, ["median > 10ms", "ms=5"]),
        (["min > 100MB"], {"mb": 64}, ["min > 100MB", "mb=64"]),
        (["hits > 85%", "hits < 0.5"], {}, ["hits > 85%", "hits < 0.5"]),
        (["max < 5ms", "max < 9ms"], {}, ["max < 5ms", "max < 9ms"]),
        (["max < 5ms", "max <= 5ms"], {}, ["max < 5ms", "max <= 5ms"]),
        (["value <= 1s"], {"ms": 5}, ["value <= 1s", "ms=5"]),
        ([], {"ms": 400, "s": 1}, ["ms=400", "s=1"]),
        ([], {"mb": 64, "gb": 1}, ["mb=64", "gb=1"]),
        (["speedup > 3"], {"speedup": 2}, ["speedup > 3", "speedup=2"]),
        (["speedup < 2"], {"speedup": 3}, ["speedup < 2", "speedup=3"]),
    ],
)
def test_contradicting_limits_are_refused_with_both_texts(args, keywords, quoted):
    problem = refusal(*args, **keywords)
    for text in quoted:
        assert f'"{text}"' in problem.message


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        (["max < 5ms", "max > 1ms"], {}),
        (["max <= 5ms", "max >= 5ms"], {}),
        (["min < 5ms", "max > 10ms"], {}),
        (["median < 5ms", "p95 > 10ms"], {}),
        (["median < 5ms", "mean > 10ms"], {}),
        (["max < 5ms", "max > 10MB"], {}),
        (["stddev < 5ms", "median > 10ms"], {}),
        (["max < 5ms", "stddev > 10ms"], {}),
        (["mine < 5", "mine > 10ms"], {}),
        (["perf max < 5ms", "startup max > 10ms"], {}),
        (["max > 10ms"], {"ms": 5}),
        (["max > 100MB"], {"mb": 64}),
    ],
)
def test_limits_that_can_hold_together_are_kept(args, keywords):
    assert len(parse_marker(args, keywords).budget.limits) == 2


def test_the_same_limit_written_twice_is_one():
    assert len(parse_marker(["max < 5ms", "max<5 ms"], {}).budget.limits) == 1
    assert len(parse_marker([], {"ms": 400, "s": 0.4}).budget.limits) == 1


def test_a_table_entry_takes_the_keywords_and_expressions():
    entry = parse_table("tests/*", {"ms": 600, "expressions": ["p95 < 1s"], "forbid": ["numpy"]})
    assert entry.profiles == ()
    assert [limit.text for limit in entry.budget.limits] == ["p(95) < 1s", "value <= 600ms"]
    assert entry.budget.forbid == ("numpy",)
    assert parse_table("tests/*", {"expressions": "p95 < 1s"}).budget.limits[0].percentile == 95


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"msec": 600}, '"msec" is not a keyword of a budget; did you mean "ms"?'),
        ({"ms": -1}, "ms= must not be negative"),
        ({}, "asks for nothing"),
        ({"ms": 1, "profile": "ci"}, "this entry has its profile"),
        ({"expressions": 5}, "expressions must be a string or a list of them"),
        ({"expressions": [5]}, "is not an expression"),
        ({"expressions": "max =< 5ms"}, 'did you mean "<="?'),
        (600, "write a table such as {ms = 600}"),
        ("ms=600", "write a table such as {ms = 600}"),
    ],
)
def test_a_mistake_in_a_table_names_the_pattern(entry, said):
    with pytest.raises(BudgetSyntaxError) as caught:
        parse_table("tests/test_cli.py::*", entry)
    assert said in caught.value.message
    assert '"tests/test_cli.py::*"' in caught.value.message
