"""Decision rules that people gate with today, each as a function of what was measured: does the comparison fail?

Each takes the base's and the head's values (seconds per iteration, one per block, at least two, paired by position)
and tells whether the head fails.  They are the tools' rules applied to our measurements, not runs of the tools; what a
tool leaves to the user (that a significant difference fails, or how large it must be) is in the rule's name.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

_RESAMPLES = 2000


def pytest_benchmark(base, head, *, field=np.min, percentage=5):
    """Compare one statistic with a percentage.

    Source: pytest-benchmark, ``--benchmark-compare-fail=min:5%``, PercentageRegressionCheck in utils.py.
    """
    return bool(field(head) / field(base) * 100 - 100 > percentage)


def pyperf(base, head, *, least=0.0):
    """Compare means by Student's t-test with pooled variance, two-sided at 95 %.

    Source: pyperf, is_significant in _utils.py (a table of critical values there, the quantile here).
    """
    base, head = np.asarray(base), np.asarray(head)
    degrees = len(base) + len(head) - 2
    squares = ((base - base.mean()) ** 2).sum() + ((head - head.mean()) ** 2).sum()
    error = squares / degrees * (1 / len(base) + 1 / len(head))
    difference = head.mean() - base.mean()
    if difference <= base.mean() * least:
        return False
    return bool(error == 0 or difference / math.sqrt(error) >= stats.t.ppf(0.975, degrees))


def asv(base, head, *, factor=1.1, threshold=0.002):
    """Compare medians with a factor, where the Mann-Whitney U test sees a difference.

    With too few values for that p asv compares intervals instead; here nothing fails then.

    Source: asv, is_different in _stats.py and ``asv continuous --factor``; exact up to 20 values, then normal without
    correction, as there.
    """
    fewest = min(len(base), len(head))
    if 1 / math.comb(len(base) + len(head), fewest) >= threshold:
        return False
    method = "exact" if max(len(base), len(head)) <= 20 else "asymptotic"
    p = stats.mannwhitneyu(head, base, method=method, use_continuity=False).pvalue
    return bool(p < threshold and np.median(head) > np.median(base) * factor)


def benchstat(base, head, *, alpha=0.05, least=0.0):
    """Call medians different by the Mann-Whitney U test.

    Source: golang.org/x/perf/cmd/benchstat, "delta test" with its default alpha.
    """
    p = stats.mannwhitneyu(head, base, method="auto").pvalue
    return bool(p < alpha and np.median(head) > np.median(base) * (1 + least))


def criterion(base, head, *, noise=0.01, significance=0.05, seed=1):
    """Bootstrap the relative change of the mean; it regressed when p is small and the interval clears the noise.

    Source: criterion.rs, compare_to_threshold in report.rs and the t-test by bootstrap of analysis/compare.rs;
    2,000 resamples here, 100,000 there.
    """
    rng = np.random.default_rng(seed)
    base, head = np.asarray(base), np.asarray(head)
    change = _resampled(rng, head).mean(axis=1) / _resampled(rng, base).mean(axis=1) - 1
    low, high = np.quantile(change, [0.025, 0.975])
    both = np.concatenate([base, head])
    mixed = rng.choice(both, (_RESAMPLES, len(both)))
    null = _welch(mixed[:, : len(base)], mixed[:, len(base) :])
    above = np.count_nonzero(null < _welch(base[None], head[None])[0])
    p = 2 * min(above, _RESAMPLES - above) / _RESAMPLES
    return bool(p < significance and low > noise and high > noise)


def tango(base, head, *, z=2.6, least=0.005):
    """Compare the mean difference of pairs with its standard error, after taking out far outliers.

    Source: tango-bench, calculate_run_result in lib.rs: |z| >= 2.6 and more than 0.5 % of the candidate's mean;
    differences more than five interquartile ranges away are cut, as many on either side.
    """
    base, head = np.asarray(base), np.asarray(head)
    differences = _without_outliers(np.sort(head - base))
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    mean = differences.mean()
    return bool(mean > least * head.mean() and (error == 0 or mean / error >= z))


def github_action_benchmark(base, head, *, threshold=2.0):
    """Compare the means with an alert threshold.

    Source: benchmark-action/github-action-benchmark, ``alert-threshold: 200%`` with ``fail-on-alert``.
    """
    return bool(np.mean(head) / np.mean(base) > threshold)


def _resampled(rng, values):
    return rng.choice(values, (_RESAMPLES, len(values)))


def _welch(base, head):
    """Return Welch's t of each row."""
    error = base.var(axis=1, ddof=1) / base.shape[1] + head.var(axis=1, ddof=1) / head.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return (head.mean(axis=1) - base.mean(axis=1)) / np.sqrt(error)


def _without_outliers(ordered):
    """Cut differences five interquartile ranges from their quartile, equally many on both sides."""
    first, third = len(ordered) // 4, len(ordered) * 3 // 4
    if third >= len(ordered) or ordered[first] >= ordered[third]:
        return ordered
    reach = 5 * (ordered[third] - ordered[first])
    low = int(np.count_nonzero(ordered < ordered[first] - reach))
    high = int(np.count_nonzero(ordered > ordered[third] + reach))
    cut = min(low, high)
    return ordered[cut : len(ordered) - cut]


#: Name -> rule, in the order of the table.
RULES = {
    "pytest-benchmark min:5%": pytest_benchmark,
    "pytest-benchmark mean:5%": lambda base, head: pytest_benchmark(base, head, field=np.mean),
    "pyperf t-test": pyperf,
    "pyperf t-test and > 5 %": lambda base, head: pyperf(base, head, least=0.05),
    "benchstat U": benchstat,
    "benchstat U and > 5 %": lambda base, head: benchstat(base, head, least=0.05),
    "asv factor 1.1, U": asv,
    "criterion, noise 1 %": criterion,
    "tango z, 0.5 %": tango,
    "tango z and > 5 %": lambda base, head: tango(base, head, least=0.05),
    "github-action-benchmark 200 %": github_action_benchmark,
}
