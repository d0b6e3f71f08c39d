"""A repository with a pull request as GitHub keeps one, and jobs that check it out; what is run there is a test's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from action.job import Job
from checkouts import Repository

#: A package with one number, and a test that measures it: nothing is timed.
COUNTING = {
    "pkg/__init__.py": "QUERIES = 100\n",
    "test_pkg.py": "import pkg\n\n\ndef test_queries(metric):\n    metric('queries', pkg.QUERIES)\n",
    ".gitignore": "__pycache__\n.pytest_cache\n",
}


class Origin:
    """A repository with a main branch, a pull request and the merge of both that GitHub makes.

    Attributes:
        fork: The commit of main that the pull request starts from.
        head: The last commit of the pull request.
        base: The last commit of main.
        merge: What GitHub checks out.
    """

    def __init__(self, folder: Path, change: Mapping[str, str], files: Mapping[str, str] = COUNTING) -> None:
        self.folder = folder
        self.clones = 0
        self.repository = Repository(folder / "origin")
        git = self.repository.git
        for count in range(3):
            self.repository.commit({**files, "history.txt": str(count)})
        self.fork = git("rev-parse", "HEAD")
        git("checkout", "--quiet", "-b", "topic")
        for count in range(2):
            self.repository.commit({**change, "topic.txt": str(count)})
        git("checkout", "--quiet", "main")
        for count in range(3):  # what happens on main meanwhile is not the pull request's
            self.base = self.repository.commit({"pkg/other.py": f"X = {count}\n"})
        git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.push({"topic.txt": "pushed"})

    def push(self, change: Mapping[str, str]) -> None:
        """Add a commit to the pull request, and merge it anew as GitHub does."""
        self.repository.git("checkout", "--quiet", "topic")
        self.head = self.repository.commit(dict(change))
        self._merge()

    def advance(self, change: Mapping[str, str]) -> str:
        """Add a commit to main, which GitHub then merges with the same pull request; return it."""
        self.base = self.repository.commit(dict(change))
        self._merge()
        return self.base

    def _merge(self) -> None:
        git = self.repository.git
        git("checkout", "--quiet", "-B", "merge", "main")
        git("merge", "--quiet", "--no-edit", "topic")
        self.merge = git("rev-parse", "HEAD")
        git("checkout", "--quiet", "main")

    def clone(self, commit: str, depth: int = 1) -> Repository:
        """Check out as actions/checkout does: one commit, nothing else."""
        self.clones += 1
        target = Repository(self.folder / f"clone {self.clones}")  # a blank, because what is not quoted breaks there
        target.git("remote", "add", "origin", self.repository.path.as_uri())
        target.git("fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", commit)
        target.git("checkout", "--quiet", "--detach", commit)
        return target


def check_out(job: Job, origin: Origin) -> Repository:
    """Put a job onto a fresh machine with the merge of a pull request from a fork, and nothing else.

    Returns:
        The clone that the job runs in.
    """
    clone = origin.clone(origin.merge)
    job.workspace = clone.path
    job.github["sha"] = origin.merge
    payload = {"number": 7, "base": {"sha": origin.base}, "head": {"sha": origin.head, "repo": {"fork": True}}}
    job.on("pull_request", "refs/pull/7/merge", repository={"default_branch": "main"}, pull_request=payload)
    return clone
