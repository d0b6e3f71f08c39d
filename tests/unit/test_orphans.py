"""Workers of a pool whose parent is killed."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from processes import is_gone

from pytest_perfgate.measure import orphans

PROGRAM = """
import multiprocessing, os, sys, threading
from pytest_perfgate.measure import orphans
from pytest_perfgate.measure.parallel import Work
from pytest_perfgate.measure.pools import open_passes

def task(item):
    return os.getpid()

def main():
    if sys.argv[2] == "thread":
        orphans._is_told_by_the_kernel = lambda: False
    multiprocessing.set_start_method(sys.argv[1])
    with open_passes(Work(task=task, items=[1, 2], workers=2), "process") as passes:
        passes.parallel()
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        threading.Event().wait(60)

if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.parametrize(("method", "way"), [("fork", "kernel"), ("fork", "thread"), ("spawn", "kernel")])
def test_the_workers_of_a_killed_process_end(tmp_path, method, way):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    command = [sys.executable, str(program), method, way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        workers = [int(pid) for pid in killed.stdout.readline().split()]
        killed.kill()
    assert len(workers) == 2
    assert [is_gone(pid) for pid in workers] == [True, True]


def test_a_process_that_is_no_worker_is_left_alone(monkeypatch):
    monkeypatch.setattr(orphans, "_is_told_by_the_kernel", lambda: False)
    before = threading.active_count()
    orphans.end_with_parent()
    assert threading.active_count() == before
