"""How reports get onto the disk: completely or not at all, and where they cannot, one clear message."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_perfgate.errors import ReportPathError
from pytest_perfgate.store import check_writable, write_atomically

posix = pytest.mark.skipif(sys.platform == "win32", reason="permission bits and pipes of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="folders and devices of Linux")
needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root"
)


def names_in(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def usual_umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def bits(path):
    return stat.S_IMODE(path.stat().st_mode)


def refusal(path):
    """Return what both the early check and the write say about *path*."""
    with pytest.raises(ReportPathError) as early:
        check_writable(path)
    with pytest.raises(ReportPathError) as late:
        write_atomically(path, "text")
    assert str(early.value) == str(late.value)
    return str(late.value)


def test_the_text_is_written_as_utf_8_with_its_line_breaks(tmp_path):
    write_atomically(tmp_path / "a.txt", "µ\nb\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "µ\nb\r\n".encode()
    assert names_in(tmp_path) == ["a.txt"]


def test_what_no_encoding_can_hold_is_escaped(tmp_path):
    write_atomically(tmp_path / "a.txt", "a\ud800b")
    assert (tmp_path / "a.txt").read_text("utf-8") == "a\\ud800b"


@posix
def test_a_new_file_has_the_usual_permission_bits(tmp_path, usual_umask):
    write_atomically(tmp_path / "ours.txt", "text")
    (tmp_path / "usual.txt").write_text("text")
    assert bits(tmp_path / "ours.txt") == bits(tmp_path / "usual.txt") == 0o640


@posix
def test_an_existing_file_keeps_its_permission_bits(tmp_path, usual_umask):
    path = tmp_path / "a.txt"
    path.write_text("old and longer than the new")
    path.chmod(0o604)
    write_atomically(path, "new")
    assert (path.read_text(), bits(path)) == ("new", 0o604)


@posix
def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "target")
    for text in ("first", "second"):
        write_atomically(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "deep" / "target").read_text() == text
    assert names_in(tmp_path / "deep") == ["target"]


@posix
def test_a_link_into_nowhere_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone" / "target")
    assert f"the folder {tmp_path / 'gone'} does not exist" in refusal(tmp_path / "link")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert "symbolic links" in refusal(tmp_path / "circle").lower()


@posix
def test_devices_take_the_text_and_stay_devices():
    write_atomically("/dev/null", "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@contextlib.contextmanager
def reader_of(pipe):
    """Open a pipe as a reader does, but without waiting for who writes; yields how to read what is there."""
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield lambda: os.read(descriptor, 1000)
    finally:
        os.close(descriptor)


@posix
def test_a_named_pipe_takes_the_text(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with reader_of(pipe) as read:
        write_atomically(pipe, "through the pipe")
        assert read() == b"through the pipe"
        assert read() == b""  # that was all
        write_atomically(pipe, "once more")
        assert read() == b"once more"
    assert names_in(tmp_path) == ["pipe"]


@posix
def test_a_pipe_that_nobody_reads_is_refused_instead_of_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "nobody reads from this pipe; start its reader first, or name a file" in refusal(pipe)


@posix
def test_the_early_check_does_not_tell_the_reader_of_a_pipe_that_this_was_all(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with reader_of(pipe) as read:
        check_writable(pipe)
        check_writable(pipe)
        with pytest.raises(BlockingIOError):  # at the end it would be b""
            read()
        write_atomically(pipe, "text")
        assert read() + read() == b"text"


@posix
def test_a_reader_that_left_is_told_and_ends_nothing(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with reader_of(pipe):
        check_writable(pipe)
    with pytest.raises(ReportPathError, match=r"pipe: Broken pipe; name another place"):
        write_atomically(pipe, "text")


@posix
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert "it is a socket" in refusal("socket")


@linux
@pytest.mark.parametrize("place", ["/dev/full", "link", "/dev/fd/{}"])
def test_a_device_that_is_always_full_is_found_before_anything_is_written(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("/dev/full")
    with Path("/dev/full").open("wb") as full:
        assert "it is a device that is always full; name another place" in refusal(place.format(full.fileno()))


@posix
def test_a_disk_is_not_overwritten(tmp_path, monkeypatch):
    really = Path.stat
    disk = SimpleNamespace(st_mode=stat.S_IFBLK | 0o660, st_rdev=0x800, st_dev=1, st_ino=1)
    monkeypatch.setattr(Path, "stat", lambda path, **more: disk if path.name == "sda" else really(path, **more))
    (tmp_path / "sda").write_text("precious")
    assert "it is a disk, and what is on it would be lost" in refusal(tmp_path / "sda")
    assert (tmp_path / "sda").read_text() == "precious"


@linux
@pytest.mark.parametrize("path", ["/proc/run.json", "/proc/self/run.json", "/proc/uptime", "/sys/run.json"])
@pytest.mark.parametrize("relative", [False, True])
def test_folders_that_are_none_of_a_disk_take_no_report(tmp_path, monkeypatch, path, relative):
    monkeypatch.chdir(tmp_path)
    said = refusal(os.path.relpath(path) if relative else path)
    assert "no file can be made in" in said or "is not writable" in said or "is on a read-only file system" in said
    assert said.endswith("name another place")


@linux
def test_a_name_alone_counts_from_the_folder_that_is_current(monkeypatch):
    monkeypatch.chdir("/proc")
    refusal("run.json")


@posix
def test_an_open_stream_goes_on_where_it_was(tmp_path):
    with (tmp_path / "log").open("w") as log:
        log.write("before\n")
        log.flush()
        write_atomically(f"/dev/fd/{log.fileno()}", "report\n")
        log.write("after\n")
    assert (tmp_path / "log").read_text() == "before\nreport\nafter\n"


@posix
def test_a_stream_that_is_not_open_is_refused():
    assert "no such stream is open" in refusal("/dev/fd/987")


@linux
def test_a_stream_that_is_open_for_reading_only_is_refused(tmp_path):
    (tmp_path / "log").write_text("said before")
    with (tmp_path / "log").open() as log:
        assert "open for reading only" in refusal(f"/dev/fd/{log.fileno()}")


def test_a_missing_folder_is_named_with_the_remedy(tmp_path):
    said = refusal(tmp_path / "a" / "b" / "run.json")
    assert said.startswith(f"cannot write {tmp_path / 'a' / 'b' / 'run.json'}: the folder")
    assert f"does not exist; create it first: mkdir -p {tmp_path / 'a' / 'b'}" in said
    assert names_in(tmp_path) == []


def test_a_folder_is_not_a_report(tmp_path):
    said = refusal(tmp_path)
    assert "it is a folder; name a file in it, such as" in said
    assert "run.json" in said


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    assert "file is not a folder; name another place" in refusal(tmp_path / "file" / "run.json")


@pytest.mark.parametrize("path", ["", "  "])
def test_a_report_needs_a_name(path):
    assert refusal(path) == "a report needs the name of a file"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800" * 300])
def test_names_that_no_file_can_have_are_refused(tmp_path, name):
    refusal(str(tmp_path / name)).encode("utf-8")


def forbid(monkeypatch, path):
    real = os.access
    monkeypatch.setattr("os.access", lambda asked, mode: Path(asked) != path and real(asked, mode))


def test_a_folder_that_is_not_writable_is_refused(tmp_path, monkeypatch):
    forbid(monkeypatch, tmp_path)
    assert f"{tmp_path} is not writable by this user" in refusal(tmp_path / "run.json")


def test_a_file_that_is_not_writable_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    path.write_text("precious")
    forbid(monkeypatch, path)
    assert f"{path} is not writable by this user" in refusal(path)
    assert path.read_text() == "precious"


@linux
def test_a_read_only_file_system_is_told_from_permissions(tmp_path, monkeypatch):
    forbid(monkeypatch, tmp_path)
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert f"{tmp_path} is on a read-only file system; name another place" in refusal(tmp_path / "run.json")


@pytest.mark.parametrize("problem", [OSError(122, "Disk quota exceeded"), PermissionError(13, "Permission denied")])
def test_what_permission_bits_do_not_tell_is_tried(tmp_path, monkeypatch, problem):
    really = os.open

    def deny(path, flags, *more):
        if flags & os.O_CREAT:
            raise problem
        return really(path, flags, *more)

    monkeypatch.setattr("os.open", deny)
    said = refusal(tmp_path / "run.json")
    assert f"no file can be made in {tmp_path} ({problem.strerror}); name another place" in said


@needs_permissions
def test_permissions_of_the_system_are_respected(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "is not writable by this user" in refusal(tmp_path / "run.json")
    finally:
        tmp_path.chmod(0o700)


def test_the_early_check_creates_nothing_and_changes_nothing(tmp_path):
    path = tmp_path / "run.json"
    check_writable(path)
    assert names_in(tmp_path) == []
    path.write_text("old")
    check_writable(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("problem", [KeyboardInterrupt(), MemoryError(), OSError(28, "No space left on device")])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_half_written(tmp_path, monkeypatch, failing, problem):
    path = tmp_path / "run.json"
    path.write_text("old")

    def fail(*_arguments):
        raise problem

    monkeypatch.setattr(failing, fail)
    with pytest.raises(ReportPathError if isinstance(problem, OSError) else type(problem)) as caught:
        write_atomically(path, "new")
    assert not isinstance(problem, OSError) or "No space left on device" in str(caught.value)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["run.json"]
