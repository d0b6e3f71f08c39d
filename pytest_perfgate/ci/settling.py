"""What a run of the action came to, in facts, and which of them make the job fail; pure, and judges no case again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pytest_perfgate.ci.plan import BASE, CACHE, Plan
from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Finding, Outcome, Policy, Run, Verdict
from pytest_perfgate.reports._cells import worst_first
from pytest_perfgate.units import format_change

PASS, FAIL, INCONCLUSIVE, NO_BASELINE = "pass", "fail", "inconclusive", "no-baseline"  # a verdict
TESTS_FAILED, ERROR = "tests-failed", "error"
#: What leaves a baseline behind: nothing failed.
_RECORDED = frozenset({PASS, INCONCLUSIVE, NO_BASELINE})

_EXIT_STATUS = {
    2: "it was interrupted, or collecting the tests failed",
    3: "an internal error",
    4: "a usage error",
    5: "no tests were collected",
}
_JUDGED = (0, 1)
#: Carried in the environment of a step and shown in one line.
_LONGEST_SENTENCE = 1500


class FailedTest(NamedTuple):
    """A test that pytest reported as failed."""

    test: str
    """Node id."""
    when: str
    """``setup``, ``call``, ``teardown``; what else there is counts as ``call``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a run of the action came to."""

    status: str
    """``pass``, ``fail``, ``inconclusive``, ``no-baseline``, ``tests-failed`` or ``error``."""
    sentence: str
    """Why, in one line."""
    exit_code: int
    """Of pytest."""
    regressions: int = 0
    improvements: int = 0
    over_budget: int = 0
    inconclusive: int = 0
    compared: int = 0
    missing: int = 0
    worst_change: float | None = None
    """The largest relative change for the worse, 0.08 for 8 %; None when nothing was compared."""
    nothing_but_regressions: bool = False
    """Whether no other thing failed than cases that regressed."""

    @property
    def may_be_recorded(self) -> bool:
        """Whether nothing failed, so that the run may become the baseline."""
        return self.status in _RECORDED

    @property
    def is_told_by_the_run(self) -> bool:
        """Whether the report of the run says the same; it knows neither failed tests nor what was to be compared."""
        return self.status in (PASS, FAIL, INCONCLUSIVE)

    def to_text(self) -> str:
        """Write it as one line, for the output of a step."""
        return json.dumps(asdict(self), separators=(",", ":"))


def settled_from_text(text: str) -> Settled:
    """Read what :meth:`Settled.to_text` wrote.

    Raises:
        UsageError: It is none: the measuring step did not end well.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        return Settled(**raw)
    except (ValueError, TypeError):
        raise UsageError("the measuring step did not come to its end, so there is no verdict: see its log") from None


def settle(plan: Plan, run: Run | None, *, exit_code: int, failed: Sequence[FailedTest], usage: str = "") -> Settled:
    """Say what a run came to.

    Args:
        plan: What was to be done.
        run: As pytest stored it; None when it stored none.
        exit_code: Of pytest.
        failed: Every test that failed, for whatever reason.
        usage: The user's mistake, as pytest tells it, that let no test run.
    """
    if run is None:
        why = "; ".join([_about_exit(exit_code), *([usage] if usage else [])])
        return Settled(
            status=ERROR, sentence=_short(f"nothing was judged: {why}", _LONGEST_SENTENCE), exit_code=exit_code
        )
    strict = Policy(strict=bool(run.settings.get("strict", False)))
    failing = [finding for finding in worst_first(run) if strict.fails(finding.verdict)]
    others = _others(failed, {finding.case.test for finding in failing})
    status, sentence = _status(plan, run, failing, others, exit_code)
    counts = run.counts
    changes = [finding.change.worsening for finding in run.findings if finding.change is not None]
    return Settled(
        status=status,
        sentence=_short(sentence, _LONGEST_SENTENCE),
        exit_code=exit_code,
        regressions=counts.get(Verdict.REGRESSED.value, 0),
        improvements=counts.get(Verdict.IMPROVED.value, 0),
        over_budget=counts.get(Verdict.OVER_BUDGET.value, 0),
        inconclusive=counts.get(Verdict.INCONCLUSIVE.value, 0),
        compared=sum(map(_is_compared, run.findings)),
        missing=counts.get(Verdict.MISSING.value, 0),
        worst_change=max(changes, default=None),
        nothing_but_regressions=(
            status == FAIL
            and not others
            and not run.failures
            and all(finding.verdict is Verdict.REGRESSED for finding in failing)
        ),
    )


def _status(  # noqa: PLR0911  # one for each status
    plan: Plan, run: Run, failing: Sequence[Finding], others: Collection[str], exit_code: int
) -> tuple[str, str]:
    """Find the status, the worst first, and the sentence for it."""
    tests = f"{_counted(len(others), 'test')} failed for other reasons than performance ({_some(others)})"
    if exit_code not in _JUDGED:
        return ERROR, "; ".join([f"nothing was judged: {_about_exit(exit_code)}", *filter(_is_cause, run.notes)])
    if run.outcome is Outcome.ERROR and not failing:
        why = "; ".join([*([tests] if others else []), *(run.failures or run.notes)]) or "no test measures anything"
        return ERROR, why if "nothing was measured" in why else f"nothing was measured: {why}"
    if failing or run.failures:
        said = [*_said(failing), *run.failures, *([tests] if others else [])]
        return FAIL, "; ".join(said)
    if others or exit_code:
        return TESTS_FAILED, tests if others else "pytest failed for a reason of its own: see its log"
    compared = sum(map(_is_compared, run.findings))
    if plan.is_comparing and not compared:
        return NO_BASELINE, _about_nothing_compared(plan, run)
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in run.counts.items())
    if run.outcome is Outcome.INCONCLUSIVE:
        return INCONCLUSIVE, counts
    return PASS, counts if plan.is_comparing else f"{counts}; nothing was to be compared"


def _is_compared(finding: Finding) -> bool:
    return finding.change is not None or finding.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)


def _others(failed: Iterable[FailedTest], gated: Collection[str]) -> list[str]:
    """Return the tests that failed without the gate: a broken budget fails the call phase of its test."""
    outside = ("setup", "teardown", "collect")
    return list(dict.fromkeys(one.test for one in failed if one.when in outside or one.test not in gated))


def _said(failing: Sequence[Finding]) -> list[str]:
    """Count what failed, given worst first, and name the worst."""
    verdicts = [finding.verdict for finding in failing]
    if not verdicts:
        return []
    counts = ", ".join(f"{verdicts.count(kind):,} {kind.value}" for kind in Verdict if kind in verdicts)
    worst = failing[0]
    regressed = worst.verdict is Verdict.REGRESSED and worst.change is not None
    # What is over its budget may have changed little, or for the better: the change is not what is bad about it.
    change = f" {format_change(worst.change.ratio - 1)}" if regressed and worst.change is not None else ""
    title = "worst: " if change or len(failing) > 1 else ""
    return [f"{counts} ({title}{_short(worst.case.id)}{change})"]


def _is_cause(note: str) -> bool:
    return " could not be collected: " in note


def _about_nothing_compared(plan: Plan, run: Run) -> str:
    reasons = [note for note in run.notes if note.startswith("compared with ")]
    if reasons:
        return f"nothing was compared: {reasons[0]}"
    if plan.compare == CACHE:
        return f"nothing was compared: no baseline in the cache under {plan.cache_prefix}*"
    if plan.compare == BASE:
        return f"nothing was compared with {plan.against}"
    return f"nothing was compared: there is no {plan.baseline}"


def _about_exit(exit_code: int) -> str:
    if exit_code in _EXIT_STATUS:
        return f"pytest ended with exit status {exit_code} ({_EXIT_STATUS[exit_code]}): see its log"
    if exit_code in _JUDGED:
        return "pytest wrote no report: is the gate switched off by --no-perfgate, or the plugin disabled?"
    return f"pytest died (exit status {exit_code}): see its log"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _some(names: Collection[str]) -> str:
    first = [_short(name) for name in list(names)[:2]]
    return ", ".join(first) + (f" and {len(names) - len(first)} more" if len(names) > len(first) else "")


def _short(name: str, longest: int = 160) -> str:
    """Put a name that the code under test chose on one line."""
    line = " ".join(name.split())
    line = line if line.isprintable() else ascii(line)[1:-1]
    return line if len(line) <= longest else f"{line[:longest]}..."
