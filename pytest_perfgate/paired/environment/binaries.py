"""Where compiled code lies in memory: where both sides have the same, in the same pages; else in new ones each round.

The pages of a file stay where they are for as long as anybody needs them, so all processes of a run share what luck a
file had with them.  Two copies of one extension module differ by up to 20 % for that reason, in the same way in every
process: rounds do not average it out unless each has copies of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

#: Compiled modules, and the libraries that wheels bring for them.
_SUFFIXES = (".so", ".pyd", ".dll", ".dylib")
#: More than this is not copied for each round: it would take longer than measuring does.
MOST_BYTES = 256 * 1024**2
_NEW = ".perfgate-new"


def share_binaries(base: Path, head: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make one file of what both sides have with the same name and content.

    Args:
        base: The files of one side.
        head: Those of the other.

    Returns:
        What each side has of its own, relative to its folder; nothing of a side that has too much.
    """
    known = {_known_by(path): path for path in _binaries(base)}
    shared = set()
    own = []
    for path in _binaries(head):
        twin = known.get(_known_by(path))
        if twin is not None and _link(twin, path):
            shared.add(twin)
        else:
            own.append(path)
    return _names(base, [path for path in known.values() if path not in shared]), _names(head, own)


def _binaries(tree: Path) -> Iterator[Path]:
    for current, _, names in os.walk(tree):
        for name in names:
            path = Path(current, name)
            if (name.endswith(_SUFFIXES) or ".so." in name) and path.is_file() and not path.is_symlink():
                yield path


def _known_by(path: Path) -> tuple[str, str]:
    return path.name, hashlib.sha256(path.read_bytes()).hexdigest()


def _link(twin: Path, path: Path) -> bool:
    new = path.with_name(path.name + _NEW)
    try:
        os.link(twin, new)
    except OSError:  # a file system without links: both are renewed instead
        return False
    new.replace(path)
    return True


def _names(tree: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    if sum(path.stat().st_size for path in paths) > MOST_BYTES:
        return ()
    return tuple(sorted(path.relative_to(tree).as_posix() for path in paths))


def renew(tree: Path, names: Sequence[str]) -> None:
    """Put files that nobody has loaded yet in the place of binaries; whoever has one open keeps it.

    Args:
        tree: The files of a side.
        names: Relative to it, as :func:`share_binaries` gives them.
    """
    for name in names:
        path = tree / name
        new = path.with_name(path.name + _NEW)
        with contextlib.suppress(OSError):  # then it lies where it lay
            shutil.copy2(path, new)
            new.replace(path)
