"""What tests cost their workers, and which of them only head plays, are played again, or given up; plays nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pytest_perfgate.paired.cases import Cases
from pytest_perfgate.paired.worker import WorkerLostError

#: A test whose workers die so often is given up; one that hangs is not waited for again.
_MOST_LOSSES = 2


class Casualties:
    """Keeps account of the tests that cannot be played as the others are.

    Args:
        cases: Those of all tests.
    """

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._losses: dict[str, int] = {}
        self.given_up: dict[str, str] = {}
        """Tests of which nothing could be learned -> why."""
        self.again: set[str] = set()
        """Tests to play again although no case of theirs asks for it, because a worker was lost in them."""
        self.head_only: dict[str, str] = {}
        """Tests that cost base its workers -> why only head plays them."""
        self.lost: dict[str, str] = {}
        """Tests that cost head its workers -> how; whoever runs them risks the same."""

    def remaining(self, tests: Sequence[str], wanted: Collection[str]) -> list[str]:
        """Return those of *tests* that are *wanted* or to be played again, and not given up."""
        return [test for test in tests if (test in wanted or test in self.again) and test not in self.given_up]

    def lose(self, test: str, lost: WorkerLostError) -> None:
        """Take note that a worker was lost in a test."""
        self._losses[test] = _MOST_LOSSES if lost.hangs else self._losses.get(test, 0) + 1
        self.again.add(test)
        if self._losses[test] < _MOST_LOSSES:
            return
        mine = self._cases.of(test)
        for series in mine:
            series.end_round()  # plays before the loss count
        if lost.worker.side == "base":  # what head does is still to be seen
            self.head_only[test] = f"against the base, {lost}"
        else:
            self.again.discard(test)
            self.lost[test] = str(lost)
            if not mine:
                self.given_up[test] = str(lost)
        for series in mine:
            if test in self.lost and not (series.is_done and series.has_head):
                series.no_head = str(lost)
            elif not series.is_done:
                series.no_base = self.head_only[test]
