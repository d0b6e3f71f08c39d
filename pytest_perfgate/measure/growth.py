"""Does each call leave something behind?  A sequential trend test on what the process holds after each round.

Source:
    The channels and the idea of looking at all rounds are those of CPython's ``regrtest -R`` and of psleak; the trend
    test is Mann (1945) and Kendall (1975).  A window is judged only together with the one before it, which is half as
    long: a working set that fills slows down, a leak does not.
"""

from __future__ import annotations

import array
import gc
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_perfgate.measure.memory import Channel
from pytest_perfgate.stats import mann_kendall

#: Rounds of the first window; each further one is twice as long.
FIRST_WINDOW, MOST_WINDOWS = 10, 5
#: Growth within one window that means something, by channel: one block; the C heap's own bookkeeping is coarser.
UNIT = {"blocks": 1, "heap": 256}
#: One-sided, for each window.
_SIGNIFICANT = 0.01
#: A leak goes on at least at this share of the rate it had in the window before.
_STEADY = 0.7
#: Quarters of a window in which it has to grow.
_QUARTERS = {"blocks": 4, "heap": 3}


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of the question."""

    verdict: str
    """``clean``, ``leak`` or ``growing`` (it grew, and did not do so steadily: a cache that fills, perhaps)."""
    channel: str | None = None
    """Where it shows."""
    per_call: float = 0.0
    """Growth of *channel* per call: blocks, or bytes of the C heap."""
    calls: int = 0
    """Made in all."""
    windows: int = 0
    """Looked at."""
    curve: tuple[int, ...] = ()
    """*channel* after each round of the last window, from its first value."""


def detect_growth(
    run: Callable[[], None],
    live: Mapping[str, Channel],
    *,
    calls_per_round: int,
    warmup: int,
    is_late: Callable[[], bool] = lambda: False,
) -> Growth:
    """Look for growth until it is clear, or not.

    Args:
        run: Makes *calls_per_round* calls of the target and drops what they return.
        live: Channels to watch, at least one.
        calls_per_round: Calls that one *run* makes.
        warmup: Rounds before the first window, at least 1.
        is_late: Tells that time is up; a window under way is finished.
    """
    longest = FIRST_WINDOW * 2 ** (MOST_WINDOWS - 1) + 1
    # Room for every value is taken before the first one is read: the meter must not measure itself.
    series = {name: array.array("q", [0] * longest) for name in live}
    for _ in range(warmup):
        run()
        gc.collect()
    calls = warmup * calls_per_round
    before: dict[str, float] = {}
    rounds = FIRST_WINDOW
    for window in range(1, MOST_WINDOWS + 1):
        _record(run, live, series, rounds)
        calls += (rounds + 1) * calls_per_round
        rates = {}
        for name, values in series.items():
            seen = values[: rounds + 1].tolist()
            rate = (seen[-1] - seen[0]) / (rounds * calls_per_round)
            if _is_suspicious(seen, UNIT[name]):
                rates[name] = rate
            if name in rates and name in before and _is_steady(seen, rate, before[name], _QUARTERS[name]):
                return Growth("leak", name, rate, calls, window, _from_zero(seen))
        if not rates:
            return Growth("clean", calls=calls, windows=window)
        if is_late() or window == MOST_WINDOWS:
            name = next(iter(rates))
            seen = series[name][: rounds + 1].tolist()
            return Growth("growing", name, rates[name], calls, window, _from_zero(seen))
        before, rounds = rates, rounds * 2
    raise AssertionError("unreachable: the last window returns")  # pragma: no cover


def _record(
    run: Callable[[], None], live: Mapping[str, Channel], series: Mapping[str, array.array[int]], rounds: int
) -> None:
    """Fill each channel's series with its value before and after each of so many rounds."""
    run()  # a round that is not recorded takes in what judging the last window allocated
    gc.collect()
    for name, read in live.items():
        series[name][0] = read()
    for place in range(1, rounds + 1):
        run()
        gc.collect()
        for name, read in live.items():
            series[name][place] = read()


def _is_suspicious(seen: Sequence[int], unit: int) -> bool:
    if seen[-1] - seen[0] < unit:
        return False
    half = len(seen) // 2
    first, second = seen[:half], seen[half + 1 :]
    if min(second) < min(first) or max(second) <= max(first):
        return False
    return mann_kendall([float(value) for value in seen]) < _SIGNIFICANT


def _is_steady(seen: Sequence[int], rate: float, rate_before: float, quarters: int) -> bool:
    """Tell a leak from a working set that fills: it grows in every part of the window, as fast as before."""
    marks = [seen[(len(seen) - 1) * part // 4] for part in range(5)]
    grown = sum(later > earlier for earlier, later in itertools.pairwise(marks))
    return grown >= quarters and rate >= _STEADY * rate_before


def _from_zero(seen: Sequence[int]) -> tuple[int, ...]:
    return tuple(value - seen[0] for value in seen)
