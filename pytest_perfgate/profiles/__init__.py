"""Named classes of machines: what a profile may say, and which one a machine belongs to.  Pure."""

from __future__ import annotations

from pytest_perfgate.profiles.choice import SHIPPED, Explained, choose, explain, known_names
from pytest_perfgate.profiles.table import parse_tolerance, validate_profile
from pytest_perfgate.profiles.words import did_you_mean

__all__ = [
    "SHIPPED",
    "Explained",
    "choose",
    "did_you_mean",
    "explain",
    "known_names",
    "parse_tolerance",
    "validate_profile",
]
