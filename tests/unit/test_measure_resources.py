"""Resources that calls leave open, told from those that a cache or a pool holds."""

import array
import itertools
import os
import threading
from pathlib import Path

import pytest

from pytest_perfgate.measure.resources import WORDS, count_resources, left_behind
from pytest_perfgate.metrics.memory import measure_growth
from pytest_perfgate.model import Case, Plan

CASE = Case("t", "memory.growth")
FILES = "handles" if os.name == "nt" else "fds"


def counting(*later, monkeypatch):
    """Let the counts be these, one after the other."""
    counts = iter(later)
    monkeypatch.setattr("pytest_perfgate.measure.resources.count_resources", lambda: {"fds": next(counts)})
    rounds = []
    return rounds, lambda: rounds.append(1)


def test_what_does_not_grow_costs_no_further_round(monkeypatch):
    rounds, run = counting(7, monkeypatch=monkeypatch)
    assert left_behind({"fds": 7}, run) == {"fds": 0}
    assert not rounds


def test_what_grows_in_every_round_is_left_behind(monkeypatch):
    rounds, run = counting(640, 660, 680, monkeypatch=monkeypatch)
    assert left_behind({"fds": 7}, run) == {"fds": 20}
    assert len(rounds) == 2


@pytest.mark.parametrize("later", [(12, 12, 12), (12, 13, 13), (9, 12, 11)])
def test_a_pool_that_fills_and_stops_is_not(monkeypatch, later):
    _, run = counting(*later, monkeypatch=monkeypatch)
    assert left_behind({"fds": 7}, run) == {"fds": 0}


def test_every_count_has_a_word_and_is_what_it_says():
    before = count_resources()
    assert before.keys() <= WORDS.keys()
    assert {FILES, "threads", "uncollectable"} <= before.keys()
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    with Path(os.devnull).open():
        now = count_resources()
    release.set()
    thread.join()
    assert now["threads"] == before["threads"] + 1
    assert now[FILES] >= before[FILES] + 1


@pytest.mark.skipif(os.name == "nt", reason="descriptors are not counted there")
def test_a_function_that_leaves_files_open_is_told_though_its_memory_is_flat():
    opened = array.array("i", [0] * 1000)  # room beforehand, so that no memory is left behind
    place = itertools.count()

    def leave_open():
        opened[next(place)] = os.dup(0)

    try:
        _, measurement = measure_growth(Plan(), CASE, leave_open, calls=5)
    finally:
        for number in opened[: next(place)]:
            os.close(number)
    assert measurement.extra["fds"] == 5
    assert measurement.warnings == (
        '5 calls leave 5 file descriptors behind, round after round; limit it with budget("fds < 1")',
    )


def test_a_clean_function_leaves_nothing():
    _, measurement = measure_growth(Plan(), CASE, lambda: sum(range(10)))
    assert {name: measurement.extra[name] for name in (FILES, "threads", "uncollectable")} == {
        FILES: 0,
        "threads": 0,
        "uncollectable": 0,
    }
    assert not measurement.warnings
