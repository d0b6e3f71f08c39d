"""Two versions of the code under test, side by side on disk, so that a Python process imports the one it is given."""

from __future__ import annotations

from pytest_perfgate.paired.environment.locating import locate_module
from pytest_perfgate.paired.environment.prepare import prepared
from pytest_perfgate.paired.environment.sides import Side, Sides

__all__ = ["Side", "Sides", "locate_module", "prepared"]
