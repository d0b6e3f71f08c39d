"""The hooks, proved by a small third-party plugin that adds a metric, a format, a profile, facts and remarks."""

from __future__ import annotations

import json

import pytest

PLUGIN = """
    import json
    from pytest_perfgate import Better, Format, Measurement, Metric, Profile, Verdict

    def measure_steps(plan, case, target, *args, **kwargs):
        steps = []
        result = target(steps.append, *args, **kwargs)
        value = float(len(steps))
        return result, Measurement(case=case, unit="count", value=value, statistic="value",
                                   samples=(value,), processes=(value,))

    def pytest_perfgate_metrics():
        return [
            Metric(name="queries", unit="count", better=Better.LOWER, summary="database queries"),
            Metric(name="hits", unit="ratio", better=Better.HIGHER, summary="hit rate", show_as="%"),
            Metric(name="steps", unit="count", better=Better.LOWER, summary="steps", measure=measure_steps),
        ]

    def pytest_perfgate_formats():
        def render(run):
            return "".join(f"{finding.case.id}={finding.verdict.value}\\n" for finding in run.findings)
        return [Format(name="lines", summary="one line per case", render=render)]

    def pytest_perfgate_profile(config, machine):
        if machine.extra.get("kind") == "bench":
            return Profile(name="bench-farm", scale=2.0)

    def pytest_perfgate_machine_info(config, machine):
        return {"kind": "bench"}

    def pytest_perfgate_verdict(config, finding):
        if finding.verdict is Verdict.OVER_BUDGET:
            return "ask before you raise this budget"

    def pytest_perfgate_run(config, run):
        (config.rootpath / "seen.json").write_text(json.dumps({"measured": run.measured, "profile": run.profile}))
"""

TESTS = """
    @pytest.mark.budget("queries <= 10")
    def test_queries(metric):
        metric("queries", 12)

    @pytest.mark.budget("hits > 85%")
    def test_hits(metric):
        metric("hits", 0.93)

    @pytest.mark.budget("steps <= 3")
    def test_steps(metric):
        assert metric.run("steps", lambda step: [step(1), step(2)] and "done") == "done"

    @pytest.mark.budget(s=30)
    def test_scaled():
        pass

    @pytest.mark.budget(ns=1, profile="bench-*")
    def test_profile():
        pass
"""


@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
def test_a_third_party_plugin_adds_a_metric_a_format_and_a_profile(project, more):
    project.write("conftest.py", PLUGIN)
    project.test(TESTS)
    run = project.run("--perfgate-report=lines=lines.txt", *more)
    assert run.ret == 1, run.text
    assert run.verdicts == {
        "test_queries#queries": "over-budget",
        "test_hits#hits": "pass",
        "test_steps#steps": "pass",
        "test_scaled#call": "pass",
        "test_profile#call": "over-budget",
    }
    assert run.cases["test_hits#hits"]["better"] == "higher"
    assert run.cases["test_scaled#call"]["budget"]["limit"] == 60.0
    assert "ask before you raise this budget" in run.cases["test_queries#queries"]["warnings"]
    assert run.json["profile"]["name"] == "bench-farm"
    assert run.json["machine"]["extra"]["kind"] == "bench"
    lines = (project.path / "lines.txt").read_text().splitlines()
    assert "test_it.py::test_queries#queries=over-budget" in lines
    assert json.loads((project.path / "seen.json").read_text()) == {"measured": 5, "profile": "bench-farm"}


def test_a_remark_cannot_soften_a_verdict(project):
    project.write("conftest.py", "def pytest_perfgate_verdict(config, finding): return 'it is fine, really'\n")
    project.test("@pytest.mark.budget(ns=1)\ndef test_it(): pass")
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_it#call": "over-budget"}


def test_the_option_is_stronger_than_the_plugin(project):
    project.write("conftest.py", PLUGIN)
    project.test("def test_it(perf): perf(len, 'a')")
    assert project.run("--perfgate-profile=ci").json["profile"]["name"] == "ci"


@pytest.mark.parametrize(
    ("hook", "word"),
    [
        ("from pytest_perfgate import Metric, Better\ndef pytest_perfgate_metrics():\n"
         "    return [Metric(name='perf', unit='s', better=Better.LOWER, summary='x')]", "perf"),
        ("from pytest_perfgate import Format\ndef pytest_perfgate_formats():\n"
         "    return [Format(name='json', summary='x', render=str)]", "json"),
    ],
    ids=["metric", "format"],
)  # fmt: skip
def test_a_name_that_is_taken_is_refused(project, hook, word):
    project.write("conftest.py", hook + "\n")
    project.test("def test_it(): pass")
    run = project.run()
    assert run.ret == 4
    assert word in run.text


@pytest.mark.parametrize("name", ["a=b", "", " x", 3])
def test_a_format_that_nobody_could_ask_for_is_refused(project, name):
    project.write(
        "conftest.py",
        "from pytest_perfgate import Format\n"
        f"def pytest_perfgate_formats(): return [Format(name={name!r}, summary='x', render=str)]\n",
    )
    project.test("def test_it(): pass")
    run = project.run()
    assert run.ret == pytest.ExitCode.USAGE_ERROR, run.text
    assert f"a plugin registers a Format named {name!r}" in run.text
    assert "Traceback" not in run.text


def test_a_format_that_raises_fails_the_run_and_spares_the_other_reports(project):
    project.write(
        "conftest.py",
        """
        from pytest_perfgate import Format
        def pytest_perfgate_formats():
            return [Format(name="broken", summary="x", render=lambda run: 1 / 0)]
        """,
    )
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run("--perfgate-report=broken=x.txt")
    assert run.ret == 1
    assert "broken" in run.out
    assert run.json["summary"]["measured"] == 1
    assert not (project.path / "x.txt").exists()


@pytest.mark.parametrize("more", [[], ["-n2"]], ids=["plain", "xdist"])
@pytest.mark.parametrize(
    "hook",
    [
        "def pytest_perfgate_metrics(): return ['x']",
        "def pytest_perfgate_formats(): return 3",
        "def pytest_perfgate_machine_info(config, machine): return 3",
        "def pytest_perfgate_machine_info(config, machine): return 1 / 0",
        "def pytest_perfgate_profile(config, machine): return 1 / 0",
        "from pytest_perfgate import Metric\n"
        "def pytest_perfgate_metrics(): return [Metric(name='q', unit='count', better='up', summary='')]",
        "from pytest_perfgate import Metric\n"
        "def pytest_perfgate_metrics(): return [Metric(name='perf', unit='count', better='lower', summary='')]",
    ],
)
def test_a_hook_that_goes_wrong_is_a_usage_error_everywhere(project, hook, more):
    project.write("conftest.py", hook + "\n")
    project.test("def test_it(): pass")
    run = project.run(*more)
    assert run.ret == 4, run.text
    assert "pytest_perfgate_" in run.text or "exists already" in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize(
    "field",
    ["scale=float('nan')", "scale=float('inf')", "scale=0", "scale=-1", "scale='2'", "max_regression=float('nan')"],
)
def test_a_profile_of_a_hook_with_an_impossible_number_is_a_usage_error(project, field):
    project.write(
        "conftest.py",
        "from pytest_perfgate import Profile\n"
        f"def pytest_perfgate_profile(config, machine): return Profile(name='farm', {field})\n",
    )
    project.test("@pytest.mark.budget(s=100)\ndef test_it(): pass")
    run = project.run()
    assert run.ret == 4, run.text
    assert "pytest_perfgate_profile" in run.text
    assert field.partition("=")[0] + "=" in run.text
    assert "Traceback" not in run.text
    assert "INTERNALERROR" not in run.text


def test_a_run_hook_that_raises_fails_the_run_after_the_reports(project):
    project.write("conftest.py", "def pytest_perfgate_run(config, run): 1 / 0\n")
    project.test("def test_it(perf): perf(len, 'a')")
    run = project.run()
    assert run.ret == 1
    assert "ZeroDivisionError" in run.out
    assert run.json["summary"]["measured"] == 1


@pytest.mark.parametrize("more", [[], ["-n2"], ["-p", "no:terminal"]], ids=["plain", "xdist", "no-terminal"])
@pytest.mark.parametrize("mistake", ["1 / 0", "__import__('pytest').fail('no')"], ids=["raises", "fails"])
def test_a_verdict_hook_that_raises_fails_in_a_line_and_keeps_the_values(project, mistake, more):
    project.write("conftest.py", f"def pytest_perfgate_verdict(config, finding): {mistake}\n")
    project.test("def test_it(metric): metric('queries', 12)\ndef test_plain(): pass")
    run = project.run(*more)
    assert run.ret == 1
    assert run.verdicts == {"test_it#queries": "pass"}
    assert run.cases["test_it#queries"]["value"] == 12
    said = "the hook pytest_perfgate_verdict of a plugin or conftest.py raised"
    assert said in run.cases["test_it#queries"]["warnings"][0]
    if "no:terminal" not in more:
        assert said in run.out
        assert "1 failed, 1 passed" in run.out
    assert "measuring.py" not in run.text


@pytest.mark.parametrize("returned", ["None", "3", "(1, 2)", "(1, 2, 3)"])
def test_a_measure_function_that_returns_no_pair_is_the_one_that_is_blamed(project, returned):
    project.write(
        "conftest.py",
        "from pytest_perfgate import Metric\n"
        "def measure(plan, case, target): return " + returned + "\n"
        "def pytest_perfgate_metrics():\n"
        "    return [Metric(name='steps', unit='count', better='lower', summary='x', measure=measure)]\n",
    )
    project.test("def test_it(metric): metric.run('steps', len)")
    run = project.run()
    assert run.ret == 1
    assert run.verdicts == {"test_it#steps": "failed-to-measure"}
    assert f"the measure function of metric 'steps' returned {returned}; it returns a pair" in " ".join(
        run.text.split()
    )
    assert "target raised" not in run.text
    assert "Traceback" not in run.text
