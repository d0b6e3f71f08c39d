"""Which hosted CI this is, told by the environment variables that each of them sets."""

from __future__ import annotations

from collections.abc import Mapping

#: Variable -> name, tried in order; the generic one comes last.
_MARKS = {
    "GITHUB_ACTIONS": "github-actions",
    "GITLAB_CI": "gitlab",
    "CIRCLECI": "circleci",
    "TF_BUILD": "azure-pipelines",
    "JENKINS_URL": "jenkins",
    "BUILDKITE": "buildkite",
    "TRAVIS": "travis",
    "DRONE": "drone",
    "BITBUCKET_BUILD_NUMBER": "bitbucket-pipelines",
    "TEAMCITY_VERSION": "teamcity",
    "APPVEYOR": "appveyor",
    "CODEBUILD_BUILD_ID": "codebuild",
    "CI": "ci",
}
_NO = frozenset({"false", "0", "no", "off"})


def hosted_ci(environ: Mapping[str, str]) -> str | None:
    """Name the hosted CI.

    Args:
        environ: Environment variables.

    Returns:
        Such as ``github-actions``, ``ci`` for one that is not known by name, or None.  ``CI=false`` is a person's
        word that this is none, whatever else is set.
    """
    if environ.get("CI", "").strip().lower() in _NO:
        return None
    return next((name for variable, name in _MARKS.items() if _is_set(environ.get(variable, ""))), None)


def _is_set(value: str) -> bool:
    return bool(value.strip()) and value.strip().lower() not in _NO
