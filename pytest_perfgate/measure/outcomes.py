"""Did two ways of doing the work come to the same outcome?  Compares results; knows neither pools nor clocks."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure.parallel import short

_UNFINISHED = (GeneratorType, CoroutineType, AsyncGeneratorType, map, filter, zip)


def refuse_unfinished(**outcomes: object) -> None:
    """Refuse outcomes that are work still to be done: timing them would time nothing.

    Args:
        **outcomes: What each pass returned, by the pass's name; of a list, each result counts too.

    Raises:
        UsageError: One is a generator, a coroutine or the like.
    """
    unfinished: list[tuple[str, object]] = []
    for name, outcome in outcomes.items():
        unfinished += [(f"the {name} pass", outcome)] if isinstance(outcome, _UNFINISHED) else []
        results = outcome if isinstance(outcome, list) else []
        unfinished += [("the task", result) for result in results if isinstance(result, _UNFINISHED)]
    for _, one in unfinished:
        if isinstance(one, (CoroutineType, GeneratorType)):
            one.close()  # or Python warns, somewhere else, that it was never awaited
    if unfinished:
        who, one = unfinished[0]
        remedy = "use an async function" if isinstance(one, CoroutineType) else "return list(...) of it"
        raise UsageError(f"{who} returned a {type(one).__name__}: the work is not done yet; {remedy}")


def check_same(serial: object, parallel: object) -> None:
    """Refuse a parallel outcome that is not the serial one: it may be fast because it leaves work out.

    Values are the same when they are equal, or have the same pickle (NaN, and objects that only know identity).

    Args:
        serial: What the serial pass returned.
        parallel: What the parallel pass returned.

    Raises:
        CannotMeasureError: They differ; the message names the first item that does.
    """
    if not (isinstance(serial, (list, tuple)) and isinstance(parallel, (list, tuple))):
        if not _is_same(serial, parallel):
            raise CannotMeasureError(_difference("the outcome", serial, parallel))
        return
    if len(serial) != len(parallel):
        raise CannotMeasureError(
            f"the parallel pass gave {len(parallel)} results, the serial one {len(serial)}; a speedup of other work is "
            f"none"
        )
    index = _first_difference(serial, parallel)
    if index is not None:
        raise CannotMeasureError(_difference(f"the result of item {index}", serial[index], parallel[index]))


def _first_difference(serial: Sequence[Any], parallel: Sequence[Any]) -> int | None:
    pairs = enumerate(zip(serial, parallel, strict=True))
    return next((index for index, (one, other) in pairs if not _is_same(one, other)), None)


def _difference(what: str, serial: object, parallel: object) -> str:
    return (
        f"{what} differs: serial {short(serial)}, parallel {short(parallel)}; if it differs from call to call by "
        f"nature, pass check=False"
    )


def _is_same(one: object, other: object) -> bool:
    if one is other or _is_equal(one, other):
        return True
    try:
        return pickle.dumps(one) == pickle.dumps(other)
    except Exception:  # noqa: BLE001  # pickling runs the user's code, which may raise anything
        return False


def _is_equal(one: object, other: object) -> bool:
    """Compare, reducing what arrays and data frames answer to one bool."""
    # Arrays of different shapes are broadcast before they are compared: an empty one equals anything.
    if getattr(one, "shape", None) != getattr(other, "shape", None):
        return False
    try:
        answer: Any = one == other
        while hasattr(answer, "all"):
            answer, before = answer.all(), answer
            if type(answer) is type(before):
                break
        return bool(answer)
    except Exception:  # noqa: BLE001  # the user's __eq__ may raise anything; then the pickles decide
        return False
