"""What cannot be compared against is an error that says what to do, and leaves nothing behind."""

from __future__ import annotations

import errno
import subprocess

import pytest
from checkouts import Repository, nowhere

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment import prepared


@pytest.fixture
def refused(runs):
    def ask_refused(against, root, **options):
        options.setdefault("locate", nowhere)
        with pytest.raises(AgainstError) as raised, prepared(against, root=root, **options):
            pass
        assert runs() == []
        return str(raised.value)

    return ask_refused


def test_an_unknown_revision(repository, refused):
    repository.commit({"pkg/__init__.py": ""})
    assert refused("origin/main", repository.path) == (
        "there is no revision 'origin/main' here; check its spelling with `git log --oneline --all`"
    )
    repository.git("remote", "add", "origin", "nowhere")
    assert refused("origin/main", repository.path).endswith("; run `git fetch origin main`, or check its spelling")
    assert refused("mian~2", repository.path).endswith("; run `git fetch origin`, or check its spelling")
    assert refused("pkg", repository.path).endswith("; to compare against that folder write path:pkg")
    for nonsense in ("", "--all", "a..b", "HEAD:pkg"):
        assert "revision" in refused(nonsense, repository.path)


def test_a_name_that_is_a_branch_and_a_tag(repository, refused, runs):
    repository.commit({"pkg/__init__.py": ""})
    repository.git("tag", "stable")
    repository.git("branch", "stable")
    message = refused("stable", repository.path)
    assert message == "'stable' is a branch and a tag; write refs/heads/stable or refs/tags/stable"
    for full in ("refs/heads/stable", "refs/tags/stable"):
        with prepared(full, root=repository.path, locate=nowhere) as sides:
            assert full in sides.base.label


def test_a_checkout_of_another_user(repository, refused, monkeypatch):
    repository.commit({"pkg/__init__.py": ""})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    message = refused("HEAD", repository.path)
    assert "dubious ownership" in message
    assert message.endswith(f"; allow it with `git config --global --add safe.directory {repository.path}`")


def test_a_shallow_clone(repository, refused, tmp_path):
    repository.commit({"pkg/__init__.py": "V = 1"})
    repository.commit({"pkg/__init__.py": "V = 2"})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", repository.path.as_uri(), clone], check=True)
    message = refused("origin/other", clone)
    assert "this clone is shallow: run `git fetch --depth=1 origin other:refs/remotes/origin/other`" in message
    assert message.endswith("fetch-depth: 0")
    deeper = "run `git fetch --unshallow`, or give actions/checkout fetch-depth: 0"
    assert refused("HEAD~1", clone).endswith(f"this clone is shallow: {deeper}")
    commit = repository.git("rev-parse", "HEAD~1").strip()
    assert refused(commit[:8], clone).endswith(f"this clone is shallow: {deeper}"), "no server knows a short hash"
    assert f"run `git fetch --depth=1 origin {commit}`, or" in refused(commit, clone)


def test_a_repository_without_a_commit(repository, refused):
    repository.write({"pkg/__init__.py": ""})
    assert refused("HEAD", repository.path) == (
        "this repository has no commit yet, so 'HEAD' means nothing; commit what head is to be compared with, "
        "or compare against path:DIR or dist:NAME"
    )


def test_no_repository(tmp_path, refused):
    (tmp_path / "plain" / "pkg").mkdir(parents=True)
    (tmp_path / "plain" / "pkg" / "__init__.py").touch()
    message = refused("HEAD", tmp_path / "plain")
    assert "is not in a git repository, so 'HEAD' means nothing there; compare against path:DIR or dist:NAME" in message


def test_no_git(repository, refused, monkeypatch):
    repository.commit({"pkg/__init__.py": ""})
    monkeypatch.setenv("PATH", "")
    assert refused("HEAD", repository.path).startswith("git is not installed or not on PATH; install it, or ")


def test_a_folder_that_is_not_there_or_holds_no_such_package(repository, refused, tmp_path):
    repository.commit({"pkg/__init__.py": ""})
    assert refused("path:../none", repository.path).startswith("there is no folder '../none', here or in ")
    assert refused("path:", repository.path).startswith("there is no folder '', here or in ")
    (tmp_path / "empty").mkdir()
    message = refused(f"path:{tmp_path / 'empty'}", repository.path)
    assert message.startswith(f"base ({tmp_path / 'empty'}) holds no pkg; compare against one that does, or name")
    (tmp_path / "strange" / "other").mkdir(parents=True)
    (tmp_path / "strange" / "other" / "__init__.py").touch()
    message = refused(f"path:{tmp_path / 'strange'}", repository.path)
    assert message.endswith("holds other and not pkg; compare against another version of the same code")


def test_the_working_tree_itself(repository, refused):
    repository.commit({"pkg/__init__.py": ""})
    assert refused(f"path:{repository.path}", repository.path) == (
        f"path:{repository.path} is the working tree itself; give another checkout, or HEAD for what is committed"
    )


def test_a_revision_without_the_package(repository, refused):
    repository.commit({"README": ""})
    repository.commit({"pkg/__init__.py": ""})
    assert refused("HEAD~1", repository.path).startswith("base (")
    repository.commit({"sub/pyproject.toml": "", "sub/inner/__init__.py": ""})
    assert "has no folder sub; compare against" in refused("HEAD~1", repository.path / "sub")


def test_nothing_to_compare(repository, refused):
    repository.commit({"README": "", "tests/test_a.py": "", "setup.py": ""})
    message = refused("HEAD", repository.path)
    assert message.startswith("no package to compare was found in ")
    assert message.endswith('name it: [tool.perfgate] packages = ["name"]')
    message = refused("HEAD", repository.path, packages=["nope"])
    assert message.startswith("'nope' of [tool.perfgate] packages cannot be found in ")


def test_a_submodule_without_the_commit(repository, refused, tmp_path):
    vendored = Repository(tmp_path / "vendored")
    vendored.commit({"inside.py": ""})
    repository.commit({"pkg/__init__.py": ""})
    repository.git("submodule", "--quiet", "add", str(vendored.path), "pkg/vendor")
    elsewhere = "1" * 40
    repository.git("update-index", "--cacheinfo", f"160000,{elsewhere},pkg/vendor")
    repository.git("commit", "--quiet", "--message=.")
    message = refused("HEAD", repository.path)
    assert message.startswith("the submodule vendor does not have commit 1111111, which the base needs; run `git -C ")
    assert message.endswith(f"fetch origin {elsewhere}`")


def test_a_full_disk(repository, refused, monkeypatch):
    repository.commit({"pkg/__init__.py": ""})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr("shutil.copy2", full)
    assert refused("HEAD", repository.path).startswith("no space is left on the disk at somewhere for the two copies")


def test_what_the_caller_does_with_the_sides_is_not_explained(repository):
    repository.commit({"pkg/__init__.py": ""})
    with pytest.raises(OSError, match="mine"), prepared("HEAD", root=repository.path, locate=nowhere):
        raise OSError(errno.ENOSPC, "mine")
