"""Other people's linters of workflow files and scripts, called the way .ci/run calls them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

#: What check-jsonschema's own hooks add for some of its schemas: they are not written for every reader.
_READ_AS = {
    "vendor.azure-pipelines": ("--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"),
    "vendor.gitlab-ci": ("--data-transform", "gitlab-ci", "--regex-variant", "nonunicode"),
}


def complaints_of_schema(schema: str, *files: Path) -> str:
    """Hold files against a schema that check-jsonschema ships, such as ``vendor.github-workflows``."""
    options = ("--builtin-schema", schema, *_READ_AS.get(schema, ()))
    return _complaints("check-jsonschema", *options, *map(str, files))


def complaints_of_zizmor(*files: Path) -> str:
    """Look for what is unsafe in workflows and actions, with the strictest eyes."""
    return _complaints("zizmor", "--offline", "--strict-collection", "--persona=auditor", *map(str, files))


def complaints_of_shellcheck(script: str, folder: Path, shell: str = "sh") -> str:
    """Look for mistakes in a shell script."""
    file = folder / "script.sh"
    file.write_text(script, "utf-8")
    return _complaints("shellcheck", f"--shell={shell}", str(file))


def complaints_of_language_service(
    files: Mapping[str, str], actions: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Ask GitHub's own language service, as their editors do.

    Args:
        files: Name -> content; ``.github/workflows/*.yml`` is a workflow, ``action.yml`` an action.
        actions: ``owner/name`` -> inputs as in its ``action.yml``; of any other action nothing is known.

    Returns:
        Name -> what is wrong, each with its line.
    """
    folder, node = os.environ.get("PERFGATE_LANGUAGE_SERVICE"), shutil.which("node")
    if not folder or node is None:
        pytest.skip("GitHub's language service is not here; nox -s workflows installs it where there is node")
    # As text, so that the packages are looked for where they are and not beside the file.
    program = (Path(__file__).parent / "workflows/language_service/check.mjs").read_text("utf-8")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", program],
        cwd=folder,
        input=json.dumps({"files": files, "actions": actions}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    assert found.keys() == files.keys()
    return found


def mistakes_of_groovy(text: str) -> list[str]:
    """Parse a Jenkinsfile; return the lines that are no Groovy."""
    language = pytest.importorskip("tree_sitter_groovy").language()
    parser = pytest.importorskip("tree_sitter")
    nodes = [parser.Parser(parser.Language(language)).parse(text.encode()).root_node]
    mistakes = []
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            mistakes.append(f"line {node.start_point[0] + 1}: {text.splitlines()[node.start_point[0]]}")
        nodes.extend(node.children)
    return mistakes


def _complaints(program: str, *arguments: str) -> str:
    """Return what the program says; nothing when it finds nothing."""
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed; it is in the dependency group test")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
