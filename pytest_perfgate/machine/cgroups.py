"""The limits that Linux control groups, version 1 and 2, put on this process; None everywhere else.

A limit may stand in the process' own group or in any group above it, so all of them are read and the smallest counts.
Groups are found through ``/proc/self/cgroup`` (which group) and ``/proc/self/mountinfo`` (where it can be seen).  In a
container the two need not fit together; what is visible at the mount then is the container's own group.

Source: cgroups(7); Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

_ROOT = Path("/")
_V2 = ""
"""How /proc/self/cgroup writes the one hierarchy of version 2, which holds all controllers."""
_DEFAULT_PERIOD_US = 100_000
#: Version 1 writes "no limit" as the largest multiple of the page size that fits in 63 bits.
_NO_LIMIT_BYTES = 1 << 60

_Number = TypeVar("_Number", int, float)


class _Mount(NamedTuple):
    """A place where a hierarchy can be seen."""

    top: PurePosixPath
    """The group that is visible at *point*; not the root of the hierarchy in many containers."""
    point: PurePosixPath
    controllers: frozenset[str]
    """Empty for version 2."""


def cpu_quota(root: Path = _ROOT) -> float | None:
    """Find the smallest quota on CPU time.

    Args:
        root: Where ``proc`` and ``sys`` are looked for.

    Returns:
        In cores (1.5: one and a half CPUs' worth of time), > 0; None when there is no quota.
    """
    return _smallest(root, "cpu", _quota_v2, _quota_v1)


def memory_limit_bytes(root: Path = _ROOT) -> int | None:
    """Find the smallest limit on memory.

    Args:
        root: Where ``proc`` and ``sys`` are looked for.

    Returns:
        In bytes, > 0; None when there is no limit.
    """
    return _smallest(root, "memory", _memory_v2, _memory_v1)


def _smallest(
    root: Path,
    controller: str,
    read_v2: Callable[[Path], _Number | None],
    read_v1: Callable[[Path], _Number | None],
) -> _Number | None:
    groups, mounts = _own_groups(root), list(_mounts(root))
    found: list[_Number | None] = []
    for hierarchy, read in ((_V2, read_v2), (controller, read_v1)):
        folders = _visible_folders(hierarchy, groups.get(hierarchy, PurePosixPath("/")), mounts)
        found += [read(root / folder.relative_to("/")) for folder in folders]
    return min((limit for limit in found if limit is not None and limit > 0), default=None)


def _own_groups(root: Path) -> dict[str, PurePosixPath]:
    """Read which group this process is in, by controller (version 1) and as :data:`_V2`."""
    groups = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.startswith("/"):
            groups.update(dict.fromkeys(controllers.split(","), PurePosixPath(path)))
    return groups


def _mounts(root: Path) -> Iterator[_Mount]:
    """Read where cgroup hierarchies are mounted."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields, (kind, _, options) = left.split(), (right.split() + [""] * 3)[:3]
        if kind not in ("cgroup", "cgroup2") or len(fields) < 5:  # noqa: PLR2004  # columns up to the mount point
            continue
        controllers = frozenset(options.split(",")) if kind == "cgroup" else frozenset[str]()
        top, point = (PurePosixPath(_unescaped(field)) for field in fields[3:5])
        if point.is_absolute():
            yield _Mount(top, point, controllers)


def _unescaped(field: str) -> str:
    r"""Undo the kernel's octal escapes, such as ``\040`` for a blank."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _visible_folders(hierarchy: str, group: PurePosixPath, mounts: list[_Mount]) -> Iterator[PurePosixPath]:
    """Yield the folders of *group* and of all groups above it, as far as they can be seen."""
    candidates = [mount for mount in mounts if (hierarchy in mount.controllers if hierarchy else not mount.controllers)]
    if not candidates:
        usual = PurePosixPath("/sys/fs/cgroup", hierarchy)
        candidates = [_Mount(PurePosixPath("/"), usual, frozenset())]
    # A mount that shows some other part of the tree would tell another group's limits.
    showing = [mount for mount in candidates if group.is_relative_to(mount.top) and ".." not in group.parts]
    for mount in showing:
        below = group.relative_to(mount.top)
        yield from (mount.point / part for part in (below, *below.parents))
    if not showing:
        yield candidates[0].point


def _quota_v2(folder: Path) -> float | None:
    quota, period, *_ = [*_text(folder / "cpu.max").split(), "", ""]
    return _quota(quota, period or str(_DEFAULT_PERIOD_US))


def _quota_v1(folder: Path) -> float | None:
    return _quota(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _quota(quota_us: str, period_us: str) -> float | None:
    """Divide the two, unless one of them is missing, ``max`` or -1."""
    try:
        quota, period = int(quota_us), int(period_us)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def _memory_v2(folder: Path) -> int | None:
    return _bytes(_text(folder / "memory.max"))


def _memory_v1(folder: Path) -> int | None:
    return _bytes(_text(folder / "memory.limit_in_bytes"))


def _bytes(text: str) -> int | None:
    try:
        limit = int(text)
    except ValueError:  # "max", or no such file
        return None
    return limit if limit < _NO_LIMIT_BYTES else None


def _text(path: Path) -> str:
    """Read a file of the kernel; what cannot be read is empty."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
