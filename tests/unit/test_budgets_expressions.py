"""The language of expressions and the errors that point at a column."""

from __future__ import annotations

import pytest

from pytest_perfgate.budgets import parse_expression
from pytest_perfgate.budgets.limits import unit_of
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.metrics import METRICS
from pytest_perfgate.model import Operator

LT, LE, GT, GE = Operator


@pytest.mark.parametrize(
    ("text", "subject", "bound"),
    [
        ("max < 20ms", (None, "max", None), (LT, 0.02, "s")),
        ("min>=1us", (None, "min", None), (GE, 1e-6, "s")),
        ("  mean\t<=  1.5   s ", (None, "mean", None), (LE, 1.5, "s")),
        ("median < 5e-1 ms", (None, "median", None), (LT, 0.0005, "s")),
        ("stddev <= 0ms", (None, "stddev", None), (LE, 0.0, "s")),
        ("value <= 64MB", (None, "value", None), (LE, 64 * 2**20, "B")),
        ("count >= 10", (None, "count", None), (GE, 10.0, "count")),
        ("rate < 150%", (None, "rate", None), (LT, 1.5, "ratio")),
        ("rate > 1000/s", (None, "rate", None), (GT, 1000.0, "/s")),
        ("p(95) < 8ms", (None, "p", 95.0), (LT, 0.008, "s")),
        ("p( 99.9 ) < 8ms", (None, "p", 99.9), (LT, 0.008, "s")),
        ("p (0) < 8ms", (None, "p", 0.0), (LT, 0.008, "s")),
        ("p(100)<8ms", (None, "p", 100.0), (LT, 0.008, "s")),
        ("p95 < 8ms", (None, "p", 95.0), (LT, 0.008, "s")),
        ("p99.9 < 8ms", (None, "p", 99.9), (LT, 0.008, "s")),
        ("perf max < 8ms", ("perf", "max", None), (LT, 0.008, "s")),
        ("perf.max < 8ms", ("perf", "max", None), (LT, 0.008, "s")),
        ("perf:max < 8ms", ("perf", "max", None), (LT, 0.008, "s")),
        ("perf:parse p(95) < 8ms", ("perf:parse", "p", 95.0), (LT, 0.008, "s")),
        ("perf:parse.p99.9 < 8ms", ("perf:parse", "p", 99.9), (LT, 0.008, "s")),
        ("perf.p(95) < 8ms", ("perf", "p", 95.0), (LT, 0.008, "s")),
        ("perf:p(95) < 8ms", ("perf", "p", 95.0), (LT, 0.008, "s")),
        ("startup.command median < 1s", ("startup.command", "median", None), (LT, 1.0, "s")),
        ("startup.command < 1s", ("startup.command", "value", None), (LT, 1.0, "s")),
        ("cache_hit_rate > 85%", ("cache_hit_rate", "value", None), (GT, 0.85, "ratio")),
        ("cache-hits>85", ("cache-hits", "value", None), (GT, 85.0, "count")),
        ("queries max <= 12", ("queries", "max", None), (LE, 12.0, "count")),
        ("db:count <= 12", ("db", "count", None), (LE, 12.0, "count")),
        ("growth <= 0 B/call", ("growth", "value", None), (LE, 0.0, "B/call")),
        ("throughput > 90/s", ("throughput", "value", None), (GT, 90.0, "/s")),
        ("max value < 3", ("max", "value", None), (LT, 3.0, "count")),
        ("avg value < 3", ("avg", "value", None), (LT, 3.0, "count")),
        ("latency.avg value < 3ms", ("latency.avg", "value", None), (LT, 0.003, "s")),
        ("größe < 3", ("größe", "value", None), (LT, 3.0, "count")),
        ("max < +5ms", (None, "max", None), (LT, 0.005, "s")),
        ("max < 2 min", (None, "max", None), (LT, 120.0, "s")),
    ],
)
def test_an_expression_is_read_part_by_part(text, subject, bound):
    limit = parse_expression(text)
    assert (limit.metric, limit.statistic, limit.percentile) == subject
    assert (limit.operator, limit.value, limit.unit) == bound
    assert parse_expression(limit.text) == limit


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("p95<8ms", "p(95) < 8ms"),
        ("  perf:parse.max  <=20 ms ", "perf:parse max <= 20 ms"),
        ("cache_hit_rate value>85%", "cache_hit_rate > 85%"),
        ("foo.max value > 3", "foo.max value > 3"),
        ("avg value > 3", "avg value > 3"),
        ("median < 1_000 us", "median < 1_000 us"),
    ],
)
def test_the_text_of_a_limit_is_canonical_and_keeps_the_number_as_written(text, written):
    assert parse_expression(text).text == written


MISTAKES = [
    # operators
    ("max =< 5ms", 4, '"=<" is not an operator; did you mean "<="?'),
    ("max => 5ms", 4, 'did you mean ">="?'),
    ("max ≤ 5ms", 4, 'did you mean "<="?'),
    ("max ≥ 5ms", 4, 'did you mean ">="?'),
    ("max == 5ms", 4, '"==" is not an operator; write "<", "<=", ">" or ">="'),
    ("max = 5ms", 4, '"=" is not an operator'),
    ("max != 5ms", 4, '"!=" is not an operator'),
    ("max << 5ms", 4, 'did you mean "<"?'),
    ("max < = 5ms", 6, 'did you mean "<="?'),
    ("max > = 5ms", 6, 'did you mean ">="?'),
    ("max 5ms", 7, "the expression has no operator"),
    ("median", 6, "the expression has no operator"),
    # statistics
    ("avg < 5ms", 0, 'did you mean "mean"?'),
    ("average < 5ms", 0, 'did you mean "mean"?'),
    ("med < 5ms", 0, 'did you mean "median"?'),
    ("std < 5ms", 0, 'did you mean "stddev"?'),
    ("stdev < 5ms", 0, 'did you mean "stddev"?'),
    ("meidan < 5ms", 0, 'did you mean "median"?'),
    ("MAX < 5ms", 0, 'did you mean "max"?'),
    ("maximum < 5ms", 0, 'did you mean "max"?'),
    ("perf.avg < 5ms", 0, 'did you mean "mean"?'),
    ("perf avg < 5ms", 5, '"avg" is not a statistic; did you mean "mean"?'),
    ("perf medain < 5ms", 5, 'did you mean "median"?'),
    ("perf other < 5ms", 5, "known are min, max, mean, median, stddev, count, rate, value and p(95)"),
    ("perf foo.max < 5ms", 5, '"foo.max" is not a statistic'),
    ("p < 5ms", 0, 'did you mean "p(95)"?'),
    ("p() < 5ms", 2, 'p() needs a percentile such as "p(95)"'),
    ("p(101) < 5ms", 2, "p(101) is not a percentile: a number from 0 to 100"),
    ("p(-1) < 5ms", 2, "p(-1) is not a percentile"),
    ("p(nan) < 5ms", 2, "p(nan) is not a percentile"),
    ("p(x) < 5ms", 2, "p(x) is not a percentile"),
    ("p(95%) < 5ms", 2, "p(95%) is not a percentile"),
    ("perf p(101) < 5ms", 7, "p(101) is not a percentile"),
    ("p101 < 5ms", 0, "p(101) is outside 0 to 100"),
    ("p(95 < 5ms", 1, "the parenthesis is not closed"),
    ("p(95)x < 5ms", 5, '"x" is unexpected here'),
    ("max(5) < 5ms", 0, '"max" takes no argument; only "p(95)" has parentheses'),
    ("perf percentile(95) < 5ms", 5, '"percentile" takes no argument; did you mean "p(95)"?'),
    # metrics and order
    ("< 5ms", 0, "the expression names no statistic"),
    ("perf: < 5ms", 0, '"perf:" is not the name of a metric'),
    (".max < 5ms", 0, '".max" is not the name of a metric'),
    ("a b c < 5ms", 4, '"c" is unexpected here'),
    ("max@x < 5ms", 3, '"@" is unexpected here'),
    ("5ms > max", 0, 'the limit comes last: "max < 5ms"'),
    ("1ms < max < 5ms", 0, "the limit comes last"),
    # numbers
    ("max <", 5, 'a number is missing after "<"'),
    ("max < ms", 6, 'a number is missing after "<"'),
    ("max < -5ms", 6, "-5ms is negative"),
    ("max < -0ms", 6, "-0ms is negative"),
    ("max < nan", 6, "nan is not a finite number"),
    ("max < nanms", 6, "nanms is not a finite number"),
    ("max < inf ms", 6, "inf is not a finite number"),
    ("max < -Infinity", 6, "-Infinity is not a finite number"),
    ("max < 1e999ms", 6, "1e999 is not a finite number"),
    ("max < 1e308h", 6, "1e308h is not a finite number"),
    ("max < 1,5ms", 7, "write decimals with a point"),
    ("max < 0ms", 6, "cannot be met: nothing is less than zero"),
    ("max <= 0s", 7, "cannot be met: everything takes some time"),
    ("count < 0", 8, "cannot be met: nothing is less than zero"),
    ("efficiency > 1.2", 13, "cannot be met: an efficiency of 1 is perfect scaling"),
    ("efficiency > 100%", 13, "cannot be met"),
    # units
    ("max < 20", 6, "20 needs a unit such as 20ms"),
    ("max < 0", 6, "0 needs a unit such as 20ms"),
    ("value <= 20", 9, "20 needs a unit such as 20ms"),
    ("rate > 1000", 7, "1000 needs a unit such as 1000/s"),
    ("max < 20msx", 8, '"msx" is not a unit; did you mean "ms"?'),
    ("max < 20 mz", 9, 'did you mean "ms"?'),
    ("max < 20 sec", 9, 'did you mean "s"?'),
    ("max < 20 MS", 9, 'did you mean "ms"?'),
    ("throughput > 90 ops/s", 16, 'did you mean "/s"?'),
    ("queries < 5 queries", 12, "a metric in a unit of its own is limited by the bare number"),
    ("count < 5ms", 8, '"count" is a number of rounds'),
    ("rate > 5ms", 7, '"rate" is a share (85%) or a number of calls per second'),
    # more than one limit
    ("max < 5ms && min > 1ms", 10, '"&&" joins limits; write two expressions'),
    ("max < 5ms and min > 1ms", 10, '"and" joins limits; write two expressions'),
    ("hits < 5 and misses > 1", 9, '"and" joins limits; write two expressions'),
    ("max < 5ms or min > 1ms", 10, '"or" joins limits'),
    ("max < 5ms, min > 1ms", 9, '"," joins limits'),
    ("max && min < 5ms", 4, '"&&" joins limits'),
    ("max and min < 5ms", 4, '"and" joins limits'),
    ("max < 5ms < 7ms", 10, "write two expressions, one for each limit"),
    ("max < 5ms foo", 10, '"foo" is unexpected after the limit'),
    ("max < 5ms 3", 10, '"3" is unexpected after the limit'),
    ("max < 5ms,", 9, '"," is unexpected after the limit'),
]


@pytest.mark.parametrize(("text", "column", "said"), MISTAKES, ids=[text for text, _, _ in MISTAKES])
def test_a_mistake_is_explained_at_its_column(text, column, said):
    with pytest.raises(BudgetSyntaxError) as caught:
        parse_expression(text)
    assert said in caught.value.message
    assert caught.value.text == text
    assert caught.value.column == column
    assert str(caught.value).endswith(f"\n    {text}\n    {' ' * column}^")


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_expression_is_refused_with_an_example(text):
    with pytest.raises(BudgetSyntaxError, match='an expression is empty; write one such as "median < 400ms"'):
        parse_expression(text)


@pytest.mark.parametrize("argument", [400, 0.5, None, True, ["max < 5ms"], b"max < 5ms"])
def test_an_argument_that_is_no_string_is_pointed_to_the_keywords(argument):
    with pytest.raises(BudgetSyntaxError, match="a bare number needs a keyword such as ms=400"):
        parse_expression(argument)


def test_control_characters_do_not_reach_the_message_and_columns_stay():
    with pytest.raises(BudgetSyntaxError) as caught:
        parse_expression("max\n<\t5\x1bmsx\ud800")
    assert caught.value.text == "max < 5 msx "
    assert caught.value.column == 7


def test_a_metric_that_resembles_no_statistic_is_taken_as_it_is():
    for name in ("rates", "counter", "medians_by_hand", "p95_latency", "maxi"):
        assert parse_expression(f"{name} < 5").metric == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("value <= 400ms", "value < 1s"),
        ("max < 5ms", "max <= 9ms"),
        ("p95 < 5ms", "p(95) < 9ms"),
        ("hits > 85%", "hits > 0.9"),
        ("value < 5MB", "value < 1GB"),
        ("perf max < 5ms", "perf.max < 9ms"),
    ],
)
def test_limits_on_one_thing_share_their_key(one, other):
    assert parse_expression(one).key == parse_expression(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max < 5ms", "max > 5ms"),
        ("max < 5ms", "max < 5MB"),
        ("max < 5ms", "min < 5ms"),
        ("p95 < 5ms", "p99 < 5ms"),
        ("max < 5ms", "perf max < 5ms"),
        ("perf:a max < 5ms", "perf:b max < 5ms"),
        ("hits < 5", "hits < 5MB"),
    ],
)
def test_limits_on_different_things_have_different_keys(one, other):
    assert parse_expression(one).key != parse_expression(other).key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("value <= 400ms", "time"),
        ("value < 4MB", "memory"),
        ("speedup > 2.5", "speedup"),
        ("efficiency >= 70%", "efficiency"),
        ("modules < 100", "modules"),
        ("growth < 2 blocks/call", "growth"),
    ],
)
def test_an_expression_that_says_what_a_keyword_says_has_its_key(text, key):
    assert parse_expression(text).key == key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("perf median < 5MB", '"perf" is measured in seconds, not in bytes'),
        ("perf:parse p(95) < 5 B/call", '"perf:parse" is measured in seconds, not in bytes per call'),
        ("startup.command max < 50%", '"startup.command" is measured in seconds, not in a ratio'),
        ("memory.peak max < 50ms", '"memory.peak" is measured in bytes, not in seconds'),
        ("speedup median > 5ms", '"speedup" is measured in a ratio, not in seconds'),
    ],
)
def test_the_unit_of_a_known_metric_is_checked_before_anything_runs(text, said):
    with pytest.raises(BudgetSyntaxError) as caught:
        parse_expression(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text", ["perf rate > 5/s", "perf count >= 5", "startup value < 50MB", "mine median < 5MB", "speedup median > 2"]
)
def test_other_facts_of_a_known_metric_and_metrics_of_others_keep_their_units(text):
    parse_expression(text)


def test_the_units_of_known_metrics_are_those_of_the_registry():
    registered = {metric.name: metric.unit for metric in METRICS}
    for name, unit in registered.items():
        assert unit_of(name, "median") in ("", unit)
    assert unit_of("perf", "median") == registered["perf"]


@pytest.mark.parametrize("text", ["median < 5\x00ms", "med\x07ian < 5ms", "median < 5ms\x1b", "median < 5\u2028ms"])
def test_control_characters_are_refused(text):
    with pytest.raises(BudgetSyntaxError, match="is not a letter of an expression") as caught:
        parse_expression(text)
    assert str(caught.value).replace("\n", "").isprintable()
    assert parse_expression("median\t<\n5ms").text == "median < 5ms"
