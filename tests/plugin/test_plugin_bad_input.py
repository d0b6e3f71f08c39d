"""Mistakes of the user: one clear message, the right exit status, before anything runs, no traceback."""

from __future__ import annotations

import json
import os
import sys
import textwrap

import pytest

from pytest_perfgate.plugin.markers import MarkerReader

USAGE_ERROR = 4

MARKERS = {
    "unknown keyword": ("msec=400", ["msec", "ms"]),
    "malformed expression": ('"p(95) <"', ["p(95) <", "column"]),
    "percentile": ('"p(101) < 3ms"', ["101", "column"]),
    "operator": ('"max =< 3ms"', ["<=", "column"]),
    "negative": ("ms=-1", ["-1"]),
    "nan": ('ms=float("nan")', ["nan"]),
    "infinite": ('ms=float("inf")', ["inf"]),
    "contradictory": ('"max < 5ms", "max > 10ms"', ["max < 5ms", "max > 10ms"]),
    "missing unit": ('"max < 20"', ["unit"]),
    "unknown unit": ('"max < 20msx"', ["msx"]),
    "empty": ("", ["budget"]),
    "unknown profile": ('ms=1, profile="cii"', ["cii", "ci"]),
    "impossible efficiency": ("efficiency=1.5", ["efficiency"]),
}


WRONG = """
    @pytest.mark.budget({marker})
    def test_wrong():
        raise SystemExit("must not run")

    def test_other():
        raise SystemExit("must not run")
"""


def says_no_more_than(words, text):
    assert "test_it.py::test_wrong" in text
    for word in words:
        assert word in text
    assert "Traceback" not in text
    assert "must not run" not in text


@pytest.mark.parametrize(("marker", "words"), list(MARKERS.values()), ids=list(MARKERS))
def test_a_marker_that_cannot_be_meant_is_refused_at_collection(pytester, monkeypatch, marker, words):
    """The reader that both the gate and the idle plugin use, given real items; what becomes of its error is below."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    source = f"import pytest\n{textwrap.dedent(WRONG.format(marker=marker))}"
    (pytester.path / "test_it.py").write_text(source, "utf-8")
    wrong, other = pytester.genitems([pytester.getpathnode(pytester.path / "test_it.py")])
    reader = MarkerReader("budget", known_profiles=["ci", "laptop"])
    reader.validate([other])
    with pytest.raises(pytest.UsageError) as caught:
        reader.validate([wrong])
    says_no_more_than(words, str(caught.value))


@pytest.mark.parametrize("gate", [["--perfgate"], []], ids=["gate", "idle"])
def test_a_marker_that_cannot_be_meant_stops_the_run(project, gate, setting):
    project.test(WRONG.format(marker='"p(95) <"'))
    run = project.run(*gate, *setting, gate=False)
    assert run.ret == USAGE_ERROR, run.text
    says_no_more_than(MARKERS["malformed expression"][1], run.text)


@pytest.mark.parametrize("more", [[], ["-n2"], ["--perfgate"]], ids=["idle", "idle-xdist", "gate"])
def test_a_profile_that_does_not_exist_is_found_with_and_without_the_gate(project, more):
    project.write("perfgate.toml", "[profiles.farm]\nmatch = {cores = '>=1'}\n")
    known = "@pytest.mark.budget(s=60, profile='{name}')\ndef test_{name}(): pass\n\n"
    project.test("".join(known.format(name=name) for name in ("farm", "ci")))
    assert project.run(*more, gate=False).ret == 0
    project.test(known.format(name="frm"))
    run = project.run(*more, gate=False)
    assert run.ret == USAGE_ERROR, run.text
    assert 'did you mean "farm"?' in run.text
    assert "test_it.py::test_frm" in run.text


def test_without_the_gate_profiles_that_only_a_plugin_knows_are_left_to_it(project):
    project.write("conftest.py", "def pytest_perfgate_profile(config, machine): return None\n")
    project.test("@pytest.mark.budget(s=60, profile='theirs')\ndef test_it(): pass")
    assert project.run(gate=False).ret == 0


def test_without_the_gate_a_configuration_that_cannot_be_meant_is_left_to_it(project):
    project.write("perfgate.toml", "[profiles.farm]\nscale = 'much'\n")
    project.test("@pytest.mark.budget(s=60, profile='frm')\ndef test_it(): pass")
    assert project.run(gate=False).ret == 0


@pytest.mark.parametrize("workers", ["4", "[4, 2]"])
def test_a_speedup_above_the_workers_is_found_at_collection(project, workers):
    project.test(f"""
        @pytest.mark.budget(speedup=8)
        def test_pool(speedup):
            speedup(str, range(8), workers={workers})
    """)
    run = project.run()
    assert run.ret == USAGE_ERROR
    assert "test_pool" in run.text
    assert "4 workers" in run.text


def test_a_speedup_above_computed_workers_is_found_when_asked(project):
    project.test("""
        WORKERS = 4

        @pytest.mark.budget(speedup=8)
        def test_pool(speedup):
            speedup(str, range(8), workers=WORKERS)
    """)
    run = project.run()
    assert run.ret == 1
    assert "4 workers" in run.out


BAD_OPTIONS = {
    "profile": (["--perfgate-profile=cii"], "cii"),
    "regression without percent": (["--perfgate-max-regression=5"], "5%"),
    "negative regression": (["--perfgate-max-regression=-5%"], "-5%"),
    "time": (["--perfgate-max-time=3"], "3s"),
    "format": (["--perfgate-report=jsno=x.json"], "json"),
    "no path": (["--perfgate-report=json"], "="),
    "folder": (["--perfgate-report=json=nowhere/run.json"], "nowhere"),
    "path is folder": (["--perfgate-report=json=."], "folder"),
    "full": (["--perfgate-report=json=/dev/full"], "always full"),
    "no real folder": (["--perfgate-report=json=/proc/run.json"], "/proc"),
    "against": (["--perfgate-against=HEAD"], "no package to compare"),
    "baseline missing": (["--perfgate-baseline=none.json"], "none.json"),
}


@pytest.mark.parametrize(("arguments", "word"), list(BAD_OPTIONS.values()), ids=list(BAD_OPTIONS))
@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
def test_an_option_that_cannot_be_meant_is_a_usage_error(project, arguments, word, more):
    project.test("""
        def test_it():
            raise SystemExit("must not run")
    """)
    if "=/" in arguments[0] and sys.platform != "linux":
        pytest.skip("places of Linux")
    run = project.run("--perfgate", *arguments, *more, gate=False)
    assert run.ret == USAGE_ERROR, run.text
    assert word in run.text
    assert "Traceback" not in run.text
    assert "must not run" not in run.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_report_to_a_pipe_that_nobody_reads_does_not_hang_in_the_end(project, setting):
    os.mkfifo(project.path / "pipe")
    project.test("def test_it(): raise SystemExit('must not run')")
    run = project.run("--perfgate-report=json=pipe", *setting)
    assert run.ret == USAGE_ERROR, run.text
    assert "nobody reads from this pipe" in run.text
    assert "must not run" not in run.text


def test_a_report_that_cannot_be_written_is_told_before_a_base_is_prepared(project):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--perfgate-against=HEAD", "--perfgate-report=json=nowhere/run.json")
    assert run.ret == USAGE_ERROR, run.text
    assert "nowhere" in run.text
    assert "no package to compare" not in run.text


BASELINES = {
    "empty": ("", "empty"),
    "truncated": ('{"format": "perfgate-run", "version": 1, "cases": [', "JSON"),
    "not json": ("hello", "JSON"),
    "another format": ('{"format": "something", "version": 1}', "perfgate"),
    "newer": ('{"format": "perfgate-run", "version": 999, "cases": []}', "newer"),
    "nan": ('{"format": "perfgate-run", "version": 1, "cases": [{"value": NaN}]}', "NaN"),
}


@pytest.mark.parametrize(("text", "word"), list(BASELINES.values()), ids=list(BASELINES))
def test_a_baseline_that_is_none_is_a_usage_error(project, text, word):
    project.test("def test_it(perf): perf(len, 'a')")
    project.write("base.json", text)
    run = project.run("--perfgate-baseline=base.json")
    assert run.ret == USAGE_ERROR, run.text
    assert "base.json" in run.text
    assert word in run.text
    assert "Traceback" not in run.text


def test_a_baseline_of_a_million_cases_is_refused_in_words(project):
    project.test("def test_it(perf): perf(len, 'a')")
    case = '{"id": "t#perf", "test": "t", "metric": "perf", "unit": "s"}'
    head = '{"format": "perfgate-run", "version": 1, "cases": ['
    project.write("base.json", head + ",".join([case] * 1_000_000) + "]}")
    run = project.run("--perfgate-baseline=base.json")
    assert run.ret == USAGE_ERROR, run.text[:2000]
    assert "cases" in run.text
    assert "Traceback" not in run.text


CONFIGURATIONS = {
    "malformed": ("[tool.perfgate\n", "pyproject.toml"),
    "unknown key": ('[tool.perfgate]\nmax_regresion = "5%"\n', "max_regression"),
    "wrong type": ('[tool.perfgate]\nenabled = "yes"\n', "enabled"),
    "empty match": ("[tool.perfgate.profiles.mine]\nmatch = {}\n", "mine"),
    "matches nothing": ('[tool.perfgate.profiles.mine]\nmatch = {cores = ">8,<4"}\n', "mine"),
    "unknown condition": ("[tool.perfgate.profiles.mine]\nmatch = {core = 4}\n", "cores"),
    "defined twice": (
        "[tool.perfgate.profiles.mine]\nscale = 1\n[tool.perfgate.profiles.mine]\nscale = 2\n",
        "pyproject.toml",
    ),
    "bad budget": (
        '[tool.perfgate.profiles.mine]\nmatch = {cores = ">=1"}\n'
        '[tool.perfgate.profiles.mine.budgets]\n"test_it.py::*" = {msec = 3}\n',
        "msec",
    ),
}


@pytest.mark.parametrize(("text", "word"), list(CONFIGURATIONS.values()), ids=list(CONFIGURATIONS))
def test_a_configuration_that_cannot_be_meant_is_a_usage_error(project, text, word):
    project.test("def test_it(): raise SystemExit('must not run')")
    project.write("pyproject.toml", text)
    run = project.run()
    assert run.ret == USAGE_ERROR, run.text
    assert word in run.text
    assert "Traceback" not in run.text
    assert "must not run" not in run.text


TARGETS = {
    "raises": ("perf(lambda: 1 / 0)", "ZeroDivisionError"),
    "exits": ("perf(lambda: exit(3))", "SystemExit"),
    "not callable": ("perf(3)", "not callable"),
    "result instead of function": ("perf(len('abc'))", "perf(fn"),
    "returns a coroutine": ("perf(lambda: coroutine())", "perf("),
    "twice": ("perf(len, 'a'); perf(len, 'b')", "name="),
    "string command": ("startup.command('python --version')", "["),
    "command not found": ("startup.command(['no-such-program-here'])", "no-such-program-here"),
    "command fails": ("startup.command([sys.executable, '-c', 'print(1); raise SystemExit(3)'])", "3"),
    "module not found": ("startup.imports('no_such_module_here')", "no_such_module_here"),
    "one worker": ("speedup(str, range(8), workers=1)", "workers"),
    "unknown backend": ("speedup(str, range(8), backend='threads')", "thread"),
    "unknown option of a speedup": ("speedup(str, range(8), worker=2)", "no option worker=; did you mean workers=?"),
    "unknown option of functions": ("speedup.of(len, len, repeat=2)", "no option repeat=; did you mean repeats=?"),
    "speedup of nothing": ("speedup(str)", "speedup(task, items, ...) is how it is called; missing 1 required"),
    "growth of nothing": ("memory.growth()", "memory.growth(fn, ...) is how it is called; missing 1 required"),
    "unknown option of a peak": ("memory.peak(nam='x')", "memory.peak() has no option nam=; did you mean name=?"),
    "unknown option of an object": ("memory.per_object(list, m=3)", "memory.per_object() has no option m="),
    "peak of a function": ("memory.peak(len)", "with memory.peak(): fn()"),
    "unknown option of a metric": ("metric('x', 3, units='ms')", "metric() has no option units=; did you mean unit=?"),
    "unknown option of a run": ("perf.run(len, arg='a')", "perf.run() has no option arg=; did you mean args=?"),
    "unknown option": ("startup.command([sys.executable, '-V'], run=3)", "runs"),
    "metric not a number": ("metric('x', 'high')", "number"),
    "metric nan": ("metric('x', float('nan'))", "nan"),
    "unused": ("pass", "never calls it"),
}


def test_a_target_that_cannot_be_measured_fails_its_test_only(project):
    fixtures = ("startup", "speedup", "memory", "metric", "perf")
    tests = [
        f"def test_bad_{number}({next((name for name in fixtures if body.startswith(name)), 'perf')}):\n    {body}\n"
        for number, (body, _) in enumerate(TARGETS.values())
    ]
    project.write(
        "test_it.py",
        "import sys\n\nasync def coroutine():\n    pass\n\n"
        + "\n".join(tests)
        + "\ndef test_good(perf):\n    perf(len, 'abc')\n",
    )
    run = project.run("--junitxml=pytest.xml")
    assert run.ret == 1
    assert f"{len(TARGETS)} failed, 1 passed" in run.out
    said = run.junit_texts
    for number, (what, (_, word)) in enumerate(TARGETS.items()):
        name = f"test_bad_{number}"
        assert word in said[name], what
        verdicts = [verdict for case, verdict in run.verdicts.items() if case.startswith(f"{name}#")]
        assert "failed-to-measure" in verdicts or what == "twice", what
    assert run.verdicts["test_good#perf"] == "pass"
    assert "never awaited" not in run.text.replace("that was never awaited", "")


def test_a_target_that_hangs_is_given_up(project):
    project.write("perfgate.toml", 'timeout = "300ms"\n')
    project.test("""
        import time

        def test_hangs(perf):
            perf(time.sleep, 600)

        def test_good(perf):
            perf(len, "abc")
    """)
    run = project.run(timeout=60)
    assert run.ret == 1
    assert run.verdicts["test_hangs#perf"] == "failed-to-measure"
    assert run.verdicts["test_good#perf"] == "pass"
    assert "did not return within 300 ms" in run.out


def test_hostile_test_ids_reach_every_report(project):
    project.test(r"""
        @pytest.mark.parametrize("text", ["\x1b[31m", "]]>", "\ud800", "a\nb", "<&>", "\x00"])
        def test_it(text, perf):
            perf(len, text)

        def test_named(perf):
            perf(len, "", name="\ud800 ]]> \x1b")
    """)
    for more in ([], ["-n2"]):
        run = project.run("--perfgate-report=junit=own.xml", "--junitxml=pytest.xml", *more)
        assert run.ret == 0, run.text
        assert run.json["summary"]["measured"] == 7
        assert (project.path / "own.xml").stat().st_size
        json.dumps(run.json).encode("utf-8")


@pytest.mark.parametrize("more", [[], ["-n2"], ["-p", "no:terminal"]], ids=["plain", "xdist", "no-terminal"])
def test_a_report_at_the_place_of_pytests_own_is_refused(project, more):
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--junitxml=same.xml", "--perfgate-report=junit=./same.xml", *more)
    assert run.ret == USAGE_ERROR, run.text
    assert "same.xml and pytest's own --junitxml are one file; name another place for the report" in run.text
    assert not (project.path / "same.xml").exists()


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("args=5", "args=5: give a sequence of positional arguments"),
        ("kwargs=[1]", "kwargs=[1]: give a dict of keyword arguments"),
        ("kwargs={1: 2}", "kwargs={1: 2}: give a dict of keyword arguments"),
        ("setup=5", "setup=5: give a function, or None"),
        ("teardown='x'", "teardown='x': give a function, or None"),
    ],
)
def test_an_argument_of_perf_run_that_cannot_be_meant_is_named(project, argument, said):
    project.test(f"def test_it(perf): perf.run(len, {argument})")
    for gate in (True, False):
        run = project.run(gate=gate)
        assert run.ret == 1
        assert f"test_it.py:2: {said}" in run.text
        assert "TypeError" not in run.text
