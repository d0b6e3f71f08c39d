"""Stored runs: what is written, what is read back, and what is said of a file that is not one."""

from __future__ import annotations

import contextlib
import io
import json
from importlib.resources import files

import jsonschema
import pytest
from builders import (
    HOSTILE_TEXTS,
    empty_run,
    every_verdict_run,
    hostile_run,
    large_run,
    make_change,
    make_check,
    make_finding,
    make_measurement,
    make_run,
    ordinary_run,
)

from pytest_perfgate import store
from pytest_perfgate.errors import BadRunFileError
from pytest_perfgate.metrics.custom import custom_measurement
from pytest_perfgate.model import Better, Case, Location, Verdict
from pytest_perfgate.store import load_run, load_run_text, run_from_dict, run_to_dict, run_to_text, store_run

RUNS = {
    "ordinary": ordinary_run(),
    "empty": empty_run(),
    "every verdict": every_verdict_run(),
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def stored(**changes):
    """Return the object of an ordinary stored run with some fields replaced."""
    return json.loads(run_to_text(every_verdict_run())) | changes


def complaint_about(raw):
    text = raw if isinstance(raw, str) else json.dumps(raw)
    with pytest.raises(BadRunFileError) as caught:
        load_run_text(text, "run.json")
    message = str(caught.value)
    assert message.startswith("run.json: ")
    assert "\n" not in message
    return message


@every_run
def test_a_stored_run_is_loaded_as_it_was(run, tmp_path):
    store_run(run, tmp_path / "run.json")
    assert load_run(tmp_path / "run.json") == run


@pytest.mark.parametrize("run", [*RUNS.values(), hostile_run()], ids=[*RUNS, "hostile"])
def test_what_is_written_is_what_the_shipped_schema_promises(run):
    schema = json.loads((files("pytest_perfgate") / "schema/perfgate-run-1.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(run_to_text(run)))


def test_the_report_has_the_keys_of_the_interface():
    case = run_to_dict(every_verdict_run())["cases"][3]
    assert case["id"] == "tests/test_all.py::test_regressed#perf:parse"
    assert (case["test"], case["metric"]) == ("tests/test_all.py::test_regressed", "perf")
    assert (case["unit"], case["better"], case["value"]) == ("s", "lower", 0.0123)
    assert (case["statistic"], case["rounds"], case["iterations"]) == ("median", 3, 1)
    assert case["verdict"] == "regressed"
    assert case["budget"]["limit"] == 0.4
    assert case["change"].keys() >= {
        *("ratio", "interval", "tolerance", "confidence", "against", "pairs", "processes"),
    }


def test_the_budget_is_the_check_closest_to_its_limit_and_budgets_are_all():
    checks = (make_check(0.9, 0.3), make_check(0.4, 0.3), make_check(2.0, 0.3))
    case = run_to_dict(make_run(make_finding(checks=checks)))["cases"][0]
    assert case["budget"]["limit"] == 0.4
    assert [each["limit"] for each in case["budgets"]] == [0.9, 0.4, 2.0]


def test_every_case_has_a_line_of_its_own():
    lines = run_to_text(every_verdict_run()).splitlines()
    assert sum(line.startswith('    {"id": "tests/test_all.py::') for line in lines) == 9


def test_texts_that_no_encoding_can_hold_are_written_as_escapes():
    text = run_to_text(hostile_run())
    assert text.isascii()
    assert "lone \\\\ud800 surrogates" in text
    loaded = load_run_text(text, "hostile")
    assert load_run_text(run_to_text(loaded), "again") == loaded


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_clean_text_can_be_encoded_and_keeps_what_could_be_before(text):
    cleaned = store.clean_text(text)
    cleaned.encode("utf-8")
    if "\ud800" not in text:
        assert cleaned == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_that_is_not_finite_is_never_written(value):
    with pytest.raises(ValueError, match=r"test_b.*not finite"):
        store.measurement_to_dict(make_measurement(value=value))
    with pytest.raises(ValueError, match="JSON compliant"):
        run_to_text(make_run(make_finding(change=make_change(interval=(0.5, value)))))


def test_facts_of_a_user_become_json_whatever_they_are():
    np = pytest.importorskip("numpy")
    extra = {
        "nan": float("nan"),
        "numpy": np.float32(1.5),
        "numpy int": np.int64(3),
        "array": np.zeros(2),
        "tuple": (1, 2),
        3: {4},
        "object": Better,
        "huge": 2**2000,
        "verdict": Verdict.PASS,
    }
    loop = {}
    loop["loop"] = loop
    written = json.loads(json.dumps(store.plain(extra | {"loop": loop}), allow_nan=False))
    assert (written["nan"], written["numpy"], written["numpy int"]) == ("nan", 1.5, 3)
    assert (written["array"], written["tuple"], written["3"]) == ("[0. 0.]", [1, 2], [4])
    assert written["huge"].startswith("0x1000")
    assert written["verdict"] == "pass"


def test_findings_are_plain_enough_to_cross_processes():
    plain_types = {type(None), bool, int, float, str, list, dict}

    def demand_plain(value):
        assert type(value) in plain_types
        if isinstance(value, dict):
            value = [*value, *value.values()]
        for each in value if isinstance(value, list) else ():
            demand_plain(each)
        if isinstance(value, str):
            value.encode("utf-8")

    for finding in (*every_verdict_run().findings, *hostile_run().findings):
        packed = store.finding_to_dict(finding)
        demand_plain(packed)
        store.finding_from_dict(packed)
    finding = every_verdict_run().findings[3]
    assert store.finding_from_dict(store.finding_to_dict(finding)) == finding
    assert store.measurement_from_dict(store.measurement_to_dict(finding.measurement)) == finding.measurement


def test_a_file_with_nothing_but_the_promised_keys_is_read():
    case = {
        "id": "t.py::a#perf:x",
        "test": "t.py::a",
        "metric": "perf",
        "unit": "s",
        "better": "lower",
        "value": 2,
        "statistic": "median",
        "interval": [1, 3],
        "rounds": 2,
        "iterations": 1,
        "samples": [1, 3],
        "extra": {},
        "verdict": "over-budget",
        "reason": "because",
        "budget": {"limit": 1, "expression": "median < 1s", "profile": None},
        "change": {
            "ratio": 1.5,
            "interval": [1.2, 1.8],
            "tolerance": 0.05,
            "confidence": 0.99,
            "against": "b.json",
            "pairs": None,
            "processes": 2,
        },
        "warnings": [],
    }
    dead = case | {"id": "t.py::b#perf", "test": "t.py::b", "value": None, "verdict": "failed-to-measure"}
    summary = {"verdict": "fail", "counts": {"over-budget": 1, "failed-to-measure": 1}, "measured": 1}
    run = run_from_dict(stored(cases=[case, dead], summary=summary))
    finding, failed = run.findings
    assert finding.case.name == "x"
    assert finding.measurement.processes == (2.0,)
    assert (finding.checks[0].holds, finding.checks[0].unit) == (False, "s")
    assert finding.change.better is Better.LOWER
    assert failed.measurement.error == "because"


def test_the_verdict_on_the_run_is_made_from_the_cases_and_not_believed():
    claimed = stored()
    claimed["summary"] = claimed["summary"] | {"verdict": "pass", "counts": {"pass": 9}}
    assert run_from_dict(claimed).outcome.value == "fail"


def test_keys_of_later_minor_additions_are_ignored():
    raw = stored(colour="blue")
    raw["cases"][0]["mood"] = "good"
    assert run_from_dict(raw) == every_verdict_run()


def with_case(**changes):
    raw = stored()
    raw["cases"][3] |= changes
    return raw


def without(*path):
    raw = found = stored()
    for key in path[:-1]:
        found = found[key]
    del found[path[-1]]
    return raw


WRONG_FIELDS = {
    "cases[3].value is the text 'x'; it should be a number": with_case(value="x"),
    "cases[3].value is true; it should be a number": with_case(value=True),
    "cases[3].value holds a number that is out of range": with_case(value=10**400),
    "cases[3].samples[1] is the text '2'; it should be a number": with_case(samples=[1, "2"]),
    "cases[3].samples[0] is null; it should be a number": with_case(samples=[None]),
    "cases[3].samples holds a number that is out of range": with_case(samples=[1.0, 10**400]),
    "cases[3].samples is an object; it should be a list": with_case(samples={}),
    "cases[3].interval is [1.0]; it should be [low, high]": with_case(interval=[1]),
    "cases[3].interval is [2.0, 1.0]; it should be [low, high]": with_case(interval=[2, 1]),
    "cases[3].iterations is 1.5; it should be a whole number": with_case(iterations=1.5),
    "cases[3].iterations is -1; it should not be negative": with_case(iterations=-1),
    "cases[3].rounds is the text 'many'; it should be a whole number": with_case(rounds="many"),
    "cases[3].verdict is the text 'maybe'; it should be one of pass, improved": with_case(verdict="maybe"),
    "cases[3].better is the text 'more'; it should be one of lower, higher": with_case(better="more"),
    "cases[3].warnings[0] is 3; it should be a text": with_case(warnings=[3]),
    "cases[3].extra is a list; it should be an object": with_case(extra=[]),
    "cases[3].budgets[0].expression is missing": with_case(budgets=[{}]),
    "cases[3].budgets[1] is 5; it should be an object": with_case(
        budgets=[{"expression": "a", "limit": 1, "profile": None}, 5]
    ),
    "cases[3].budgets is true; it should be a list": with_case(budgets=True),
    "cases[3].change is the text 'no'; it should be an object": with_case(change="no"),
    "cases[3].change.ratio is missing": with_case(change={}),
    "cases[3].change.ratio is 0.0; it should be greater than 0": with_case(change={"ratio": 0, "interval": [0, 1]}),
    "cases[3].change.interval is [-1.0, 1.0]; ratios should not": with_case(change={"ratio": 1, "interval": [-1, 1]}),
    "cases[3].id is 'other', but test, metric and name make 'tests/": with_case(id="other"),
    "cases[3].id is 'tests/test_all.py::test_pass#perf', as cases[0].id is already": with_case(
        id="tests/test_all.py::test_pass#perf", test="tests/test_all.py::test_pass", name=""
    ),
    "cases[3].name is null; it should be a text": with_case(name=None),
    "cases[3].test is missing": without("cases", 3, "test"),
    "cases is missing": without("cases"),
    "cases is an object; it should be a list": stored(cases={}),
    "cases[0] is null; it should be an object": stored(cases=[None]),
    "machine is missing": without("machine"),
    "machine.cpu is missing": without("machine", "cpu"),
    "machine.cores is the text 'four'; it should be a number": stored(machine=stored()["machine"] | {"cores": "four"}),
    "python is a list; it should be an object": stored(python=[]),
    "profile.name is missing": stored(profile={}),
    "profile is the text 'ci'; it should be an object": stored(profile="ci"),
    "summary.verdict is the text 'fine'; it should be one of": stored(summary={"verdict": "fine"}),
    "summary.notes[0] is null; it should be a text": stored(summary={"notes": [None]}),
    "commit is the text 'abc'; it should be an object": stored(commit="abc"),
    "settings is null; it should be an object": stored(settings=None),
    "duration is null; it should be a number": stored(duration=None),
    "duration is -3.0; a time should not be negative": stored(duration=-3),
    "cases[3].value holds -0.1; a time should not be negative": with_case(value=-0.1),
    "cases[3].samples holds -2.0; a time should not be negative": with_case(samples=[1.0, -2, 3]),
    "cases[3].interval holds -1.0; a time should not be negative": with_case(interval=[-1, 1]),
    "cases[3].processes holds -1.0; a time should not be negative": with_case(processes=[-1]),
    "cases[3].samples is empty, though rounds is 3; each": with_case(samples=[]),
}


@pytest.mark.parametrize(("problem", "raw"), WRONG_FIELDS.items(), ids=list(WRONG_FIELDS))
def test_the_first_wrong_field_is_named_with_its_json_path(problem, raw):
    message = complaint_about(raw)
    assert message.startswith(f"run.json: {problem}")
    assert "write it again with: pytest --perfgate --perfgate-report json=PATH" in message


def test_a_metric_of_the_users_own_may_be_in_seconds_and_negative():
    drift = custom_measurement(Case("t.py::test_clock", "drift"), [-0.2, -0.1, 0.1], unit="s")
    run = make_run(make_finding(drift))
    assert load_run_text(run_to_text(run), "run.json") == run


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(word):
    text = run_to_text(ordinary_run()).replace("0.382", word, 1)
    assert f"holds {word}, which is no number" in complaint_about(text)


@pytest.mark.parametrize(
    ("number", "path"),
    [
        ('"value": 0.382', "cases[1].value"),
        ('"cpu_s": 0.31', "cases[1].extra.cpu_s"),
        ('"4": 3.1', "cases[2].extra.curve.4"),
        ('"cores": 4.0', "machine.cores"),
        ('"max_regression": 0.05', "settings.max_regression"),
    ],
)
def test_numbers_out_of_range_are_refused_wherever_they_stand(number, path):
    text = run_to_text(ordinary_run())
    assert number in text
    key = number.partition(":")[0]
    said = complaint_about(text.replace(number, f"{key}: 1e999", 1))
    assert said.startswith(f"run.json: {path} holds a number that is out of range")


def test_a_whole_number_of_thousands_of_digits_is_refused():
    assert "out of range" in complaint_about(run_to_text(ordinary_run()).replace("0.382", "9" * 5000, 1))


def test_a_file_cut_off_anywhere_is_called_truncated():
    text = run_to_text(ordinary_run()).rstrip()
    for length in range(1, len(text), 37):
        assert "truncated: it ends in the middle of the JSON (line " in complaint_about(text[:length])


def test_a_file_that_is_not_json_is_named_with_line_and_column():
    assert "not JSON: Expecting value (line 1, column 1)" in complaint_about("<html></html>")
    broken = run_to_text(ordinary_run()).replace('"version": 1', '"version": one', 1)
    assert "not JSON: Expecting value (line 3, column 14)" in complaint_about(broken)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_file_is_called_empty(text):
    assert complaint_about(text).startswith("run.json: empty; write it again")


@pytest.mark.parametrize(
    ("raw", "looks_like"),
    [
        ([], "a JSON list"),
        ("text", "a JSON value"),
        ({"machine_info": {}, "benchmarks": [], "version": "4"}, "a pytest-benchmark file"),
        ({"version": "1.0", "benchmarks": [], "metadata": {}}, "a pyperf file"),
        ({"format": "ctrf", "version": 1}, "a file whose format is 'ctrf'"),
        ({"name": "x", "unit": "s"}, "(its first keys: 'name', 'unit')"),
        ({}, "(its first keys: none)"),
    ],
)
def test_other_json_is_called_what_it_looks_like(raw, looks_like):
    said = complaint_about(json.dumps(raw))
    assert "not a stored run but" in said
    assert looks_like in said


def test_a_newer_format_asks_for_an_upgrade():
    said = complaint_about(stored(version=2))
    assert "written by a newer pytest-perfgate (format version 2, known up to 1); upgrade" in said


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_a_version_that_never_was_is_refused(version):
    assert "which never was one" in complaint_about(stored(version=version))


def test_an_old_version_goes_through_its_migrations(monkeypatch):
    monkeypatch.setattr(store, "VERSION", 3)
    monkeypatch.setattr(
        store,
        "MIGRATIONS",
        {1: lambda raw: raw | {"began": raw["started"]}, 2: lambda raw: raw | {"started": f"{raw['began']}!"}},
    )
    assert run_from_dict(stored(version=1)).started == "2026-01-02T03:04:05+00:00!"


def test_deep_nesting_is_no_crash():
    assert "nested too deeply" in complaint_about("[" * 200_000 + "]" * 200_000)
    deep = {"a": 1}
    for _ in range(700):
        deep = {"a": deep}
    raw = stored(settings={"deep": deep})
    with contextlib.suppress(BadRunFileError):  # how deep Python goes differs
        run_from_dict(raw)


def test_too_many_cases_are_refused_before_they_are_judged(monkeypatch):
    monkeypatch.setattr("pytest_perfgate.store.reading.MAX_CASES", 8)
    assert "cases holds 9 cases; no more than 8 are read" in complaint_about(stored())


def test_a_file_too_large_to_be_a_run_is_not_parsed(tmp_path, monkeypatch):
    store_run(ordinary_run(), tmp_path / "run.json")
    monkeypatch.setattr(store, "MAX_BYTES", 1000)
    with pytest.raises(
        BadRunFileError, match=r"run.json: larger than .* not read; if it is a stored run, store fewer tests in one run"
    ):
        load_run(tmp_path / "run.json")


def test_a_missing_file_is_named_and_how_to_make_it():
    with pytest.raises(BadRunFileError) as caught:
        load_run("nowhere/run.json")
    assert str(caught.value) == (
        "nowhere/run.json: there is no such file; make it with: pytest --perfgate --perfgate-report json=PATH"
    )


def test_a_folder_is_not_a_run(tmp_path):
    with pytest.raises(BadRunFileError, match="this is a folder; name the file in it"):
        load_run(tmp_path)


def test_a_name_that_no_file_can_have_is_no_crash():
    for name in ("run\0.json", "x" * 5000, "\ud800.json"):
        with pytest.raises(BadRunFileError) as caught:
            load_run(name)
        str(caught.value).encode("utf-8")


def test_an_unreadable_file_is_named(tmp_path, monkeypatch):
    def refuse(*_arguments, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(BadRunFileError, match="not readable by this user; change its permissions"):
        load_run(tmp_path / "run.json")


def test_other_encodings_than_utf_8_are_named(tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(b'{"format": "perfgate-run\xff"}')
    with pytest.raises(BadRunFileError, match=r"not UTF-8 \(byte 24\)"):
        load_run(path)
    path.write_text(run_to_text(ordinary_run()), encoding="utf-16")
    with pytest.raises(BadRunFileError, match=r"looks like UTF-16; let --perfgate-report"):
        load_run(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(run_to_text(ordinary_run()), encoding="utf-8-sig")
    assert load_run(path) == ordinary_run()


@pytest.mark.slow
def test_a_large_run_survives(tmp_path):
    run = large_run(2_000, 20)
    store_run(run, tmp_path / "run.json")
    assert load_run(tmp_path / "run.json") == run


def test_text_that_was_read_already_can_be_loaded():
    stream = io.StringIO(run_to_text(ordinary_run()))
    assert load_run_text(stream.read(), "<stdin>") == ordinary_run()


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ({"file": "a.py", "line": 0}, "cases[0].location.line is 0; lines are counted from 1"),
        ({"file": "a.py", "line": -1}, "cases[0].location.line is -1"),
        ({"file": "a.py", "line": 1.5}, "cases[0].location.line is 1.5; it should be a whole number"),
        ({"line": 1}, "cases[0].location.file is missing"),
        ("a.py:1", "cases[0].location is the text 'a.py:1'; it should be an object"),
    ],
)
def test_a_place_that_is_none_is_named(location, said):
    raw = stored()
    raw["cases"][0]["location"] = location
    assert said in complaint_about(raw)


@pytest.mark.parametrize("location", [None, {"file": "a.py"}, {"file": "a.py", "line": None}])
def test_a_place_may_be_unknown_and_files_of_before_have_none(location):
    raw = stored()
    raw["cases"][0]["location"] = location
    del raw["cases"][1]["location"]
    first, second, *_ = run_from_dict(raw).findings
    assert first.measurement.location == (Location("a.py") if location else None)
    assert second.measurement.location is None
