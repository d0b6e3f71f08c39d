"""What holds of profiles whatever the machine and whatever the table."""

from __future__ import annotations

import fnmatch

import pytest
from builders import make_machine, make_python
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_perfgate.errors import ProfileError
from pytest_perfgate.profiles import SHIPPED, choose, explain, validate_profile
from pytest_perfgate.profiles.conditions import CONDITIONS, Facts, ask, parse_match
from pytest_perfgate.words import matches

MACHINES = st.builds(
    make_machine,
    os=st.sampled_from(["linux", "macos", "windows", "plan9"]),
    arch=st.sampled_from(["x86_64", "AMD64", "arm64", ""]),
    cpu=st.text(max_size=20),
    cores=st.floats(0.01, 512),
    memory_bytes=st.integers(0, 2**42),
    on_battery=st.booleans(),
    ci=st.none() | st.sampled_from(["ci", "gitlab"]),
)
TEXTS = st.text(max_size=8) | st.sampled_from(["<=4", ">=8GB", "3.12.*", ">=3,<2", "true", "*", ">4 <9"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["match", "scale", "max_regression", "budgets", "skale"])
MATCHES = st.dictionaries(st.sampled_from([*CONDITIONS, "core"]), VALUES, max_size=3)
TABLES = VALUES | st.dictionaries(KEYS, VALUES, max_size=4) | st.fixed_dictionaries({"match": MATCHES})
PATTERNS = st.text(st.sampled_from("ab*?.[]\n\\"), max_size=6)
OPPOSITES = [(">=", "<"), (">", "<=")]


@given(MACHINES)
def test_every_machine_has_exactly_one_profile_and_it_is_the_first_that_explains_itself(machine):
    matched = choose(machine, make_python(), {}, ())
    first = next(line for line in explain(machine, make_python(), {}, ()) if line.matched)
    assert (matched.name, matched.matched_by) == (first.name, first.because)
    assert matched.profile in SHIPPED


@given(TABLES, MACHINES)
def test_any_table_is_a_profile_that_can_be_tried_or_a_mistake_that_is_told(table, machine):
    try:
        profile = validate_profile("mine", table)
    except ProfileError as problem:
        assert str(problem).startswith('profile "mine": ')  # noqa: PT017  # both ends are fine
    else:
        choose(machine, make_python(), {"A": "b"}, [profile])


@pytest.mark.parametrize("operators", OPPOSITES)
@given(st.floats(0.01, 512), st.integers(1, 512))
def test_opposite_comparisons_of_cores_never_agree(operators, cores, limit):
    assert_opposite("cores", operators, limit, Facts(make_machine(cores=cores), make_python(), {}))


@pytest.mark.parametrize("operators", OPPOSITES)
@given(st.integers(1, 2**36), st.integers(1, 64))
def test_opposite_comparisons_of_memory_never_agree(operators, size, limit):
    assert_opposite("memory", operators, f"{limit}GB", Facts(make_machine(memory_bytes=size), make_python(), {}))


@pytest.mark.parametrize("operators", OPPOSITES)
@given(st.tuples(*[st.integers(0, 15)] * 3), st.lists(st.integers(0, 15), min_size=1, max_size=3))
def test_opposite_comparisons_of_versions_never_agree(operators, version, limit):
    python = make_python(version=".".join(map(str, version)))
    assert_opposite("python", operators, ".".join(map(str, limit)), Facts(make_machine(), python, {}))


def assert_opposite(name, operators, limit, facts):
    """Opposites exclude each other, and "equal" is where ``>=`` and ``<=`` both hold."""
    one, other = (holds(name, f"{operator}{limit}", facts) for operator in operators)
    assert one != other
    at_least, at_most = (holds(name, f"{operator}{limit}", facts) for operator in (">=", "<="))
    assert holds(name, f"=={limit}", facts) == (at_least and at_most)


def holds(name, text, facts):
    return ask(parse_match({name: text}), facts).holds


@given(st.tuples(*[st.integers(0, 15)] * 3), st.lists(st.integers(0, 15), min_size=1, max_size=3))
def test_versions_are_compared_as_far_as_the_limit_goes(version, limit):
    facts = Facts(make_machine(), make_python(version=".".join(map(str, version))), {})
    wanted = tuple(limit)
    for operator, expected in {
        ">=": version[: len(wanted)] >= wanted,
        "<": version[: len(wanted)] < wanted,
        "==": version[: len(wanted)] == wanted,
    }.items():
        assert holds("python", operator + ".".join(map(str, limit)), facts) == expected


@given(PATTERNS, st.text(st.sampled_from("aAb.[]\n\\"), max_size=6), st.booleans())
@example("a*b?", "a\nb\n", False)
def test_patterns_match_as_those_of_the_shell_with_nothing_else_special(pattern, text, ignore_case):
    escaped = pattern.replace("[", "[[]")
    one, other = (text.lower(), escaped.lower()) if ignore_case else (text, escaped)
    assert matches(pattern, text, ignore_case=ignore_case) == fnmatch.fnmatchcase(one, other)
