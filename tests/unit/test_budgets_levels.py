"""Markers at several levels, profiles and their tables, combined into one budget."""

from __future__ import annotations

import pytest

from pytest_perfgate.budgets import combine, has_only_other_profiles, known_profile_problem, parse_marker
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Profile
from pytest_perfgate.words import matches

TEST = "tests/test_a.py::TestB::test_c[x-1]"
STANDARD = Profile(name="standard")


def marker(*args, **keywords):
    return parse_marker(args, keywords)


def texts(levels, profile=STANDARD, test=TEST):
    budget = combine(levels, profile=profile, test=test)
    return None if budget is None else [limit.text for limit in budget.limits]


def ci(scale=1.0, **budgets):
    return Profile(name="ci", scale=scale, budgets=budgets.get("budgets", {}))


def test_nothing_asked_is_no_budget():
    assert combine([], profile=STANDARD, test=TEST) is None
    assert combine([[]], profile=STANDARD, test=TEST) is None


def test_all_markers_without_a_profile_of_one_level_count():
    levels = [[marker(ms=5), marker("max < 9ms", forbid="a"), marker(mb=1, forbid=["b", "a"], rounds=3)]]
    budget = combine(levels, profile=STANDARD, test=TEST)
    assert budget is not None
    assert texts(levels) == ["value <= 5ms", "max < 9ms", "value <= 1MB"]
    assert budget.forbid == ("a", "b")
    assert budget.rounds == 3
    assert budget.profile is None


def test_the_first_marker_of_the_profile_stands_alone():
    levels = [
        [
            marker(ms=1),
            marker(ms=2, profile="other"),
            marker(ms=3, profile=["laptop", "c?"]),
            marker(ms=4, profile="ci"),
            marker(mb=5),
        ]
    ]
    assert texts(levels, ci()) == ["value <= 3ms"]
    assert texts(levels) == ["value <= 1ms", "value <= 5MB"]
    budget = combine(levels, profile=ci(), test=TEST)
    assert budget is not None
    assert budget.profile == "ci"


def test_markers_for_other_profiles_only_are_no_budget_but_can_be_told_apart():
    levels = [[marker(ms=1, profile="other")], [marker(ms=1, profile="another")]]
    assert texts(levels) is None
    assert has_only_other_profiles(levels, STANDARD)
    assert not has_only_other_profiles(levels, Profile(name="other"))
    assert not has_only_other_profiles([*levels, [marker(ms=5)]], STANDARD)
    assert not has_only_other_profiles([], STANDARD)
    assert not has_only_other_profiles([[]], STANDARD)


def test_an_outer_level_adds_only_what_no_inner_one_sets():
    levels = [
        [marker("max < 9ms", s=1, rounds=2)],
        [marker("max < 7ms", "min > 1us", ms=5, forbid="a", rounds=3)],
        [marker(mb=1, forbid="b", rounds=4, max_regression="3%")],
    ]
    budget = combine(levels, profile=STANDARD, test=TEST)
    assert budget is not None
    assert texts(levels) == ["max < 9ms", "value <= 1s", "min > 1us", "value <= 1MB"]
    assert (budget.forbid, budget.rounds, budget.max_regression) == (("a",), 2, 0.03)


def test_an_inner_marker_for_every_profile_beats_an_outer_one_for_this_profile():
    levels = [[marker(ms=5)], [marker(ms=9, mb=1, profile="ci")]]
    assert sorted(texts(levels, ci()) or []) == ["value <= 1MB", "value <= 5ms"]


def test_scale_multiplies_upper_time_limits_for_every_profile_and_says_so():
    levels = [[marker("p(95) < 0.5s", "min > 1ms", "rate > 5/s", ms=400, mb=64, speedup=2)]]
    assert texts(levels, ci(scale=1.5)) == [
        "p(95) < 750ms (0.5s × 1.5)",
        "min > 1ms",
        "rate > 5/s",
        "value <= 600ms (400ms × 1.5)",
        "value <= 64MB",
        "speedup >= 2",
    ]
    budget = combine(levels, profile=ci(scale=1.5), test=TEST)
    assert budget is not None
    assert budget.limits[3].value == pytest.approx(0.6)
    assert budget.profile == "ci"


def test_a_scale_without_time_limits_is_not_the_profiles_own_value():
    budget = combine([[marker(mb=64)]], profile=ci(scale=1.5), test=TEST)
    assert budget is not None
    assert budget.profile is None


def test_values_of_the_profile_itself_are_never_scaled():
    profile = ci(scale=2.0, budgets={"*": {"us": 9}})
    assert texts([[marker(ms=1, profile="ci")]], ci(scale=2.0)) == ["value <= 1ms"]
    assert texts([[marker("max < 5ms")]], profile) == ["value <= 9us", "max < 10ms (5ms × 2)"]


def test_a_scale_that_makes_limits_contradict_is_refused():
    with pytest.raises(BudgetSyntaxError, match=r"max < 500µs \(5ms × 0.1\).*contradicts.*min > 1ms"):
        texts([[marker("max < 5ms", "min > 1ms")]], ci(scale=0.1))


def test_the_table_overrides_markers_for_every_profile_and_adds_to_them():
    profile = ci(budgets={TEST: {"ms": 600, "modules": 3, "forbid": ["b"], "rounds": 9}})
    levels = [[marker("max < 9s", ms=400, forbid="a", rounds=2, max_regression="3%")]]
    budget = combine(levels, profile=profile, test=TEST)
    assert budget is not None
    assert texts(levels, profile) == ["value <= 600ms", "modules <= 3", "max < 9s"]
    assert (budget.forbid, budget.rounds, budget.max_regression) == (("b",), 9, 0.03)
    assert budget.profile == "ci"


def test_a_marker_for_this_profile_beats_the_table():
    profile = ci(budgets={TEST: {"ms": 600, "mb": 3}})
    assert texts([[marker(ms=400, profile="ci")]], profile) == ["value <= 400ms", "value <= 3MB"]


def test_the_table_alone_is_a_budget():
    profile = ci(budgets={"tests/*": {"ms": 600}})
    assert texts([], profile) == ["value <= 600ms"]
    assert texts([], profile, test="other/test_a.py::test_b") is None


@pytest.mark.parametrize(
    ("budgets", "ms"),
    [
        ({"*": {"ms": 1}, TEST: {"ms": 2}}, 2),
        ({"*": {"ms": 1}, "tests/*": {"ms": 2}}, 1),
        ({"*": {"ms": 1}, "tests/test_a.py::TestB::test_c": {"ms": 2}, TEST: {"ms": 3}}, 3),
        ({"*": {"ms": 1}, "tests/test_a.py::TestB::test_c": {"ms": 2}}, 2),
        ({"other": {"ms": 1}, "*::test_c": {"ms": 2}}, 2),
        ({"*::test_c[y*": {"ms": 1}, "*::test_c[x-?]": {"ms": 2}}, 2),
        ({"tests/test_a.py::TestB": {"ms": 1}, "tests/test_a.py::TestB::*": {"ms": 2}}, 2),
        ({"*[x1]": {"ms": 1}, "*": {"ms": 2}}, 2),
    ],
)
def test_the_exact_test_comes_before_patterns_and_those_come_in_order(budgets, ms):
    assert texts([], ci(budgets=budgets)) == [f"value <= {ms}ms"]


def test_a_folder_with_brackets_is_not_taken_for_parameters():
    budgets = {"te[st]/test_a.py::test_b": {"ms": 1}}
    assert texts([], ci(budgets=budgets), test="te[st]/test_a.py::test_b[a::b]") == ["value <= 1ms"]
    assert texts([], ci(budgets=budgets), test="te/test_a.py::test_b") is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("ci", "ci", True),
        ("ci", "ci-linux", False),
        ("ci*", "ci-linux", True),
        ("c?", "ci", True),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("*", "two\nlines", True),
        ("CI", "ci", False),
    ],
)
def test_only_star_and_question_mark_are_special_in_patterns(pattern, text, fits):
    assert matches(pattern, text) is fits


@pytest.mark.parametrize(
    ("one", "other", "quoted"),
    [
        (marker(ms=400), marker(s=1), ["time <= 400ms", "time <= 1s"]),
        (marker("max < 5ms"), marker("max > 9ms"), ["max < 5ms", "max > 9ms"]),
        (marker("median > 9ms"), marker(ms=5), ["time <= 5ms", "median > 9ms"]),
        (marker(ms=1, rounds=1), marker(mb=1, rounds=2), ["rounds="]),
        (marker(max_regression="1%"), marker(max_regression="2%"), ["max_regression="]),
    ],
)
def test_markers_of_one_level_that_contradict_each_other_are_refused(one, other, quoted):
    with pytest.raises(BudgetSyntaxError) as caught:
        texts([[one, other]])
    for text in quoted:
        assert text in caught.value.message


def test_markers_of_one_level_may_say_the_same_twice():
    assert texts([[marker(ms=400, rounds=2), marker(s=0.4, rounds=2)]]) == ["value <= 400ms"]


def test_levels_that_contradict_each_other_are_refused():
    with pytest.raises(BudgetSyntaxError, match='"max < 5ms" contradicts "min > 9ms"'):
        texts([[marker("min > 9ms")], [marker("max < 5ms")]])


def test_a_table_that_contradicts_a_marker_is_refused():
    with pytest.raises(BudgetSyntaxError, match="contradicts"):
        texts([[marker("min > 9ms")]], ci(budgets={"*": {"ms": 5}}))


def test_a_malformed_table_entry_names_its_pattern():
    with pytest.raises(BudgetSyntaxError, match=r'"tests/\*": "msec" is not a keyword'):
        texts([], ci(budgets={"tests/*": {"msec": 5}}))


def test_profiles_that_exist_are_no_problem():
    assert known_profile_problem(marker(ms=1), []) is None
    assert known_profile_problem(marker(ms=1, profile=["ci", "lap*"]), ["laptop", "ci"]) is None


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("c1", 'profile="c1" matches no profile; did you mean "ci"? (known are ci, laptop)'),
        (["ci", "labtop"], 'profile="labtop" matches no profile; did you mean "laptop"?'),
        ("x*", 'profile="x*" matches no profile (known are ci, laptop)'),
    ],
)
def test_a_profile_that_does_not_exist_is_named_with_the_one_that_was_meant(profile, said):
    problem = known_profile_problem(marker(ms=1, profile=profile), ["ci", "laptop"])
    assert problem is not None
    assert said in problem
