"""The verdict on one case: the only place where one is made, from numbers that are already there."""

from __future__ import annotations

from pytest_perfgate.judge.rule import judge, judge_change
from pytest_perfgate.judge.sequential import SequentialPolicy, Standing, null_control, stand, stands_out

__all__ = ["SequentialPolicy", "Standing", "judge", "judge_change", "null_control", "stand", "stands_out"]
