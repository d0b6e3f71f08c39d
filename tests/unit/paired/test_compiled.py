"""Packages with compiled modules: both sides are built, the same way, and what was built before is not built again."""

from __future__ import annotations

import sysconfig

import pytest
from checkouts import EXTENSION, extension_source, needs_compiler, nowhere

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment import prepared

SETUP = EXTENSION["setup.py"]

pytestmark = [needs_compiler, pytest.mark.slow]


@pytest.fixture
def compiled(repository):
    repository.commit({**EXTENSION, **extension_source(1), "tests/test_a.py": ""})
    return repository


def test_both_sides_are_built_and_kept(compiled, both, runs):
    compiled.write(extension_source(2))
    said = []
    expression = "[fast.V, importlib.metadata.version('probe-fast')]"
    assert both("fast, importlib.metadata", expression, say=said.append) == [[1, "3.1"], [2, "3.1"]]
    assert sorted(line.split()[:2] for line in said) == [["building", "base"], ["building", "head"]]
    compiled.write({"tests/test_a.py": "changed = True"})
    assert both("fast", "fast.V", say=said.append) == [1, 2]
    assert len(said) == 2
    compiled.git("checkout", "--quiet", "fast/_c.c")
    with prepared("HEAD", root=compiled.path, locate=nowhere, say=said.append) as sides:
        assert sides.identical
    assert len(said) == 2
    assert runs() == []


def test_an_extension_that_was_built_in_place_is_built_for_both(compiled, both, environment):
    compiled.commit(
        {"setup.py": "from hidden import setup\nsetup()\n", "hidden.py": f"def setup():\n    exec({SETUP!r})"}
    )
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    compiled.write({f"fast/_c{suffix}": "built in place"})
    with pytest.raises(AgainstError, match="has compiled modules and does not build here"):
        both("fast", "fast.V")  # `hidden` is not there in a build, but the extension was noticed


def test_a_build_that_fails_shows_the_end_of_its_output(compiled, both, runs):
    compiled.commit({"fast/_c.c": "#error no such luck"})
    with pytest.raises(AgainstError) as raised:
        both("fast", "fast.V")
    message = str(raised.value)
    assert message.startswith("base (")
    assert "make `pip install .` work in it; its output ends with\n    " in message
    assert len(message.splitlines()) <= 6
    assert runs() == []
