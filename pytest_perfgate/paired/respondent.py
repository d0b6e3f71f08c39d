"""The worker's end of a comparison: announce a case, run the blocks one is told to, hand over values."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

from pytest_perfgate.measure.clock import PROCESS_TIME, THREAD_TIME, Clock
from pytest_perfgate.measure.sampler import Sample, Schedule, schedule
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.paired.line import Line, Message

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


class Respondent:
    """Answers for one worker.

    What it says of a case, in this order:

    * ``case``: here it is, with what is fixed about it.  The answer is ``block`` (run so many rounds of so many
      iterations and say ``took``; again and again), ``alone`` (measure it as if nobody compared), or ``end``.
    * ``value``: what was measured, where that is one number and not blocks.

    What is known of a case besides the times of its blocks is kept until the test is over, see :meth:`take_facts`.

    Args:
        line: To the process that compares.
        cpu_clock: Nanoseconds that this thread has spent on a processor.
        process_clock: Likewise of all threads of this process.
    """

    def __init__(
        self,
        line: Line,
        *,
        cpu_clock: Clock = THREAD_TIME,
        process_clock: Clock = PROCESS_TIME,
    ) -> None:
        self._line, self._cpu_clock, self._process_clock = line, cpu_clock, process_clock
        #: Cases whose measurement is asked for.
        self._wanted: set[Case] = set()
        #: Cases whose blocks were measured.
        self._measured: set[Case] = set()
        self._facts: list[Message] = []

    def planner(self, case: Case) -> Callable[..., Schedule]:
        """Make what takes the place of :func:`pytest_perfgate.measure.sampler.schedule` for *case*."""

        def plan_blocks(plan: Plan, *, clock: Clock, tick_ns: int) -> Schedule:
            self._line.say(
                say="case",
                kind="blocks",
                metric=case.metric,
                name=case.name,
                iterations=plan.iterations,
                rounds=plan.rounds,
                warmup=plan.warmup,
                tick_ns=tick_ns,
            )
            return self._answer(case, plan, clock, tick_ns)

        return plan_blocks

    def wait_for_turn(self, case: Case) -> None:
        """Announce a case that is one number, and wait until nobody else measures."""
        self._line.say(say="case", kind="value", metric=case.metric, name=case.name)
        if self._hear()["do"] != "end":
            self._wanted.add(case)

    def hand_over(self, case: Case, pack: Callable[[], Message]) -> None:
        """Say what was measured if it is asked for, and keep what is known besides if blocks were.

        Args:
            case: What was measured.
            pack: Makes plain objects of it.
        """
        if case in self._wanted:
            self._wanted.discard(case)
            self._line.say(say="value", measurement=pack())
        elif case in self._measured:
            self._measured.discard(case)
            measured = pack()
            about = {"metric": case.metric, "name": case.name}
            self._facts.append({**about, "extra": measured["extra"], "warnings": measured["warnings"]})

    def take_facts(self) -> list[Message]:
        """Return what is known of the cases of the test besides times, once: ``metric name extra warnings`` each."""
        facts, self._facts = self._facts, []
        self._measured.clear()
        return facts

    def _hear(self) -> Message:
        """Wait for what to do next; what the other side takes meanwhile is not held against this one's time limit."""
        with _stopped_timer():
            return self._line.hear()

    def _answer(self, case: Case, plan: Plan, clock: Clock, tick_ns: int) -> Schedule:
        values_ns: list[float] = []
        iterations = plan.iterations or 1
        while True:
            told = self._hear()
            if told["do"] == "alone":
                self._wanted.add(case)
                return (yield from schedule(plan, clock=clock, tick_ns=tick_ns))
            if told["do"] == "end":
                if values_ns:
                    self._measured.add(case)
                else:  # not wanted any more, but the test goes on with what the target returns
                    values_ns.append((yield iterations) / iterations)
                return Sample(tuple(values_ns), iterations)
            iterations = told["iterations"]
            took_ns, cpu_ns, process_ns = [], 0, 0
            for _ in range(told["rounds"]):
                cpu, process = self._cpu_clock(), self._process_clock()
                took_ns.append((yield iterations))
                cpu_ns += self._cpu_clock() - cpu
                process_ns += self._process_clock() - process
            values_ns.append(sum(took_ns) / len(took_ns) / iterations)
            self._line.say(say="took", ns=sum(took_ns), cpu_ns=cpu_ns, process_ns=process_ns)


@contextlib.contextmanager
def _stopped_timer() -> Iterator[None]:
    """Stop the interval timer that ends what hangs (ours or that of pytest-timeout), and let it go on afterwards."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    left_s, interval_s = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, left_s, interval_s)
