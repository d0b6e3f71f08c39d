"""What a report says beside its table, line by line: where it was measured, why, what else; each line is printable.

What they are escaped against, wrapped and painted with is the formats' affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_perfgate.model import Better, Finding, Outcome, Policy, Run, Verdict
from pytest_perfgate.reports._format import on_one_line
from pytest_perfgate.units import BYTES, format_value

#: Of missing cases, new ones, warnings: names beyond a handful are looked up in the JSON report.
_MOST_LISTED = 10

#: What timing says of rounds that scatter.
_SPREAD = re.compile(r"noisy: .* spreads over (\d+) % of the median")

_LISTED_APART = (Verdict.MISSING, Verdict.NO_BASELINE)
_SHARED_REASONS = (Verdict.INCONCLUSIVE, Verdict.INCOMPARABLE, *_LISTED_APART)


def header(run: Run) -> list[str]:
    """Say what was measured where, by what, and what it was compared with."""
    machine, settings = run.machine, run.settings
    cores = f"{machine.cores_total} core{'' if machine.cores_total == 1 else 's'}"
    memory = format_value(machine.memory_bytes, BYTES)
    system = " ".join(part for part in (machine.os, machine.arch, machine.ci or "") if part)
    lines = [
        f"profile {run.profile}" + (f" ({run.profile_matched_by})" if run.profile_matched_by else ""),
        f"machine: {machine.cpu}, {machine.cores:g} of {cores}, {memory}, {system}",
        f"python: {run.python.series} ({run.python.version})",
    ]
    if run.commit:
        changed = ", with uncommitted changes" if run.commit.get("dirty") else ""
        branch = f" ({run.commit['branch']})" if run.commit.get("branch") else ""
        lines.append(f"commit: {str(run.commit.get('id'))[:12]}{branch}{changed}")
    asked = [settings.get("against"), settings.get("baseline")]
    against = dict.fromkeys(finding.change.against for finding in run.findings if finding.change is not None)
    against = against or dict.fromkeys(str(base) for base in asked if base)
    if against:
        lines.append(f"compared with: {some(list(against))}{_worse(run)}")
    return [on_one_line(line) for line in lines]


def _worse(run: Run) -> str:
    """Say which sign of a change is the bad one."""
    senses = {finding.change.better for finding in run.findings if finding.change is not None}
    if len(senses) > 1:
        return "; + is worse, or - where more is better"
    return "; - is worse" if senses == {Better.HIGHER} else "; + is worse"


def remainder(left_out: Sequence[Finding], policy: Policy) -> list[str]:
    """Say how many cases are not in the table, and never call one of them well that is not."""
    if not left_out:
        return []
    within = sum(finding.verdict in (Verdict.PASS, Verdict.IMPROVED) for finding in left_out)
    failing = sum(policy.fails(finding.verdict) for finding in left_out)
    if within == len(left_out):
        return [f"… and {within:,} more within budget; all in the JSON report"]
    others = len(left_out) - within - failing
    parts = [
        f"{failing:,} failing" * bool(failing),
        f"{others:,} undecided" * bool(others),
        f"{within:,} within budget",
    ]
    return [f"… and {len(left_out):,} more ({', '.join(filter(None, parts))}); all in the JSON report"]


def reasons(
    findings: Iterable[Finding], most: int, details: Callable[[Finding], Sequence[str]] = lambda _: ()
) -> list[str]:
    """Explain what did not simply pass.

    Args:
        findings: In the order to be told in.
        most: Most reasons.
        details: Lines that follow a reason.
    """
    groups = grouped(finding for finding in findings if finding.verdict not in (Verdict.PASS, *_LISTED_APART))
    lines = [line for group in groups[:most] for line in (explained(group), *details(group[0]))]
    if len(groups) > most:
        lines.append(f"… and {len(groups) - most:,} more; all in the JSON report")
    return lines


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Put together what is undecided for one reason, whatever the test it is said of; a failure stands alone."""
    groups: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in findings:
        path, bracket, parameters = finding.case.test.partition("[")
        name = path.rpartition("::")[2] + bracket + parameters
        alone = finding.verdict not in _SHARED_REASONS
        gist = finding.case.id if alone else finding.reason.replace(name, "")
        groups.setdefault((finding.verdict, gist), []).append(finding)
    return list(groups.values())


def explained(group: Sequence[Finding]) -> str:
    """Write the reason of *group*, with the verdict and the case in front unless it says them itself."""
    reason, verdict = on_one_line(group[0].reason), group[0].verdict.value
    said = verdict in reason or verdict.replace("-", " ") in reason
    return ("" if said else f"{verdict}: ") + _named(group, reason) + reason


def listed_apart(findings: Sequence[Finding]) -> Iterator[tuple[str, list[str]]]:
    """List the cases that only one side of a comparison has.

    Yields:
        A line that names them, and lines that belong below it; the reason tells a renamed one.
    """
    for title, verdict in (("missing", Verdict.MISSING), ("new", Verdict.NO_BASELINE)):
        found = [finding for finding in findings if finding.verdict is verdict]
        if not found:
            continue
        said = [on_one_line(group[0].reason) for group in grouped(found)]
        more = len(said) - _MOST_LISTED
        below = said[:_MOST_LISTED] + [f"… and {more:,} more; all in the JSON report"] * (more > 0)
        yield f"{title} ({len(found):,}): {some([finding.case.id for finding in found])}", below


def warnings(findings: Iterable[Finding]) -> list[str]:
    """Collect the warnings of all cases, each once."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        for warning in _largest_spread(finding.warnings):
            groups.setdefault(on_one_line(warning), []).append(finding)
    lines = [f"warning: {_named(group, warning)}{warning}" for warning, group in groups.items()]
    more = len(lines) - _MOST_LISTED
    return lines if more <= 0 else [*lines[:_MOST_LISTED], f"… and {more:,} more warnings; all in the JSON report"]


def _largest_spread(warnings: Sequence[str]) -> list[str]:
    """Keep, of the warnings of noise that merged runs gave one case, the one that says most, where the first stood."""
    kept: dict[str, tuple[float, str]] = {}
    for warning in warnings:
        found = _SPREAD.fullmatch(warning)
        gist, size = ("noisy", float(found[1])) if found else (warning, 0.0)
        if gist not in kept or size > kept[gist][0]:
            kept[gist] = (size, warning)
    return [warning for _, warning in kept.values()]


def notes(run: Run) -> list[str]:
    """Write the remarks on the whole run."""
    return [f"note: {on_one_line(note)}" for note in run.notes]


def failures(run: Run) -> list[str]:
    """Write the reasons to fail that belong to no case."""
    return [f"failed: {on_one_line(failure)}" for failure in run.failures]


def headline(run: Run) -> str:
    """Write the verdict on the run; what was not compared is no pass, whatever its budgets say."""
    if run.outcome is Outcome.PASS and run.lacks_comparison:
        return "nothing was compared; budgets pass"
    measured = {finding.verdict for finding in run.findings if finding.measurement.value is not None}
    if run.outcome is Outcome.INCONCLUSIVE and measured == {Verdict.INCOMPARABLE}:
        return f"{run.outcome.value}: nothing was compared"
    return run.outcome.value


def counts(run: Run) -> str:
    """Write how many cases came to which verdict."""
    counted = ", ".join(f"{count:,} {verdict}" for verdict, count in run.counts.items())
    return f"{run.measured:,} measured: {counted}" if counted else "nothing was measured"


def some(names: Sequence[str]) -> str:
    """Name a handful, and count the others."""
    shown = ", ".join(on_one_line(name) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown


def _named(group: Sequence[Finding], said: str) -> str:
    if len(group) > 1:
        return f"{on_one_line(group[0].case.id)} and {len(group) - 1:,} more: "
    return "" if group[0].case.test in said else f"{on_one_line(group[0].case.id)}: "
