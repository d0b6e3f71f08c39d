"""What is true of every budget and every sample."""

from __future__ import annotations

import string

from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_perfgate import stats
from pytest_perfgate.budgets import check, combine, parse_expression, parse_marker
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Budget, Case, Measurement, Operator, Profile

CASE = Case("tests/test_a.py::test_b", "perf")
MONOTONE = ["min", "max", "mean", "median", "value", "p(0)", "p(37.5)", "p(95)", "p(100)"]
SCALED = [*MONOTONE, "stddev"]

times = st.floats(min_value=2.0**-30, max_value=2.0**10)
samples = st.lists(times, min_size=2, max_size=12)
operators = st.sampled_from(list(Operator))
metrics = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}([.:][a-z0-9_-]{1,6}){0,2}", fullmatch=True)


def measurement(values):
    return Measurement(case=CASE, unit="s", value=stats.median(values), samples=tuple(values))


def limit(statistic, operator, value):
    return parse_expression(f"{statistic} {operator.value} {value!r}s")


def outcome(read):
    """What *read* returns and the mistake it finds, one of them None."""
    try:
        return read(), None
    except BudgetSyntaxError as problem:
        return None, problem


def holds(limits, values):
    checked = check(Budget(limits=tuple(limits)), [measurement(values)])
    assert checked.unmeasured == ()
    return [each.holds for each in checked.by_case[CASE]]


@given(
    metric=st.none() | metrics,
    statistic=st.sampled_from([*SCALED, "count", "rate", "p99.9"]),
    operator=operators,
    number=st.floats(min_value=0, max_value=1e12),
    unit=st.sampled_from(["", "ns", "ms", "s", "KB", "MiB", "%", "x", "/s", "B/call"]),
    gaps=st.lists(st.sampled_from(["", " ", "\t "]), min_size=3, max_size=3),
)
def test_a_limits_text_reads_back_as_the_limit(metric, statistic, operator, number, unit, gaps):
    subject = f"{metric} {statistic}" if metric else statistic
    text = f"{gaps[0]}{subject}{gaps[1]}{operator.value}{gaps[2]}{number!r}{unit}"
    found, _ = outcome(lambda: parse_expression(text))
    assume(found is not None)
    assert parse_expression(found.text) == found
    assert parse_expression(found.text).text == found.text
    assert found.metric == metric


@given(text=st.text(max_size=30) | st.text("maxedinp95() <>=.:%s0-1_&,", max_size=30))
def test_any_text_is_read_or_refused_at_a_column_inside_it(text):
    found, problem = outcome(lambda: parse_expression(text))
    if problem is None:
        assert parse_expression(found.text) == found
        return
    assert problem.column is None or 0 <= problem.column <= len(text)
    assert not set(str(problem)) & set(map(chr, range(10))) - {"\n"}
    str(problem).encode("utf-8")


@given(
    keywords=st.dictionaries(
        st.sampled_from(["ms", "mb", "growth", "speedup", "efficiency", "modules", "forbid", "rounds"])
        | st.sampled_from(["profile", "max_regression", "msec"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(st.text(string.ascii_lowercase, max_size=3), max_size=2),
        max_size=3,
    )
)
def test_any_keywords_are_read_or_refused_with_a_message(keywords):
    found, problem = outcome(lambda: parse_marker((), keywords))
    assert (found is None) is (problem is not None)
    str(problem).encode("utf-8")


@given(
    values=samples,
    worse=st.lists(st.floats(min_value=0, max_value=1e3), min_size=12, max_size=12),
    statistic=st.sampled_from(MONOTONE),
    bound=times,
    operator=operators,
)
def test_worse_samples_never_turn_a_failing_check_into_a_holding_one(values, worse, statistic, bound, operator):
    asked = limit(statistic, operator, bound)
    slower = [value + by for value, by in zip(values, worse, strict=False)]
    better, worse_values = (values, slower) if operator.is_upper else (slower, values)
    if not holds([asked], better)[0]:
        assert not holds([asked], worse_values)[0]


@given(values=samples, bound=times, power=st.integers(-8, 8))
def test_scaling_values_and_limits_alike_changes_nothing(values, bound, power):
    # By powers of two, so that the scaling itself rounds nothing.
    factor = 2.0**power
    before = [limit(statistic, operator, bound) for statistic in SCALED for operator in Operator]
    after = [limit(statistic, operator, bound * factor) for statistic in SCALED for operator in Operator]
    assert holds(before, values) == holds(after, [value * factor for value in values])


@given(values=samples, bound=times, data=st.data())
def test_the_order_of_the_samples_changes_nothing(values, bound, data):
    asked = [limit(statistic, operator, bound) for statistic in SCALED for operator in Operator]
    asked += [parse_expression(f"rate > {bound!r}/s"), parse_expression("count > 5")]
    assert holds(asked, values) == holds(asked, data.draw(st.permutations(values)))


@given(values=samples, bound=times, statistic=st.sampled_from(SCALED))
def test_a_limit_and_its_opposite_never_agree(values, bound, statistic):
    lt, le, gt, ge = holds([limit(statistic, operator, bound) for operator in Operator], values)
    assert lt is not ge
    assert le is not gt


@given(
    values=samples,
    bound=st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e6),
    bad=st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    statistic=st.sampled_from(SCALED),
    operator=operators,
    data=st.data(),
)
def test_a_sample_that_is_not_finite_lets_nothing_pass(values, bound, bad, statistic, operator, data):
    asked, _ = outcome(lambda: limit(statistic, operator, bound))
    assume(asked is not None)
    place = data.draw(st.integers(0, len(values)))
    broken = Measurement(case=CASE, unit="s", value=bad, samples=(*values[:place], bad, *values[place:]))
    checked = check(Budget(limits=(asked,)), [broken])
    assert [each.holds for each in checked.by_case[CASE]] == [False]


@given(
    limits=st.lists(
        st.tuples(st.sampled_from(MONOTONE), st.sampled_from(["<", "<=", ">", ">="]), st.integers(1, 4)),
        min_size=1,
        max_size=4,
    ),
    values=st.lists(st.integers(1, 9).map(lambda half: half / 2), min_size=1, max_size=5),
)
def test_limits_that_some_sample_satisfies_together_are_never_called_contradictory(limits, values):
    texts = [f"{statistic} {operator} {bound}s" for statistic, operator, bound in limits]
    parsed = [parse_expression(text) for text in texts]
    assume(len({each.key for each in parsed}) == len(parsed))
    assume(all(holds(parsed, values)))
    assert len(parse_marker(texts, {}).budget.limits) == len(parsed)


@given(
    ms=st.floats(min_value=1e-3, max_value=1e6),
    scale=st.floats(min_value=0.01, max_value=100),
)
def test_a_scaled_limit_is_the_limit_times_the_scale_and_shows_both(ms, scale):
    profile = Profile(name="ci", scale=scale)
    budget = combine([[parse_marker((), {"ms": ms})]], profile=profile, test="t.py::t")
    assert budget is not None
    (scaled,) = budget.limits
    (plain,) = parse_marker((), {"ms": ms}).budget.limits
    assert scaled.value == plain.value * scale
    assert (scaled.text == plain.text) is (scale == 1)
    shown = parse_expression(scaled.text.partition(" (")[0]).value
    assert abs(shown - scaled.value) <= 1e-5 * scaled.value


@given(
    inner=st.dictionaries(st.sampled_from(["ms", "mb", "modules"]), st.integers(1, 9), min_size=1),
    outer=st.dictionaries(st.sampled_from(["ms", "mb", "modules"]), st.integers(1, 9), min_size=1),
    table=st.dictionaries(st.sampled_from(["ms", "mb", "modules"]), st.integers(1, 9)),
)
def test_every_limit_comes_from_the_strongest_source_that_sets_it(inner, outer, table):
    profile = Profile(name="ci", budgets={"*": table} if table else {})
    levels = [[parse_marker((), inner)], [parse_marker((), outer)]]
    budget = combine(levels, profile=profile, test="t.py::t")
    assert budget is not None
    expected = parse_marker((), {**outer, **inner, **table}).budget.limits
    assert {each.key: each.value for each in budget.limits} == {each.key: each.value for each in expected}
    assert budget.profile == ("ci" if table else None)
