"""Where memory that stays behind was allocated: two snapshots of tracemalloc, and the places that grew between them."""

from __future__ import annotations

import collections
import gc
import itertools
import linecache
import os
import sysconfig
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_perfgate.measure.memory import traced
from pytest_perfgate.stats import median

#: Frames kept of each allocation: enough to leave the library that allocates for the code that asked for it.
_FRAMES = 8
_MOST_PLACES = 5
_MOST_TYPES = 3
#: Of the blocks that the worst line keeps, the share that a type has to make up.
_WORTH_NAMING = 0.05
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # tracemalloc's are strings
_LIBRARIES = tuple({os.path.abspath(path) for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))})  # noqa: PTH100


@dataclass(frozen=True, slots=True)
class Attribution:
    """What stayed behind, by place."""

    bytes_per_call: float
    """As the interpreter's allocators see it; may be negative."""
    places: tuple[str, ...] = ()
    """``cache.py:12: 1 block per call: kept.append(key)``, what grew most first."""
    types: tuple[str, ...] = ()
    """``1 list per call``, of types that the collector tracks, what grew most first."""


def attribute(
    run: Callable[[], None], *, calls_per_round: int, rounds: int, counted: bool = True
) -> Attribution | None:
    """Find where memory that stays behind was allocated.

    Args:
        run: Makes *calls_per_round* calls of the target.
        calls_per_round: Calls that one *run* makes.
        rounds: Runs between the snapshots, at least 1.
        counted: Whether it is the number of blocks that grows.  Where it is bytes, a few blocks in all, such as the
            interpreter adds to speed up a function, are no reason to name a line before one that grows by more.

    Returns:
        None when somebody traces allocations already.
    """
    calls = calls_per_round * rounds
    with traced(_FRAMES) as mine:
        if not mine:
            return None
        run()
        gc.collect()
        _counted(())  # the first generator that is counted fills tables of abstract classes
        before, census = tracemalloc.take_snapshot(), _census()
        levels = [tracemalloc.get_traced_memory()[0]]
        for _ in range(rounds):
            run()
            gc.collect()
            levels.append(tracemalloc.get_traced_memory()[0])
        grown = _census() - census  # before the snapshot, which is made of objects as well
        after = tracemalloc.take_snapshot()
    slope = _usual_step(levels)
    blamed = _blamed(before, after, 1 if counted else rounds)
    places = tuple(_sentence(one, calls) for one in blamed[:_MOST_PLACES])
    least = max(rounds, _WORTH_NAMING * blamed[0].blocks) if blamed else rounds
    types = tuple(
        f"{count / calls:.3g} {name} per call" for name, count in grown.most_common(_MOST_TYPES) if count >= least
    )
    return Attribution(slope / calls_per_round, places, types)


def _census() -> collections.Counter[str]:
    """Count what the collector tracks by type; what was frozen before is not among it, so that it costs little."""
    return _counted(gc.get_objects())


def _counted(objects: Iterable[object]) -> collections.Counter[str]:
    return collections.Counter(_type_name(type(one)) for one in objects)


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _usual_step(levels: Sequence[int]) -> float:
    """Return what a round usually adds.

    Not the mean: a list that was there before tracing counts as new, all of it, in the round in which it is moved.
    """
    usual = median(later - earlier for earlier, later in itertools.pairwise(levels))
    return usual or (levels[-1] - levels[0]) / (len(levels) - 1)


@dataclass(frozen=True, slots=True)
class _Grown:
    """A line, and what it has allocated more."""

    filename: str
    line: int
    blocks: int
    size_bytes: int


def _blamed(before: tracemalloc.Snapshot, after: tracemalloc.Snapshot, least_blocks: int) -> list[_Grown]:
    """List the lines that grew, those that grew most first; fewer blocks than *least_blocks* count as none."""
    blocks: collections.Counter[tuple[str, int]] = collections.Counter()
    sizes: collections.Counter[tuple[str, int]] = collections.Counter()
    for one in after.compare_to(before, "traceback"):
        place = _place(one.traceback)
        if place is not None and (one.count_diff or one.size_diff):
            blocks[place] += one.count_diff
            sizes[place] += one.size_diff
    # By blocks first: one block a call is the leak, however large a working set happens to have grown meanwhile.
    grown = (_Grown(*place, blocks[place], sizes[place]) for place in sizes if blocks[place] > 0 or sizes[place] > 0)

    def amount(one: _Grown) -> tuple[int, int]:
        return one.blocks if one.blocks >= least_blocks else 0, one.size_bytes

    return sorted(grown, key=amount, reverse=True)


def _place(traceback: tracemalloc.Traceback) -> tuple[str, int] | None:
    """Find the line that is to blame: the innermost one outside the libraries; None when it is ours."""
    innermost_first = [(frame.filename, frame.lineno) for frame in reversed(traceback)]
    if _is_ours(innermost_first[0][0]):
        return None
    for filename, line in innermost_first:
        if filename == _HERE:
            return None  # a counter of the census, which the library made for us
        if _is_ours(filename):
            break
        if not _is_library(filename):
            return filename, line
    return innermost_first[0]


_HERE = _counted.__code__.co_filename


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS + os.sep) or filename in (tracemalloc.__file__, "<perfgate loop>")


def _is_library(filename: str) -> bool:
    return filename.startswith(("<frozen", *_LIBRARIES)) or "site-packages" in filename


def _sentence(one: _Grown, calls: int) -> str:
    filename, number = one.filename, f"{one.blocks / calls:.3g}"
    shown = os.path.relpath(filename) if filename.startswith(os.getcwd() + os.sep) else filename  # noqa: PTH109
    # Bytes only of what grows in place: those of a list that was moved would include what it held before.
    grew = f"{number} block{'s' * (number != '1')}" if one.blocks > 0 else f"{one.size_bytes / calls:.3g} B"
    said = f"{shown}:{one.line}: {grew} per call"
    source = linecache.getline(filename, one.line).strip()
    return f"{said}: {source}" if source else said
