"""The lock between the processes of one test run; each holder here is a real process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pytest_perfgate.plugin.exclusive import FileLocks

HOLDER = """
import sys
from pathlib import Path
from pytest_perfgate.plugin.exclusive import FileLocks

locks = FileLocks(Path(sys.argv[1]), sys.argv[2])
for line in sys.stdin:
    word = line.strip()
    if word == "die":
        import os
        os._exit(9)
    with getattr(locks, word)():
        print("holds", flush=True)
        sys.stdin.readline()
    print("released", flush=True)
"""


class Holder:
    """Another process of the run, told what to hold."""

    def __init__(self, folder: Path, slot: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder), slot],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def hears_within(self, seconds: float) -> bool:
        """Tell whether something is said in time; whatever comes later is left to :meth:`hear`."""
        import select

        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def holder(tmp_path):
    holders = []

    def start(slot: str) -> Holder:
        holders.append(Holder(tmp_path, slot))
        return holders[-1]

    yield start
    for one in holders:
        one.close()


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes cannot be polled there")

#: Long enough for a process that may go on to say so; only ever waited for in full when it may not.
NEVER_S = 0.3


def test_ordinary_tests_run_beside_each_other(holder):
    one, two = holder("gw0"), holder("gw1")
    one.say("shared")
    assert one.hear() == "holds"
    two.say("shared")
    assert two.hear() == "holds"


def test_measuring_waits_for_what_runs_and_nothing_new_starts(holder):
    ordinary, measuring, late = holder("gw0"), holder("gw1"), holder("gw2")
    ordinary.say("shared")
    assert ordinary.hear() == "holds"
    measuring.say("exclusive")
    assert not measuring.hears_within(NEVER_S)
    late.say("shared")
    assert not late.hears_within(NEVER_S), "a measurement that waits must not starve"
    ordinary.say("done")
    assert ordinary.hear() == "released"
    assert measuring.hear() == "holds"
    assert not late.hears_within(NEVER_S)
    measuring.say("done")
    assert measuring.hear() == "released"
    assert late.hear() == "holds"


def test_two_measurements_never_overlap(holder):
    one, two = holder("gw0"), holder("gw1")
    one.say("exclusive")
    assert one.hear() == "holds"
    two.say("exclusive")
    assert not two.hears_within(NEVER_S)
    one.say("done")
    assert two.hear() == "holds"


def test_a_dead_process_holds_nothing(holder):
    one, two = holder("gw0"), holder("gw1")
    one.say("exclusive")
    assert one.hear() == "holds"
    two.say("exclusive")
    one.close()
    assert two.hear() == "holds"


def test_two_ordinary_tests_that_both_begin_to_measure_do_not_wait_for_each_other(tmp_path, holder):
    locks, other = FileLocks(tmp_path, "gw0"), holder("gw1")
    other.say("shared")
    assert other.hear() == "holds"
    reached = threading.Event()

    def upgrade() -> None:
        with locks.shared(), locks.exclusive():
            reached.set()

    thread = threading.Thread(target=upgrade)
    thread.start()
    assert not reached.wait(NEVER_S)
    other.say("done")
    assert reached.wait(10)
    thread.join()
    locks.close()


def test_entering_twice_is_entering_once(tmp_path):
    locks = FileLocks(tmp_path, "gw0")
    with locks.exclusive(), locks.exclusive(), locks.shared():
        pass
    with locks.shared(), locks.shared(), locks.exclusive(), locks.shared():
        pass
    locks.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gw0.slot", "turnstile"]
