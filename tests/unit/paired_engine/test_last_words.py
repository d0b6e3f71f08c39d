"""What is quoted of a worker that died: what it wrote last, and nothing that has nothing to do with it."""

from __future__ import annotations

import os
import sys

import pytest

from pytest_perfgate.paired.line import Switchboard
from pytest_perfgate.paired.worker import Worker, WorkerLostError

PROGRAM = """
import os, sys
from pytest_perfgate.paired.line import call_in
line = call_in(sys.argv[1], "head")
print({before!r}, flush=True)
{ready}
line.hear()
print({after!r}, flush=True)
os._exit(3)
"""


@pytest.fixture
def lost(tmp_path):
    """Run a worker that writes, is heard (or not), writes again and dies; return how it was lost."""

    def run(before, after, *, is_ready=True):
        ready = 'line.say(say="ready")' if is_ready else ""
        code = PROGRAM.format(before=before, after=after, ready=ready)
        switchboard = Switchboard()
        worker = Worker(
            "head", "head", [sys.executable, "-c", code, switchboard.address], env=dict(os.environ), cwd=tmp_path
        )
        try:
            worker.connect(switchboard)
            if is_ready:
                worker.hear(30.0)
            worker.say(do="go")
            with pytest.raises(WorkerLostError) as raised:
                worker.hear(30.0)
        finally:
            worker.kill()
            switchboard.close()
        return str(raised.value)

    return run


def test_what_it_wrote_last_is_quoted_and_what_it_wrote_before_is_not(lost):
    assert lost("DeprecationWarning: of no interest", "out of licences") == (
        "the head worker ended with exit status 3\n    out of licences"
    )
    assert lost("DeprecationWarning: of no interest", "") == "the head worker ended with exit status 3"


def test_what_is_long_is_no_last_word(lost):
    assert lost("", "Traceback:\n" + "  line\n" * 20) == "the head worker ended with exit status 3"
    assert lost("", "x" * 1000) == "the head worker ended with exit status 3"


def test_of_a_crash_the_line_that_names_it_is_enough(lost):
    told = lost("", "Fatal Python error: Segmentation fault\n\n" + "  File\n" * 20)
    assert told == "the head worker ended with exit status 3\n    Fatal Python error: Segmentation fault"


def test_of_one_that_never_was_ready_the_end_is_quoted(lost):
    told = lost("\n".join(f"line {n}" for n in range(20)), "no pkg", is_ready=False)
    assert told.endswith("line 19\n    no pkg")
    assert "line 12\n" not in told
