"""The verdict on one case: the only place where one is made, from numbers that are already there."""

from __future__ import annotations

from pytest_perfgate.judge.rule import judge, judge_change

__all__ = ["judge", "judge_change"]
