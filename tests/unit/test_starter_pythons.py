"""Which Python a workflow gets, by what a project requires."""

from __future__ import annotations

import pytest

from pytest_perfgate.starter.pythons import allowed_python


@pytest.mark.parametrize(
    ("requires", "chosen"),
    [
        ("", "3.11"),
        (">=3.10", "3.11"),
        (">=3.12", "3.13"),
        (">3.11.4", "3.11"),
        (" >= 3.12 , < 3.13 ", "3.12"),
        ("<3.11", "3.10"),
        ("<=3.11", "3.11"),
        ("==3.12.*", "3.12"),
        ("==3.12.4", "3.12"),
        ("~=3.12", "3.13"),
        ("~=3.12.1", "3.12"),
        ("!=3.11.*", "3.13"),
        ("!=3.11.2", "3.11"),
        (">=3", "3.11"),
        (">=3.12,<4", "3.13"),
        ("no version at all", "3.11"),
        (">=4", "3.11"),
    ],
)
def test_a_version_that_is_allowed_is_chosen_and_the_running_one_first(requires, chosen):
    assert allowed_python(requires, (3, 11)) == chosen
