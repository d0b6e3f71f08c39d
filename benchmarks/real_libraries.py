"""Base against head on benchmark suites that other people wrote, for releases that are known to differ.

Run it from a checkout of pytest-perfgate, where git and a network are at hand::

    python benchmarks/real_libraries.py                      # every library below; about an hour
    python benchmarks/real_libraries.py attrs yarl --work /var/tmp/real

Each library gets a virtual environment of its own with this checkout, the newer release and what its suite needs, but
neither pytest-benchmark nor pytest-codspeed, and its suite as its authors wrote it.  Then come two or three runs: the
release against itself (nothing may fail), against the older release and, where a library says so, the older release
against the newer one, in which every known improvement is a regression that has to be found.  The rows of a Markdown
table are printed, and on standard error why a case did not simply pass.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COUNTED = ("regressed", "improved", "pass", "inconclusive", "no-baseline", "failed-to-measure")
HEADINGS = ("library", "run", "cases", *COUNTED, "seconds", "seconds a case")


@dataclass(frozen=True, kw_only=True)
class Library:
    """One row: which releases, and where the suite is."""

    name: str
    new: str
    old: str
    repository: str = ""
    """Owner and name, on GitHub; empty where the suite is in the source distribution of the newer release."""
    tag: str = ""
    """Of that repository."""
    paths: tuple[str, ...]
    """Taken from the repository: the suite, and the configuration of pytest."""
    select: tuple[str, ...]
    """Arguments of pytest."""
    requires: tuple[str, ...] = ()
    reverse: bool = False
    """Whether the older release is also measured against the newer one."""


LIBRARIES = (
    Library(
        name="attrs",
        new="26.1.0",
        old="25.3.0",
        paths=("bench", "pyproject.toml"),
        # That one sleeps 1,000 times for 0.1 s: pytest-codspeed counts instructions, we would wait 100 s for each call.
        select=("bench/test_benchmarks.py", "-k", "not first_access"),
        reverse=True,
    ),
    Library(
        name="cattrs",
        new="26.2.1",
        old="26.1.0",
        paths=("bench",),
        select=("bench/test_tuples.py", "bench/test_primitives.py", "bench/test_attrs_primitives.py"),
        requires=("msgspec", "orjson"),
        reverse=True,
    ),
    Library(
        name="yarl",
        new="1.15.5",
        old="1.15.4",
        repository="aio-libs/yarl",
        tag="v1.15.5",
        paths=("tests", "pytest.ini"),
        select=("tests/test_url_benchmarks.py",),
        requires=("pytest-xdist", "pytest-cov"),
        reverse=True,
    ),
    Library(
        name="multidict",
        new="7.2.1",
        old="6.9.1",
        paths=("tests", "pytest.ini"),
        select=(
            "tests/test_multidict_benchmarks.py",
            "-k",
            "cs and (getall or get_ or update_str or create_empty or with_items)",
        ),
        requires=("pytest-cov", "objgraph", "psutil"),
        reverse=True,
    ),
    Library(
        name="propcache",
        new="0.5.2",
        old="0.4.1",
        repository="aio-libs/propcache",
        tag="v0.5.2",
        paths=("tests", "pytest.ini"),
        select=("tests/test_benchmarks.py",),
        requires=("pytest-xdist", "pytest-cov"),
        reverse=True,
    ),
    Library(
        name="graphql-core",
        new="3.2.6",
        old="3.1.7",
        repository="graphql-python/graphql-core",
        tag="v3.2.6",
        paths=("tests", "pyproject.toml"),
        select=("tests/benchmarks",),
        requires=("pytest-asyncio", "pytest-describe", "pytest-timeout"),
    ),
    Library(
        name="dbus-fast",
        new="5.0.22",
        old="2.24.0",
        repository="Bluetooth-Devices/dbus-fast",
        tag="v5.0.22",
        paths=("tests/benchmarks", "pyproject.toml"),
        select=("tests/benchmarks",),
        requires=("pytest-cov", "pytest-timeout", "covdefaults"),
    ),
    Library(
        name="zeroconf",
        new="0.150.0",
        old="0.132.2",
        repository="python-zeroconf/python-zeroconf",
        tag="0.150.0",
        paths=("tests", "pyproject.toml"),
        select=("tests/benchmarks",),
        requires=("pytest-asyncio", "pytest-cov", "pytest-timeout"),
    ),
    Library(
        name="aiohttp",
        new="3.14.5",
        old="3.12.15",
        paths=("tests", "pytest.ini", ".coveragerc.toml"),
        select=(
            "tests/test_benchmarks_client_ws.py",
            "tests/test_benchmarks_http_writer.py",
            "tests/test_benchmarks_http_websocket.py",
            "tests/test_benchmarks_web_middleware.py",
            "tests/test_benchmarks_cookiejar.py",
        ),
        requires=(
            "pytest-xdist",
            "pytest-cov",
            "pytest-mock",
            "pytest-timeout",
            "trustme",
            "freezegun",
            "re-assert",
            "proxy.py",
        ),
    ),
    Library(
        name="pydantic-core",
        new="2.41.5",
        old="2.20.1",
        repository="pydantic/pydantic-core",
        tag="v2.41.5",
        paths=("tests",),
        select=("tests/benchmarks/test_micro_benchmarks.py", "-k", "Date or Union or Decimal or Literal or UUID"),
        requires=("dirty-equals", "hypothesis", "pytest-timeout", "typing-inspection"),
    ),
)


# -- environments and suites


def python_of(environment: Path) -> str:
    """Say which interpreter is that of an environment."""
    return str(environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def command(*words: str, cwd: Path | None = None) -> None:
    """Run a command and show what it says only when it fails."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def make_environment(folder: Path, library: Library) -> Path:
    """Make a fresh virtual environment with this checkout, the newer release and what the suite needs."""
    environment = folder / "env"
    command(sys.executable, "-m", "venv", "--clear", str(environment))
    wanted = (str(ROOT), f"{library.name}=={library.new}", *library.requires)
    command(python_of(environment), "-m", "pip", "install", "-q", *wanted)
    return environment


def take_suite(folder: Path, library: Library) -> None:
    """Put the suite as its authors wrote it, and nothing else of theirs, into a folder."""
    suite = folder / "suite"
    suite.mkdir(exist_ok=True)
    packed, inside = (from_repository if library.repository else from_distribution)(folder, library)
    with tarfile.open(packed) as archive:
        wanted = tuple(f"{inside}{path}" for path in library.paths)
        for member in archive.getmembers():
            if member.name.startswith(wanted) and (member.isfile() or member.isdir()):
                member.name = member.name.removeprefix(inside)
                archive.extract(member, suite, filter="data")


def from_repository(folder: Path, library: Library) -> tuple[Path, str]:
    """Get the tag; return an archive of it, and what its names begin with."""
    repository, packed = folder / "repository", folder / "suite.tar"
    command("git", "init", "-q", "--bare", str(repository))
    url = f"https://github.com/{library.repository}"
    command("git", "fetch", "-q", "--depth=1", url, f"refs/tags/{library.tag}", cwd=repository)
    command("git", "archive", f"--output={packed}", "FETCH_HEAD", *library.paths, cwd=repository)
    return packed, ""


def from_distribution(folder: Path, library: Library) -> tuple[Path, str]:
    """Get the source distribution; return it, and what its names begin with."""
    wanted = ("--no-deps", "--no-binary=:all:", f"{library.name}=={library.new}")
    command(sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), *wanted)
    packed = next(folder.glob("*.tar.gz"))
    return packed, f"{packed.name.removesuffix('.tar.gz')}/"


# -- runs


@dataclass(frozen=True)
class Compared:
    """What came of one run."""

    cases: Sequence[Mapping[str, Any]]
    failures: Sequence[str]
    took_s: float

    def row(self, library: Library, what: str) -> str:
        """Make a row of the table."""
        found = Counter(case["verdict"] for case in self.cases)
        counts = [str(found[verdict]) for verdict in COUNTED]
        each = self.took_s / max(len(self.cases), 1)
        cells = (library.name, what, str(len(self.cases)), *counts, f"{self.took_s:.0f}", f"{each:.1f}")
        return f"| {' | '.join(cells)} |"


def compare(folder: Path, environment: Path, library: Library, against: str) -> Compared:
    """Run the suite in its environment against a release."""
    written = datetime.now(timezone.utc).strftime("%H%M%S")
    report = folder / f"{written}-against-{against}.json"
    gate = ("--perfgate", f"--perfgate-against=dist:{library.name}=={against}", f"--perfgate-report=json={report}")
    began = time.monotonic()
    done = subprocess.run(
        [python_of(environment), "-m", "pytest", *gate, *library.select],
        cwd=folder / "suite",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    took_s = time.monotonic() - began
    report.with_suffix(".txt").write_text(done.stdout, "utf-8")
    if not report.exists():
        return Compared([], [done.stdout[-1500:]], took_s)
    run = json.loads(report.read_text("utf-8"))
    return Compared(run["cases"], run["summary"]["failures"], took_s)


def measure(library: Library, work: Path) -> None:
    """Make one library's runs, and print their rows as they come."""
    folder = work / library.name
    folder.mkdir(parents=True, exist_ok=True)
    environment = make_environment(folder, library)
    take_suite(folder, library)
    tell(library, f"{library.new} against itself", compare(folder, environment, library, library.new))
    tell(library, f"{library.new} against {library.old}", compare(folder, environment, library, library.old))
    if library.reverse:
        command(python_of(environment), "-m", "pip", "install", "-q", f"{library.name}=={library.old}")
        tell(library, f"{library.old} against {library.new}", compare(folder, environment, library, library.new))


def tell(library: Library, what: str, compared: Compared) -> None:
    """Print the row of a run, and below it what changed or could not be told."""
    print(compared.row(library, what), flush=True)
    for failure in compared.failures:
        print(f"    {failure}", file=sys.stderr)
    for case in compared.cases:
        if case["verdict"] != "pass":
            print(f"    {case['reason']}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure the libraries that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    known = {library.name: library for library in LIBRARIES}
    parser.add_argument("library", nargs="*", help=f"of {', '.join(known)}; default: all of them")
    parser.add_argument("--work", type=Path, default=Path("real-libraries"), help="folder for everything that is made")
    options = parser.parse_args()
    unknown = [name for name in options.library if name not in known]
    if unknown:
        parser.error(f"no such library: {', '.join(unknown)}")
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    for name in options.library or known:
        measure(known[name], options.work.resolve())


if __name__ == "__main__":
    main()
