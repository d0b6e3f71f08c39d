"""What an import brings in although its interpreter loads it at its start, as for an editable install."""

import sys

import pytest

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.imports import make_import
from pytest_perfgate.measure.preloaded import preloaded
from pytest_perfgate.metrics.startup import import_once, measure_imports
from pytest_perfgate.model import Case, Plan

CASE = Case("tests/test_app.py::test_import", "startup.imports")


@pytest.fixture
def started(tmp_path, monkeypatch):
    """An environment whose interpreters load colorsys, and what that imports, at their start."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (tmp_path / "sitecustomize.py").write_text("import perfgate_demo_early, perfgate_demo_unasked")
    (tmp_path / "perfgate_demo_early.py").write_text("import colorsys")
    (tmp_path / "perfgate_demo_unasked.py").write_text("")
    (tmp_path / "perfgate_demo_app.py").write_text("import perfgate_demo_early")
    return {"PYTHONPATH": str(tmp_path)}


def measured(env, module="perfgate_demo_app", **options):
    return measure_imports(Plan(), CASE, module, runs=1, warmup=0, env=env, **options)


def test_what_was_loaded_before_counts_when_the_package_asks_for_it(started):
    result, measurement = measured(started)
    assert measurement.extra["module_names"] == ["colorsys", "perfgate_demo_app", "perfgate_demo_early"]
    assert measurement.extra["modules"] == 3
    assert list(result.modules) == measurement.extra["module_names"]
    assert measurement.extra["imported_by"]["colorsys"] == "perfgate_demo_early"
    assert not measurement.warnings


def test_it_counts_without_measuring_too(started):
    assert "colorsys" in import_once("perfgate_demo_app", env=started).modules


def test_what_was_loaded_before_counts_for_the_first_use(started, tmp_path):
    (tmp_path / "perfgate_demo_lazy.py").write_text("")
    result, measurement = measured(started, "perfgate_demo_lazy", first_use="import perfgate_demo_early")
    assert measurement.extra["module_names"] == ["perfgate_demo_lazy"]
    assert measurement.extra["first_use_modules"] == ["colorsys", "perfgate_demo_early"]
    assert result.first_use_modules == ("colorsys", "perfgate_demo_early")


def test_what_took_no_time_is_not_among_the_slowest(started):
    slowest = measured(started)[1].extra["slowest_imports"]
    assert [row["module"] for row in slowest] == ["perfgate_demo_app"]


def test_the_timed_runs_find_loaded_what_the_interpreter_loads(started, tmp_path):
    (tmp_path / "perfgate_demo_early.py").write_text("import colorsys, sys; print('loaded', file=sys.stderr)")
    (tmp_path / "perfgate_demo_app.py").write_text("print('asks'); import perfgate_demo_early")
    wanted = make_import("perfgate_demo_app", env=started)
    run = wanted.run()
    assert run.modules == ("perfgate_demo_app",)
    assert run.process.stderr.count(b"loaded") == 1


def test_where_it_cannot_be_told_there_is_no_count_and_a_reason(started, tmp_path):
    (tmp_path / "perfgate_demo_early.py").write_text(
        "import os\nif 'TWICE' in os.environ: raise ImportError('not twice')\nos.environ['TWICE'] = ''"
    )
    _, measurement = measured(started)
    assert not {"modules", "module_names"} & set(measurement.extra)
    assert measurement.value > 0
    (remark,) = measurement.warnings
    assert remark.startswith("which modules import perfgate_demo_app brings in is not known: a .pth file or sitecust")
    assert "perfgate_demo_early" in remark
    assert "not twice" in remark
    assert "--editable" in remark


def test_what_only_starts_the_interpreter_takes_no_further_run(started, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import encodings.punycode")
    wanted = make_import("perfgate_demo_unasked", env=started)
    run = wanted.run()
    assert {"sitecustomize", "encodings.punycode"} <= set(run.loaded_before)
    assert not {"sitecustomize", "encodings.punycode"} & set(preloaded(wanted, run))


def test_an_interpreter_that_says_nothing_is_no_bare_one():
    from pytest_perfgate.measure.process import run_process

    wanted = make_import("json")

    def silent(_argv, **options):
        return run_process([sys.executable, "-I", "-c", "pass"], **options)

    with pytest.raises(CannotMeasureError, match="did not say"):
        preloaded(wanted, wanted.run(), silent)
