"""Compiled files: one file for both sides where they are the same, a new file for each round where they are not."""

from __future__ import annotations

import pytest

from pytest_perfgate.paired.environment import binaries
from pytest_perfgate.paired.environment.binaries import renew, share_binaries


@pytest.fixture
def trees(tmp_path):
    files = {
        "base": {"pkg/_same.so": b"same", "pkg/_fast.so": b"old", "pkg.libs/libz.so.1": b"z", "pkg/_gone.pyd": b"gone"},
        "head": {"src/pkg/_same.so": b"same", "src/pkg/_fast.so": b"new", "pkg.libs/libz.so.1": b"z", "a.py": b"same"},
    }
    for side, contents in files.items():
        for name, content in contents.items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return tmp_path / "base", tmp_path / "head"


def is_one(first, second):
    return first.stat().st_ino == second.stat().st_ino


def test_what_is_the_same_becomes_one_file_and_the_rest_is_each_sides_own(trees):
    base, head = trees
    assert share_binaries(base, head) == (("pkg/_fast.so", "pkg/_gone.pyd"), ("src/pkg/_fast.so",))
    assert is_one(base / "pkg/_same.so", head / "src/pkg/_same.so")
    assert is_one(base / "pkg.libs/libz.so.1", head / "pkg.libs/libz.so.1")
    assert (head / "src/pkg/_fast.so").read_bytes() == b"new"


def test_a_file_is_renewed_in_place_while_somebody_has_it_open(trees):
    base, _ = trees
    path = base / "pkg/_fast.so"
    path.chmod(0o755)
    with path.open("rb") as loaded:
        before = path.stat()
        renew(base, ["pkg/_fast.so", "pkg/not-there.so"])
        after = path.stat()
        assert loaded.read() == path.read_bytes() == b"old"
    assert before.st_ino != after.st_ino
    assert before.st_mode == after.st_mode
    assert sorted(one.name for one in path.parent.iterdir()) == ["_fast.so", "_gone.pyd", "_same.so"]


def test_without_links_both_have_files_of_their_own(trees, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(binaries.os, "link", refuse)
    of_base, of_head = share_binaries(*trees)
    assert "pkg/_same.so" in of_base
    assert "src/pkg/_same.so" in of_head


def test_what_is_too_much_stays_where_it_is(trees, monkeypatch):
    monkeypatch.setattr(binaries, "MOST_BYTES", 4)
    assert share_binaries(*trees) == ((), ("src/pkg/_fast.so",))
