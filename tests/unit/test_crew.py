"""What other threads waited for a core: read from accounts like the kernel's, and from the kernel's own."""

import subprocess
import sys
import threading

import pytest

from pytest_perfgate.measure import crew
from pytest_perfgate.measure.crew import longest_wait_s, read_waits


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    """Let accounts be read from a folder; returns what writes one."""
    monkeypatch.setattr(crew, "_TASKS", f"{tmp_path}/{{}}/task")
    monkeypatch.setattr(crew.sys, "platform", "linux")
    monkeypatch.setattr(crew.threading, "get_native_id", lambda: 10)

    def write(process, thread, account, children=""):
        folder = tmp_path / process / "task" / str(thread)
        folder.mkdir(parents=True)
        (folder / "schedstat").write_text(account)
        if children is not None:
            (folder / "children").write_text(children)

    return write


def test_the_longest_wait_of_another_thread_counts():
    assert longest_wait_s({11: 5_000_000, 12: 0}, {11: 6_000_000, 12: 4_000_000}) == pytest.approx(0.004)


def test_a_thread_that_began_in_between_has_waited_all_of_it_then():
    assert longest_wait_s({}, {13: 7_000_000}) == pytest.approx(0.007)


def test_without_another_thread_nobody_waited():
    assert longest_wait_s({11: 1}, {}) == 0


def test_threads_of_this_process_and_of_those_it_started_are_read_and_the_calling_one_is_not(accounts):
    accounts("self", 10, "900 800 7", children="20 ")
    accounts("self", 11, "100 200 3")
    accounts("20", 20, "1 300 1", children="30")
    accounts("20", 21, "1 400 1", children=None)  # a kernel that lists no children
    accounts("30", 30, "1 500 1")
    assert read_waits() == {11: 200, 20: 300, 21: 400, 30: 500}


@pytest.mark.parametrize("account", ["", "12", "a b c"])
def test_an_account_that_cannot_be_read_is_left_out(accounts, account):
    accounts("self", 11, account)
    accounts("self", 12, "1 600 1")
    assert read_waits() == {12: 600}


def test_a_child_that_has_ended_is_left_out(accounts):
    accounts("self", 10, "0 0 0", children="99")
    assert read_waits() == {}


def test_where_there_are_no_accounts_nothing_is_read(accounts, monkeypatch):
    accounts("self", 11, "1 600 1")
    monkeypatch.setattr(crew.sys, "platform", "darwin")
    assert read_waits() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's accounts")
def test_the_kernel_tells_of_threads_and_children():
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = read_waits()
        child.communicate(b"\n")
    over.set()
    thread.join()
    assert thread.native_id in found
    assert child.pid in found
    assert threading.get_native_id() not in found
