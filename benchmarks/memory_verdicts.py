"""How often ``memory.growth`` errs: clean functions called leaking, leaks missed; its cost, and the error of peaks.

Run it from an environment with pytest-perfgate installed::

    python benchmarks/memory_verdicts.py                   # 100 rounds of each clean function, 10 of each leak
    python benchmarks/memory_verdicts.py --clean 20 --leaks 2

Every verdict comes from a fresh process, ``--per-process`` of them one after the other.
The line of a leak is right when the first place that is named is the one that keeps.  Costs are processor time, which
neighbours hardly change.

Left to itself, ``memory.growth`` calls quick functions tens of thousands of times, because that costs next to nothing
and finds one leak in a thousand calls.  The second table of leaks allows no more calls in a round than make a thousand
in all.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from pytest_perfgate.metrics.growth_share import measure_growth_share
from pytest_perfgate.metrics.memory import PeakMeter, measure_growth
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.stats import median, percentile, proportion_interval

CASE = Case("benchmark", "memory.growth")
MIB = 2**20
#: A leak is proved in 3 rounds to warm up and windows of 11 and 21: with so many calls in each, in 980.
CALLS_FOR_A_THOUSAND = 28
CALLS_OF_A_SHARE = 2000


# -- functions that leave nothing behind


def clean_functions() -> dict[str, Callable[[], Any]]:
    """Make them, with their states."""
    import collections
    import datetime as dt
    import functools
    import gc
    import itertools
    import logging
    import pickle
    import random
    import re
    import string
    import tempfile
    import threading
    import weakref
    from concurrent.futures import ThreadPoolExecutor

    rng = random.Random(1)
    numbers = itertools.count()
    recent: collections.deque[bytes] = collections.deque(maxlen=100)
    working_set: dict[int, bytes] = {}
    logger = logging.getLogger("benchmark")
    logger.addHandler(logging.NullHandler())
    document = {"rows": [{"name": f"row {n}", "values": list(range(5))} for n in range(20)]}

    @functools.lru_cache(maxsize=64)
    def cached(number: int) -> str:
        return str(number) * 10

    def cycle() -> None:
        one: list[Any] = []
        one.append(one)

    def fill_and_drop() -> None:
        working_set[rng.randrange(200)] = bytes(rng.randrange(10, 1000))

    async def asynchronous() -> list[int]:
        return await asyncio.gather(*[asyncio.sleep(0, n) for n in range(5)])

    def thread() -> None:
        one = threading.Thread(target=sum, args=(range(100),))
        one.start()
        one.join()

    def pool() -> None:
        with ThreadPoolExecutor(2) as workers:
            list(workers.map(str, range(4)))

    def temporary_file() -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 100)

    def weak() -> None:
        class Thing:
            pass

        weakref.finalize(Thing(), int)

    def executed() -> Any:
        names: dict[str, Any] = {}
        exec(f"def f(): return {next(numbers)}", names)
        return names["f"]()

    return {
        "json": lambda: json.loads(json.dumps(document)),
        "re": lambda: re.sub(r"\d+", "", f"row {next(numbers)}"),
        "re.compile of new patterns": lambda: re.compile(f"x{next(numbers)}"),
        "lru_cache": lambda: cached(next(numbers)),
        "deque that is full": lambda: recent.append(bytes(100)),
        "cycles": cycle,
        "working set": fill_and_drop,
        "asyncio.gather": asynchronous,
        "asyncio.run": lambda: asyncio.run(asynchronous()),
        "threads": thread,
        "pool of threads": pool,
        "logging": lambda: logger.warning("row %s", next(numbers)),
        "exec": executed,
        "classes": lambda: type("Made", (), {"value": next(numbers)}).__name__,
        "tempfile": temporary_file,
        "weakref.finalize": weak,
        "strings": lambda: "".join(rng.choices(string.ascii_letters, k=200)),
        "sorting": lambda: sorted(rng.random() for _ in range(200)),
        "exceptions": lambda: _caught(next(numbers)),
        "intern": lambda: sys.intern(f"name{next(numbers) % 50}"),
        "gc.collect": gc.collect,
        "pickle": lambda: pickle.loads(pickle.dumps(document)),
        "csv": lambda: _table_of(next(numbers)),
        "datetime": lambda: dt.datetime.fromtimestamp(next(numbers), dt.timezone.utc).isoformat(),
        "generators": lambda: sum(n for n in range(next(numbers) % 50)),
        **full_windows(),
    }


def full_windows() -> dict[str, Callable[[], Any]]:
    """Make windows of objects smaller than what tracing one takes, full before they are looked at."""
    import collections
    import heapq
    import itertools

    numbers = itertools.count(1000)
    times = collections.deque((time.monotonic() for _ in range(1000)), maxlen=100)
    objects = collections.deque((object() for _ in range(1000)), maxlen=1000)
    latencies = [time.monotonic() for _ in range(100)]
    queue = [float(number) for number in range(1000)]

    def slide() -> None:
        latencies.append(time.monotonic())
        del latencies[0]

    return {
        "deque of times": lambda: times.append(time.monotonic()),
        "deque of objects": lambda: objects.append(object()),
        "list as a window": slide,
        "heapq": lambda: heapq.heappushpop(queue, float(next(numbers))),
    }


def _table_of(number: int) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[number, "x"]] * 10)
    return out.getvalue()


def _caught(number: int) -> str:
    try:
        raise ValueError(number)  # noqa: TRY301  # that is what is looked at
    except ValueError as problem:
        return str(problem)


# -- functions that leak


def leaks() -> dict[str, Callable[[], Any]]:
    """Make them, with what they keep; the line that keeps ends in ``# keeps``."""
    import ctypes
    import itertools

    kept: list[Any] = []
    table: dict[Any, Any] = {}
    numbers = itertools.count()
    grown = bytearray()

    def every(nth: int) -> Callable[[], None]:
        def leak() -> None:
            if next(numbers) % nth == 0:
                kept.append(bytes(64 - 33))  # keeps

        return leak

    class Subscriber:
        def notify(self) -> None:
            """Be told."""

    def subscribe() -> None:
        kept.append(Subscriber().notify)  # keeps

    def make_class() -> None:
        kept.append(type("Made", (), {}))  # keeps

    def in_table() -> None:
        table[next(numbers)] = str(next(numbers))  # keeps

    def in_place() -> None:
        grown.extend(bytes(64))  # keeps

    found: dict[str, Callable[[], Any]] = {
        "64 B in every call": every(1),
        "64 B in every 5th call": every(5),
        "64 B in every 20th call": every(20),
        "64 B in every 50th call": every(50),
        "dictionary": in_table,
        "bound methods": subscribe,
        "classes": make_class,
        "bytearray that grows in place": in_place,
    }
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc"):
        library.malloc.restype = ctypes.c_void_p
        found["malloc"] = lambda: library.malloc(64)
    return found


# -- verdicts, each kind in processes of its own


def verdicts(kind: str, name: str, count: int, calls: int | None) -> list[dict[str, Any]]:
    """Measure one function in this process, *count* times with a fresh state, with so many calls per round."""
    source = open(__file__, encoding="utf-8").read().splitlines()  # noqa: PTH123, SIM115
    found = []
    for _ in range(count):
        target = {"clean": clean_functions, "leaks": leaks}[kind]()[name]
        began = time.process_time()
        _, measurement = measure_growth(Plan(), CASE, target, calls=calls)
        took_s = time.process_time() - began
        call_s = seconds_per_call(target) if kind == "clean" else 0.0
        extra = measurement.extra
        places = extra.get("where", [])
        file, _, rest = places[0].partition(":") if places else ("", "", "")
        line = int(rest.partition(":")[0]) if file.endswith("memory_verdicts.py") else 0
        found.append(
            {
                "verdict": extra["verdict"],
                "calls": extra["calls"],
                "beyond_calls_s": max(0.0, took_s - call_s * extra["calls"]),
                "line_is_right": bool(line) and source[line - 1].endswith("# keeps"),
            }
        )
    return found


def shares(kind: str, name: str, count: int) -> list[dict[str, Any]]:
    """Measure by which share this process grows over so many calls of one function."""
    del count
    target = {"clean": clean_functions, "leaks": leaks}[kind]()[name]
    _, measurement = measure_growth_share(Plan(), CASE, target, iterations=CALLS_OF_A_SHARE)
    low, high = measurement.interval or (0.0, 0.0)
    return [{"value": measurement.value, "low": low, "high": high}]


def seconds_per_call(target: Callable[[], Any]) -> float:
    """Take the processor time of a function that has warmed up, of 20 ms or 1,000 calls."""
    if asyncio.iscoroutinefunction(target):
        return asyncio.run(_seconds_per_await(target))
    began, calls = time.process_time(), 0
    while calls < 1000 and time.process_time() - began < 0.02:
        target()
        calls += 1
    return (time.process_time() - began) / calls


async def _seconds_per_await(target: Callable[[], Any]) -> float:
    began = time.process_time()
    for _ in range(100):
        await target()
    return (time.process_time() - began) / 100


def ask(kind: str, name: str, count: int, calls: int | None) -> list[dict[str, Any]]:
    """Have another process measure."""
    command = [sys.executable, __file__, "--one", kind, name, str(count), str(calls or 0)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def collect(kind: str, name: str, wanted: int, per_process: int, calls: int | None = None) -> list[dict[str, Any]]:
    """Gather so many verdicts on a function."""
    found: list[dict[str, Any]] = []
    while len(found) < wanted:
        found += ask(kind, name, min(per_process, wanted - len(found)), calls)
    return found


def peaks() -> None:
    """Print how far the peak of a block is from what it allocates."""
    print("\n| block | peak | error | bound: 1 % or 256 kB |\n|---|---|---|---|")
    for megabytes in (1, 3, 10, 30, 100, 200):
        meter = PeakMeter(Case("benchmark", "memory.peak"))
        meter.start()
        block = bytearray(megabytes * MIB)
        measurement = meter.stop()
        del block
        assert measurement.value is not None
        error = measurement.value - megabytes * MIB
        within = abs(error) <= max(0.01 * megabytes * MIB, 256 * 1024)
        print(f"| {megabytes} MiB | {measurement.value / MIB:.2f} MiB | {error / 1024:+.0f} kB | {within} |")


def report(clean: int, leaking: int, per_process: int) -> None:
    """Print all tables."""
    costs, wrong, total = [], 0, 0
    print("| clean function | verdicts | leak | growing | median beyond the calls |\n|---|---|---|---|---|")
    for name in clean_functions():
        found = collect("clean", name, clean, per_process)
        counts = Counter(one["verdict"] for one in found)
        beyond = median([one["beyond_calls_s"] for one in found])
        costs += [one["beyond_calls_s"] for one in found if one["verdict"] == "clean"]
        wrong, total = wrong + counts["leak"], total + len(found)
        print(
            f"| {name} | {len(found)} | {counts['leak']} | {counts['growing']} | {beyond * 1000:.0f} ms |", flush=True
        )
    low, high = proportion_interval(wrong, total)
    print(f"\nCalled leaking: {wrong} of {total} (95 % bounds {low:.2%} … {high:.2%}).")
    middle, most = median(costs) * 1000, percentile(costs, 95) * 1000
    print(f"A clean verdict beyond the calls: median {middle:.0f} ms, 95th percentile {most:.0f} ms.")
    for calls in (None, CALLS_FOR_A_THOUSAND):
        report_leaks(leaking, per_process, calls)
    report_shares(max(1, clean // 20))
    peaks()


def report_shares(each: int) -> None:
    """Print how far the share of growth of clean functions is from none, each in fresh processes."""
    found = [one for name in clean_functions() for one in collect("share of clean", name, each, 1)]
    values, reaches = [abs(one["value"]) for one in found], [(one["high"] - one["low"]) / 2 for one in found]
    print(f"\nGrowth over {CALLS_OF_A_SHARE:,} calls of {len(found)} clean functions:")
    print(f"median {median(values):.2%}, largest {max(values):.2%}; half of its interval {median(reaches):.2%}.")
    for limit in (0.02, 0.05, 0.10):
        over, open_ = (
            sum(one["low"] > limit for one in found),
            sum(one["low"] <= limit < one["high"] for one in found),
        )
        print(f"Limit {limit:.0%}: {over} over it, {open_} inconclusive.")


def report_leaks(leaking: int, per_process: int, calls: int | None) -> None:
    """Print the table of leaks."""
    print(f"\n{calls or 'As many as it likes'} calls per round:")
    print("\n| leak | verdicts | found | most calls | line right |\n|---|---|---|---|---|")
    for name in leaks():
        found = collect("leaks", name, leaking, per_process, calls)
        hits = [one for one in found if one["verdict"] == "leak"]
        most = max((one["calls"] for one in hits), default=0)
        right = sum(one["line_is_right"] for one in hits)
        print(f"| {name} | {len(found)} | {len(hits)} | {most:,} | {right} |", flush=True)


def main() -> None:
    """Measure one function, or all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clean", type=int, default=100, help="verdicts on each clean function")
    parser.add_argument("--leaks", type=int, default=10, help="verdicts on each leak")
    parser.add_argument("--per-process", type=int, default=5)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        kind, name, count, calls = options.one
        share = kind.removeprefix("share of ")
        found = (
            shares(share, name, int(count)) if share != kind else verdicts(kind, name, int(count), int(calls) or None)
        )
        print(json.dumps(found))
    else:
        report(options.clean, options.leaks, options.per_process)


if __name__ == "__main__":
    main()
