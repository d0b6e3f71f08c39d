"""Things that tests put in place of time."""

from __future__ import annotations

from collections.abc import Callable


class FakeClock:
    """A clock that moves only when somebody works; reading it costs *tick_ns*."""

    def __init__(self, tick_ns: int = 1) -> None:
        self.now_ns = 0
        self.tick_ns = tick_ns
        self.reads = 0

    def __call__(self) -> int:
        """Read the clock."""
        self.reads += 1
        self.now_ns += self.tick_ns
        return self.now_ns

    def work(self, elapsed_ns: int, result: object = None) -> Callable[..., object]:
        """Make a function that takes so long and returns *result*."""

        def target(*_args: object, **_kwargs: object) -> object:
            self.now_ns += elapsed_ns
            return result

        return target
