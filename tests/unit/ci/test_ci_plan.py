"""Inputs, event and machine become a plan."""

from __future__ import annotations

import pytest
from builders import make_machine, make_python

from pytest_perfgate.ci.event import Event, read_event
from pytest_perfgate.ci.inputs import INPUTS, INSTALL, read_input, read_inputs
from pytest_perfgate.ci.keys import cache_key
from pytest_perfgate.ci.plan import make_plan, plan_from_text, refuse_privileged
from pytest_perfgate.errors import UsageError

MAIN = Event(name="push", ref="refs/heads/main", default_branch="main")


def inputs(**given):
    return read_inputs({f"PERFGATE_INPUT_{name.upper()}": text for name, text in given.items()})


def key(purpose="perf", **facts):
    return cache_key(make_machine(**facts), make_python(), purpose=purpose, run_id="7", run_attempt="2")


def plan(event=MAIN, base_commit="", **given):
    return make_plan(
        inputs(**given),
        event,
        base_commit=base_commit,
        key=key(),
        working_directory="/w",
        report_dir="/r",
        cache_folder="/c",
        baseline_path="/w/base.json",
    )


def test_nothing_given_is_all_defaults():
    found = inputs()
    assert (found.pytest_args, found.against, found.baseline_storage, found.strict) == ((), "auto", "cache", False)
    assert found.given == frozenset()
    assert {wanted.field for wanted in INPUTS} == set(found.__slots__) - {"given"}


def test_an_input_of_blanks_counts_as_not_given():
    assert inputs(against="  ", strict=" ") == inputs()


def test_arguments_are_split_as_a_shell_does_and_never_replaced():
    text = "-k 'a or b'  --maxfail=1\n\"tests/x y\" $(touch pwned) `id` *.py # no\n"
    words = ("-k", "a or b", "--maxfail=1", "tests/x y", "$(touch", "pwned)", "`id`", "*.py", "#", "no")
    assert inputs(pytest_args=text).pytest_args == words


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("--perfgate-against HEAD", "use the input against"),
        ("-q --perfgate-against=HEAD", "use the input against"),
        ("--perfgate-baseline=b.json", "use the inputs baseline-storage: file and baseline-path"),
        ("'--perfgate-max-regression' 300%", "use the input max-regression"),
    ],
)
def test_arguments_that_would_undo_the_plan_are_refused_with_the_input_to_use(words, remedy):
    with pytest.raises(UsageError, match=f"^pytest-args: .*{remedy}"):
        inputs(pytest_args=words)


def test_other_arguments_of_ours_and_names_of_files_are_not():
    words = ("--perfgate-max-time=9s", "--perfgate-strict", "-k", "against", "--", "--perfgate-against")
    assert inputs(pytest_args=" ".join(words)).pytest_args == words


def test_words_are_read_in_any_case():
    found = inputs(strict="TRUE", baseline_storage="Cache", against="AUTO")
    assert (found.strict, found.baseline_storage, found.against) == (True, "cache", "auto")
    assert read_input(INSTALL, {"PERFGATE_INPUT_INSTALL": "False"}) is False


def test_a_revision_keeps_its_case():
    assert inputs(against="origin/Main").against == "origin/Main"


def test_every_mistake_has_a_line_and_names_its_input():
    with pytest.raises(UsageError) as caught:
        inputs(strict="yes", max_regression="much", baseline_storage="s3")
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["max-regression", "baseline-storage", "strict"]


@pytest.mark.parametrize(
    ("event", "given", "compare"),
    [
        ("pull_request", {}, "base"),
        ("merge_group", {}, "base"),
        ("push", {}, "cache"),
        ("schedule", {}, "cache"),
        ("workflow_dispatch", {"baseline_storage": "file"}, "file"),
        ("push", {"baseline_storage": "none"}, "nothing"),
        ("pull_request", {"against": "none"}, "cache"),
        ("pull_request", {"against": "none", "baseline_storage": "file"}, "file"),
        ("push", {"against": "origin/main"}, "base"),
        ("pull_request", {"against": "dist:pkg==1"}, "base"),
    ],
)
def test_what_is_compared_with(event, given, compare):
    found = plan(Event(name=event), base_commit="f" * 40, **given)
    assert found.compare == compare
    assert bool(found.against) is (compare == "base")
    assert bool(found.cache_key) is (compare == "cache")
    assert bool(found.baseline) is (compare in ("cache", "file"))
    assert found.is_comparing is (compare != "nothing")
    named = given.get("against", "none") != "none"
    assert found.base_commit == ("f" * 40 if compare == "base" and not named else "")


@pytest.mark.parametrize(
    ("event", "given", "records"),
    [
        (MAIN, {}, True),
        (MAIN, {"update_baseline": "false"}, False),
        (MAIN, {"baseline_storage": "file"}, False),
        (MAIN, {"baseline_storage": "file", "update_baseline": "true"}, True),
        (MAIN, {"baseline_storage": "none", "update_baseline": "true"}, False),
        (MAIN, {"against": "v1", "update_baseline": "true"}, False),
        (Event(name="push", ref="refs/heads/x", default_branch="main"), {}, False),
        (Event(name="push", ref="refs/heads/main"), {}, False),
        (Event(name="schedule"), {}, True),
        (Event(name="pull_request", ref="refs/heads/main", default_branch="main"), {"against": "none"}, False),
    ],
)
def test_which_runs_are_recorded(event, given, records):
    assert plan(event, **given).records is records


def test_a_comment_is_for_pull_requests():
    assert plan(Event(name="pull_request"), base_commit="f", comment="always").comment == "always"
    assert plan(MAIN, comment="always").comment == "never"


def test_a_plan_survives_as_one_line():
    made = plan(pytest_args="-k 'a\u2028b é' \"$(x)\"")
    assert "\n" not in made.to_text()
    assert plan_from_text(made.to_text()) == made


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"nothing": 1, "pytest_args": []}', "7"])
def test_what_is_no_plan_is_told(text):
    with pytest.raises(UsageError, match="perfgate ci plan"):
        plan_from_text(text)


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run"])
def test_events_with_rights_are_refused(name):
    with pytest.raises(UsageError, match=name):
        refuse_privileged(Event(name=name))
    assert not Event(name=name, ref="refs/heads/main", default_branch="main").is_on_default_branch


def test_whatever_makes_runs_incomparable_makes_another_key():
    other = [key(cpu="x"), key(cores=3.0), key(os="macos"), key(arch="arm64"), key("lint")]
    other.append(cache_key(make_machine(), make_python(version="3.9.1"), purpose="perf", run_id="7", run_attempt="2"))
    prefixes = {found.prefix for found in [key(), *other]}
    assert len(prefixes) == len(other) + 1


def test_one_purpose_is_never_the_beginning_of_another():
    for short, long in (("a", "a-b"), ("a", "a-"), ("a", "a b"), ("", "a")):
        assert not key(long).key.startswith(key(short).prefix)


@pytest.mark.parametrize("purpose", ["a,b", "x" * 900, "ü\n$(x)", "\ud800", ""])
def test_keys_are_what_caches_take(purpose):
    made = key(purpose, cpu="AMD EPYC 7763, 64-Core\n" + "y" * 900)
    assert made.key.startswith(made.prefix)
    assert made.key.endswith("-7-2")
    assert len(made.key) <= 512
    assert made.key.isascii()
    assert not set(made.key) & set(", \n$()")


def test_an_event_is_read_from_what_the_runner_leaves(tmp_path):
    path = tmp_path / "event.json"
    path.write_text(
        '{"pull_request": {"base": {"sha": "abc"}, "head": {"sha": "def"}}, "repository": {"default_branch": "main"}}'
    )
    event = read_event({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path), "GITHUB_RUN_ID": "5"})
    assert (event.base_sha, event.head_sha, event.default_branch, event.run_id) == ("abc", "def", "main", "5")


@pytest.mark.parametrize("payload", ["[]", "{}", "null", '{"repository": 1, "pull_request": {"base": []}}'])
def test_a_payload_of_another_shape_has_no_facts(tmp_path, payload):
    path = tmp_path / "event.json"
    path.write_text(payload)
    event = read_event({"GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": str(path)})
    assert (event.base_sha, event.default_branch) == ("", "")


def test_a_payload_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "event.json").write_text("{")
    with pytest.raises(UsageError, match="payload"):
        read_event({"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")})
    assert read_event({"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(tmp_path / "none")}).name == "push"


def test_elsewhere_it_says_what_to_call():
    with pytest.raises(UsageError, match="pytest --perfgate"):
        read_event({})
