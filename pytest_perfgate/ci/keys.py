"""Names under which baselines lie in a cache: whatever makes two runs incomparable is part of the name; pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from pytest_perfgate.model import Machine, Python

_VERSION = "perfgate-v1"
_LONGEST_PART = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKey:
    """Where a run saves its baseline, and where it looks for one."""

    prefix: str
    """What all keys of this kind of run begin with; no other kind's keys do."""
    key: str
    """The prefix and this run: caches are written once and never changed."""
    identity: str
    """The part of the prefix that stands for all the facts."""


def cache_key(machine: Machine, python: Python, *, purpose: str, run_id: str, run_attempt: str) -> CacheKey:
    """Make the key of a run.

    Args:
        machine: Where it is measured.
        python: What it is measured with.
        purpose: Tells apart what the same machine measures: a job, or the user's own words.
        run_id: Of the workflow run.
        run_attempt: Of the workflow run.

    Returns:
        The key; without commas, which caches do not take, and with a digest of the facts before the run, because
        one person's ``a`` must not be the beginning of another's ``a-b``.
    """
    facts = (machine.os, machine.arch, python.series, f"{machine.cores:g} cores", machine.cpu, purpose)
    identity = hashlib.sha256("\0".join(facts).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    words = [word for word in map(_word, facts) if word]
    prefix = "-".join([_VERSION, *words, identity, ""])
    return CacheKey(prefix=prefix, key=f"{prefix}{_word(run_id)}-{_word(run_attempt)}", identity=identity)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-")[:_LONGEST_PART].strip("-")
