"""Reads what a project says of itself where it is written plainly: its name, its packages, how it is built."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

#: Backends whose business is compiled code.
_COMPILING_BACKENDS = ("mesonpy", "maturin", "scikit_build_core", "setuptools_rust", "enscons", "sipbuild")
_COMPILING_CALLS = re.compile(
    r"\b(ext_modules|cythonize|Extension|cffi_modules|rust_extensions|mypycify|Pybind11Extension)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a project's files say.

    Attributes:
        name: Of its distribution; None when it is not written plainly.
        packages: Folders or modules, relative to the project, that are said to be its packages.
        folders: Folders, relative to the project, that are said to contain its packages.
        requires: What is needed to build it.
        compiles: Whether it is said to have compiled modules.
        version: Its version; None when it is not written plainly.
    """

    name: str | None = None
    packages: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    requires: tuple[str, ...] = ("setuptools",)
    compiles: bool = False
    version: str | None = None


def read_declared(tree: Path) -> Declared:
    """Read ``pyproject.toml``, ``setup.cfg`` and, for the plainest literals, ``setup.py``.

    Args:
        tree: The project.

    Returns:
        What stands there; nothing when the files are missing or cannot be read.
    """
    toml, cfg, script = _toml(tree / "pyproject.toml"), _cfg(tree / "setup.cfg"), _text(tree / "setup.py")
    project, build = table_in(toml, "project"), table_in(toml, "build-system")
    poetry = table_in(toml, "tool", "poetry")
    named = project.get("name") or poetry.get("name") or cfg.get("metadata", {}).get("name") or _literal(script, "name")
    version = project.get("version") or poetry.get("version")
    backend = str(build.get("build-backend", ""))
    return Declared(
        name=named if isinstance(named, str) else None,
        packages=tuple(_packages(toml, cfg, named if isinstance(named, str) else "")),
        folders=tuple(dict.fromkeys([*_folders(toml, cfg, script), *_pytest_folders(tree, toml, cfg)])),
        requires=tuple(_strings(build.get("requires"))) or ("setuptools",),
        compiles=backend.startswith(_COMPILING_BACKENDS)
        or bool(_COMPILING_CALLS.search(script))
        or bool(table_in(toml, "tool", "setuptools").get("ext-modules")),
        version=version if isinstance(version, str) else None,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _toml(path: Path) -> Mapping[str, Any]:
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        found: Mapping[str, Any] = toml.loads(_text(path))
    except ValueError:
        return {}
    return found


def _cfg(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(path))
    except configparser.Error:
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def table_in(toml: Any, *keys: str) -> Mapping[str, Any]:
    """Take a table out of nested ones; empty where there is none."""
    for key in keys:
        toml = toml.get(key, {}) if isinstance(toml, Mapping) else {}
    return toml if isinstance(toml, Mapping) else {}


def _strings(value: object) -> list[str]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [each for each in values if isinstance(each, str)]


def _literal(script: str, keyword: str) -> str | None:
    found = re.search(rf"\b{keyword}\s*=\s*['\"]([^'\"]+)['\"]", script)
    return found[1] if found else None


def _packages(toml: Mapping[str, Any], cfg: Mapping[str, Mapping[str, str]], name: str) -> Iterator[str]:
    """Give the places of packages that backends are told by name."""
    wheel = table_in(toml, "tool", "hatch", "build", "targets", "wheel")
    yield from (path.strip("/") for path in _strings(wheel.get("packages")))
    yield from (path.strip("/") for path in _strings(table_in(toml, "tool", "scikit-build", "wheel").get("packages")))
    setuptools = table_in(toml, "tool", "setuptools")
    top = _strings(table_in(setuptools, "package-dir").get(""))
    prefix = f"{top[0].strip('/')}/" if top else ""
    modules = [*_strings(setuptools.get("packages")), *_strings(setuptools.get("py-modules"))]
    yield from (prefix + module.replace(".", "/") for module in modules)
    for key in ("packages", "py_modules"):
        written = cfg.get("options", {}).get(key, "").replace(",", "\n").split()
        yield from (module.replace(".", "/") for module in written if not module.startswith("find"))
    for package in table_in(toml, "tool", "poetry").get("packages") or ():
        if isinstance(package, Mapping) and isinstance(package.get("include"), str) and _is_installed(package):
            yield f"{package.get('from', '.')}/{package['include']}".removeprefix("./")
    flit = _strings(table_in(toml, "tool", "flit", "module").get("name"))
    flit = flit or ([name.replace("-", "_")] if _is_flit(toml) and name else [])
    yield from (place + module.replace(".", "/") for module in flit for place in ("src/", ""))


def _is_installed(package: Mapping[str, Any]) -> bool:
    """Tell a package of poetry's from what, like tests, is only in the source distribution."""
    formats = _strings(package.get("format"))
    return not formats or "wheel" in formats


def _is_flit(toml: Mapping[str, Any]) -> bool:
    return str(table_in(toml, "build-system").get("build-backend", "")).startswith("flit")


def _folders(toml: Mapping[str, Any], cfg: Mapping[str, Mapping[str, str]], script: str) -> Iterator[str]:
    """Give the folders in which backends are told to look."""
    setuptools = table_in(toml, "tool", "setuptools")
    yield from _strings(table_in(setuptools, "packages", "find").get("where"))
    yield from _strings(table_in(setuptools, "package-dir").get(""))
    for line in cfg.get("options", {}).get("package_dir", "").splitlines():
        key, equals, folder = line.partition("=")
        if equals and not key.strip():
            yield folder.strip()
    where = cfg.get("options.packages.find", {}).get("where")
    yield from [where] if where else []
    yield from re.findall(r"package_dir\s*=\s*\{\s*['\"]{2}\s*:\s*['\"]([^'\"]+)['\"]", script)
    yield from re.findall(r"find_(?:namespace_)?packages\(\s*(?:where\s*=\s*)?['\"]([^'\"]+)['\"]", script)
    yield from _strings(table_in(toml, "tool", "pdm", "build").get("package-dir"))
    yield from _strings(table_in(toml, "tool", "maturin").get("python-source"))
    yield from _strings(table_in(toml, "tool", "uv", "build-backend").get("module-root"))


def _pytest_folders(tree: Path, toml: Mapping[str, Any], cfg: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Give what pytest is told to put on ``sys.path``."""
    pytest = table_in(toml, "tool", "pytest")
    for table in (pytest, table_in(pytest, "ini_options")):
        for written in _strings(table.get("pythonpath")):
            yield from written.split()
    yield from cfg.get("tool:pytest", {}).get("pythonpath", "").split()
    for name in ("pytest.ini", ".pytest.ini", "tox.ini"):
        yield from _cfg(tree / name).get("pytest", {}).get("pythonpath", "").split()
