"""Files that a program reads: learned, put out of the page cache, and proven to be; bytecode is for ``cold``.

The kernel may well not forget, and tells nobody: pages that a running process has mapped stay, and so do all on a file
system in memory.  What is read as a whole, code of Python, has to be gone and to come from a disk again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_perfgate.errors import CannotMeasureError
from pytest_perfgate.measure.command import Command, shown
from pytest_perfgate.measure.process import ProcessRun

if TYPE_CHECKING:
    import mmap

#: Anybody's standard library, not only this interpreter's.
LIBRARY = re.compile(r"[\\/]lib(?:64)?[\\/]python3(?:\.\d+)?t?[\\/](?!(?:site|dist)-packages[\\/])")

#: What ``python -v`` says of a file that it reads.
_READS = re.compile(
    r"# (?:code object from|extension module .* loaded from) '?(?P<name>.+?)'?$|# (?P<pyc>.+) matches (?P<source>.+)$"
)
#: As which ``ru_inblock`` counts, whatever the disk's blocks.
_BLOCK_BYTES = 512
#: A word that starts Python, also within a line for a shell.
_PYTHON = re.compile(r"(?:^|[\s/\\])(?:python|pypy)[\d.]*t?(?:\.exe)?(?:$|\s)")
#: What may stay in the page cache of what is read as a whole.
_MAY_STAY = 1 / 2
#: What has to come from a disk of what is read as a whole: a file system may hold it packed.
_FAIR_SHARE = 1 / 4
#: What has to come from a disk of a program that is mapped and read in parts, and no more than this of a large one.
_PROGRAM_SHARE, _PROGRAM_BYTES = 1 / 4, 128 * 1024


class ReadFiles:
    """The files that one command was seen to read.

    Args:
        command: What is run.
        prefix: The folder in which all bytecode is; None where it is beside its sources.
        is_ours: Tells of a file whether it is bytecode that was made for these runs alone.
        is_rewritten: Tells of such a file whether every run writes it anew.
    """

    def __init__(
        self,
        command: Command,
        prefix: Path | None,
        is_ours: Callable[[Path], bool],
        is_rewritten: Callable[[Path], bool],
    ) -> None:
        self._command, self._prefix = command, prefix
        self._is_ours, self._is_rewritten = is_ours, is_rewritten
        self._files: tuple[str, ...] = ()
        self._sizes: dict[str, int] = {}
        self._program_bytes = 0
        self._staying: list[str] = []

    def learn(self, run: ProcessRun) -> None:
        """Learn from a run that was told to say what it reads.

        Raises:
            CannotMeasureError: It is Python, and did not say.
        """
        told = list(self._told(run))
        named = [str(path.resolve()) for path in self._named()]
        if not told and self._is_python(named):
            raise CannotMeasureError(
                f"{shown(self._command.argv)} could not be made cold: its Python does not say which files it reads; is "
                f"it started with -I or -E, which ignore PYTHONVERBOSE?"
            )
        bytecode = {name: tuple(self._bytecode_of(name)) for name in told if name.endswith(".py")}
        self._files = tuple(dict.fromkeys([*named, *told, *(name for found in bytecode.values() for name in found)]))
        self._sizes = {name: _size(name) for name in _read_whole(told, bytecode) if not self._is_ours(Path(name))}
        self._program_bytes = _size(named[0]) if named else 0
        for file in self._files:
            forget(file, written_first=True)

    def forget(self) -> None:
        """Put them out of the page cache, as far as that is possible."""
        for name in self._files:
            forget(name)
        self._staying = [name for name in self._own() if stays(name)]

    def why_warm(self, run: ProcessRun) -> str:
        """Say why a run after :meth:`forget` was not cold; empty where it was."""
        own = self._own()
        if sum(own[name] for name in self._staying) > _MAY_STAY * sum(own.values()):
            return (
                f"{len(self._staying)} of {len(own)} files ({self._staying[0]} ...) stay in the page cache; are they "
                f"on a file system in memory, or in use by other processes?"
            )
        gone = f"although {len(self._files)} files of it were put out of the page cache"
        where = "are they on a file system in memory, or in use by other processes?"
        if run.blocks_read is None and (self._sizes or not run.major_faults):
            return f"the system does not say {gone}; {where}"
        if not (run.blocks_read or run.major_faults):
            return f"nothing was read from a disk {gone}; {where}"
        read, wanted = (run.blocks_read or 0) * _BLOCK_BYTES, self._wanted()
        if read < wanted and (self._sizes or run.blocks_read):
            return (
                f"only {read / 1024:.0f} KiB were read from a disk, where at least {wanted / 1024:.0f} KiB had to be, "
                f"{gone}; {where}"
            )
        return ""

    def _own(self) -> dict[str, int]:
        """Leave out the standard library, unless there is nothing else."""
        library = str(Path(sysconfig.get_path("stdlib")).resolve()) + os.sep
        rest = {
            name: size
            for name, size in self._sizes.items()
            if not LIBRARY.search(name) and (not name.startswith(library) or "-packages" + os.sep in name)
        }
        return rest or self._sizes

    def _wanted(self) -> float:
        if self._sizes:
            return _FAIR_SHARE * sum(self._sizes.values())
        return min(_PROGRAM_SHARE * self._program_bytes, _PROGRAM_BYTES)

    def _named(self) -> Iterator[Path]:
        """Find the program and the files that are named in the command."""
        program = self._command.argv[0]
        if not os.path.dirname(program):  # noqa: PTH120  # Path("./app") forgets the "./"
            program = shutil.which(program, path=self._command.env.get("PATH")) or ""
        for word in filter(None, (program, *self._command.argv[1:])):
            path = Path(self._command.cwd or ".", word)
            with contextlib.suppress(OSError, ValueError):
                if path.is_file():
                    yield path

    def _told(self, run: ProcessRun) -> Iterator[str]:
        for row in run.stderr.decode("utf-8", "replace").splitlines():
            found = _READS.match(row)
            for name in filter(None, found.groups() if found else ()):
                if os.path.isfile(name):  # noqa: PTH113  # a plain string that may be anything
                    yield name

    def _bytecode_of(self, source: str) -> Iterator[str]:
        """Find what a later run reads in place of *source*, any Python's: ours need not be the one that is run."""
        path = Path(source)
        folder = self._prefix / path.parent.relative_to(path.anchor) if self._prefix else path.parent / "__pycache__"
        for file in folder.glob(f"{path.stem}.*.pyc"):
            if not (self._is_ours(file) and self._is_rewritten(file)):
                yield str(file)

    def _is_python(self, named: Sequence[str]) -> bool:
        """Tell whether the command starts Python, or a script for it."""
        if any(map(_PYTHON.search, self._command.argv)):
            return True
        with contextlib.suppress(OSError, IndexError), Path(named[0]).open("rb") as file:
            first = file.readline(512)
            return first.startswith(b"#!") and b"python" in first
        return False


def _read_whole(told: Sequence[str], bytecode: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """List the files of code that a later run reads: the bytecode where there is some, or else the source."""
    for name in told:
        found = bytecode.get(name, ())
        if name.endswith(".pyc") or (name.endswith(".py") and not found):
            yield name
        elif found and not set(found) & set(told):  # it was compiled just now, nobody said for which of them
            yield min(found, key=_size)


def _size(name: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(name).st_size  # noqa: PTH116  # a plain string
    return 0


def forget(name: str, *, written_first: bool = False) -> None:
    """Ask the kernel to forget what it keeps of a file; one that changed has to be written to the disk before."""
    with contextlib.suppress(OSError):
        file = os.open(name, os.O_RDONLY)
        try:
            if written_first:
                os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def stays(name: str) -> bool:
    """Tell whether most of a file is in the page cache; False where the kernel tells only its owner, or nobody."""
    import mmap  # noqa: PLC0415  # for the few who ask

    if not os.access(name, os.W_OK):  # of all other files it says that they are there
        return False
    try:
        with Path(name).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
            resident = [page & 1 for page in _residence(mapped, mmap.PAGESIZE)]
    except (OSError, AttributeError, ValueError):
        return False
    return sum(resident) * 2 > len(resident)


def _residence(mapped: mmap.mmap, page_bytes: int) -> bytes:
    import ctypes  # noqa: PLC0415  # likewise

    pages = (ctypes.c_ubyte * -(-len(mapped) // page_bytes))()
    start = ctypes.c_char.from_buffer(mapped)
    address, length = ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped))
    known = ctypes.CDLL(None, use_errno=True).mincore(address, length, pages)
    del start  # a mapping with a pointer into it cannot be closed
    return bytes(pages) if known == 0 else b""
