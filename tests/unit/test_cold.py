"""Cold starts and their proof; what the page cache of this machine does is not ours to assert."""

import os
import sys
import tempfile

import pytest

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import pagecache
from pytest_perfgate.measure.cold import Cold, cold_runs
from pytest_perfgate.measure.command import make_command
from pytest_perfgate.metrics.startup import measure_app, measure_command, measure_imports
from pytest_perfgate.model import Case, Plan

COMMAND = Case("tests/test_app.py::test_start", "startup.command")
APP = Case("tests/test_app.py::test_ready", "startup.app")
IMPORTS = Case("tests/test_app.py::test_import", "startup.imports")


@pytest.fixture
def package(tmp_path):
    """A package of two modules."""
    folder = tmp_path / "perfgate_demo_cold"
    folder.mkdir()
    (folder / "__init__.py").write_text("import decimal\nfrom . import part\n")
    (folder / "part.py").write_text("")
    return tmp_path


def imported(package, **options):
    options = {"runs": 2, "warmup": 0, "env": {"PYTHONPATH": str(package)}, **options}
    return measure_imports(Plan(), IMPORTS, "perfgate_demo_cold", **options)[1]


def test_bytecode_of_the_package_is_compiled_anew_and_nobody_elses_is_touched(package):
    measurement = imported(package, cold="pyc")
    assert measurement.extra["cold"] == "pyc"
    assert measurement.extra["compiled_files"] == 2
    assert not measurement.warnings
    assert not (package / "perfgate_demo_cold" / "__pycache__").exists()


def test_bytecode_is_compiled_anew_where_none_is_written_otherwise(package, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert imported(package, cold="pyc").extra["compiled_files"] == 2


def test_a_module_of_the_standard_library_is_cold_when_it_is_what_is_imported():
    extra = measure_imports(Plan(), IMPORTS, "json", runs=1, warmup=0, cold="pyc")[1].extra
    assert extra["compiled_files"] >= 4


def test_a_command_of_the_standard_library_alone_is_cold_altogether_and_says_so():
    argv = [sys.executable, "-c", "import colorsys"]
    measurement = measure_command(Plan(), COMMAND, argv, runs=1, warmup=0, cold="pyc")[1]
    assert measurement.extra["compiled_files"] >= 1
    assert "nothing but the standard library" in measurement.warnings[0]


@pytest.mark.parametrize("argv", [["true"], [sys.executable, "-I", "-c", "import json"]], ids=["no Python", "isolated"])
def test_what_compiles_nothing_cannot_be_made_cold(argv):
    with pytest.raises(CannotMeasureError, match="could not be made cold: no bytecode was written"):
        measure_command(Plan(), COMMAND, argv, runs=1, cold="pyc")


def run_of(**facts):
    from pytest_perfgate.measure.process import ProcessRun

    usual = {"wall_s": 1.0, "user_s": 0.1, "system_s": 0.1, "peak_bytes": None, "minor_faults": 1, "major_faults": 0}
    return ProcessRun(**{**usual, "exit_status": 0, "stdout": b"", "stderr": b"", **facts})


@pytest.fixture
def forgotten(monkeypatch):
    """What the kernel is told to forget."""
    names = []
    monkeypatch.setattr(pagecache, "forget", lambda name, **_: names.append(name))
    monkeypatch.setattr(pagecache, "stays", lambda _name: False)
    monkeypatch.setattr(os, "posix_fadvise", lambda *_: None, raising=False)
    return names


def evicting(tmp_path, *argv):
    return Cold("pagecache", make_command(argv or ["app"]), tmp_path)


def test_what_python_says_that_it_reads_is_forgotten_before_each_run(tmp_path, forgotten):
    import json
    import json.decoder

    script = tmp_path / "app.py"
    script.write_text("")
    said = (
        f"import 'json' # <_frozen>\n# code object from {json.__file__}\n"
        f"# /no/such/a.pyc matches {json.decoder.__file__}\n# code object from '/no/such/file.pyc'\nusage: app\n"
    )
    colder = evicting(tmp_path, sys.executable, script)
    assert colder.seed.env["PYTHONVERBOSE"] == "1"
    assert "PYTHONVERBOSE" not in colder.command.env
    colder.learn(run_of(stderr=said.encode()))
    learned = set(forgotten)
    assert {json.__file__, json.decoder.__file__, str(script.resolve())} <= learned
    assert not any("no/such" in name for name in learned)
    forgotten.clear()
    colder.run(lambda: run_of(blocks_read=2**20), lambda run: run)
    assert set(forgotten) == learned


@pytest.mark.parametrize("proof", [{"blocks_read": 8}, {"blocks_read": 0, "major_faults": 2}])
def test_a_disk_that_was_read_is_proof(tmp_path, forgotten, proof):
    assert evicting(tmp_path).run(lambda: run_of(**proof), lambda run: run)


@pytest.mark.parametrize(
    ("proof", "why"), [({"blocks_read": 0}, "nothing was read"), ({"major_faults": None}, "the system does not say")]
)
def test_without_proof_nothing_is_measured(tmp_path, forgotten, proof, why):
    with pytest.raises(CannotMeasureError, match=f"could not be made cold: {why}"):
        evicting(tmp_path).run(lambda: run_of(**proof), lambda run: run)


def test_a_system_without_a_way_to_forget_says_so(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    with pytest.raises(CannotMeasureError, match="not to be had on"):
        evicting(tmp_path)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="no posix_fadvise")
def test_both_is_cold_with_proof_or_not_measured(package):
    try:
        measurement = imported(package, cold="both")
    except CannotMeasureError as problem:
        assert "could not be made cold: " in str(problem)  # noqa: PT017  # it need not raise
    else:
        assert measurement.extra["compiled_files"] == 2
        assert measurement.extra["blocks_read"] or measurement.extra["major_faults"]


SERVING = [sys.executable, "-c", "import perfgate_demo_cold, time; print('up'); time.sleep(60)"]


def served(package, **options):
    env = {"PYTHONPATH": str(package)}
    return measure_app(Plan(), APP, SERVING, ready="output", runs=1, warmup=0, env=env, **options)[1]


def test_an_application_is_compiled_anew_for_each_start(package):
    assert served(package, cold="pyc").extra["compiled_files"] == 2


def test_what_an_application_reads_is_learned_although_output_would_make_it_ready(package, forgotten, monkeypatch):
    monkeypatch.setattr(Cold, "_prove", lambda self, run: None)
    served(package, cold="pagecache")
    assert str(package / "perfgate_demo_cold" / "part.py") in forgotten


def test_none_changes_nothing_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with cold_runs("none", make_command(["app"])) as colder:
        assert colder is None
    with cold_runs("pyc", make_command(["app"])) as colder:
        assert colder is not None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["warm", "", None, True, ["pyc"]])
def test_a_kind_that_there_is_not_is_refused(kind):
    with pytest.raises(UsageError, match="is none of 'none', 'pyc', 'pagecache', 'both'"):
        measure_command(Plan(), COMMAND, ["true"], cold=kind)
