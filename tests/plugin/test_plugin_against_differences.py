"""The two sides do not have to agree: what cannot be compared says why, and never takes the rest with it."""

from __future__ import annotations

import pytest
from against import Trial

TESTS = """
    import os
    import sys
    import time
    import pytest
    import pkg

    SIDE = pkg.SIDE

    def work():
        return sum(range(1000))

    def test_unchanged(metric):
        metric("hits", 7)

    def test_new(metric):
        from pkg import new
        metric("hits", new())

    def test_names(metric):
        metric("hits", 1, name="kept")
        metric("hits", 1, name=f"of-{SIDE}")

    def test_number(metric):
        metric("hits", 1, name="a")
        if SIDE == "head":
            metric("hits", 2, name="b")

    def test_order(metric):
        for name in ("ab" if SIDE == "base" else "ba"):
            metric("hits", 1, name=name)

    def test_skipped_at_base(metric):
        if SIDE == "base":
            pytest.skip("too old")
        metric("hits", 1)

    def test_skipped_at_head(metric):
        if SIDE == "head":
            pytest.skip("too new")
        metric("hits", 1)

    def test_raises_at_base(perf):
        perf(pkg.raises_at, "base")

    def test_raises_at_head(perf):
        perf(pkg.raises_at, "head")

    def test_raises_everywhere(perf):
        perf(pkg.raises_at, SIDE)

    def test_skips_while_it_measures(perf):
        perf(pytest.skip, "not here")

    def test_exits_at_base(perf):
        perf(pkg.exits_at, "base")

    def test_exits_at_head(perf):
        perf(pkg.exits_at, "head")

    def test_exits_before_it_measures(perf):
        pkg.exits_at("head")
        perf(work)

    def test_hangs_at_base(perf):
        perf(pkg.hangs_at, "base")

    def test_hangs_at_head(perf):
        perf(pkg.hangs_at, "head")

    def test_prints(perf):
        perf(pkg.prints)

    def test_forks(perf):
        perf(pkg.forks)

    def test_moves(perf):
        perf(pkg.moves)

    def test_returns_something_else(perf):
        assert perf(pkg.returns) == (1 if SIDE == "head" else "one")
"""
PACKAGE = """
    import os
    import sys
    import time

    SIDE = "{side}"

    def raises_at(side):
        if side == SIDE:
            raise ValueError("boom")
        return sum(range(1000))

    def exits_at(side):
        if side == SIDE:
            os._exit(3)
        return sum(range(1000))

    def hangs_at(side):
        while side == SIDE:
            time.sleep(1)
        return sum(range(1000))

    def prints():
        print("to stdout")
        os.write(1, b"to the descriptor\\n")
        sys.stderr.write("to stderr\\n")
        return sum(range(1000))

    def forks():
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    def moves():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, range(os.cpu_count()))
        return sum(range(3000))

    def returns():
        sum(range(1000))
        return {returned!r}
"""
CONFIGURATION = """
    [tool.perfgate]
    timeout = "2s"
    max_regression = "60%"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("differences"))
    trial.base(
        {
            "pyproject.toml": CONFIGURATION,
            "pkg.py": PACKAGE.format(side="base", returned="one"),
            "test_it.py": TESTS,
        }
    )
    trial.head({"pkg.py": PACKAGE.format(side="head", returned=1) + "\n    def new():\n        return 1\n"})
    run = trial.run("--junitxml=pytest.xml", timeout=500.0)
    run.left = trial.workers()
    return run


def test_the_run_comes_to_its_end(run):
    assert run.ret == 1, run.text
    assert "INTERNALERROR" not in run.text
    assert run.left == []
    assert "passed" in run.out.splitlines()[-1]


def test_what_is_the_same_passes(run):
    assert run.verdicts["test_unchanged#hits"] == "pass"
    assert run.outcome("test_unchanged") == "passed"


NO_BASELINE = {
    "test_new#hits": "cannot import name 'new'",
    "test_names#hits:of-head": "does not measure hits:of-head at this place",
    "test_number#hits:b": "does not measure hits:b",
    "test_order#hits:a": "does not measure hits:a",
    "test_skipped_at_base#hits": "is skipped against the base: Skipped: too old",
    "test_raises_at_base#perf": "fails against the base: ValueError: boom",
    "test_exits_at_base#perf": "the base worker ended with exit status 3",
    "test_hangs_at_base#perf": "fails against the base",
}


@pytest.mark.parametrize(("case", "words"), list(NO_BASELINE.items()), ids=list(NO_BASELINE))
def test_what_base_cannot_do_has_no_baseline_and_fails_nothing(run, case, words):
    assert run.verdicts[case] == "no-baseline", run.cases.get(case)
    assert words in run.cases[case]["reason"]
    assert run.cases[case]["value"] is not None, "head was measured all the same"
    assert run.outcome(case.partition("#")[0]) == "passed"


@pytest.mark.parametrize("case", ["test_names#hits:kept", "test_number#hits:a", "test_order#hits:b"])
def test_what_both_sides_measure_is_compared(run, case):
    assert run.verdicts[case] == "pass", run.cases[case]["reason"]


def test_what_is_skipped_at_head_is_not_measured(run):
    assert not any(name.startswith("test_skipped_at_head") for name in run.verdicts)
    assert run.outcome("test_skipped_at_head").startswith("skipped")
    assert run.outcome("test_skips_while_it_measures").startswith("skipped")


FAILS_AT_HEAD = {
    "test_raises_at_head": "boom",
    "test_raises_everywhere": "boom",
    "test_exits_at_head": "not run here, because the head worker ended with exit status 3",
    "test_exits_before_it_measures": "not run here, because the head worker ended with exit status 3",
    "test_hangs_at_head": "the target did not return within 2 s",
}


@pytest.mark.parametrize(("test", "words"), list(FAILS_AT_HEAD.items()), ids=list(FAILS_AT_HEAD))
def test_what_head_cannot_do_fails_as_that_test_and_could_not_be_measured(run, test, words):
    outcome = run.outcome(test)
    assert outcome.startswith(("failure", "error"))
    assert words in outcome
    assert run.verdicts[f"{test}#perf"] == "failed-to-measure"


@pytest.mark.parametrize("test", ["test_prints", "test_forks", "test_moves", "test_returns_something_else"])
def test_what_a_target_does_beside_its_work_is_no_regression(run, test):
    case = run.cases[f"{test}#perf"]
    assert case["verdict"] in {"pass", "improved", "inconclusive"}, case["reason"]
    assert case["change"]["pairs"] > 0
    assert run.outcome(test) == "passed"


def test_a_target_that_moves_itself_is_said_to_be_measured_freely(run):
    assert any("the target chooses the processors" in warning for warning in run.cases["test_moves#perf"]["warnings"])


# -- when nothing at all can be compared


def test_if_every_test_is_new_the_run_fails_with_the_reason(tmp_path):
    trial = Trial(tmp_path)
    trial.base({"pkg.py": "", "test_it.py": ""})
    trial.head({"pkg.py": "V = 1", "test_it.py": "import pkg\ndef test_v(metric): metric('v', pkg.V)\n"})
    run = trial.run()
    assert run.ret == 1
    assert run.verdicts == {"test_v#v": "no-baseline"}
    assert "nothing could be compared with HEAD" in run.text
    assert "has no attribute 'V'" in run.cases["test_v#v"]["reason"]


def test_a_package_that_no_test_imports_is_one_clear_error(tmp_path):
    trial = Trial(tmp_path)
    trial.base(
        {
            "pkg.py": "V = 1",
            "other.py": "V = 1",
            "pyproject.toml": '[tool.perfgate]\npackages = ["other"]\n',
            "test_it.py": "import pkg\n" + "".join(f"def test_{n}(metric): metric('v', pkg.V)\n" for n in range(3)),
        }
    )
    run = trial.run()
    assert run.ret == 1
    assert set(run.verdicts.values()) == {"failed-to-measure"}
    for case in run.cases.values():
        assert "no test imported other, so base and head measured the same code" in case["reason"]
        assert "[tool.perfgate] packages" in case["reason"]
    assert "Traceback" not in run.text
