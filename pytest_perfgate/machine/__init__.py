"""What is this machine, this interpreter, this commit?  Facts only: no judgement, no profile, no report."""

from __future__ import annotations

from pytest_perfgate.machine.commit import current_commit
from pytest_perfgate.machine.facts import capacity, current_machine, current_python
from pytest_perfgate.machine.hosted import hosted_ci
from pytest_perfgate.machine.workspace import place_in_workspace

__all__ = ["capacity", "current_commit", "current_machine", "current_python", "hosted_ci", "place_in_workspace"]
