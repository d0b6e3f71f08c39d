"""Trials of the gate itself: comparisons whose true answer is known, on this machine."""

from __future__ import annotations

from pytest_perfgate.paired.trials.experiment import Experiment, Tally, TrialProgress, fitting_suite

__all__ = ["Experiment", "Tally", "TrialProgress", "fitting_suite"]
