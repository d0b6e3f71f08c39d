"""One case of a stored run against the same case of another: the change, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pytest_perfgate import units
from pytest_perfgate.compare.calibrated import calibrated_sides
from pytest_perfgate.compare.noise import (
    CALIBRATED,
    LogRatio,
    is_exact,
    log_ratio,
    noise_of,
    process_values,
    resolution,
)
from pytest_perfgate.model import Better, Change, Comparison, Measurement, Verdict
from pytest_perfgate.stats import normal_quantile

#: A value clearly differs from none when it is this many times what can be told apart.
_CLEARLY = 4

#: Logarithms beyond this leave the range of floats.
_LARGEST_LOG = 700.0

#: What to do about a rise from zero that is meant, against a stored run.
_RENEWED = "set an absolute limit if it is meant, and record a new baseline"

#: How likely the number of runs that a message asks for settles the case, if the estimate is right.
_PLANNED_POWER = 0.8

#: Nobody records more than this; past it the message says that it is of no use.
_MOST_RUNS = 100


def compare_measurements(
    base: Measurement,
    head: Measurement,
    *,
    tolerance: float,
    against: str,
    confidence: float = 0.99,
    if_meant: str = _RENEWED,
) -> Comparison:
    """Compare two measurements of one case that come from comparable runs.

    Args:
        base: From the stored run.
        head: From the run that is judged.
        tolerance: Relative, >= 0; kept with the change and used for what would settle it.
        against: What to call the stored run in messages.
        confidence: Of the interval, in (0, 1), two-sided.
        if_meant: What to do about a rise from zero that is meant; no tolerance allows one.

    Returns:
        A change, or the verdict and the reason why there is none.
    """
    obstacle = _obstacle(base, head, against)
    if obstacle is not None:
        return obstacle
    ratios = calibrated_sides(base, head)
    noise = None
    if ratios is not None:
        (base, head), noise = ratios, CALIBRATED
    base_values, head_values = _settled(base), _settled(head)
    exact = is_exact(base, head)
    doubt = ""
    if (exact and base_values == head_values) or not any((*base_values, *head_values)):
        ratio, interval = 1.0, (1.0, 1.0)
    elif min(*base_values, *head_values) <= 0:
        return _without_ratio((base, base_values), (head, head_values), against, if_meant)
    elif exact:
        ratio = _ratio(base_values[0], head_values[0])
        interval = (ratio, ratio)
    elif min((*base.samples, *head.samples), default=1.0) <= 0:
        return _no_ratio(f"some rounds were zero or negative, here or in {against}")
    else:
        found = log_ratio(base, head, confidence, noise or noise_of(base, head))
        ratio, interval = _exp(found.estimate), (_exp(found.low), _exp(found.high))
        doubt = _doubt(base, head, found, tolerance, confidence)
    change = Change(
        ratio=ratio,
        interval=interval,
        tolerance=tolerance,
        confidence=confidence,
        against=against,
        better=head.better,
        processes=len(base_values) + len(head_values),
        doubt=doubt,
        calibrated=ratios is not None,
    )
    starved = head.extra.get("starved")
    if starved and change.worsening_interval[1] > tolerance:
        change = replace(change, settled=Verdict.INCONCLUSIVE, doubt=f"the machine was too busy: {starved}")
    return Comparison(change=change)


def _obstacle(base: Measurement, head: Measurement, against: str) -> Comparison | None:
    """Say what keeps two measurements from being compared at all, or None."""
    if base.value is None:
        because = base.error or "it has no value"
        return Comparison(verdict=Verdict.NO_BASELINE, reason=f"the baseline {against} failed to measure it: {because}")
    if head.value is None:
        because = head.error or "it has no value"
        return Comparison(verdict=Verdict.NO_BASELINE, reason=f"this run failed to measure it: {because}")
    then, now = meaning(base), meaning(head)
    if then != now:
        differing = [pair for pair in zip(then, now, strict=True) if pair[0] != pair[1]]
        old, new = (", ".join(words) for words in zip(*differing, strict=True))
        return Comparison(
            verdict=Verdict.INCOMPARABLE,
            reason=f"{against} measured something else: {old}; this run: {new}; record a new baseline",
        )
    doubt = base.doubt or base.extra.get("starved")
    if doubt:
        return Comparison(
            verdict=Verdict.INCONCLUSIVE,
            reason=f"the number in {against} is in doubt: {doubt}; record a new baseline",
        )
    return None


def meaning(measurement: Measurement) -> tuple[str, str, str]:
    """Put into words what has to be equal for two values to mean the same."""
    return (
        f"unit {measurement.unit or 'none'}",
        f"{measurement.better.value} is better",
        f"statistic {measurement.statistic}",
    )


def _settled(measurement: Measurement) -> list[float]:
    """Return the process values, with what is too little to tell from none, or below it, taken for none."""
    least = resolution(measurement)
    return [0.0 if least and value < least else value for value in process_values(measurement)]


def _without_ratio(
    then: tuple[Measurement, Sequence[float]], now: tuple[Measurement, Sequence[float]], against: str, if_meant: str
) -> Comparison:
    """Judge values of which some are not positive: from or to zero is a verdict, anything else is not a ratio."""
    (base, base_values), (head, head_values) = then, now
    rose = not any(base_values) and _is_clearly_positive(head, head_values)
    fell = not any(head_values) and _is_clearly_positive(base, base_values)
    old, new = (units.format_value(side.value or 0.0, side.unit, show_as=side.show_as) for side in (base, head))
    if not rose and not fell:
        return _no_ratio(f"{old} in {against} and {new} here are too close to zero, or below it")
    if rose is (head.better is Better.LOWER):
        return Comparison(
            verdict=Verdict.REGRESSED,
            reason=f"from {old} to {new} against {against}; no percentage allows that: {if_meant}",
        )
    return Comparison(verdict=Verdict.IMPROVED, reason=f"from {old} to {new} against {against}")


def _is_clearly_positive(measurement: Measurement, values: Sequence[float]) -> bool:
    sure = measurement.interval is None or measurement.interval[0] > 0
    return sure and min(values) > _CLEARLY * resolution(measurement)


def _no_ratio(because: str) -> Comparison:
    return Comparison(
        verdict=Verdict.INCONCLUSIVE,
        reason=f"{because}, so no relative change can be given; set an absolute limit instead",
    )


def _ratio(base: float, head: float) -> float:
    ratio = head / base
    return ratio if 0 < ratio < math.inf else _exp(math.log(head) - math.log(base))


def _exp(logarithm: float) -> float:
    return math.exp(min(max(logarithm, -_LARGEST_LOG), _LARGEST_LOG))


def _doubt(base: Measurement, head: Measurement, found: LogRatio, tolerance: float, confidence: float) -> str:
    """Say why the interval is as wide as it is and what would settle it; empty when it is narrow enough."""
    limit = math.log1p(tolerance)
    low, high = (found.low, found.high) if head.better is Better.LOWER else (-found.high, -found.low)
    if low > limit or high <= limit:
        return ""
    gap = abs((low + high) / 2 - limit)
    wanted = _runs_wanted(found.planning_variance, gap, confidence)
    counts = len(process_values(base)), len(process_values(head))
    hardly = f"the estimate is so close to the tolerance that even {_MOST_RUNS} runs of each would hardly settle it"
    if min(counts) > 1:
        more = max(1, wanted - min(counts))
        settled = f"about {more} more runs of each, merged with `perfgate merge`, would settle it"
        return hardly if wanted > _MOST_RUNS else settled
    sides = {(True, True): "on each side", (True, False): "in the baseline", (False, True): "in this run"}
    assumed = f"one process {sides[counts[0] == 1, counts[1] == 1]}: differences between runs are assumed, not measured"
    advice = f"record at least {wanted} runs of each and `perfgate merge` them"
    return f"{assumed}; {hardly if wanted > _MOST_RUNS else advice}"


def _runs_wanted(variance: float, gap: float, confidence: float) -> int:
    """Plan runs per side so that an interval of Welch's, centred *gap* from the tolerance, most likely excludes it.

    Source:
        Sample size of a two-sample comparison with the correction z^2 / 4 for Student's t: Guenther, "Sample Size
        Formulas for Normal Theory T Tests", The American Statistician 35 (1981) 243-244.
    """
    z = normal_quantile((1 + confidence) / 2)
    reach = (z + normal_quantile(_PLANNED_POWER)) ** 2 * variance
    if reach > _MOST_RUNS * gap * gap:
        return _MOST_RUNS + 1
    return max(2, math.ceil(reach / (gap * gap) + z * z / 4))
