"""Real repositories, real environments and real processes: nothing about imports is worth believing otherwise."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

_IDENTITY = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_LOCATE = """
import importlib.util, sys
spec = importlib.util.find_spec(sys.argv[1])
print((spec.origin if spec.has_location else next(iter(spec.submodule_search_locations))) if spec else "")
"""

#: Beginnings of a pyproject.toml.
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
HATCHLING = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PROJECT = '[project]\nname = "probe-pkg"\nversion = "1"\n'
#: What some editable installs put first among the finders; ``known`` is a dictionary of names and files.
IMPORT_HOOK = """
import importlib.util, sys

class Hook:
    known = {known!r}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in cls.known:
            return importlib.util.spec_from_file_location(name, cls.known[name])

sys.meta_path.insert(0, Hook)
"""

#: A package with a compiled module, without its source: :func:`extension_source`.
EXTENSION = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
[project]
name = "probe-fast"
version = "3.1"
""",
    "setup.py": """
from setuptools import Extension, setup
setup(packages=["fast"], ext_modules=[Extension("fast._c", ["fast/_c.c"])])
""",
    "fast/__init__.py": "from ._c import V, changed, steady",
    ".gitignore": "*.so\nbuild\n*.egg-info\n__pycache__\n",
}
_EXTENSION_SOURCE = """
#include <Python.h>
static PyObject *spin(long times) {
    for (volatile long i = 0; i < 1000 * times; i++) ;
    Py_RETURN_NONE;
}
static PyObject *changed(PyObject *self, PyObject *none) { return spin(VALUE); }
static PyObject *steady(PyObject *self, PyObject *none) { return spin(1); }
static PyMethodDef methods[] = {
    {"changed", changed, METH_NOARGS, NULL}, {"steady", steady, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}
};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_c", NULL, -1, methods};
PyMODINIT_FUNC PyInit__c(void) {
    PyObject *made = PyModule_Create(&module);
    if (made) PyModule_AddIntConstant(made, "V", VALUE);
    return made;
}
"""
needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None
    or sysconfig.get_config_var("CC") is None
    or find_spec("setuptools") is None
    or find_spec("wheel") is None,
    reason="no C compiler, or nothing that calls it",
)


def extension_source(value):
    """Write the compiled module: V is *value*, and changed() takes that many times as long as steady()."""
    return {"fast/_c.c": _EXTENSION_SOURCE.replace("VALUE", str(value))}


def nowhere(name):
    """Locate nothing: the environment has no copy."""


class Repository:
    """A git repository in a temporary folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        environ = {**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_OPTIONAL_LOCKS": "0"}
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit(self, files: dict[str, str] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=.")
        return self.git("rev-parse", "HEAD")

    def state(self) -> tuple[str, ...]:
        """Everything of the user's that must not change."""
        index = (self.path / ".git" / "index").read_bytes().hex()
        return index, self.git("status", "--porcelain"), self.git("worktree", "list"), self.git("for-each-ref")


class Environment:
    """A virtual environment without anything in it."""

    def __init__(self, path: Path) -> None:
        venv.create(path, symlinks=sys.platform != "win32")
        self.path = path
        self.python = next(path.glob("bin/python")) if os.name != "nt" else path / "Scripts" / "python.exe"
        self.site = next(path.glob("[Ll]ib/**/site-packages"))

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.site / name).parent.mkdir(parents=True, exist_ok=True)
            (self.site / name).write_text(text, "utf-8")

    def borrow(self) -> None:
        """Let it import, after its own, what the environment that runs the tests has: pytest and this package."""
        folders = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
        self.write({"zzz.pth": "".join(f"import site; site.addsitedir({entry!r})\n" for entry in folders)})

    def locate(self, name: str) -> Path | None:
        done = subprocess.run([self.python, "-c", _LOCATE, name], capture_output=True, text=True, check=False)
        return Path(done.stdout.strip()) if done.stdout.strip() else None

    def editable(self, project: Path, *options: str) -> None:
        """Install as a developer does, with the backends of the environment that runs the tests."""
        command = [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
        command += ["--disable-pip-version-check", "--prefix", str(self.path), *options, "--editable", str(project)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def run(side, code, *, python=sys.executable, cwd=None, **environ):
    """Run *code* in a process that imports *side*."""
    done = subprocess.run(
        [python, "-c", code],
        env={**side.environ(os.environ), **environ},
        cwd=cwd or side.bootstrap,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def only_wheels_in(folder):
    """Name the variables that have pip look in a folder and in nothing else."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def write_wheel(folder, version, files, *, requires=""):
    """Write a wheel of ``probe-dist``."""
    info = f"probe_dist-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: probe-dist\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, text in files.items():
        summed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={summed},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"probe_dist-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return files
