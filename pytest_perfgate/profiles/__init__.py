"""Named classes of machines: what a profile may say, and which one a machine belongs to.  Pure."""

from __future__ import annotations

from pytest_perfgate.profiles.choice import SHIPPED, Explained, choose, explain, known_names
from pytest_perfgate.profiles.table import parse_tolerance, validate_profile

__all__ = [
    "SHIPPED",
    "Explained",
    "choose",
    "explain",
    "known_names",
    "parse_tolerance",
    "validate_profile",
]
