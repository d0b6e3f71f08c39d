"""The texts of GitHub workflows that use the Action, and the commits that they pin."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

#: Where the Action is published: owner, name and the tag that moves with every release of version 1.
ACTION = "pytest-perfgate/pytest-perfgate@v1"

#: Other people's actions, by commit, because a tag can be moved; with the tag that the commit had.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
}

_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_YAML_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])

_GATE = """\
# Fails a pull request whose tests became slower than the commit it starts from, both measured in this job.
name: {name}

on:
  pull_request:
  merge_group:
  push:
    branches: [{branch}]

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

jobs:
  gate:
    name: Performance gate
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions:
      contents: read # to check the code out
    steps:
      - uses: {checkout}
        with:
          fetch-depth: 0 # the base is measured as well
          persist-credentials: false
      - uses: {setup_python}
        with:
          python-version: "{python}"
{install}      - id: perfgate
        uses: {action}
{action_inputs}      - if: ${{{{ !cancelled() && steps.perfgate.outputs.report-json != '' }}}}
        uses: {upload}
        with:
          name: {artifact}
          path: ${{{{ steps.perfgate.outputs.report-json }}}}
"""

_INSTALL = """\
      - name: Install the project and what its tests need
        run: {command}
"""

_COMMENT = """\
# Says in the pull request what the workflow "{name}" found.  It runs with the right to comment, so it never checks out
# or runs the code of the pull request: it reads numbers from the report and nothing else.
name: {name} comment

on:
  workflow_run: # zizmor: ignore[dangerous-triggers] no code of the pull request is run here
    workflows: [{name}]
    types: [completed]

permissions: {{}}

concurrency:
  group: >-
    ${{{{ github.workflow }}}}
    ${{{{ github.event.workflow_run.head_repository.full_name }}}}
    ${{{{ github.event.workflow_run.head_branch }}}}
  cancel-in-progress: false

jobs:
  comment:
    name: Comment
    if: github.event.workflow_run.event == 'pull_request'
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      actions: read # to fetch the report
      pull-requests: write # to comment
    steps:
      - uses: {setup_python}
        with:
          python-version: "{python}"
      - run: python -m pip install {requirement}
      - id: report
        continue-on-error: true # there is none when nothing could be measured
        uses: {download}
        with:
          name: {artifact}
          path: perfgate-report
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - if: steps.report.outcome == 'success'
        run: perfgate ci comment perfgate-report/perfgate.json
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}}
"""


def gate_text(*, branch: str, python: str, install: Sequence[str], folder: str, action: str = ACTION) -> str:
    """Write the workflow that measures.

    Args:
        branch: The default branch.
        python: A version of Python, such as ``3.13``.
        install: Arguments of ``pip install``; none for nothing to install.
        folder: Of the project within the repository; ``.`` for its top.
        action: ``owner/name@reference``.
    """
    command = shlex.join(["python", "-m", "pip", "install", *install])
    step = _INSTALL.format(command=command) if install else ""
    if install and folder != ".":
        step += f"        working-directory: {_scalar(folder)}\n"
    inputs = "" if folder == "." else f"        with:\n          working-directory: {_scalar(folder)}\n"
    return _GATE.format(
        name=workflow_name(folder),
        branch=_branch(branch),
        python=python,
        install=step,
        action=_tagged(action),
        action_inputs=inputs,
        artifact=artifact_name(folder),
        checkout=pinned("actions/checkout"),
        setup_python=pinned("actions/setup-python"),
        upload=pinned("actions/upload-artifact"),
    )


def comment_text(*, python: str, requirement: str, folder: str) -> str:
    """Write the workflow that comments.

    Args:
        python: A version of Python.
        requirement: What to install for it, such as ``pytest-perfgate==1.2.3``.
        folder: As for :func:`gate_text`.
    """
    return _COMMENT.format(
        name=workflow_name(folder),
        python=python,
        requirement=requirement,
        artifact=artifact_name(folder),
        setup_python=pinned("actions/setup-python"),
        download=pinned("actions/download-artifact"),
    )


def file_names(folder: str) -> tuple[str, str]:
    """Name the files of both workflows; each project of a repository has its own."""
    name = workflow_name(folder)
    return f"{name}.yml", f"{name}-comment.yml"


def workflow_name(folder: str) -> str:
    """Name the workflow that measures, so that the other can wait for it."""
    part = re.sub(r"[^A-Za-z0-9]+", "-", folder).strip("-")
    return f"perfgate-{part}" if part else "perfgate"


def artifact_name(folder: str) -> str:
    """Name what hands the report from one workflow to the other."""
    return f"{workflow_name(folder)}-report"


def pinned(action: str) -> str:
    """Write an action with its commit and, for people and for Dependabot, its tag."""
    commit, tag = PINS[action]
    return f"{action}@{commit} # {tag}"


def _tagged(action: str) -> str:
    """Write an action with a reference that the user chose."""
    if re.fullmatch(r"[0-9a-f]{40}", action.partition("@")[2]):
        return action
    return f"{action} # zizmor: ignore[unpinned-uses] a tag that moves with the releases"


def _branch(name: str) -> str:
    """Write a branch for a filter, in which some characters are patterns."""
    return _scalar(re.sub(r"([+!\]])", r"\\\1", name))


def _scalar(text: str) -> str:
    """Write a text as one YAML value."""
    is_plain = _PLAIN_WORD.fullmatch(text) and text.lower() not in _YAML_WORDS
    return text if is_plain else json.dumps(text)
