"""Numbers of a paired comparison that have no ratio, or that do not mean the same on both sides, as findings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_perfgate.judge.sequential import SequentialPolicy
from pytest_perfgate.model import Better, Case, Measurement
from pytest_perfgate.paired.series import Series
from pytest_perfgate.paired.terms import Outcome
from pytest_perfgate.plugin.paired_findings import packed_findings
from pytest_perfgate.store import measurement_to_dict

CASE = Case("t", "hits")
SIDE = SimpleNamespace(label="3f2c1ab")
SIDES = SimpleNamespace(base=SIDE, head=SIDE, notes=(), identical=False)
COMPARISON = SimpleNamespace(tolerance=lambda _: 0.05, notes=())


def measured(value, *, unit="count", better=Better.LOWER):
    return measurement_to_dict(Measurement(case=CASE, unit=unit, better=better, value=float(value)))


def finding(base, head, *, rounds=8):
    """Compare two numbers over some rounds, after which time is up; return what is told of it."""
    series = Series(case=CASE, kind="value")
    for round_ in range(1, rounds + 1):
        series.add_values(base, head)
        series.look(SequentialPolicy(tolerance=0.05), 0.05, last=round_ == rounds)
    outcome = Outcome(series=(series,), rounds=rounds, elapsed_s=1.0, control=())
    (found,) = packed_findings(outcome, COMPARISON, SIDES)["findings"]["t"]
    return found


@pytest.mark.parametrize(
    ("rounds", "verdict", "said"),
    [
        (8, "regressed", "from 0 to 5"),
        (7, "inconclusive", "1 more process pair would"),
        (1, "inconclusive", "1 process"),
    ],
)
def test_from_zero_is_believed_once_it_was_seen_often_enough(rounds, verdict, said):
    found = finding(measured(0), measured(5), rounds=rounds)
    assert found["verdict"] == verdict
    assert said in found["reason"]
    assert "baseline" not in found["reason"], "there is none to record"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (measured(5000, unit="B"), "unit count; head: unit B"),
        (measured(5, better=Better.HIGHER), "lower is better; head: higher is better"),
    ],
)
def test_numbers_that_mean_something_else_are_incomparable_with_the_reason(head, said):
    found = finding(measured(5), head)
    assert found["verdict"] == "incomparable"
    assert found["reason"].endswith(f"the base measured something else: {said}")
    assert found["change"] is None
    assert found["value"] == head["value"]


def test_a_case_whose_meaning_changed_is_not_measured_again():
    series = Series(case=CASE, kind="value")
    series.add_values(measured(5), measured(5, unit="B"))
    assert series.is_done
