"""``perfgate init``: what it writes where, that it works, and that it writes all of it or nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from linters import complaints_of_schema, complaints_of_zizmor

from pytest_perfgate.cli import main
from pytest_perfgate.errors import ReportPathError
from pytest_perfgate.starter import writing

GATE, COMMENT = ".github/workflows/perfgate.yml", ".github/workflows/perfgate-comment.yml"
TEST = "tests/test_performance.py"
needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root"
)


def files_in(folder):
    """Return every file and its bytes, and every folder with None."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if ".git/" not in f"{path}/"}
    return {name: path.read_bytes() if path.is_file() else None for name, path in found.items()}


def git(folder, *arguments):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


# What is written works.


def test_an_empty_folder_gets_everything_and_its_test_passes(project, capsys, setting):
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    assert {name for name, text in files_in(project.path).items() if text is not None} == {
        "perfgate.toml",
        TEST,
        GATE,
        COMMENT,
    }
    gated = project.run(*setting)
    assert gated.ret == 0, gated.text
    assert gated.verdicts == {"test_an_example#perf": "pass"}
    assert gated.json["settings"]["max_regression"] == 0.05
    assert project.run(gate=False).ret == 0


def test_a_src_layout_gets_a_test_of_its_import_as_well(project, capsys):
    project.write("src/things/__init__.py", "import json\n")
    project.write("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["src"]\naddopts = "--strict-markers"\n')
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    gated = project.run()
    assert gated.ret == 0, gated.text
    assert gated.verdicts == {
        "test_an_example#perf": "pass",
        "test_importing_things#startup.imports": "pass",
    }


@pytest.mark.slow
def test_two_versions_can_be_compared_by_what_is_written(project, capsys):
    project.write("src/things/__init__.py", "X = 1\n")
    project.write("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["src"]\n')
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    git(project.path, "init")
    git(project.path, "add", ".")
    git(project.path, "commit", "-m", "first")
    project.write("src/things/__init__.py", "X = 2\n")
    gated = project.run("--perfgate-against=HEAD", "--perfgate-max-time=2s", "-k", "example")
    assert gated.ret == 0, gated.text
    assert gated.verdicts["test_an_example#perf"] in ("pass", "inconclusive")
    assert gated.cases["test_an_example#perf"]["change"]["pairs"] > 0


def test_a_module_that_tests_import_is_taken_for_the_project(project, capsys):
    project.write("things.py", "")
    project.write("script.py", "raise SystemExit('do not import me')")
    project.write("test_things.py", "from things import __name__\n\n\ndef test_it():\n    pass\n")
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    text = (project.path / "test_performance.py").read_text("utf-8")
    assert "import things\n" in text
    assert "script" not in text
    gated = project.run("test_performance.py")
    assert gated.ret == 0, gated.text


def test_a_script_that_no_test_imports_is_not_imported(project, capsys):
    project.write("script.py", "raise SystemExit('do not import me')")
    project.write("test_it.py", "def test_it():\n    pass\n")
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    assert "script" not in (project.path / "test_performance.py").read_text("utf-8")


def test_a_package_beside_a_conftest_is_imported_as_pytest_finds_it(project, capsys):
    project.write("conftest.py", "")
    project.write("things/__init__.py", "")
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    assert 'imports("things")' in (project.path / TEST).read_text("utf-8")
    assert project.run().ret == 0


def test_a_renamed_marker_is_used(project, capsys):
    project.write("pyproject.toml", '[tool.perfgate]\nmarker = "perf_budget"\n')
    assert main(["init", "--yes", "--rootdir", str(project.path)]) == 0
    assert "@pytest.mark.perf_budget(ms=50)" in (project.path / TEST).read_text("utf-8")
    gated = project.run("--strict-markers")
    assert gated.ret == 0, gated.text


def test_a_package_that_is_not_installed_yet_is_named_and_imported_by_the_first_test(perfgate, tmp_path):
    write(tmp_path, "src/things_nobody_installed/__init__.py", "")
    printed = perfgate("init", "--yes")
    assert printed.status == 0
    assert "note: the tests cannot import things_nobody_installed" in printed.out
    assert "install the project first" in printed.out
    assert "import things_nobody_installed\n" in (tmp_path / TEST).read_text("utf-8")
    assert "--perfgate-against HEAD" in printed.out


def test_a_package_that_was_installed_after_init_can_be_compared(project, capsys):
    project.write("src/things_nobody_installed/__init__.py", "X = 1\n")
    assert main(["init", "--yes", "--no-workflows", "--rootdir", str(project.path)]) == 0
    git(project.path, "init")
    git(project.path, "add", ".")
    git(project.path, "commit", "-m", "first")
    gated = project.run("--perfgate-against=HEAD", "--perfgate-max-time=2s", "-k", "example", "-o", "pythonpath=src")
    assert gated.ret == 0, gated.text
    assert gated.cases["test_an_example#perf"]["change"]["pairs"] > 0


def test_where_nothing_can_be_compared_that_is_no_next_step(perfgate):
    printed = perfgate("init", "--yes")
    assert printed.status == 0
    assert "--perfgate-against" not in printed.out
    assert "note: no package was found here" in printed.out
    assert "once there is a package that a test imports" in printed.out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.14,<3.15"\n'),
        ("setup.cfg", "[options]\npython_requires = >=3.14, <3.15\n"),
    ],
)
def test_the_workflows_use_a_python_that_the_project_allows(perfgate, tmp_path, name, text):
    write(tmp_path, name, text)
    assert perfgate("init", "--yes").status == 0
    for workflow in (GATE, COMMENT):
        assert 'python-version: "3.14"' in (tmp_path / workflow).read_text("utf-8")


WORKFLOW_PROJECTS = {
    "empty": {},
    "installable": {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\noptional-dependencies.test = []\n'},
    "groups": {"pyproject.toml": "[dependency-groups]\ndev = []\n", "requirements-test.txt": "", "setup.py": ""},
    "requirements": {"requirements.txt": "", "requirements/dev.txt": ""},
}


@pytest.mark.parametrize("files", WORKFLOW_PROJECTS.values(), ids=list(WORKFLOW_PROJECTS))
@pytest.mark.parametrize(("branch", "below"), [("main", "."), ("release+1!", "services/the api"), ("on", "a:b")])
def test_the_workflows_are_ones_that_github_and_an_auditor_accept(perfgate, tmp_path, files, branch, below):
    if sys.platform == "win32" and ":" in below:
        pytest.skip("no name of a folder here")
    git(tmp_path, "init", f"--initial-branch={branch}")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    git(tmp_path, "update-ref", f"refs/remotes/origin/{branch}", "HEAD")
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{branch}")
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write(folder, name, text)
    assert perfgate("init", "--yes", "--rootdir", str(folder)).status == 0
    written = sorted((tmp_path / ".github" / "workflows").iterdir())
    assert len(written) == 2
    assert complaints_of_schema("vendor.github-workflows", *written) == ""
    assert complaints_of_zizmor(*written) == ""
    yaml = pytest.importorskip("yaml")
    comment, gate = (yaml.load(path.read_text("utf-8"), yaml.BaseLoader) for path in written)
    assert comment["on"]["workflow_run"]["workflows"] == [gate["name"]]
    assert gate["on"]["push"]["branches"] == [branch.replace("+", "\\+").replace("!", "\\!")]
    *_, measure, upload = gate["jobs"]["gate"]["steps"]
    assert measure.get("with", {}).get("working-directory", ".") == below
    download = next(step for step in comment["jobs"]["comment"]["steps"] if "download-artifact" in step.get("uses", ""))
    assert upload["with"]["name"] == download["with"]["name"]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (WORKFLOW_PROJECTS["installable"], "python -m pip install --editable '.[test]'"),
        (WORKFLOW_PROJECTS["groups"], "--editable . --group dev --requirement requirements-test.txt"),
        (
            WORKFLOW_PROJECTS["requirements"],
            "install --requirement requirements.txt --requirement requirements/dev.txt",
        ),
    ],
)
def test_the_workflow_installs_what_the_project_says_its_tests_need(perfgate, tmp_path, files, command):
    for name, text in files.items():
        write(tmp_path, name, text)
    perfgate("init", "--yes")
    assert f"{command}\n" in (tmp_path / GATE).read_text("utf-8")


def test_each_project_of_a_repository_has_workflows_of_its_own_at_its_top(perfgate, tmp_path):
    git(tmp_path, "init")
    for name in ("services/api", "services/web"):
        write(tmp_path, f"{name}/pyproject.toml", "")
        assert perfgate("init", "--yes", "--rootdir", str(tmp_path / name)).status == 0
    names = [name for name in files_in(tmp_path) if name.endswith(".yml")]
    assert sorted(names) == [
        f".github/workflows/perfgate-services-{name}{kind}.yml" for name in ("api", "web") for kind in ("-comment", "")
    ]


def test_the_action_can_be_another_and_pinned(perfgate, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert perfgate("init", "--yes", "--action", f"someone/pytest-perfgate@{commit}").status == 0
    text = (tmp_path / GATE).read_text("utf-8")
    assert f"uses: someone/pytest-perfgate@{commit}\n" in text
    assert complaints_of_zizmor(tmp_path / GATE) == ""


@pytest.mark.parametrize(
    "action",
    [
        "pytest-perfgate",
        "a/b",
        "a/b@",
        "a/b@v1 # x",
        "a/b@v1\nrun: x",
        "./",
        "../x@v1",
        "./x@v1",
        "a/..@v1",
        "a/../b@v1",
    ],
)
def test_what_is_no_action_is_refused(perfgate, tmp_path, action):
    printed = perfgate("init", "--yes", "--action", action)
    assert printed.status == 2
    assert "OWNER/NAME@REFERENCE" in printed.err
    assert files_in(tmp_path) == {}


def test_workflows_can_be_left_out(perfgate, tmp_path):
    assert perfgate("init", "--yes", "--no-workflows").status == 0
    assert ".github" not in files_in(tmp_path)


# Where it is written.


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({}, TEST),
        ({"tests/test_it.py": ""}, TEST),
        ({"test/test_it.py": ""}, "test/test_performance.py"),
        ({"test_it.py": ""}, "test_performance.py"),
        ({"conftest.py": ""}, TEST),
        ({"it_test.py": ""}, "test_performance.py"),
        (
            {"pytest.ini": "[pytest]\ntestpaths = spec/unit spec/slow\n", "spec/slow/x.py": ""},
            "spec/slow/test_performance.py",
        ),
        ({"tox.ini": "[pytest]\ntestpaths = ../elsewhere\n"}, TEST),
        ({"setup.cfg": "[tool:pytest]\npython_files = check_*.py\n"}, "tests/check_performance.py"),
        ({"pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["."]\n'}, "test_performance.py"),
        ({"pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["/abroad"]\n', "tests/x": ""}, TEST),
        ({"pyproject.toml": '[tool.pytest]\ntestpaths = ["checks"]\n', "checks/x": ""}, "checks/test_performance.py"),
    ],
)
def test_the_test_goes_where_the_project_has_its_tests(perfgate, tmp_path, files, place):
    for name, text in files.items():
        write(tmp_path, name, text)
    assert perfgate("init", "--yes", "--no-workflows").status == 0
    assert set(files_in(tmp_path)) >= {place}


PYPROJECTS = {
    "empty": b"",
    "ordinary": b'[project]\nname = "x"\n\n[[tool.mypy.overrides]]\nmodule = "y"\n',
    "no-line-break-at-the-end": b'[project]\nname = "x"  # \xc3\xa9',
    "windows": b'[project]\r\nname = "x"\r\n',
    "byte-order-mark": b'\xef\xbb\xbf[project]\nname = "x"\n',
    "inside-a-table": b"[tool]\nother.x = 1\n",
}


@pytest.mark.parametrize("before", PYPROJECTS.values(), ids=list(PYPROJECTS))
def test_the_rest_of_pyproject_is_not_touched(perfgate, tmp_path, before):
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    write(tmp_path, "pyproject.toml", before)
    assert perfgate("init", "--yes").status == 0
    after = (tmp_path / "pyproject.toml").read_bytes()
    assert after.startswith(before)
    old, new = (toml.loads(text.decode("utf-8-sig")) for text in (before, after))
    assert new["tool"].pop("perfgate") == {"max_regression": "5%"}
    assert {**old, "tool": old.get("tool", {})} == new
    assert (b"\r\n" in before) == (b"\r\n" in after)
    assert after.count(b"\n") - after.count(b"\r\n") in (0, after.count(b"\n"))
    assert not (tmp_path / "perfgate.toml").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.perfgate]\n"),
        ("pyproject.toml", "[tool.perfgate]\nstrict = true\n"),
        ("pyproject.toml", "[tool.perfgate.profiles.x]\n"),
        ("perfgate.toml", ""),
        ("perfgate.toml", "strict = true\n"),
    ],
)
def test_settings_that_are_there_are_left_alone(perfgate, tmp_path, name, text):
    write(tmp_path, name, text)
    printed = perfgate("init", "--yes")
    assert printed.status == 0
    assert f"left alone: {name}: " in printed.out
    assert (tmp_path / name).read_text("utf-8") == text
    assert len([file for file in files_in(tmp_path) if file.endswith(".toml")]) == 1


def test_where_no_table_can_be_added_there_is_a_file_of_our_own(perfgate, tmp_path):
    write(tmp_path, "pyproject.toml", "tool = {other = {x = 1}}\n")
    assert perfgate("init", "--yes").status == 0
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == "tool = {other = {x = 1}}\n"
    assert (tmp_path / "perfgate.toml").read_text("utf-8").startswith('max_regression = "5%"')


@pytest.mark.parametrize("text", ["[project\n", b"\xff\xfe", "x = " + "[" * 5000])
def test_a_pyproject_that_is_not_toml_is_one_message(perfgate, tmp_path, text):
    write(tmp_path, "pyproject.toml", text)
    before = files_in(tmp_path)
    printed = perfgate("init", "--yes")
    assert printed.status == 2
    assert "pyproject.toml is not valid TOML" in printed.err
    assert printed.err.count("\n") == 1
    assert files_in(tmp_path) == before


def test_outside_a_repository_it_says_where_workflows_belong(perfgate):
    assert "note: this is not in a git repository" in perfgate("init", "--dry-run").out


def test_a_folder_within_a_project_is_told_about_the_project(perfgate, tmp_path):
    git(tmp_path, "init")
    write(tmp_path, "pyproject.toml", "")
    (tmp_path / "docs").mkdir()
    printed = perfgate("init", "--dry-run", "--rootdir", "docs")
    assert f"note: {tmp_path.resolve()} is configured as a project too" in printed.out


def test_the_default_branch_is_that_of_the_repository(perfgate, tmp_path):
    git(tmp_path, "init", "--initial-branch=master")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    git(tmp_path, "switch", "--create", "topic")
    perfgate("init", "--yes")
    assert "branches: [master]" in (tmp_path / GATE).read_text("utf-8")


# Only what was agreed to, and all of it or nothing.


def test_a_dry_run_shows_everything_and_writes_nothing(perfgate, tmp_path):
    printed = perfgate("init", "--dry-run")
    assert printed.status == 0
    assert files_in(tmp_path) == {}
    for name in ("perfgate.toml", TEST, GATE, COMMENT):
        assert f"new file {name}:\n  | " in printed.out
    assert "4 files would be written, none was" in printed.out


def test_what_is_shown_is_what_is_written(perfgate, tmp_path):
    write(tmp_path, "pyproject.toml", "[project]\n")
    shown = perfgate("init", "--dry-run").out
    perfgate("init", "--yes")
    for name, text in files_in(tmp_path).items():
        lines = (text or b"").decode().removeprefix("[project]\n").strip().splitlines()
        assert "\n".join(f"  | {line}".rstrip() for line in lines) in shown, name


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("answer", "written"), [("y\n", 1), ("Yes\n", 1), ("n\n", 0), ("\n", 0), ("", 0), ("maybe\n", 0)]
)
def test_on_a_terminal_it_asks(perfgate, tmp_path, monkeypatch, answer, written):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    printed = perfgate("init")
    assert "write 4 files? [y/N]" in printed.out
    assert bool(files_in(tmp_path)) == bool(written)
    assert printed.status == (0 if written else 2)
    assert ("nothing was written" in printed.out) == (not written)


@pytest.mark.parametrize("stdin", [io.StringIO("y\n"), None], ids=["pipe", "closed"])
def test_where_nobody_can_be_asked_nothing_is_written(perfgate, tmp_path, monkeypatch, stdin):
    monkeypatch.setattr(sys, "stdin", stdin)
    printed = perfgate("init")
    assert printed.status == 2
    assert "add --yes" in printed.err
    assert files_in(tmp_path) == {}


def test_a_second_time_nothing_is_left_to_write(perfgate, tmp_path):
    perfgate("init", "--yes")
    before = files_in(tmp_path)
    printed = perfgate("init", "--yes")
    assert printed.status == 0
    assert "everything is there already" in printed.out
    assert printed.out.count("left alone: ") == 3
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("name", [TEST, GATE, COMMENT])
def test_a_file_that_is_there_is_left_alone_whatever_it_says(perfgate, tmp_path, name):
    write(tmp_path, name, "mine")
    printed = perfgate("init", "--yes")
    assert printed.status == 0
    assert f"left alone: {name}: " in printed.out
    assert (tmp_path / name).read_text("utf-8") == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_nowhere_is_left_alone(perfgate, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / TEST).symlink_to("gone.py")
    assert perfgate("init", "--yes").status == 0
    assert not (tmp_path / "tests/gone.py").exists()


@needs_permissions
def test_in_a_folder_that_cannot_be_written_nothing_is(perfgate, tmp_path):
    tmp_path.chmod(0o555)
    try:
        printed = perfgate("init", "--yes")
    finally:
        tmp_path.chmod(0o755)
    assert printed.status == 2
    assert "is not writable by this user" in printed.err
    assert "nothing was written" in printed.err
    assert files_in(tmp_path) == {}


def test_a_file_in_the_place_of_a_folder_stops_all_of_it(perfgate, tmp_path):
    write(tmp_path, ".github", "a file")
    write(tmp_path, "pyproject.toml", "[project]\n")
    before = files_in(tmp_path)
    printed = perfgate("init", "--yes")
    assert printed.status == 2
    assert ".github is not a folder; nothing was written" in printed.err
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    ("problem", "status"),
    [(OSError(28, "No space left on device"), 2), (ReportPathError("cannot write it"), 2), (KeyboardInterrupt(), 130)],
    ids=["full-disk", "refused", "interrupted"],
)
@pytest.mark.parametrize("failing", range(4))
def test_when_one_file_cannot_be_written_the_others_are_taken_back(
    perfgate, tmp_path, monkeypatch, failing, problem, status
):
    write(tmp_path, "pyproject.toml", "[project]\n")
    before = files_in(tmp_path)
    really, calls = writing.write_atomically, []

    def write_some(path, text):
        calls.append(path)
        if len(calls) == failing + 1:
            raise problem
        really(path, text)

    monkeypatch.setattr(writing, "write_atomically", write_some)
    printed = perfgate("init", "--yes")
    assert printed.status == status
    assert files_in(tmp_path) == before
    if status == 2:
        assert "nothing was written" in printed.err


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(perfgate, tmp_path, monkeypatch):
    write(tmp_path, "pyproject.toml", "[project]\n")

    class Slow(Terminal):
        def readline(self, *_):
            write(tmp_path, "pyproject.toml", "[project]\n# by hand\n")
            return "y\n"

    monkeypatch.setattr(sys, "stdin", Slow())
    printed = perfgate("init")
    assert printed.status == 2
    assert "it was changed by somebody else meanwhile" in printed.err
    assert files_in(tmp_path) == {"pyproject.toml": b"[project]\n# by hand\n"}


def test_a_folder_that_does_not_exist_is_named(perfgate):
    printed = perfgate("init", "--rootdir", "nowhere")
    assert (printed.status, printed.out) == (2, "")
    assert "--rootdir nowhere: there is no such folder" in printed.err


def test_of_several_packages_the_one_of_that_name_is_imported(perfgate, tmp_path):
    write(tmp_path, "pyproject.toml", '[project]\nname = "main-thing"\n[tool.pytest.ini_options]\npythonpath = "."\n')
    for name in ("email", "extra", "main_thing"):
        write(tmp_path, f"{name}/__init__.py", "")
    perfgate("init", "--yes")
    assert 'imports("main_thing")' in (tmp_path / TEST).read_text("utf-8")


@needs_permissions
def test_a_folder_that_cannot_be_looked_into_is_no_obstacle(perfgate, tmp_path):
    (tmp_path / "secret").mkdir(mode=0)
    try:
        assert perfgate("init", "--yes").status == 0
    finally:
        (tmp_path / "secret").chmod(0o755)
