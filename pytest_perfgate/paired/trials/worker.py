"""A worker that runs trials instead of tests, started as any other."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pytest_perfgate.measure.clock import PERF_COUNTER, resolution_ns
from pytest_perfgate.measure.rounds import Rounds, collector_off
from pytest_perfgate.measure.sampler import drive
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.paired.line import LineClosedError, call_in
from pytest_perfgate.paired.respondent import Respondent
from pytest_perfgate.paired.trials.workloads import make_target


def main(path: str) -> None:
    """Run as a worker.

    Args:
        path: Of the JSON file that says how; its ``trials`` map a trial to the workload, the slowdown of head, and
            the number of operations that it adds.
    """
    asked = json.loads(Path(path).read_text("utf-8"))
    line = call_in(asked["address"], asked["name"])
    respondent = Respondent(line)
    # What is compared is made here, not imported; the place stands for it.
    loaded = {"trials": asked["place"][asked["side"]]}
    line.say(say="ready", loaded=loaded)
    try:
        while (told := line.hear())["do"] == "go":
            workload, slowdown, operations = asked["trials"][told["test"]]
            target = make_target(workload, slowdown, operations) if asked["side"] == "head" else make_target(workload)
            rounds = Rounds(target, ((), {}), setup=None, teardown=None, clock=PERF_COUNTER)
            planner = respondent.planner(Case(told["test"], "perf"))
            with collector_off():
                drive(planner(Plan(), clock=PERF_COUNTER, tick_ns=resolution_ns()), rounds.run)
            line.say(say="over", outcome="passed", problem="", loaded=loaded)
    except LineClosedError:
        os._exit(1)
