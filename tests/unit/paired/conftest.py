"""Repositories and environments for the tests of both sides."""

from __future__ import annotations

import json

import pytest
from checkouts import Environment, Repository, nowhere, run

from pytest_perfgate.paired.environment import prepared


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "project")


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "env")


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    """Keep the runs and the cache of a test to itself."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("PERFGATE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def runs(tmp_path):
    """The folders that runs have left."""
    return lambda: sorted(path.name for path in (tmp_path / "tmp").glob("*/*"))


@pytest.fixture
def both(repository):
    """Ask both sides of the repository, which must stay untouched, the value of an expression."""

    def ask_both(imported, expression, against="HEAD", *, root=None, **options):
        asked = {name: options.pop(name) for name in ("python", "cwd") if name in options}
        before = repository.state()
        options.setdefault("locate", nowhere)
        with prepared(against, root=root or repository.path, **options) as sides:
            assert len(str(sides.base.location)) == len(str(sides.head.location))
            code = f"import json, sys, {imported}; print(json.dumps({expression}))"
            answers = [run(side, code, **asked) for side in (sides.base, sides.head)]
        assert repository.state() == before
        return [json.loads(answer) if answer[:1] in '[{"-0123456789' else answer for answer in answers]

    return ask_both
