"""What a run of the action will do, decided once from inputs, event and machine before anything is measured; pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from pytest_perfgate.ci.event import PRIVILEGED, Event
from pytest_perfgate.ci.inputs import AUTO, NONE, Inputs
from pytest_perfgate.ci.keys import CacheKey
from pytest_perfgate.errors import UsageError

BASE, CACHE, FILE, NOTHING = "base", "cache", "file", "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run of the action will do."""

    compare: str
    """``base`` (another commit, in the same job), ``cache``, ``file`` or ``nothing``."""
    against: str = ""
    """What ``--perfgate-against`` gets, with *compare* ``base``."""
    base_commit: str = ""
    """The commit that *against* was found to be; empty where the user named it."""
    baseline: str = ""
    """Absolute path of the stored run to compare with; the cache restores it, or it is in the repository."""
    cache_folder: str = ""
    cache_key: str = ""
    cache_prefix: str = ""
    records: bool = False
    """Whether this run becomes the baseline if it passes."""
    pytest_args: tuple[str, ...] = ()
    working_directory: str
    """Absolute."""
    report_dir: str
    """Absolute."""
    max_regression: str = ""
    strict: bool = False
    fail_on_regression: bool = True
    missing_baseline: str = "warn"
    summary: bool = True
    annotations: bool = True
    comment: str = "never"
    comment_id: str = "default"

    @property
    def is_comparing(self) -> bool:
        """Whether something is to be compared with; then nothing compared is no pass."""
        return self.compare != NOTHING

    def to_text(self) -> str:
        """Write the plan as one line, for the output of a step."""
        return json.dumps(asdict(self), separators=(",", ":"))


def plan_from_text(text: str) -> Plan:
    """Read what :meth:`Plan.to_text` wrote.

    Raises:
        UsageError: It is none: the step before did not end well.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        return Plan(**{**raw, "pytest_args": tuple(raw["pytest_args"])})
    except (ValueError, TypeError, KeyError):
        raise UsageError(
            "PERFGATE_PLAN holds no plan: let perfgate ci plan run first, and hand its output `plan` on"
        ) from None


def refuse_privileged(event: Event) -> None:
    """Refuse to run a suite where it would have the rights of the repository.

    Raises:
        UsageError: The event is ``pull_request_target`` or ``workflow_run``.
    """
    if event.name in PRIVILEGED:
        raise UsageError(
            f"the event {event.name} runs with the rights of the repository, and a test suite may be anybody's code: "
            "measure on pull_request (its read-only token is enough, also for forks), comment from a second workflow"
        )


def comparison_of(inputs: Inputs, event: Event) -> str:
    """Decide what kind of thing to compare with: ``base``, ``cache``, ``file`` or ``nothing``."""
    if inputs.against not in (AUTO, NONE) or (inputs.against == AUTO and event.has_base):
        return BASE
    return {"cache": CACHE, "file": FILE}.get(inputs.baseline_storage, NOTHING)


def make_plan(
    inputs: Inputs,
    event: Event,
    *,
    base_commit: str,
    key: CacheKey,
    working_directory: str,
    report_dir: str,
    cache_folder: str,
    baseline_path: str,
) -> Plan:
    """Put the plan together.

    Args:
        inputs: Understood.
        event: Not privileged.
        base_commit: Found for a pull request or merge group; empty otherwise.
        key: Of the cache.
        working_directory: Absolute.
        report_dir: Absolute.
        cache_folder: Absolute; where the cache is restored to and saved from.
        baseline_path: Absolute path of a baseline in a file.
    """
    compare = comparison_of(inputs, event)
    in_cache = f"{cache_folder}/baseline.json"
    return Plan(
        compare=compare,
        against=(base_commit if inputs.against == AUTO else inputs.against) if compare == BASE else "",
        base_commit=base_commit if compare == BASE and inputs.against == AUTO else "",
        baseline={CACHE: in_cache, FILE: baseline_path}.get(compare, ""),
        cache_folder=cache_folder if compare == CACHE else "",
        cache_key=key.key if compare == CACHE else "",
        cache_prefix=key.prefix if compare == CACHE else "",
        records=_records(inputs, event, compare),
        pytest_args=inputs.pytest_args,
        working_directory=working_directory,
        report_dir=report_dir,
        max_regression=inputs.max_regression,
        strict=inputs.strict,
        fail_on_regression=inputs.fail_on_regression,
        missing_baseline=inputs.missing_baseline,
        summary=inputs.summary,
        annotations=inputs.annotations,
        comment=inputs.comment if event.is_pull_request else "never",
        comment_id=inputs.comment_id,
    )


def _records(inputs: Inputs, event: Event, compare: str) -> bool:
    """Tell whether this run may become the baseline: by itself only on the default branch, and never a file's."""
    if compare not in (CACHE, FILE):
        return False
    if inputs.update_baseline == AUTO:
        return compare == CACHE and event.is_on_default_branch
    return inputs.update_baseline == "true"
