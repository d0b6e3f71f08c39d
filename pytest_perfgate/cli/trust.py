"""``perfgate trust``: how often the gate errs on this machine, by comparisons whose true answer is known."""

from __future__ import annotations

import argparse
import contextlib
import gc
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from pytest_perfgate.cli._command import COULD_NOT_JUDGE, DEFAULT_TOLERANCE, FAILED, PASSED, add_tolerance, say
from pytest_perfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_perfgate.paired.trials import Experiment, Tally, TrialProgress

_DEFAULT_TIME, _SHORTEST_S = "5m", 1.0
_DEFAULT_CHANGES = "2%,5%,7.5%,10%"
_BAR_CELLS = 16
_TERMINATED = 128 + signal.SIGTERM
"""As shells say it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``perfgate trust``."""
    parser.description = """\
Compare code with itself, and with copies of it that are slower by a known
share, as `pytest --perfgate --perfgate-against` does it, in suites of many
cases; print how often the gate failed what it should not have, and missed
what it should not have, with 95 % confidence bounds.  The slowdowns are of
six kinds: repeated work, allocations, a linear search, an import at call
time, a lock, a cache that stops hitting.

What is printed holds for this machine as it is now: run it where the gate
runs, with as much going on beside it as usual.  No suite is cut off: on a
busy machine the last one may end later than asked for."""
    parser.epilog = """\
example:
  perfgate trust --time 20m
  perfgate trust --time 1h --changes 3%,6% --json trust.json

exit status: 0; 1 the gate failed code that had not changed; 2 nothing could be
compared"""
    parser.add_argument("--time", metavar="DURATION", default=_DEFAULT_TIME, help="how long to try (default: 5m)")
    add_tolerance(parser, default="5%%")
    parser.add_argument(
        "--changes",
        metavar="PCT,...",
        default=_DEFAULT_CHANGES,
        help="slowdowns to plant (default: " + _DEFAULT_CHANGES.replace("%", "%%") + ")",
    )
    parser.add_argument(
        "--cases", metavar="N", type=int, help="cases of one suite (default: 50, or as many as there is time for)"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, help="of everything that is drawn (default: another each time)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures here as well")


def run(namespace: argparse.Namespace) -> int:
    """Run the trials and print the table.

    Returns:
        0; 1 when unchanged code failed.

    Raises:
        UsageError: An argument cannot be meant.
    """
    from pytest_perfgate.paired.trials import Experiment, fitting_suite
    from pytest_perfgate.store import check_writable

    seconds = _seconds(namespace.time)
    tolerance = DEFAULT_TOLERANCE if namespace.max_regression is None else namespace.max_regression
    if tolerance <= 0:
        raise UsageError("--max-regression 0%: no gate can tell a change from none at all")
    if namespace.cases is not None and namespace.cases < 1:
        raise UsageError(f"--cases {namespace.cases}: a suite has at least one case")
    if namespace.json:
        check_writable(namespace.json)
    planted = _changes(namespace.changes)
    cases = namespace.cases or fitting_suite(seconds, planted)
    bar = _Bar(sys.stderr)
    experiment = Experiment(tolerance=tolerance, planted=planted, suite=cases, seed=namespace.seed, report=bar.show)
    say(f"suites of {cases} cases, for {namespace.time}", sys.stderr)
    gc.enable()  # off for commands that end at once
    try:
        with _leaving_in_order(), contextlib.closing(bar):
            experiment.run(seconds)
    except KeyboardInterrupt:
        _report(experiment, tolerance, namespace.json)
        raise
    return _report(experiment, tolerance, namespace.json)


def _report(experiment: Experiment, tolerance: float, json: str | None) -> int:
    """Print what the finished suites came to, and say what that means."""
    unchanged = experiment.tallies[0.0]
    if not unchanged.comparisons:
        return COULD_NOT_JUDGE
    say("\n".join(_lines(experiment, tolerance)))
    if json:
        _write(json, experiment, tolerance)
    return FAILED if unchanged.failed_suites else PASSED


@contextlib.contextmanager
def _leaving_in_order() -> Iterator[None]:
    """Let a process that is asked to end remove its folders and workers first."""

    def leave(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _seconds(text: str) -> float:
    from pytest_perfgate.units import SECONDS, parse_as

    try:
        seconds = parse_as(_with_minutes(text), SECONDS, example='"90s", "5m" or "1h"')
    except ValueError as problem:
        raise UsageError(f"--time {problem}") from None
    if seconds < _SHORTEST_S:
        raise UsageError(f"--time {text}: give it at least a second; bounds that say something take minutes")
    return seconds


def _with_minutes(text: str) -> str:
    """Turn minutes and hours into seconds; nothing else in this package is measured in them."""
    for suffix, seconds in (("min", 60), ("m", 60), ("h", 3600)):
        number = text.strip().removesuffix(suffix)
        if number != text.strip() and number.replace(".", "", 1).strip().isdigit():
            return f"{float(number) * seconds}s"
    return text


def _changes(text: str) -> list[float]:
    from pytest_perfgate.profiles import parse_tolerance

    changes = []
    for part in text.split(","):
        try:
            changes.append(parse_tolerance(part.strip()))
        except ValueError as problem:  # noqa: PERF203  # a handful
            raise UsageError(f"--changes {part.strip()!r} {problem}") from None
    if any(change <= 0 for change in changes):
        raise UsageError("--changes: unchanged code is tried by itself; name slowdowns above 0 %")
    return sorted(set(changes))


# -- what is printed


def _lines(experiment: Experiment, tolerance: float) -> Iterator[str]:
    from tabulate import tabulate

    from pytest_perfgate.stats import median, proportion_interval

    rows = [_row(tally) for tally in experiment.tallies.values() if tally.comparisons]
    headers = ["slower by", "compared", "failed", "95 % bounds", "passed", "undecided", "rounds", "seconds", "95th"]
    yield tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=["right"] * len(headers))
    yield ""
    unchanged = experiment.tallies[0.0]
    if unchanged.suites:
        _, highest = proportion_interval(unchanged.failed_suites, unchanged.suites)
        yield (
            f"suites of unchanged code: {unchanged.failed_suites} of {unchanged.suites} failed "
            f"(95 % bound {_percent(highest)}); the null control stopped {unchanged.contaminated}"
        )
    if experiment.round_spreads:
        noise = median(experiment.round_spreads)
        yield f"noise: one process pair differs from the next by {_percent(noise)}; tolerance {_percent(tolerance)}"


def _row(tally: Tally) -> list[str]:
    from pytest_perfgate.model import Verdict
    from pytest_perfgate.stats import median, percentile, proportion_interval

    failed = tally.verdicts[Verdict.REGRESSED]
    low, high = proportion_interval(failed, tally.comparisons)
    passed = tally.share(Verdict.PASS) + tally.share(Verdict.IMPROVED)
    return [
        _percent(tally.true_change) if tally.true_change else "unchanged",
        str(tally.comparisons),
        f"{failed} ({_percent(failed / tally.comparisons)})",
        f"{_percent(low)} … {_percent(high)}",
        _percent(passed),
        _percent(tally.share(Verdict.INCONCLUSIVE)),
        f"{median(tally.rounds):g}",
        f"{median(tally.seconds):.2f}",
        f"{percentile(tally.seconds, 95):.2f}",
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _write(path: str, experiment: Experiment, tolerance: float) -> None:
    import json

    from pytest_perfgate.store import write_atomically

    facts: dict[str, Any] = {
        "format": "perfgate-trust",
        "version": 1,
        "tolerance": tolerance,
        "tallies": [tally.to_dict() for tally in experiment.tallies.values()],
        "control": experiment.control,
        "round_spreads": experiment.round_spreads,
    }
    write_atomically(path, json.dumps(facts, indent=1) + "\n")


class _Bar:
    """A progress bar with the time that is left, where a person looks.

    Args:
        stream: Usually standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shown = stream, stream.isatty()

    def show(self, progress: TrialProgress) -> None:
        """Draw it anew."""
        done = min(progress.elapsed_s / progress.budget_s, 1.0)
        cells = round(done * _BAR_CELLS)
        bar = "#" * cells + "-" * (_BAR_CELLS - cells)
        left = progress.budget_s - progress.elapsed_s
        suite = f"suite {progress.suite}: {progress.undecided} of {progress.cases} undecided"
        self._draw(f"[{bar}] {_left(left)}, {suite}, {progress.comparisons} done")

    def close(self) -> None:
        """Take it away."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()


def _left(seconds: float) -> str:
    if seconds <= 0:
        return "time is up"
    return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"  # noqa: PLR2004  # minutes then
