"""What other programs leave of the machine, on made-up counters."""

import os
import types

import psutil
import pytest

from pytest_perfgate.measure.contention import Load, cores_left, read_load


def test_cores_that_are_idle_or_ours_are_left():
    loads = iter([Load(0.0, 10.0, 1.0), Load(2.0, 11.0, 3.0)])
    assert cores_left(lambda: next(loads))() == pytest.approx(1.5)


def test_over_a_moment_the_counters_say_nothing():
    loads = iter([Load(0.0, 10.0, 1.0), Load(0.05, 10.1, 1.0)])
    assert cores_left(lambda: next(loads))() is None
    assert cores_left(None)() is None


def times(**fields):
    return types.SimpleNamespace(**{"user": 0.0, "system": 0.0, **fields})


def test_only_processors_that_this_process_may_use_and_all_its_children_count(monkeypatch):
    processors = [types.SimpleNamespace(idle=idle, iowait=1.0) for idle in (100.0, 20.0, 3.0)]
    child = types.SimpleNamespace(cpu_times=lambda: times(user=4.0))
    own = times(user=1.0, system=2.0, children_user=8.0, children_system=16.0)
    process = types.SimpleNamespace(cpu_times=lambda: own, children=lambda recursive: [child])
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: processors)
    monkeypatch.setattr(psutil, "Process", lambda: process)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 2}, raising=False)
    load = read_load()
    assert (load.idle_s, load.own_s) == (25.0, 31.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {7}, raising=False)
    assert read_load().idle_s == 126.0, "numbers that psutil does not know"


def test_a_child_that_ends_while_it_is_looked_at_is_left_out(monkeypatch):
    def gone():
        raise psutil.NoSuchProcess(1)

    process = types.SimpleNamespace(
        cpu_times=lambda: times(user=1.0), children=lambda recursive: [types.SimpleNamespace(cpu_times=gone)]
    )
    monkeypatch.setattr(psutil, "Process", lambda: process)
    assert read_load().own_s == 1.0
