"""Binding the thread that measures to one processor at a time, and giving back what it was allowed before."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil

_PROBLEMS = (psutil.Error, OSError, ValueError)


def _read() -> tuple[int, ...]:
    """Return the processors this thread may use; none where a thread cannot be bound to one."""
    if threading.current_thread() is not threading.main_thread():
        return ()  # Linux would bind the main thread instead
    try:
        return tuple(psutil.Process().cpu_affinity() or ())
    except (AttributeError, *_PROBLEMS):  # AttributeError: macOS
        return ()


def _bind(processors: tuple[int, ...]) -> None:
    psutil.Process().cpu_affinity(list(processors))


@dataclass
class Processors:
    """The processors of the calling thread; moves it from one to the next, and restores in the end.

    Nothing is bound before :meth:`move` is called.  Where the system does not bind threads nothing ever is.
    """

    read: Callable[[], tuple[int, ...]] = _read
    bind: Callable[[tuple[int, ...]], None] = _bind
    allowed: tuple[int, ...] = field(init=False)
    """All that the thread may use; empty where it cannot be bound."""
    is_bound: bool = field(init=False, default=False)
    _order: list[int] = field(init=False, default_factory=list)
    _before: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.allowed = self.read()

    def move(self) -> bool:
        """Bind to the next processor, all of them in turn, in random order.

        Returns:
            Whether the thread is on another processor now than before, or for the first time on a certain one.
        """
        if not self.allowed or (self.is_bound and len(self.allowed) == 1):
            return False
        if not self.is_bound:
            self._before = _relatives()
        if not self._order:
            self._order = random.sample(self.allowed, len(self.allowed))
        try:
            self.bind((self._order.pop(),))
        except _PROBLEMS:  # a processor that went away, a container that forbids it
            self.restore()
            self.allowed = ()
            return False
        self.is_bound = True
        return True

    def restore(self) -> None:
        """Allow again what was allowed, also to threads and processes that started meanwhile and inherited less."""
        if not self.is_bound:
            return
        self.is_bound = False
        with contextlib.suppress(*_PROBLEMS):
            self.bind(self.allowed)
        if sys.platform == "linux":
            for heir in _relatives() - self._before:
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(heir, self.allowed)


def _relatives() -> set[int]:
    """Return the ids of the threads of this process and of the processes that it started (Linux; elsewhere none)."""
    return set(_related_threads()) if sys.platform == "linux" else set()


def _related_threads() -> Iterator[int]:
    with contextlib.suppress(*_PROBLEMS):
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            with contextlib.suppress(*_PROBLEMS):
                yield from (thread.id for thread in process.threads())
