"""Installs one distribution, or builds one tree, into a folder of its own: with pip, or uv where there is no pip."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.locating import installed_version

#: How much of a failed build is shown.
_SHOWN_LINES = 5
#: What changes the outcome of a build besides the tree.
_BUILD_VARIABLES = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "ARCHFLAGS", "RUSTFLAGS")
_MISSING_REQUIREMENT = re.compile(r"No module named|BackendUnavailable|Cannot import")


class InstallError(Exception):
    """The installer failed; the text is the end of what it wrote."""


def platform_key(*parts: str) -> str:
    """Name what is made for this Python on this platform.

    Args:
        parts: What else it depends on.

    Returns:
        A name for the cache.
    """
    about = [sys.implementation.cache_tag or "", sys.version, sysconfig.get_platform(), platform.libc_ver()[1]]
    about += [str(sysconfig.get_config_var("SOABI")), sys.prefix]
    return hashlib.sha256("\0".join([*about, *parts]).encode()).hexdigest()[:40]


def build_key(content: str) -> str:
    """Name the build of a tree.

    Args:
        content: The digest of the tree.

    Returns:
        A name for the cache.
    """
    return "build-" + platform_key(content, *(os.environ.get(name, "") for name in _BUILD_VARIABLES))


def install(what: str, into: Path, *, isolated: bool = True, environ: Mapping[str, str] | None = None) -> None:
    """Install into a folder, without dependencies and without bytecode.

    Args:
        what: A requirement, or the path of a tree.
        into: The folder.
        isolated: Whether a build gets an environment of its own, with what it requires.
        environ: Variables for the build, besides the present ones.

    Raises:
        InstallError: It failed.
    """
    isolation = () if isolated else ("--no-build-isolation",)
    done = _run([*_installer(), "--no-deps", "--target", str(into), *isolation, "--", what], environ or {})
    if done.returncode:
        raise InstallError(_end(done.stdout))


def _installer() -> list[str]:
    if installed_version("pip") is not None:
        common = ["--disable-pip-version-check", "--no-input", "--no-warn-conflicts", "--progress-bar=off"]
        return [sys.executable, "-m", "pip", "install", "--no-compile", "--upgrade", *common]
    uv = shutil.which("uv")
    if uv is None:
        raise AgainstError(f"neither pip nor uv is there to build with; run `{sys.executable} -m ensurepip`")
    return [uv, "pip", "install", "--python", sys.executable, "--no-progress"]


def _run(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_TARGET", "PIP_USER"}}
    return subprocess.run(  # noqa: S603  # our own command; what is installed is what the user names
        command,
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _end(output: str) -> str:
    """Take the lines that say what is wrong: those after which only advice follows are the last."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip(" │╰─>\t")]
    advice = re.compile(r"note: This|hint: See|\[notice\]|WARNING: |\[end of output\]")
    told = [line for line in lines if not advice.search(line)] or lines or ["(no output)"]
    return "\n".join(f"    {line.strip()}" for line in told[-_SHOWN_LINES:])


def build(tree: Path, into: Path, *, requires: Sequence[str], version: str) -> None:
    """Build a tree and install it into a folder.

    Args:
        tree: A copy that may be written to.
        into: The folder.
        requires: What the build needs; when all of it is installed here, no other environment is made for it.
        version: For the tools that would ask git for one: a copy has no history.

    Raises:
        InstallError: It does not build.
    """
    pretended = {
        "SETUPTOOLS_SCM_PRETEND_VERSION": version,
        "PDM_BUILD_SCM_VERSION": version,
        "POETRY_DYNAMIC_VERSIONING_BYPASS": version,
        "SOURCE_DATE_EPOCH": "315532800",  # 1980: the same code is built to the same bytes
    }
    environ = {name: os.environ.get(name, value) for name, value in pretended.items()}
    isolated = not _are_installed(requires)
    try:
        install(str(tree), into, isolated=isolated, environ=environ)
    except InstallError as problem:
        if isolated or not _MISSING_REQUIREMENT.search(str(problem)):
            raise
        install(str(tree), into, environ=environ)


def _are_installed(requires: Sequence[str]) -> bool:
    """Ask pip, which knows versions and markers; nothing is downloaded."""
    if installed_version("pip") is None:
        return False
    offline = ["--no-index", "--no-deps", "--dry-run", "--disable-pip-version-check"]
    environ = {"PIP_FIND_LINKS": "", "PIP_TARGET": ""}
    return _run([sys.executable, "-m", "pip", "install", *offline, "--", *requires], environ).returncode == 0
