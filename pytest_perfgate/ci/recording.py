"""What becomes the next baseline when a run has passed; pure."""

from __future__ import annotations

from dataclasses import replace

from pytest_perfgate.model import Finding, Run, Verdict


def next_baseline(run: Run, old: Run | None) -> Run:
    """Make the baseline that the next run is compared with.

    Args:
        run: It did not fail.
        old: What it was compared with; None when there was nothing.

    Returns:
        *run*, except that a case of which nobody could tell keeps its old measurement: else one that gets a little
        worse each time, always within what cannot be told, would never be noticed.  What was not measured is not in it.
    """
    stored = {finding.case.id: finding for finding in old.findings} if old is not None else {}
    kept = (_kept(finding, stored.get(finding.case.id)) for finding in run.findings)
    return replace(run, findings=tuple(finding for finding in kept if finding.measurement.value is not None))


def _kept(finding: Finding, old: Finding | None) -> Finding:
    undecided = finding.verdict is Verdict.INCONCLUSIVE and finding.change is not None
    return old if undecided and old is not None else finding
