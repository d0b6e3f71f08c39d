"""Workers of a paired comparison that follow a script, on a machine whose time moves only when they work."""

from __future__ import annotations

import contextlib
import math
import random
from collections import deque
from types import SimpleNamespace
from typing import Any

from pytest_perfgate.paired.worker import CaseLostError, Took, WorkerLostError

#: How a test ends whose target raises.
FAILING = ("failed", "ValueError: boom")


class World:
    """The machine.

    Args:
        slowness: Seconds since the beginning -> by what factor everything takes longer just then.
    """

    def __init__(self, slowness=lambda at_s: 1.0) -> None:
        self.now_ns = 0.0
        self.slowness = slowness
        self.log: list[tuple[Any, ...]] = []

    def seconds(self) -> float:
        return self.now_ns / 1e9

    def install(self, monkeypatch, *modules) -> World:
        """Put this machine's time in place of the real one."""
        for module in modules:
            monkeypatch.setattr(module, "MONOTONIC_S", self.seconds)
        return self


def case(metric="perf", name="", *, kind="blocks", **facts):
    """Script one case: what is announced, and how it goes."""
    told = {"iterations": None, "rounds": None, "warmup": None, "tick_ns": 1}
    return {
        "told": {"say": "case", "kind": kind, "metric": metric, "name": name, **told, **facts.pop("told", {})},
        "call_ns": 100_000.0,
        "value": 1.0,
        "better": "lower",
        "busy": 1.0,
        "threads": 1.0,
        "raises": None,  # after so many blocks, or instead of a value
        "dies": False,
        "hangs": False,
        "holds_cases": False,
        "knows": None,  # besides times: extra and warnings
        **facts,
    }


class FakeWorker:
    """A worker that plays its script.

    Args:
        world: Where it works.
        side: ``base`` or ``head``.
        tests: Node id -> cases, or a list of cases for the only test.
        factor: Of everything it does: what sets one process apart from the next.
        ending: Of every test.
    """

    def __init__(self, world, side, tests, *, factor=1.0, ending=("passed", ""), **how) -> None:
        self.world, self.side, self.factor, self.ending, self.how = world, side, factor, ending, how
        self.tests = tests if isinstance(tests, dict) else {"t": tests}
        self._cases: deque[dict[str, Any]] = deque()
        self._heard: deque[dict[str, Any]] = deque()
        self._facts: list[dict[str, Any]] = []
        self.pinned: list[tuple[int, ...]] = []
        self.blocks: list[tuple[int, int]] = []
        self.told: list[dict[str, Any]] = []
        self.alive = True

    def ready(self):
        """Begin the only test."""
        self.say(do="go", test=next(iter(self.tests)), next=None)
        return self

    @property
    def current(self):
        return self._cases[0]

    def say(self, **message):
        self.told.append(message)
        self.world.log.append((self.side, message["do"], message.get("test")))
        if message["do"] == "go":
            self._test = message["test"]
            self._facts = []
            script = self.tests[message["test"]]
            if script == "dies":
                self._heard.append({"say": "death"})
                return
            self._cases = deque(script)
            self._announce()
        elif message["do"] == "end":
            self._advance()
        elif message["do"] in ("measure", "alone"):
            self._give_value()

    def hear(self, timeout_s):
        assert self._heard, f"{self.side} is asked but has nothing to say: the two are out of step"
        heard = self._heard.popleft()
        if heard["say"] == "death":
            raise self._death()
        return heard

    def run_block(self, *, iterations, rounds, timeout_s):
        now = self.current
        if now["dies"]:
            raise self._death()
        if now["raises"] is not None and len(self.blocks) >= now["raises"]:
            self._cases.clear()
            raise CaseLostError(self, self._over(*FAILING))
        self.blocks.append((iterations, rounds))
        slowness = self.world.slowness(self.world.seconds())
        took = now["call_ns"] * iterations * rounds * self.factor * slowness
        self.world.now_ns += took
        self.world.log.append((self.side, "block", self.pinned[-1] if self.pinned else None))
        return Took(ns=round(took), cpu_ns=round(took * now["busy"]), process_ns=round(took * now["threads"]))

    def pin(self, processors):
        self.pinned.append(tuple(processors))
        return bool(self.how.get("can_be_pinned", True))

    def is_pinned(self, processors):
        return not self.how.get("unpins", False) and self.pinned[-1] == tuple(processors)

    def _announce(self):
        self._heard.append(dict(self.current["told"]) if self._cases else self._over(*self.ending))

    def _advance(self):
        assert self._cases, f"{self.side} is told to go on, but its test is over"
        done = self._cases.popleft()
        if done["knows"] is not None:
            self._facts.append({**{key: done["told"][key] for key in ("metric", "name")}, **done["knows"]})
        self._announce()

    def _give_value(self):
        if self.current["dies"]:
            self._heard.append({"say": "death"})
        elif self.current["holds_cases"]:  # instead of a number, what comes next is announced
            self._advance()
        elif self.current["raises"] is not None:
            self._cases.clear()
            self._heard.append(self._over(*FAILING))
        else:
            value = self.current["value"]
            value = value(self) if callable(value) else value
            if value is None:  # the test fails this time
                self._cases.clear()
                self._heard.append(self._over(*FAILING))
                return
            self._heard.append({"say": "value", "measurement": {"value": value, "better": self.current["better"]}})
            self._advance()

    def _over(self, outcome, problem):
        loaded = {"pkg": f"/{self.side}/pkg.py"}
        return {"say": "over", "outcome": outcome, "problem": problem, "loaded": loaded, "facts": self._facts}

    def _death(self):
        self.alive = False
        return WorkerLostError(
            self, f"the {self.side} worker ended with exit status 3", hangs=bool(self._cases) and self.current["hangs"]
        )


class FakeCrews:
    """Takes the place of :func:`pytest_perfgate.paired.crew.crew`: fresh fake workers each time.

    Args:
        world: Where they work.
        base: Tests of base.
        head: Tests of head.
        spread: Standard deviation of what sets one process apart from the next.
        control_spread: Likewise of the control workers; None for the same.
    """

    def __init__(self, world, base, head, *, spread=0.004, control_spread=None, start_s=0.1, **how) -> None:
        self.world, self.scripts, self.how = world, {"base": base, "head": head, "control": base}, how
        self.spread, self.start_s = spread, start_s
        self.control_spread = spread if control_spread is None else control_spread
        self.rng = random.Random(7)
        self.played: list[dict[str, FakeWorker]] = []

    @contextlib.contextmanager
    def __call__(self, program, sides, rng):
        self.world.now_ns += self.start_s * 1e9
        workers = {}
        for name in sides:
            factor = math.exp(self.rng.gauss(0.0, self.control_spread if name == "control" else self.spread))
            side = "head" if name == "head" else "base"
            workers[name] = FakeWorker(self.world, side, self.scripts[name], factor=factor, **self.how)
        self.played.append(workers)
        yield SimpleNamespace(workers=workers, check_origin=lambda name, said: sides[name])
