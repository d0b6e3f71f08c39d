"""Keeps what took long to make, by content; of several processes that make the same, one is kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Builds of a few packages over a few weeks; a large one with its extensions takes some tens of megabytes.
MOST_ENTRIES = 24
MOST_BYTES = 2 * 1024**3
#: Somebody may be copying from what was used so lately; what is half made for longer than a day never gets finished.
_LATELY_S = 3600.0
_ABANDONED_S = 86400.0
_HALF_MADE = "making-"


def cache_folder() -> Path:
    """Say where this user's cache is.

    Returns:
        ``PERFGATE_CACHE_DIR``, else the place that the system has for such things; it need not exist.
    """
    if chosen := os.environ.get("PERFGATE_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "pytest-perfgate" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "pytest-perfgate"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "pytest-perfgate"


def obtain(cache: Path, key: str, make: Callable[[Path], None]) -> Path:
    """Get a folder from the cache, made if it is not there.

    Args:
        cache: The folder of the cache; made.
        key: What the content depends on, as a name.
        make: Fills an empty folder; what it raises passes through and nothing is kept.

    Returns:
        The folder; copy from it, never write to it.
    """
    entry = cache / key
    if not entry.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _make(cache, entry, make)
    with contextlib.suppress(OSError):
        os.utime(entry)
    prune(cache)
    return entry


def _make(cache: Path, entry: Path, make: Callable[[Path], None]) -> None:
    folder = cache / f"{_HALF_MADE}{secrets.token_hex(6)}"
    folder.mkdir()
    try:
        make(folder)
        try:
            folder.rename(entry)
        except OSError:
            if not entry.is_dir():  # not because somebody else was quicker
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prune(cache: Path, *, entries: int = MOST_ENTRIES, size: int = MOST_BYTES) -> None:
    """Remove what was used longest ago until the rest is within limits.

    Args:
        cache: The folder of the cache.
        entries: How many may stay.
        size: How many bytes may stay, in all.
    """
    now = time.time()
    kept = taken = 0
    for used, folder in sorted(_ages(cache), reverse=True):
        if folder.name.startswith(_HALF_MADE):
            if now - used > _ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)
            continue
        kept, taken = kept + 1, taken + _size(folder)
        if (kept > entries or taken > size) and now - used > _LATELY_S:
            shutil.rmtree(folder, ignore_errors=True)


def _ages(cache: Path) -> list[tuple[float, Path]]:
    found = []
    for folder in cache.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir():
                found.append((folder.stat().st_mtime, folder))
    return found


def _size(folder: Path) -> int:
    total = 0
    for current, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(current, name).lstat().st_size
    return total
