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
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_perfgate.measure.memory import Channel
from pytest_perfgate.stats import mann_kendall, theil_sen

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True

#: Rounds of the first window; each further one is twice as long.
FIRST_WINDOW, MOST_WINDOWS = 10, 5
#: Rounds of the first window of a slow target: the fewest whose steady rise is significant.
SHORT_WINDOW = 5
#: Growth within one window that means something, by channel: one block; the C heap's own bookkeeping is coarser.
UNIT = {"blocks": 1, "heap": 256, "traced": 64}
#: As many units have to be added in the window that proves a leak.  Tables of the interpreter and of asyncio grow by
#: a few blocks over the first thousand calls and look like a rare leak until they stop.
_ENOUGH_UNITS = 10
#: One-sided, for each window: growth; and what is worth a longer look, lest a noisy target hides a leak in its noise.
_SIGNIFICANT, _UNSETTLED = 0.01, 0.2
#: A leak goes on at least at this share of the rate it had in the window before.
_STEADY = 0.7
#: Of all pairs of values in it, rising minus falling ones (Kendall's tau): what merely wanders, as a random working set
#: does, is significant once in a while because its values hang together, and never as clear as this.
_CLEAR = 0.7
#: Quarters of a window in which it has to grow; allocators grow in steps.
_QUARTERS = {"blocks": 4, "heap": 3, "traced": 3}


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of the question."""

    verdict: str
    """``clean``, ``leak`` or ``growing`` (it grew, and did not do so steadily: a cache that fills, perhaps)."""
    channel: str | None = None
    """Where it shows."""
    per_call: float = 0.0
    """Growth of *channel* per call: blocks, or bytes."""
    calls: int = 0
    """Made in all."""
    windows: int = 0
    """Looked at."""
    curve: tuple[int, ...] = ()
    """*channel* after each round of the last window, from its first value."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Growth per call of every channel that grew in the last window."""


def detect_growth(
    run: Callable[[], None],
    live: Mapping[str, Channel],
    *,
    calls_per_round: int,
    warmup: int,
    first_window: int = FIRST_WINDOW,
    is_late: Callable[[], bool] = lambda: False,
) -> Growth:
    """Look for growth until it is clear, or not.

    Args:
        run: Makes *calls_per_round* calls of the target and drops what they return.
        live: Channels to watch, at least one.
        calls_per_round: Calls that one *run* makes.
        warmup: Rounds before the first window.
        first_window: Rounds of the first window, at least :data:`SHORT_WINDOW`.
        is_late: Tells that time is up; a second window that has to confirm the first is made all the same.
    """
    longest = first_window * 2 ** (MOST_WINDOWS - 1) + 1
    # Room for every value is taken before the first one is read: the meter must not measure itself.
    series = {name: array.array("q", [0] * longest) for name in live}
    for _ in range(warmup):
        run()
        _settle()
    calls = warmup * calls_per_round
    before: dict[str, float] = {}
    rounds = first_window
    for window in range(1, MOST_WINDOWS + 1):
        _record(run, live, series, rounds)
        calls += (rounds + 1) * calls_per_round
        seen = {name: values[: rounds + 1].tolist() for name, values in series.items()}
        chances = {name: _chance(values, UNIT[name]) for name, values in seen.items()}
        is_last = window == MOST_WINDOWS or (window > 1 and is_late())
        rates = {
            name: _slope(values) / calls_per_round for name, values in seen.items() if chances[name] < _SIGNIFICANT
        }
        if not rates and (is_last or min(chances.values()) >= _UNSETTLED):
            return Growth("clean", calls=calls, windows=window)
        leaking = [name for name in rates if name in before and _is_steady(name, seen[name], rates[name], before[name])]
        if leaking or is_last:
            name = (leaking or list(rates))[0]
            verdict = "leak" if leaking else "growing"
            return Growth(verdict, name, rates[name], calls, window, _from_zero(seen[name]), rates)
        before, rounds = rates, rounds * 2
    raise AssertionError("unreachable: the last window returns")  # pragma: no cover


def _record(
    run: Callable[[], None], live: Mapping[str, Channel], series: Mapping[str, array.array[int]], rounds: int
) -> None:
    """Fill each channel's series with its value before and after each of so many rounds."""
    run()  # a round that is not recorded takes in what judging the last window allocated
    _settle()
    for name, read in live.items():
        series[name][0] = read()
    for place in range(1, rounds + 1):
        run()
        _settle()
        for name, read in live.items():
            series[name][place] = read()


#: What the interpreter remembers of types for speed; a class made in each call would pass for a leak by it.
_clear_type_cache: Callable[[], object] = getattr(
    sys,
    "_clear_internal_caches",
    getattr(sys, "_clear_type_cache", lambda: None),  # the former since 3.13
)


def _settle() -> None:
    _clear_type_cache()
    gc.collect()


def _chance(seen: Sequence[int], unit: int) -> float:
    """Return how likely the rise of *seen* is by chance; 1 for what did not rise, or no more in its second half."""
    if seen[-1] - seen[0] < unit:
        return 1.0
    half = len(seen) // 2
    first, second = seen[:half], seen[half + 1 :]
    if min(second) < min(first) or max(second) <= max(first):
        return 1.0
    return mann_kendall([float(value) for value in seen])


def _slope(seen: Sequence[int]) -> float:
    """Return growth per round: the median slope, which noise at the ends does not bend, unless it misses rare steps."""
    slope = theil_sen([float(value) for value in seen])
    return slope if slope > 0 else (seen[-1] - seen[0]) / (len(seen) - 1)


def _is_steady(channel: str, seen: Sequence[int], rate: float, rate_before: float) -> bool:
    """Tell a leak from a working set that fills or wanders: it grows in every part of the window, as fast as before."""
    marks = [seen[(len(seen) - 1) * part // 4] for part in range(5)]
    grown = sum(later > earlier for earlier, later in itertools.pairwise(marks))
    if channel == "traced" and marks[-1] == marks[-2]:
        return False  # what was allocated before tracing began has been replaced by now
    is_much = seen[-1] - seen[0] >= _ENOUGH_UNITS * UNIT[channel]
    return is_much and grown >= _QUARTERS[channel] and rate >= _STEADY * rate_before and _tau(seen) >= _CLEAR


def _tau(seen: Sequence[int]) -> float:
    """Return Kendall's tau-a of *seen* with its order, from -1 (falls throughout) to 1 (rises throughout)."""
    rises = sum((later > earlier) - (later < earlier) for earlier, later in itertools.combinations(seen, 2))
    return rises / (len(seen) * (len(seen) - 1) / 2)


def _from_zero(seen: Sequence[int]) -> tuple[int, ...]:
    return tuple(value - seen[0] for value in seen)
