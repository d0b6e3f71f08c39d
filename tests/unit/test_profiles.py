"""Profiles: which one a machine belongs to and why, and every mistake in a table of the configuration."""

from __future__ import annotations

import re

import pytest
from builders import make_machine, make_python

from pytest_perfgate.errors import ProfileError
from pytest_perfgate.model import Profile
from pytest_perfgate.profiles import SHIPPED, choose, explain, known_names, parse_tolerance, validate_profile
from pytest_perfgate.profiles.conditions import CONDITIONS, PUBLIC, Facts, ask, parse_match

GIB = 1024**3


def profile(name="mine", **table):
    return validate_profile(name, table)


def chosen(*profiles, environ=None, python=None, name="auto", unknown="warn", asked_by="test", **facts):
    machine = make_machine(**facts)
    asked = {"name": name, "unknown": unknown, "asked_by": asked_by}
    return choose(machine, python or make_python(), environ or {}, profiles, **asked)


def answer(match, *, environ=None, python="3.12.1", **facts):
    """Hold a ``match`` table against a made-up machine: 4 cores, 8 GiB, Linux on x86_64."""
    return ask(parse_match(match), Facts(make_machine(**facts), make_python(version=python), environ or {}))


MACHINES = {
    "an ordinary machine": ({}, "standard"),
    "a hosted CI": ({"ci": "gitlab", "on_battery": True, "cores": 1.0, "memory_bytes": GIB}, "ci"),
    "a laptop on battery": ({"on_battery": True, "cores": 2.0}, "laptop"),
    "little memory": ({"memory_bytes": 2 * GIB, "cores": 1.0}, "memory-constrained"),
    "just under 4 GB": ({"memory_bytes": int(3.5 * GIB)}, "memory-constrained"),
    "sold as 4 GB": ({"memory_bytes": int(3.7 * GIB)}, "standard"),
    "two cores": ({"cores": 2.0}, "cpu-constrained"),
    "a quota": ({"cores": 1.5}, "cpu-constrained"),
    "a quota above two": ({"cores": 2.5}, "standard"),
    "a workstation": ({"cores": 16.0, "memory_bytes": int(31.2 * GIB)}, "high-performance"),
    "many cores, not much memory": ({"cores": 64.0, "memory_bytes": 16 * GIB}, "standard"),
    "much memory, not many cores": ({"cores": 8.0, "memory_bytes": 256 * GIB}, "standard"),
    "unknown memory": ({"memory_bytes": 0}, "standard"),
}


@pytest.mark.parametrize(("facts", "name"), list(MACHINES.values()), ids=list(MACHINES))
def test_every_machine_has_a_shipped_profile(facts, name):
    matched = chosen(**facts)
    assert matched.name == name
    assert matched.warning == ""
    assert matched.matched_by


def test_the_shipped_profiles_are_those_of_the_documentation():
    names = ["ci", "laptop", "memory-constrained", "cpu-constrained", "high-performance", "standard"]
    assert [each.name for each in SHIPPED] == names
    assert known_names([]) == tuple(names)
    for each in SHIPPED:
        assert parse_match(each.match)
        assert (each.scale, each.max_regression, each.budgets) == (1.0, None, {})


HOLDS = {
    "env": ({"env": {"PLACE": "here"}}, {"environ": {"PLACE": "here"}}, "PLACE=here"),
    "env with a pattern": ({"env": {"RUNNER": "big-?"}}, {"environ": {"RUNNER": "big-1"}}, "RUNNER=big-?"),
    "env one of": ({"env": {"A": ["x", "y*"]}}, {"environ": {"A": "yes"}}, "A=y*"),
    "env set": ({"env": {"A": True}}, {"environ": {"A": "secret"}}, "A is set"),
    "env anything": ({"env": {"A": "*"}}, {"environ": {"A": "secret"}}, "A is set"),
    "env not set": ({"env": {"A": False}}, {"environ": {"A": ""}}, "A is not set"),
    "env two": ({"env": {"A": "1", "B": False}}, {"environ": {"A": "1"}}, "A=1, B is not set"),
    "env on windows": ({"env": {"Place": "x"}}, {"environ": {"PLACE": "x"}, "os": "windows"}, "Place=x"),
    "os": ({"os": "Linux"}, {}, "os linux"),
    "os by its other name": ({"os": "darwin"}, {"os": "macos"}, "os macos"),
    "os one of": ({"os": ["macos", "lin*"]}, {}, "os linux"),
    "arch": ({"arch": "x86?64"}, {}, "arch x86_64"),
    "arch by its other name": ({"arch": "amd64"}, {}, "arch x86_64"),
    "arch of another system": ({"arch": "aarch64"}, {"arch": "arm64"}, "arch arm64"),
    "cpu": ({"cpu": "*cpu 3000"}, {}, 'cpu "Example CPU 3000"'),
    "cpu with brackets": ({"cpu": "*[x]*"}, {"cpu": "A [x] B"}, 'cpu "A [x] B"'),
    "hostname": ({"hostname": "build*"}, {}, "hostname builder"),
    "ci": ({"ci": True}, {"ci": "gitlab"}, "hosted CI gitlab"),
    "ci by name": ({"ci": ["github*", "GitLab"]}, {"ci": "gitlab"}, "hosted CI gitlab"),
    "no ci": ({"ci": False}, {}, "no hosted CI"),
    "battery": ({"battery": True}, {"on_battery": True}, "on battery"),
    "no battery": ({"battery": False}, {}, "not on battery"),
    "cores": ({"cores": "<=4"}, {}, "cores 4 <= 4"),
    "cores as a number": ({"cores": 4}, {}, "cores 4 == 4"),
    "cores as a fraction": ({"cores": 1.5}, {"cores": 1.5}, "cores 1.5 == 1.5"),
    "cores between": ({"cores": ">=4 <16"}, {}, "cores 4 >= 4 and < 16"),
    "cores between with a comma": ({"cores": " >= 4 , < 16 "}, {}, "cores 4 >= 4 and < 16"),
    "cores exactly": ({"cores": "=4"}, {}, "cores 4 == 4"),
    "memory": ({"memory": ">=8GB"}, {}, "memory 8 GiB >= 8GB"),
    "memory with a blank": ({"memory": "> 4 GiB <= 8 GiB"}, {}, "memory 8 GiB > 4 GiB and <= 8 GiB"),
    "memory a little less": (
        {"memory": ">=8GB"},
        {"memory_bytes": int(7.6 * GIB)},
        "memory 7.6 GiB >= 8GB (up to 10% less counts as equal)",
    ),
    "memory a little less, exactly": (
        {"memory": "8GB"},
        {"memory_bytes": int(7.6 * GIB)},
        "memory 7.6 GiB == 8GB (up to 10% less counts as equal)",
    ),
    "memory at most": ({"memory": "<=8GB"}, {"memory_bytes": int(7.6 * GIB)}, "memory 7.6 GiB <= 8GB"),
    "python": ({"python": ">=3.12"}, {}, "python 3.12.1 >= 3.12"),
    "python series": ({"python": "3.12.*"}, {}, "python 3.12.1 == 3.12.*"),
    "python equal": ({"python": "==3.12"}, {}, "python 3.12.1 == 3.12"),
    "python at most": ({"python": "<=3.12"}, {}, "python 3.12.1 <= 3.12"),
    "python range": ({"python": ">=3.9,<3.13"}, {}, "python 3.12.1 >= 3.9 and < 3.13"),
    "python is compared by numbers": ({"python": ">3.9"}, {"python": "3.10.0"}, "python 3.10.0 > 3.9"),
    "python before its release": ({"python": ">=3.15"}, {"python": "3.15.0a1+"}, "python 3.15.0a1+ >= 3.15"),
    "always": ({"always": True}, {}, "any machine"),
    "two conditions": ({"os": "linux", "cores": ">2"}, {}, "os linux, cores 4 > 2"),
}


@pytest.mark.parametrize(("match", "facts", "because"), list(HOLDS.values()), ids=list(HOLDS))
def test_a_condition_that_holds_says_why(match, facts, because):
    assert answer(match, **facts) == (True, because)


FAILS = {
    "env": ({"env": {"PLACE": "here"}}, {"environ": {"PLACE": "HERE"}}, "PLACE is not here"),
    "env not there": ({"env": {"PLACE": "*"}}, {"environ": {"PLACE": ""}}, "PLACE is not set"),
    "env set": ({"env": {"A": False}}, {"environ": {"A": "secret"}}, "A is set"),
    "env other case": ({"env": {"Place": "x"}}, {"environ": {"PLACE": "x"}}, "Place is not set"),
    "env two": ({"env": {"A": "1", "B": ["2", "3"]}}, {"environ": {"A": "1", "B": "9"}}, "B is not 2 or 3"),
    "os": ({"os": ["macos", "windows"]}, {}, "os is linux, not macos or windows"),
    "arch": ({"arch": "arm64"}, {}, "arch is x86_64, not arm64"),
    "cpu": ({"cpu": "*EPYC*"}, {}, 'cpu is "Example CPU 3000", not *EPYC*'),
    "cpu is the whole text": ({"cpu": "CPU"}, {}, 'cpu is "Example CPU 3000", not CPU'),
    "cpu unknown": ({"cpu": "*"}, {"cpu": ""}, "cpu is unknown"),
    "hostname": ({"hostname": "b?"}, {}, "hostname is builder, not b?"),
    "ci": ({"ci": True}, {}, "no hosted CI"),
    "ci by name": ({"ci": "gitlab"}, {"ci": "drone"}, "hosted CI is drone, not gitlab"),
    "ci at all": ({"ci": False}, {"ci": "drone"}, "hosted CI drone"),
    "battery": ({"battery": True}, {}, "not on battery"),
    "cores": ({"cores": ">4"}, {}, "cores 4 is not > 4"),
    "cores between": ({"cores": ">=6,<16"}, {}, "cores 4 is not >= 6"),
    "cores fraction": ({"cores": "<1.5"}, {"cores": 1.5}, "cores 1.5 is not < 1.5"),
    "memory": ({"memory": ">=8GB"}, {"memory_bytes": 7 * GIB}, "memory 7 GiB is not >= 8GB"),
    "memory a little less": (
        {"memory": "<8GB"},
        {"memory_bytes": int(7.6 * GIB)},
        "memory 7.6 GiB is not < 8GB (up to 10% less counts as equal)",
    ),
    "memory above": ({"memory": ">8GB"}, {}, "memory 8 GiB is not > 8GB"),
    "memory unknown": ({"memory": "<8GB"}, {"memory_bytes": 0}, "memory is unknown"),
    "python": ({"python": ">3.12"}, {}, "python 3.12.1 is not > 3.12"),
    "python series": ({"python": "3.1.*"}, {}, "python 3.12.1 is not == 3.1.*"),
    "python patch": ({"python": "<3.12.1"}, {}, "python 3.12.1 is not < 3.12.1"),
    "never": ({"never": True}, {}, "only when asked for by name"),
    "one of two": ({"os": "linux", "cores": ">9", "battery": True}, {}, "cores 4 is not > 9, not on battery"),
}


@pytest.mark.parametrize(("match", "facts", "because"), list(FAILS.values()), ids=list(FAILS))
def test_a_condition_that_does_not_hold_says_why(match, facts, because):
    assert answer(match, **facts) == (False, because)


def test_every_condition_is_tested_both_ways():
    for cases, trivial in ((HOLDS, {"never"}), (FAILS, {"always"})):
        assert {name for match, _, _ in cases.values() for name in match} == set(CONDITIONS) - trivial


def test_values_of_the_environment_never_stand_in_a_message():
    for wanted in (True, False, "*", "s*", "x", ["x", "s*"]):
        assert "s3cret" not in answer({"env": {"TOKEN": wanted}}, environ={"TOKEN": "s3cret"}).because


def test_the_first_profile_of_the_users_that_matches_is_in_force():
    wide, narrow = profile("wide", match={"os": "linux"}), profile("narrow", match={"os": "linux", "cores": 4})
    assert chosen(wide, narrow).name == "wide"
    assert chosen(narrow, wide).profile == narrow
    assert chosen(narrow, wide).matched_by == "os linux, cores 4 == 4"
    assert chosen(narrow, wide, cores=8.0).name == "wide"
    assert chosen(narrow, wide, ci="drone").name == "narrow"


def test_a_profile_with_a_shipped_name_replaces_the_shipped_one():
    own = profile("laptop", match={"hostname": "build*"}, scale=3)
    assert chosen(own).profile == own
    assert known_names([own]) == ("laptop", "ci", *(each.name for each in SHIPPED[2:]))
    elsewhere = chosen(own, hostname="other", on_battery=True, unknown="ignore")
    assert elsewhere.name == "standard"


def test_a_shipped_name_without_match_keeps_its_conditions_and_its_turn():
    refined = profile("standard", scale=2)
    assert chosen(refined).profile.scale == 2
    assert chosen(refined).matched_by == "any machine"
    assert chosen(refined, ci="drone").name == "ci"
    assert chosen(refined, ci="drone").warning == ""
    assert known_names([refined]) == known_names([])
    assert chosen(profile("ci", scale=3), ci="drone").profile.scale == 3
    assert chosen(profile("ci", scale=3), name="ci").profile.scale == 3


def test_a_shipped_name_may_be_kept_from_matching():
    assert chosen(profile("ci", match="never"), ci="drone").name == "standard"


def test_a_profile_without_match_is_only_taken_by_name():
    by_name = profile("nightly", scale=4)
    assert chosen(by_name).name == "standard"
    assert chosen(by_name).warning == ""
    assert chosen(by_name, name="nightly").profile == by_name
    assert chosen(profile("nightly", match="never"), name="nightly").name == "nightly"
    assert chosen(profile("nightly", match="never"), unknown="fail").warning == ""
    assert chosen(profile("nightly", match="always"), ci="drone").matched_by == "any machine"


def test_a_profile_asked_for_by_name_is_taken_whatever_the_machine_is():
    own = profile("farm", match={"os": "windows"})
    matched = chosen(own, name="farm", unknown="fail", asked_by="PERFGATE_PROFILE=farm")
    assert (matched.profile, matched.matched_by, matched.warning) == (own, "PERFGATE_PROFILE=farm", "")
    assert chosen(own, name="laptop", unknown="fail").name == "laptop"
    assert choose(make_machine(), make_python(), {}, (), name="ci").matched_by == "asked for by name"


def test_a_name_that_does_not_exist_is_told_with_the_one_that_was_meant():
    with pytest.raises(ProfileError) as caught:
        chosen(profile("farm"), name="frm", asked_by="--perfgate-profile frm")
    assert str(caught.value) == (
        'profile "frm" (--perfgate-profile frm) does not exist; did you mean "farm"? (known are farm, ci, laptop, '
        "memory-constrained, cpu-constrained, high-performance, standard, auto)"
    )
    with pytest.raises(ProfileError, match=r'"quux" does not exist \(known are ci'):
        chosen(name="quux")


def test_a_machine_that_no_profile_of_the_users_is_meant_for_is_described():
    own = profile("farm", match={"cores": ">=8", "os": "linux"}), profile("mac", match={"os": "macos"})
    matched = chosen(*own)
    assert matched.name == "standard"
    assert matched.warning == (
        "no profile of yours matches this machine, which is linux x86_64, 4 cores, 8 GiB of memory, "
        'CPU "Example CPU 3000", no hosted CI, CPython 3.12.1 '
        "(farm: cores 4 is not >= 8; mac: os is linux, not macos); "
        'profile standard is used. Add a profile that matches, or set unknown_profile = "ignore"'
    )
    assert chosen(*own, unknown="ignore").warning == ""
    with pytest.raises(ProfileError, match=r"(?s)no profile of yours.*farm: cores 4 is not >= 8.*--perfgate-profile"):
        chosen(*own, unknown="fail")
    for unknown in ("warn", "fail"):
        assert chosen(*own, unknown=unknown, cores=8.0).warning == ""
        assert chosen(unknown=unknown).warning == ""
        assert chosen(*own, profile("standard", scale=2), unknown=unknown).warning == ""
    assert "on battery" in chosen(*own, on_battery=True, cores=1.0).warning
    assert "1 core," in chosen(*own, on_battery=True, cores=1.0).warning


def test_where_not_even_standard_matches_the_machine_has_a_profile_without_budgets():
    own = profile("standard", match={"os": "macos"})
    matched = chosen(own)
    assert matched.profile == Profile(name="unmatched")
    assert matched.matched_by == "no profile matches"
    assert "os is linux, not macos" in matched.warning


def test_a_profile_that_is_defined_twice_is_refused():
    twice = [profile("farm"), profile("farm", scale=2)]
    for call in (lambda: chosen(*twice), lambda: chosen(*twice, name="ci"), lambda: known_names(twice)):
        with pytest.raises(ProfileError, match='"farm" is defined twice'):
            call()


def test_a_profile_of_a_plugin_with_conditions_that_cannot_be_meant_is_refused():
    with pytest.raises(ProfileError, match='profile "farm": "core" is not a condition'):
        chosen(Profile(name="farm", match={"core": 4}))


def test_explain_says_of_every_profile_whether_it_matches_and_why():
    own = [profile("farm", match={"cores": ">=8"}), profile("nightly"), profile("ci", scale=2)]
    lines = explain(make_machine(), make_python(), {}, own)
    assert lines == [
        ("farm", False, "cores 4 is not >= 8"),
        ("nightly", False, "only when asked for by name"),
        ("ci", False, "no hosted CI"),
        ("laptop", False, "not on battery"),
        ("memory-constrained", False, "memory 8 GiB is not < 4GB"),
        ("cpu-constrained", False, "cores 4 is not <= 2"),
        ("high-performance", False, "cores 4 is not >= 16, memory 8 GiB is not >= 32GB"),
        ("standard", True, "any machine"),
    ]
    assert [line.name for line in lines] == list(known_names(own))


def test_a_whole_table_becomes_a_profile():
    table = {
        "match": {
            "env": {"GITHUB_ACTIONS": "true"},
            "os": "linux",
            "cores": "<=4",
            "memory": ">=8GB",
            "python": ">=3.12",
        },
        "scale": 2,
        "max_regression": "7 %",
        "budgets": {"tests/test_cli.py::test_version": {"ms": 600}, "tests/test_pool.py::*": {"speedup": 1.6}},
    }
    built = validate_profile("farm", table)
    assert built == Profile(name="farm", match=table["match"], scale=2.0, max_regression=0.07, budgets=table["budgets"])
    assert isinstance(built.scale, float)
    assert chosen(built, environ={"GITHUB_ACTIONS": "true"}).matched_by == (
        "GITHUB_ACTIONS=true, os linux, cores 4 <= 4, memory 8 GiB >= 8GB, python 3.12.1 >= 3.12"
    )


def test_an_empty_table_is_a_profile_to_ask_for_by_name():
    assert validate_profile("farm", {}) == Profile(name="farm")


BAD_TABLES = {
    "unknown key": ({"scael": 2}, '"scael" is not a key of a profile; did you mean "scale"?'),
    "another tool's key": ({"tolerance": "5%"}, 'did you mean "max_regression"?'),
    "key like none": ({"quux": 2}, "known are match, scale, max_regression, budgets"),
    "condition outside match": ({"cores": "<=4"}, '"cores" is a condition; write match = {cores = "<=4"}'),
    "not a table": (3, "it = 3 is not a table"),
    "empty match": ({"match": {}}, "match is empty"),
    "match of another type": ({"match": True}, "match = true is not a table"),
    "match with another word": ({"match": "sometimes"}, 'match = "sometimes" is not a table'),
    "always beside others": ({"match": {"always": True, "os": "linux"}}, 'write match = "always"'),
    "never as a condition": ({"match": {"never": False}}, 'write match = "never"'),
    "unknown condition": ({"match": {"core": 4}}, '"core" is not a condition of match; did you mean "cores"?'),
    "condition of another tool": ({"match": {"cpus": 4}}, 'did you mean "cores"?'),
    "condition like none": ({"match": {"quux": 4}}, "known are env, os, arch, cpu, cores, memory, python, ci, battery"),
    "contradiction": ({"match": {"cores": ">=8,<4"}}, 'match.cores = ">=8,<4" contradicts itself'),
    "contradiction at one point": ({"match": {"cores": ">4 <=4"}}, "contradicts itself"),
    "contradiction with itself": ({"match": {"cores": "==4,==5"}}, "contradicts itself"),
    "no cores": ({"match": {"cores": 0}}, "match.cores = 0 contradicts itself: nothing can match it"),
    "less than no cores": ({"match": {"cores": "<0"}}, "nothing can match it"),
    "less than no memory": ({"match": {"memory": "<0GB"}}, "nothing can match it"),
    "contradicting memory": ({"match": {"memory": ">=8GB,<8GB"}}, "contradicts itself"),
    "contradicting versions": ({"match": {"python": ">=3.13,<3.12"}}, "contradicts itself"),
    "contradicting versions of other lengths": ({"match": {"python": ">3.12,<=3.12.5"}}, "contradicts itself"),
    "comparison of nothing": ({"match": {"cores": ""}}, 'write it like "<=4"'),
    "operator without a limit": ({"match": {"cores": ">="}}, 'write it like "<=4"'),
    "operator after the limit": ({"match": {"cores": "4>="}}, 'write it like "<=4"'),
    "operator that is none": ({"match": {"cores": "=<4"}}, 'write it like "<=4"'),
    "operator that is missing": ({"match": {"python": "!=3.12"}}, 'write it like ">=3.12"'),
    "comma at the end": ({"match": {"cores": ">=4,"}}, 'write it like "<=4"'),
    "two limits without a blank": ({"match": {"cores": ">=4<16"}}, 'write it like "<=4"'),
    "not a number": ({"match": {"cores": "<=many"}}, '"many" is not a number of cores'),
    "not finite": ({"match": {"cores": float("nan")}}, '"nan" is not a number of cores'),
    "negative": ({"match": {"cores": -4}}, '"-4" is not a number of cores'),
    "cores of another type": ({"match": {"cores": True}}, "match.cores = true is not a comparison"),
    "memory without a unit": ({"match": {"memory": ">=8"}}, '"8" is not an amount of memory; write it like ">=8GB"'),
    "memory as a number": ({"match": {"memory": 8}}, 'match.memory = 8 is not a comparison; write it like ">=8GB"'),
    "memory in seconds": ({"match": {"memory": ">=8s"}}, '"8s" is not an amount of memory'),
    "memory in nothing": ({"match": {"memory": ">=8XB"}}, "'XB'"),
    "python as a number": ({"match": {"python": 3.12}}, '3.12 is not a comparison; write it like ">=3.12"'),
    "python series with an operator": ({"match": {"python": ">=3.12.*"}}, '"3.12.*" is not a version'),
    "python with words": ({"match": {"python": ">=3.12rc1"}}, '"3.12rc1" is not a version'),
    "os like another": ({"match": {"os": "lunix"}}, 'match.os = "lunix" is no operating system; did you mean "linux"?'),
    "os of another type": ({"match": {"os": 3}}, "match.os = 3 is not a text, or a list of texts, with * and ?"),
    "empty text": ({"match": {"cpu": " "}}, "is not a text"),
    "empty list": ({"match": {"cpu": []}}, "is not a text"),
    "list of others": ({"match": {"cpu": ["a", 3]}}, "is not a text"),
    "ci of another type": ({"match": {"ci": 1}}, "or true or false"),
    "battery of another type": ({"match": {"battery": "yes"}}, 'match.battery = "yes" is neither true nor false'),
    "env of another type": ({"match": {"env": "CI"}}, "is not a table of variables"),
    "env of nothing": ({"match": {"env": {}}}, "is not a table of variables"),
    "env with a number": ({"match": {"env": {"CI": 1}}}, "with * and ? for CI, or true (set) or false (not set)"),
    "env with an assignment": ({"match": {"env": {"CI=1": True}}}, 'names no variable: "CI=1"'),
    "scale zero": ({"scale": 0}, "scale = 0 is not a finite number above 0"),
    "scale negative": ({"scale": -1.5}, "scale = -1.5 is not"),
    "scale infinite": ({"scale": float("inf")}, "scale = inf is not"),
    "scale nan": ({"scale": float("nan")}, "scale = nan is not"),
    "scale huge": ({"scale": 10**400}, "is not a finite number"),
    "scale as a text": ({"scale": "1.5"}, 'scale = "1.5" is not a finite number above 0, such as 1.5'),
    "scale as a flag": ({"scale": True}, "scale = true is not"),
    "tolerance as a number": ({"max_regression": 5}, 'max_regression = 5 is not a percentage; write "5%"'),
    "tolerance as a ratio": ({"max_regression": 0.07}, 'max_regression = 0.07 is not a percentage; write "7%"'),
    "tolerance as a factor": ({"max_regression": "1.05x"}, "is not a percentage"),
    "tolerance negative": ({"max_regression": "-5%"}, "negative"),
    "budgets of another type": ({"budgets": [{"ms": 3}]}, "is not a table; write rows like"),
    "budget of another type": ({"budgets": {"tests/*": 3}}, 'budgets."tests/*" = 3 is not a table'),
    "budget without a test": ({"budgets": {" ": {"ms": 3}}}, "budgets has a row without a test"),
    "control characters": ({"match": {"battery": "\x1b[31m\n"}}, r"match.battery = '\x1b[31m\n' is neither"),
    "a novel": ({"match": {"battery": "x" * 5000}}, "xxx... is neither"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "said"), list(BAD_TABLES.values()), ids=list(BAD_TABLES))
def test_a_table_that_cannot_be_meant_is_told_with_its_place(table, said):
    with pytest.raises(ProfileError, match=re.escape(said)) as caught:
        validate_profile("mine", table)
    assert str(caught.value).startswith('profile "mine": ')
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["auto", "", " ", " ci", "a\nb", "\x1b[31m"])
def test_a_name_that_cannot_be_asked_for_is_refused(name):
    with pytest.raises(ProfileError) as caught:
        validate_profile(name, {})
    assert str(caught.value).isprintable()


def test_conditions_that_are_close_to_nothing_are_all_named():
    assert set(PUBLIC) == {"env", "os", "arch", "cpu", "cores", "memory", "python", "ci", "battery", "hostname"}


@pytest.mark.parametrize(("text", "ratio"), [("5%", 0.05), (" 0.5 % ", 0.005), ("0%", 0.0), ("150%", 1.5)])
def test_a_tolerance_is_a_percentage(text, ratio):
    assert parse_tolerance(text) == ratio


@pytest.mark.parametrize(
    ("value", "meant"), [(5, "5%"), (0.05, "5%"), ("5", "5%"), ("0.1", "10%"), (-1, "5%"), (None, "5%"), ("nan", "5%")]
)
def test_a_tolerance_without_its_sign_is_told_with_what_was_meant(value, meant):
    with pytest.raises(ValueError, match=f'write "{meant}"'):
        parse_tolerance(value)
