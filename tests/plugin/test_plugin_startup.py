"""Start-up from the call to the failed test, in every setting."""

from __future__ import annotations

import sys

import pytest
from processes import is_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")


def test_an_application_is_measured_until_it_is_ready(project, setting):
    project.test("""
        import re, sys

        APP = [sys.executable, "-c", "import time; print('up'); time.sleep(60)"]

        @pytest.mark.budget("stop < 1 min", s=60)
        def test_ready(startup):
            result = startup.app(APP, ready=re.compile("up"), runs=2)
            assert result.stdout.strip() == "up"
            assert startup.last.rounds == 2

        @pytest.mark.budget(ns=1)
        def test_slow(startup):
            startup.app(APP, ready="output", runs=2)

        @pytest.mark.budget(s=60)
        def test_never(startup):
            startup.app(["true"], ready="output", runs=2)
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == {
        "test_ready#startup.app": "pass",
        "test_slow#startup.app": "over-budget",
        "test_never#startup.app": "failed-to-measure",
    }
    if "no:terminal" not in setting:
        assert "exited with status 0 before it was ready" in run.out
        assert "Traceback" not in run.text
    if any("junitxml" in arg for arg in setting):
        assert run.junit_failures == 2


def test_what_only_looks_ready_is_no_pass(project, setting):
    project.test("""
        import pathlib, sys

        @pytest.mark.budget(s=60)
        def test_crashes(startup):
            startup.app([sys.executable, "-m", "no_such_server"], ready="output", runs=2)

        @pytest.mark.budget(s=60)
        def test_left_over(startup, tmp_path):
            mark = tmp_path / "mark"
            startup.app(["sh", "-c", f"touch {mark}; sleep 60"], ready=mark.exists, runs=2)

        async def answers():
            return False

        @pytest.mark.budget(s=60)
        def test_async(startup):
            startup.app(["sleep", "60"], ready=answers, runs=2)
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == dict.fromkeys(
        [f"{test}#startup.app" for test in ("test_crashes", "test_left_over", "test_async")], "failed-to-measure"
    )
    if "no:terminal" not in setting:
        assert "No module named no_such_server" in run.out
        assert "exists() is true already before" in run.out
        assert "ready=answers gives something that has to be awaited" in run.out
        assert "Traceback" not in run.text
    if any("junitxml" in arg for arg in setting):
        assert run.junit_failures == 3


def test_a_broken_limit_on_imports_names_who_is_to_blame(project, setting):
    project.write("demo/__init__.py", "from demo import part")
    project.write("demo/part.py", "import colorsys")
    project.test("""
        @pytest.mark.budget(forbid=["colorsys"])
        def test_imports(startup):
            startup.imports("demo", runs=2, env={"PYTHONPATH": "."})
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == {"test_imports#startup.imports": "over-budget"}
    assert run.cases["test_imports#startup.imports"]["extra"]["imported_by"]["colorsys"] == "demo.part"
    said = "colorsys is imported by demo.part, which is imported by demo"
    if "no:terminal" not in setting:
        assert said in run.out
        assert "slowest imports" in run.out
        assert "Traceback" not in run.text
    if any("junitxml" in arg for arg in setting):
        assert said in run.junit_texts["test_imports"]


def test_a_forbidden_module_that_the_interpreter_loads_before_is_found(project, setting):
    project.write("sitecustomize.py", "import colorsys")
    project.write("demo.py", "import colorsys")
    project.test("""
        @pytest.mark.budget(forbid=["colorsys"])
        def test_imports(startup):
            startup.imports("demo", runs=1, env={"PYTHONPATH": "."})
    """)
    run = project.run(*setting)
    assert run.ret == 1
    assert run.verdicts == {"test_imports#startup.imports": "over-budget"}


def test_forbid_is_no_pass_where_it_cannot_be_told_what_is_imported(project, setting):
    project.write("sitecustomize.py", "import once")
    project.write(
        "once.py",
        "import os\nme = str(os.getpid())\nif os.environ.get('IN') == me: raise ImportError\nos.environ['IN'] = me",
    )
    project.write("demo.py", "import once")
    project.test("""
        @pytest.mark.budget(forbid=["once"])
        def test_imports(startup):
            startup.imports("demo", runs=1, env={"PYTHONPATH": "."})
    """)
    run = project.run(*setting)
    assert run.ret == 1
    if "no:terminal" not in setting:
        assert "--editable" in run.text


def test_without_the_gate_everything_is_run_once(project):
    project.test("""
        import pathlib, sys

        def test_app(startup, tmp_path):
            mark = tmp_path / "mark"
            code = f"import time; open({str(mark)!r}, 'a').write('x'); print(1); time.sleep(60)"
            assert startup.app([sys.executable, "-c", code], ready="output", runs=9, cold="pyc").stdout.strip() == "1"
            assert mark.read_text() == "x"
            assert startup.last is None
    """)
    assert project.run(gate=False).ret == 0


def test_mistakes_in_the_call_are_told_in_one_message(project):
    project.test("""
        def test_ready(startup):
            startup.app(["true"], ready="listening")

        def test_option(startup):
            startup.app(["true"], ready="output", redy=1)

        def test_cold(startup):
            startup.command(["true"], cold="warm")
    """)
    run = project.run()
    assert run.ret == 1
    assert "re.compile('listening')" in run.out
    assert "startup.app() has no option redy=" in run.out
    assert "cold='warm' is none of" in run.out
    assert "Traceback" not in run.text


def test_a_budget_on_what_no_noise_can_touch(project):
    project.test("""
        import sys

        @pytest.mark.budget("page_faults < 10")
        def test_faults(startup):
            startup.command([sys.executable, "-c", "pass"], runs=2)

        @pytest.mark.budget("ratio_to_bare < 1000", "page_faults < 1000000")
        def test_fine(startup):
            startup.command([sys.executable, "-c", "pass"], runs=2)
    """)
    run = project.run()
    assert run.verdicts == {"test_faults#startup.command": "over-budget", "test_fine#startup.command": "pass"}


def test_no_process_is_left_when_the_run_is_over(project):
    project.write(
        "conftest.py",
        """
        import psutil

        def pytest_unconfigure(config):
            config.add_cleanup(lambda: print("children:", [p.name() for p in psutil.Process().children()]))
        """,
    )
    project.test("""
        def test_run(startup):
            startup.command(["true"], runs=2)
    """)
    run = project.run("-s")
    assert run.ret == 0
    assert "children: []" in run.out


@pytest.mark.parametrize("call", ["command({argv})", "app({argv}, ready=8, timeout=50)"], ids=["command", "app"])
def test_an_interrupt_ends_what_is_measured(project, call):
    argv = (
        "[sys.executable, '-c', f\"import os, signal, time; open('pid', 'w').write(str(os.getpid())); \""
        'f"os.kill({os.getpid()}, signal.SIGINT); time.sleep(60)"]'
    )
    project.test(f"""
        import os, sys

        def test_interrupted(startup):
            startup.{call.format(argv=argv)}
    """)
    run = project.run()
    assert run.ret == 2
    assert "KeyboardInterrupt" in run.text
    assert is_gone(int((project.path / "pid").read_text()))
