"""What the machine gives perfect code: when it is asked, that nothing is left of it, and that it may fail."""

import contextlib

import psutil
import pytest

from pytest_perfgate.measure import spinning
from pytest_perfgate.measure.spinning import open_spinners, probing


class FakeSpinners:
    def __init__(self, gains=()):
        self.left = list(gains)
        self.orders = []

    def gain(self, *, alone_first):
        self.orders.append(alone_first)
        return self.left.pop(0) if self.left else 1.9


class Opened:
    """Remembers how many were started, and whether they were ended."""

    def __init__(self, spinners, problem=None):
        self.spinners, self.problem, self.started, self.ended = spinners, problem, [], 0

    @contextlib.contextmanager
    def __call__(self, count):
        if self.problem:
            raise self.problem
        self.started.append(count)
        yield self.spinners
        self.ended += 1


def test_real_processes_spin_and_are_gone_afterwards():
    before = {child.pid for child in psutil.Process().children()}
    with open_spinners(2) as spinners:
        gains = [spinners.gain(alone_first=alone_first) for alone_first in (True, False)]
        assert len({child.pid for child in psutil.Process().children()} - before) == 2
    assert all(gain > 0 for gain in gains)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_process_that_has_ended_gives_no_figure(monkeypatch):
    command = (spinning._COMMAND[0], "-I", "-S", "-E", "-c", "raise SystemExit")
    monkeypatch.setattr(spinning, "_COMMAND", command)
    with open_spinners(2) as spinners:
        assert spinners.gain(alone_first=True) is None


def test_nothing_is_started_for_work_that_needs_no_cores():
    opened = Opened(FakeSpinners())
    with probing(opened, 2) as probe:
        probe.beside(is_needed=False)
    assert opened.started == []
    assert probe.gains == []


def test_processes_are_started_once_and_spin_in_both_orders():
    opened = Opened(FakeSpinners([1.8, 1.7, 1.9]))
    with probing(opened, 3) as probe:
        for _ in range(3):
            probe.beside(is_needed=True)
    assert probe.gains == [1.8, 1.7, 1.9]
    assert (opened.started, opened.ended) == ([3], 1)
    assert opened.spinners.orders == [True, False, True]


@pytest.mark.parametrize(("opened", "count"), [(None, 4), (Opened(FakeSpinners()), 1), (Opened(FakeSpinners()), 0)])
def test_a_single_process_gains_nothing(opened, count):
    with probing(opened, count) as probe:
        probe.beside(is_needed=True)
    assert probe.gains == []


def test_a_machine_without_processes_to_give_stops_no_measurement():
    with probing(Opened(FakeSpinners(), OSError("too many processes")), 2) as probe:
        probe.beside(is_needed=True)
        probe.beside(is_needed=True)
    assert probe.gains == []


def test_after_a_death_nobody_is_asked_again():
    opened = Opened(FakeSpinners([1.8, None, 1.9]))
    with probing(opened, 2) as probe:
        for _ in range(3):
            probe.beside(is_needed=True)
    assert probe.gains == [1.8]
