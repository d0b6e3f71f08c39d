"""The model of the runner itself: expressions, files of assignments, commands, status of steps, the cache."""

from __future__ import annotations

import math

import pytest
from action.expressions import ExpressionError, evaluate, expand, holds, parse
from action.runner import Cache, Runner
from action.wire import FileCommandError, annotations, assignments, kept

CONTEXTS = {
    "github": {"event": {"a-b": "x", "list": [{"n": 1}, {"n": 2}]}, "Ref": "main", "none": None},
    "steps": {"one": {"outputs": {"yes": "true"}}},
}
FUNCTIONS = {"success": lambda: True, "always": lambda: True, "failure": lambda: False, "cancelled": lambda: False}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("1.5e1", 15.0),
        ("0xff", 255.0),
        ("true && 'a' || 'b'", "a"),
        ("false && 'a' || 'b'", "b"),
        ("'' || 'default'", "default"),
        ("github.event.a-b", "x"),
        ("github['event']['a-b']", "x"),
        ("GITHUB.ref == 'MAIN'", True),
        ("github.missing.deeper", None),
        ("github.event.list[1].n", 2),
        ("join(github.event.list.*.n, '-')", "1-2"),
        ("null == 0", True),
        ("'' == 0", True),
        ("'a' == 0", False),
        ("true == 1", True),
        ("1 < 2 && 2 <= 2 && !(3 > 4)", True),
        ("contains('Hello', 'ell')", True),
        ("startsWith(github.ref, 'MA') && endsWith(github.ref, 'in')", True),
        ("format('{0}-{1}', 'a', 2)", "a-2"),
        ("fromJSON('[1, 2]')[0]", 1),
        ("steps.one.outputs.yes == 'true'", True),
    ],
)
def test_expressions_mean_what_they_mean_on_github(text, value):
    assert evaluate(parse(text), CONTEXTS, FUNCTIONS) == value


def test_a_text_that_is_no_number_is_equal_to_none():
    assert math.isnan(float("nan"))
    assert evaluate(parse("'a' < 1 || 'a' >= 1"), CONTEXTS, FUNCTIONS) is False


@pytest.mark.parametrize("text", ["1 +", "a ==", "nothing.here", "unknown()", "'open", "(1", "a b", "steps.", '"x"'])
def test_what_github_refuses_is_refused(text):
    with pytest.raises(ExpressionError):
        evaluate(parse(text), CONTEXTS, FUNCTIONS)


def test_text_with_expressions_is_put_together():
    assert expand("a ${{ 1 }} b ${{ '}}' }} c ${{ null }}", CONTEXTS, FUNCTIONS) == "a 1 b }} c "
    with pytest.raises(ExpressionError):
        expand("${{ 1 ", CONTEXTS, FUNCTIONS)


@pytest.mark.parametrize(
    ("condition", "ok", "value"),
    [
        (None, True, True),
        (None, False, False),
        ("always()", False, True),
        ("failure()", False, True),
        ("github.ref == 'main'", True, True),
        ("github.ref == 'main'", False, False),
        ("${{ always() && github.ref == 'x' }}", True, False),
        ("!cancelled()", False, True),
    ],
)
def test_a_step_runs_after_success_unless_it_says_otherwise(condition, ok, value):
    status = {**FUNCTIONS, "success": lambda: ok, "failure": lambda: not ok}
    assert holds(condition, CONTEXTS, status) is value


def test_a_condition_beside_text_is_always_true_and_so_refused():
    with pytest.raises(ExpressionError):
        holds("${{ false }} && true", CONTEXTS, FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1\nb=x=y\n", {"a": "1", "b": "x=y"}),
        ("a<<E\n1\n2=3\nE\nb=<<\n", {"a": "1\n2=3", "b": "<<"}),
        ("a=1", {"a": "1"}),
        ("", {}),
    ],
)
def test_assignments_are_read_as_the_runner_does(text, found):
    assert assignments(text) == found


@pytest.mark.parametrize("text", ["a<<E\n1\n", "nonsense\n", "=x\n", "<<E\nE\n"])
def test_assignments_that_the_runner_refuses(text):
    with pytest.raises(FileCommandError):
        assignments(text)


def test_commands_are_read_with_their_properties_and_switched_off():
    log = "::error file=a%2Cb,line=3::x%0Ay\n::stop-commands::T\n::error::no\n  ::T::\n ::warning::w\nx ::error::no\n"
    found = list(annotations(log))
    assert [(one.level, one.message, one.properties) for one in found] == [
        ("error", "x\ny", {"file": "a,b", "line": "3"}),
        ("warning", "w", {}),
    ]


def test_of_each_level_ten_are_kept():
    assert len(kept(list(annotations("::error::x\n" * 12 + "::notice::y\n" * 3)))) == 13


def played(tmp_path, steps, outputs=""):
    (tmp_path / "action.yml").write_text(f"inputs: {{}}\noutputs: {{{outputs}}}\nruns:\n  steps:\n{steps}", "utf-8")
    return Runner(action=tmp_path, workspace=tmp_path, temporary=tmp_path / "t" / "emp", github={}).play()


def test_steps_go_on_after_a_failure_only_where_they_say_so_and_outputs_are_worked_out(tmp_path):
    steps = (
        "    - {name: one, id: one, shell: bash, run: 'echo a=1 >> \"$GITHUB_OUTPUT\"; exit 3'}\n"
        "    - {name: two, shell: bash, run: 'true'}\n"
        "    - {name: three, if: always(), shell: bash, run: 'exit 0'}\n"
    )
    ended = played(tmp_path, steps, "a: {value: '${{ steps.one.outputs.a }}'}")
    assert [step.outcome for step in ended.steps] == ["failure", "skipped", "success"]
    assert not ended.is_green
    assert ended.outputs == {"a": "1"}
    assert ended.messages("error") == ["Process completed with exit code 3."]


def test_a_summary_that_is_too_large_is_dropped_whole(tmp_path):
    run = 'head -c 1048577 /dev/zero >> "$GITHUB_STEP_SUMMARY"'
    ended = played(tmp_path, f"    - {{name: one, shell: bash, run: '{run}'}}\n")
    assert ended.is_green
    assert ended.summary == ""
    assert ended.messages("error") == ["$GITHUB_STEP_SUMMARY upload aborted"]


def test_a_pipe_that_fails_fails_the_step(tmp_path):
    assert not played(tmp_path, "    - {name: one, shell: bash, run: 'false | true'}\n").is_green


def test_a_nested_action_that_nobody_plays_is_an_error(tmp_path):
    with pytest.raises(KeyError):
        played(tmp_path, f"    - {{name: one, uses: 'a/b@{'0' * 40}'}}\n")


def test_caches_are_written_once_and_found_by_their_beginning_newest_first(tmp_path):
    cache, folder = Cache(tmp_path / "cache"), tmp_path / "folder"
    folder.mkdir()
    asked = {"path": str(folder), "key": "k-1", "restore-keys": "k-"}
    assert cache.restore(asked)["cache-matched-key"] == ""
    for number in ("1", "2"):
        (folder / "f").write_text(number)
        cache.save({"path": str(folder), "key": f"k-{number}"})
    (folder / "f").write_text("3")
    cache.save({"path": str(folder), "key": "k-2"})
    assert cache.restore({**asked, "key": "k-9"})["cache-matched-key"] == "k-2"
    assert (folder / "f").read_text() == "2"
    assert cache.restore({**asked, "key": "k-1"})["cache-hit"] == "true"
    assert cache.restore({**asked, "path": str(tmp_path), "key": "k-1"})["cache-matched-key"] == ""
