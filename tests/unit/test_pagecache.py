"""What a program reads, and what proves that it was not in memory; of this machine's page cache nothing is asserted."""

import os
import sys

import pytest

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure import pagecache
from pytest_perfgate.measure.command import make_command
from pytest_perfgate.measure.pagecache import ReadFiles
from pytest_perfgate.measure.process import ProcessRun

KIB = 1024


def run_of(**facts):
    usual = {"wall_s": 1.0, "user_s": 0.1, "system_s": 0.1, "peak_bytes": None, "minor_faults": 1, "major_faults": 0}
    return ProcessRun(**{**usual, "exit_status": 0, "stdout": b"", "stderr": b"", **facts})


class Kernel:
    """Forgets everything, but what is said to stay."""

    def __init__(self):
        self.forgotten = []
        self.staying = set()

    def forget(self, name, **_options):
        self.forgotten.append(name)

    def stays(self, name):
        return name in self.staying


@pytest.fixture
def kernel(monkeypatch):
    one = Kernel()
    monkeypatch.setattr(pagecache, "forget", one.forget)
    monkeypatch.setattr(pagecache, "stays", one.stays)
    return one


def made(path, kib):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * kib * KIB)
    return str(path)


def files_of(*argv, prefix=None, is_ours=lambda _file: False, is_rewritten=lambda _file: False, **options):
    return ReadFiles(make_command(list(argv), **options), prefix, is_ours, is_rewritten)


def learned(*rows, **options):
    files = files_of(sys.executable, "-m", "app", **options)
    files.learn(run_of(stderr="\n".join(rows).encode()))
    files.forget()
    return files


@pytest.fixture
def app(tmp_path):
    """A module of 64 KiB with bytecode of 80 KiB, and what python -v says of it."""
    source, bytecode = made(tmp_path / "app.py", 64), made(tmp_path / "__pycache__" / "app.cpython-399.pyc", 80)
    return f"# {bytecode} matches {source}", source, bytecode


def why(files, kib, **facts):
    return files.why_warm(run_of(blocks_read=kib * 2, **facts))


@pytest.mark.parametrize("kib", [20, 500])
def test_a_fair_share_of_the_bytecode_from_a_disk_is_proof(kernel, app, kib):
    assert why(learned(app[0]), kib) == ""


@pytest.mark.parametrize("kib", [12, 19])
def test_a_few_blocks_are_no_proof(kernel, app, kib):
    assert why(learned(app[0]), kib).startswith(
        f"only {kib} KiB were read from a disk, where at least 20 KiB had to be"
    )


def test_page_faults_are_no_proof_of_code_that_is_not_mapped(kernel, app):
    assert why(learned(app[0]), 0, major_faults=90).startswith("only 0 KiB were read")


def test_a_system_that_does_not_say_is_no_proof(kernel, app):
    assert learned(app[0]).why_warm(run_of(blocks_read=None, major_faults=9)).startswith("the system does not say")


def test_source_without_bytecode_is_what_is_read(kernel, tmp_path):
    files = learned(f"# code object from {made(tmp_path / 'app.py', 100)}")
    assert why(files, 24).startswith("only 24 KiB were read from a disk, where at least 25 KiB")
    assert why(files, 25) == ""


def test_bytecode_that_the_first_run_wrote_is_forgotten_and_asked_for(kernel, app):
    _row, source, bytecode = app
    files = learned(f"# code object from {source}")
    assert {source, bytecode} <= set(kernel.forgotten)
    assert why(files, 19).endswith("in use by other processes?")
    assert why(files, 20) == ""


def test_bytecode_under_a_prefix_is_forgotten_unless_it_is_written_anew(kernel, tmp_path):
    source = made(tmp_path / "app.py", 100)
    prefix = tmp_path / "prefix"
    bytecode = made(prefix / str(tmp_path).lstrip("/") / "app.cpython-399.pyc", 40)
    learned(f"# code object from {source}", prefix=prefix)
    assert bytecode in kernel.forgotten
    kernel.forgotten.clear()
    files = learned(
        f"# code object from {source}", prefix=prefix, is_ours=lambda _file: True, is_rewritten=lambda _file: True
    )
    assert bytecode not in kernel.forgotten
    assert source in kernel.forgotten
    assert files


def test_what_stays_in_memory_is_not_cold_whatever_was_read(kernel, app):
    kernel.staying.add(app[2])
    said = why(learned(app[0]), 9999)
    assert said.startswith(f"1 of 1 files ({app[2]} ...) stay in the page cache")
    assert "a file system in memory" in said


def test_the_standard_library_does_not_make_up_for_a_package_that_stays(kernel, app, tmp_path):
    library = made(tmp_path / "lib" / "python3.99" / "json" / "__init__.py", 4000)
    kernel.staying.add(app[2])
    assert "stay in the page cache" in why(learned(app[0], f"# code object from {library}"), 9999)


@pytest.mark.parametrize(
    "argv",
    [
        [sys.executable, "-I", "-c", "pass"],
        ["/usr/bin/python3", "-E", "app.py"],
        ["sh", "-c", "exec python -I app.py"],
        ["env", "pypy3.10", "-E", "app.py"],
    ],
)
def test_python_that_does_not_say_what_it_reads_is_refused(kernel, argv):
    with pytest.raises(CannotMeasureError, match=r"could not be made cold: its Python does not say .* -I or -E"):
        files_of(*argv).learn(run_of())


def test_a_script_for_python_that_does_not_say_what_it_reads_is_refused(kernel, tmp_path):
    script = tmp_path / "app"
    script.write_text("#!/opt/bin/python3 -I\n")
    with pytest.raises(CannotMeasureError, match="does not say which files"):
        files_of(script).learn(run_of())


def test_a_program_that_is_no_python_is_forgotten_itself(kernel, tmp_path):
    program = made(tmp_path / "bin" / "tool", 100)
    os.chmod(program, 0o755)  # noqa: PTH101  # a plain string
    files = files_of("tool", env={"PATH": str(tmp_path / "bin")})
    files.learn(run_of())
    files.forget()
    assert program in kernel.forgotten
    assert why(files, 25) == ""
    assert why(files, 0, major_faults=2) == ""
    assert why(files, 12).startswith("only 12 KiB were read from a disk, where at least 25 KiB")
    assert why(files, 0).startswith("nothing was read")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no file system in memory")  # noqa: PTH112
def test_a_file_in_memory_stays():
    import tempfile

    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(b"x" * 64 * KIB)
        file.flush()
        pagecache.forget(file.name)
        assert pagecache.stays(file.name)


def test_of_what_is_not_there_or_empty_nothing_stays(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert not pagecache.stays(str(tmp_path / "empty"))
    assert not pagecache.stays(str(tmp_path / "none"))
