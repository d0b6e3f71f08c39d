"""What is done to this project, one session each; `nox -l` lists them, `.ci/run` calls them all.

Every session runs on the interpreter that runs nox.  Dependency groups are resolved here, not with
`pip install --group`, which pip 23 does not know.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from email.parser import HeaderParser
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "typing", "workflows", "tests", "docs", "wheel"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
#: pytest's own schema for JUnit files travels in its source distribution only.
XSD_SOURCE = "pytest==8.4.2"
XSD_NAME = "junit-10.xsd"
#: Which versions of GitHub's language service, and what asks it.
LANGUAGE_SERVICE = ROOT / "tests" / "workflows" / "language_service"


def group(*names: str) -> tuple[str, ...]:
    """Return the requirements of dependency groups of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def scratch(session: nox.Session, name: str) -> Path:
    """Name a folder for what a session makes."""
    # Not session.create_tmp(), which moves TMPDIR into this tree: pytest would then take our pyproject.toml for that of
    # every little project that a test makes.
    return Path(session.virtualenv.location) / "scratch" / name


def install_wheel(session: nox.Session, *requirements: str, extras: str = "") -> None:
    """Build the wheel from the tree and install it with *requirements* into the session."""
    folder = scratch(session, "wheel")
    for old in folder.glob("*.whl"):
        old.unlink()
    session.run_install("pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT), silent=True)
    if not any(folder.glob("*.whl")):  # nox -R: the user wants what is installed
        return
    (wheel,) = folder.glob("*.whl")
    session.install(f"{wheel}{extras}", *requirements)
    # The environment is reused and the version stays the same from one change to the next.
    session.install("--no-deps", "--force-reinstall", str(wheel))


def run_tests(session: nox.Session, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run pytest on the installed wheel."""
    # A test that hangs ends its process; pytest-timeout would use the alarm signal or a thread, and both are what
    # some tests look at.
    patience = ["-o", "faulthandler_timeout=300", "-o", "faulthandler_exit_on_timeout=true"]
    # The script and not `python -m pytest`, which would put the source tree before the wheel.
    session.run("pytest", *patience, *arguments, env={"PERFGATE_EXPECT_INSTALLED": "1", **(env or {})})


def junit_schema(session: nox.Session) -> Path | None:
    """Find or fetch pytest's JUnit schema; None where it cannot be had and this is not CI."""
    given = os.environ.get("PERFGATE_JUNIT_XSD")
    schema = Path(given) if given else Path(session.cache_dir) / XSD_NAME
    if schema.is_file():
        return schema.resolve()
    folder = scratch(session, "xsd")
    command = ["download", "--no-deps", "--no-binary", "pytest", "--dest", str(folder), XSD_SOURCE]
    fetched = session.run("pip", *command, silent=True, success_codes=[0, 1, 2])
    found = sorted(folder.glob("pytest-*.tar.gz"))
    if not found:
        session.log("%s could not be fetched:\n%s", XSD_SOURCE, fetched)
        if os.environ.get("CI") == "true":
            session.error(f"{XSD_NAME} is needed to check the JUnit reports")
        return None
    with tarfile.open(found[-1]) as archive:
        member = next(name for name in archive.getnames() if name.endswith("/" + XSD_NAME))
        content = archive.extractfile(member)
        assert content is not None, f"{member} is not a file"  # noqa: S101  # for mypy
        schema.parent.mkdir(parents=True, exist_ok=True)
        schema.write_bytes(content.read())
    return schema.resolve()


def language_service(session: nox.Session) -> Path | None:
    """Find or install GitHub's language service for workflows; None where it cannot be had, which is said."""
    if given := os.environ.get("PERFGATE_LANGUAGE_SERVICE"):
        return Path(given).resolve()
    folder = Path(session.cache_dir) / LANGUAGE_SERVICE.name
    wanted, installed = LANGUAGE_SERVICE / "package-lock.json", folder / "installed.json"
    if installed.is_file() and installed.read_bytes() == wanted.read_bytes():
        return folder.resolve()
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        session.warn("GitHub's language service is left out: node and npm, which it needs, are not on PATH")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LANGUAGE_SERVICE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    with session.chdir(folder):
        said = session.run(*command, external=True, silent=True, success_codes=range(256))
    if not (folder / "node_modules" / ".package-lock.json").is_file():  # npm writes it last
        session.warn(f"GitHub's language service is left out: npm could not install it:\n{said}")
        return None
    shutil.copy(wanted, installed)
    return folder.resolve()


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and the import contracts."""
    session.install(*group("lint"), *PYPROJECT["project"]["dependencies"])
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of the package, of its public surface as users see it, and of this file."""
    session.install(*group("typing"), *PYPROJECT["project"]["dependencies"], "nox")
    session.run("mypy")
    session.run("mypy", "noxfile.py", *(["tests/typing"] if any(ROOT.glob("tests/typing/*.py")) else []))


@nox.session
def workflows(session: nox.Session) -> None:
    """Ask GitHub's language service about action.yml and the workflows, ours and those that `perfgate init` writes."""
    service = language_service(session)
    if service is None:
        session.skip("GitHub's language service is not here; see above")
    install_wheel(session, "hypothesis", "pyyaml")  # what the conftest of all tests imports, and these tests
    run_tests(session, "tests/workflows/test_language_service.py", env={"PERFGATE_LANGUAGE_SERVICE": str(service)})


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on the installed wheel, never on the source tree."""
    install_wheel(session, *group("test", "lint"), extras="[xdist]")
    found = {"PERFGATE_JUNIT_XSD": junit_schema(session), "PERFGATE_LANGUAGE_SERVICE": language_service(session)}
    # Two at a time: no test asserts on real time, and most of them wait for a pytest of their own.
    arguments = ["-n2", "--dist=worksteal", *session.posargs]
    run_tests(session, *arguments, env={name: str(path) for name, path in found.items() if path is not None})


@nox.session
def examples(session: nox.Session) -> None:
    """Measure the example projects and hold them to their budgets."""
    needed = [f"--requirement={path}" for path in sorted(ROOT.glob("examples/*/requirements.txt"))]
    install_wheel(session, *needed, extras="[xdist]")
    session.run("pytest", "--perfgate", *(session.posargs or ["examples"]))
    if session.posargs:
        return
    for settings in sorted(ROOT.glob("examples/*/pyproject.toml")):
        # What stands in an example's own [tool.perfgate] holds only in its own folder.
        if "perfgate" in nox.project.load_toml(settings).get("tool", {}):
            with session.chdir(settings.parent):
                session.run("pytest", "--perfgate")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings being errors; its examples are run by tests/test_readme.py."""
    install_wheel(session, *group("docs"), "towncrier>=24")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build source distribution and wheel, and check what is in them."""
    session.install("build", "twine")
    folder = scratch(session, "dist")
    for old in folder.glob("*"):
        old.unlink()
    session.run("python", "-m", "build", "--outdir", str(folder), silent=True)
    (built,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(built), str(source))
    problems = _problems_of_wheel(built) + _problems_of_source(source)
    if problems:
        session.error("\n".join(problems))
    session.log("%s and %s hold what they should", built.name, source.name)


def _problems_of_wheel(built: Path) -> list[str]:
    """Name what the wheel lacks or should not hold."""
    project = PYPROJECT["project"]
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
    tree = {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / "pytest_perfgate").rglob("*.py")}
    wanted = {
        *tree,
        "pytest_perfgate/py.typed",
        "pytest_perfgate/schema/perfgate-run-1.json",
        *(metadata.replace("METADATA", name) for name in ("licenses/LICENSE", "entry_points.txt")),
    }
    problems = [f"the wheel lacks {name}" for name in sorted(wanted - set(names))]
    strangers = [name for name in names if not name.startswith(("pytest_perfgate/", metadata[:-8]))]
    problems += [f"the wheel holds {name}" for name in strangers]
    if headers["Version"] != project["version"]:
        problems.append(f"the wheel says version {headers['Version']}, pyproject.toml {project['version']}")
    return problems


def _problems_of_source(source: Path) -> list[str]:
    """Name what the source distribution lacks: it must be able to run its own tests."""
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = (
        "LICENSE",
        "README.md",
        "action.yml",
        "CHANGELOG.md",
        "noxfile.py",
        "pyproject.toml",
        "tests/test_architecture.py",
    )
    return [f"the source distribution lacks {name}" for name in wanted if name not in names]
