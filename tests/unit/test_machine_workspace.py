"""Where a folder is, seen from where the build server names files."""

from __future__ import annotations

import pytest

from pytest_perfgate.machine import place_in_workspace


@pytest.mark.parametrize(
    ("folder", "repository", "workspace", "place"),
    [
        ("repo", "repo", None, ""),
        ("repo/packages/a", "repo", None, "packages/a"),
        ("work/repo/packages/a", "work/repo", "work", "repo/packages/a"),
        ("work/repo", "work/repo", "elsewhere", ""),
        ("work/repo/a", "work/repo", "elsewhere", "a"),
        ("work", None, "work", ""),
        ("work/repo", "work/repo", "", ""),
    ],
)
def test_the_workspace_is_stronger_than_the_repository(tmp_path, folder, repository, workspace, place):
    (tmp_path / folder).mkdir(parents=True)
    if repository:
        (tmp_path / repository / ".git").write_text("gitdir: elsewhere")  # as in a work tree of its own
    environ = {} if workspace is None else {"GITHUB_WORKSPACE": workspace and str(tmp_path / workspace)}
    assert place_in_workspace(tmp_path / folder, environ) == place


def test_links_are_followed(tmp_path):
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert place_in_workspace(tmp_path / "link" / "a", {"GITHUB_WORKSPACE": str(tmp_path / "real")}) == "a"
