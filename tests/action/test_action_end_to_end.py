"""The whole way: a repository whose last commit slows a function by 10 %, and the steps of the action on it.

What a time on a busy machine comes to nobody can promise, so the same commit is judged twice: by what it makes the
interpreter do, which is exact and must be red, and by its time, which may be "cannot tell" but never a pass.
"""

from __future__ import annotations

import pytest
from action.job import Job
from action.origin import COUNTING, Origin, check_out
from checkouts import Environment

CODE = """\
def steady():
    return [0.5 * number for number in range(500)]


def busy():
    found = [None] * {size}
    for number in range({size}):
        found[number] = 0.5 * number
    return found
"""
COUNTS = """\
import sys

import pkg


def lines_of(function):
    count = 0

    def tracer(frame, event, argument):
        nonlocal count
        count += event == "line"
        return tracer

    sys.settrace(tracer)
    try:
        function()
    finally:
        sys.settrace(None)
    return count


def test_steady_lines(metric):
    metric("lines", lines_of(pkg.steady))


def test_busy_lines(metric):
    metric("lines", lines_of(pkg.busy))


def test_busy_memory(memory):
    memory.allocations(pkg.busy)
"""
TIMES = """\
import pkg


def test_busy_time(perf):
    perf(pkg.busy)
"""
#: That it is not the copy of those who run these tests.
WHERE = """\
import pathlib
import sys

import pytest_perfgate


def test_where():
    assert pathlib.Path(sys.prefix) in pathlib.Path(pytest_perfgate.__file__).parents
"""
FILES = {
    **COUNTING,
    "pkg/__init__.py": CODE.format(size=1000),
    "test_pkg.py": "",
    "test_counts.py": COUNTS,
    "test_times.py": TIMES,
}
#: The last commit of the pull request and the one before it.
SLOWER = {"pkg/__init__.py": CODE.format(size=1100)}
HARMLESS = {"pkg/__init__.py": CODE.format(size=1000) + "\n\n# The same in other words.\n"}


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path / "git", HARMLESS, FILES)


@pytest.fixture
def play(tmp_path, origin):
    """Run the action on what the pull request is now; the user's clone must be left as it was."""
    job = Job(tmp_path)

    def played(tests, **inputs):
        clone = check_out(job, origin)
        ended = job.play(pytest_args=tests, **inputs)
        assert clone.git("status", "--porcelain") == ""
        assert ended.outputs["baseline-commit"] == origin.base, ended.log
        assert job.cache.keys == []
        return ended

    return played


def place(file, name):
    """Say where a test is written."""
    (line,) = (number for number, text in enumerate(FILES[file].splitlines(), 1) if text.startswith(f"def {name}("))
    return f"{file}:{line}"


def places(played, level):
    """Return where the page of the run shows annotations of *level*."""
    return sorted(one.place for one in played.shown if one.level == level and one.properties.get("file"))


def test_ten_percent_more_work_is_red_at_its_lines_and_the_commit_before_is_green(origin, play):
    before = play("test_counts.py")
    assert before.is_green, before.log
    assert (before.outputs["status"], before.outputs["compared"]) == ("pass", "3"), before.log
    assert (before.outputs["regressions"], float(before.outputs["worst-change"])) == ("0", 0.0)
    assert before.said == [one for one in before.said if one.level == "notice"]

    origin.push(SLOWER)
    after = play("test_counts.py")
    assert [step.name for step in after.steps if step.outcome == "failure"] == ["Verdict"], after.log
    assert (after.outputs["status"], after.outputs["compared"]) == ("fail", "3")
    assert after.outputs["regressions"] == "2"
    assert float(after.outputs["worst-change"]) == pytest.approx(0.1, abs=0.02)
    assert places(after, "error") == [
        place("test_counts.py", "test_busy_lines"),
        place("test_counts.py", "test_busy_memory"),
    ]
    assert after.messages("error")[-2].startswith("perfgate: FAILED: 2 regressed (worst: test_counts.py::test_busy_")
    assert after.summary.startswith("## ❌ perfgate: fail")
    assert "test_steady" not in "".join(after.messages("error"))


@pytest.mark.slow
def test_ten_percent_more_time_is_told_at_its_line_and_is_never_a_pass(origin, play):
    origin.push(SLOWER)
    played = play("test_times.py")
    where = [place("test_times.py", "test_busy_time")]
    assert played.outputs["status"] in ("fail", "inconclusive"), played.log
    if played.outputs["status"] == "inconclusive":  # this machine could not tell; that is said, and strict fails it
        assert places(played, "warning") == where, played.log
        played = play("test_times.py", strict="true")
    assert not played.is_green, played.log
    assert places(played, "error") == where, played.log
    assert played.outputs["improvements"] == "0"


@pytest.mark.slow
def test_time_that_nobody_changed_is_never_a_regression(play):
    played = play("test_times.py")
    assert played.outputs["status"] in ("pass", "inconclusive"), played.log
    assert played.is_green, played.log
    assert played.outputs["regressions"] == "0"
    assert places(played, "error") == []


def test_the_action_installs_itself_beside_the_project_and_is_what_measures(tmp_path):
    pytest.importorskip("pip")
    environment = Environment(tmp_path / "environment")
    environment.borrow()
    job = Job(tmp_path)
    job.write("test_where.py", WHERE)
    # Nothing is fetched: what the package needs, and what builds it, is that of the environment that runs the tests.
    job.environ |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_DEPS": "1"}
    played = job.play({"a": 100}, install="true", python=environment.python.as_posix(), baseline_storage="none")
    assert played.is_green, played.log
    assert f"into {environment.path}" in played.step("Install").log
    assert (environment.site / "pytest_perfgate" / "cli" / "ci" / "measure.py").is_file()
    assert played.outputs["status"] == "pass"
