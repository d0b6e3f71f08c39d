"""The rival decision rules of ``benchmarks/decision`` against SciPy, by hand, and replayed on made-up streams."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rivals
from scipy import stats
from tables import lower_bound, upper_bound

REPLAY = Path(__file__).parents[2] / "benchmarks" / "decision" / "replay.py"


def drawn(seed, change=0.0, n=24, deviation=0.03):
    rng = np.random.default_rng(seed)
    base = 0.001 * np.exp(rng.normal(0, deviation, n))
    return base, 0.001 * (1 + change) * np.exp(rng.normal(0, deviation, n))


@pytest.mark.parametrize("name", rivals.RULES)
def test_every_rule_lets_equal_values_pass_and_fails_a_clear_slowdown(name):
    base, _ = drawn(1)
    assert rivals.RULES[name](base, base) is False
    assert rivals.RULES[name](base, base * 3) is True
    assert rivals.RULES[name](base * 3, base) is False


def test_pytest_benchmark_fails_above_the_percentage_and_not_at_it():
    base = np.array([1.0, 2.0])
    assert not rivals.pytest_benchmark(base, np.array([1.049, 9.0]))
    assert rivals.pytest_benchmark(base, np.array([1.051, 1.051]))
    assert not rivals.pytest_benchmark(np.array([100.0, 200.0]), np.array([105.0, 105.0]))


@pytest.mark.parametrize("seed", range(40))
def test_pyperf_is_students_t_test(seed):
    base, head = drawn(seed, change=0.012)
    expected = stats.ttest_ind(head, base).pvalue <= 0.05 and head.mean() > base.mean()
    assert rivals.pyperf(base, head) is bool(expected)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n", [12, 40])
def test_the_rank_tests_are_those_of_scipy(seed, n):
    base, head = drawn(seed, change=0.03, n=n)
    slower = np.median(head) > np.median(base)
    assert rivals.benchstat(base, head) is bool(stats.mannwhitneyu(base, head).pvalue < 0.05 and slower)
    _, p = stats.ranksums(head, base)  # without correction, as asv for more than 20 values
    if n > 20:
        assert rivals.asv(base, head, factor=1.0) is bool(p < 0.002 and slower)


def test_asv_wants_enough_values_to_reach_its_p():
    assert not rivals.asv(np.array([1.0, 1.1, 1.2]), np.array([9.0, 9.1, 9.2]))
    assert rivals.asv(np.linspace(1, 1.1, 10), np.linspace(2, 2.1, 10))
    assert not rivals.asv(np.linspace(1, 1.01, 10), np.linspace(1.05, 1.06, 10))


def test_criterions_interval_is_that_of_scipys_bootstrap():
    base, head = drawn(3, change=0.05, n=60)
    found = stats.bootstrap(
        (base, head),
        lambda b, h, axis: h.mean(axis=axis) / b.mean(axis=axis) - 1,
        vectorized=True,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert rivals.criterion(base, head, noise=found.low - 0.002)
    assert not rivals.criterion(base, head, noise=found.low + 0.002)


def test_tango_compares_pairs():
    base, noise = drawn(4, n=50)[0], np.random.default_rng(5).normal(0, 1e-6, 50)
    assert rivals.tango(base, base * 1.02 + noise)
    assert not rivals.tango(base, base * 1.004 + noise)
    z = stats.ttest_rel(base * 1.006 + noise, base).statistic
    assert rivals.tango(base, base * 1.006 + noise) is bool(z >= 2.6)


def test_tango_takes_out_as_many_outliers_on_either_side():
    base = np.full(42, 1.0)
    ordered = np.array([-50.0, *np.linspace(0.9, 1.1, 40), 50.0])
    assert rivals.tango(base, base + ordered)
    assert not rivals.tango(base, base + np.array([*np.linspace(-0.1, 0.1, 41), 50.0]))


def test_the_bounds_are_those_of_scipy():
    for events, trials in ((0, 60), (3, 100), (100, 100), (57, 60)):
        found = stats.binomtest(events, trials)
        less = found.proportion_ci(0.90, method="exact")
        assert upper_bound(events, trials) == pytest.approx(less.high)
        assert lower_bound(events, trials) == pytest.approx(less.low)


def write_stream(path, changes, *, rounds=16, cases=3):
    rng = np.random.default_rng(9)
    lines = []
    for change in changes:
        for case in range(cases):
            made = [
                {
                    "base": (0.001 * np.exp(rng.normal(0, 0.03, 12))).tolist(),
                    "head": (0.001 * (1 + change) * np.exp(rng.normal(0, 0.03, 12))).tolist(),
                }
                for _ in range(rounds)
            ]
            lines.append(json.dumps({"case": f"test_{case}", "true_change": change, "rounds": made}))
    path.write_text("\n".join(lines) + "\n")


def replayed(*arguments):
    command = [sys.executable, str(REPLAY), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_streams_are_replayed_through_every_rule(tmp_path):
    write_stream(tmp_path / "one.jsonl", [0.0, 0.2])
    write_stream(tmp_path / "two.jsonl", [0.0])
    done = replayed(tmp_path / "one.jsonl", tmp_path / "two.jsonl", "--plant", "0.3")
    assert done.returncode == 0, done.stderr
    assert "| rule | asked about | +0 % | +20 % | +30 % |" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| pytest-perfgate | until decided |")]
    assert rows[0] == "| pytest-perfgate | until decided | 0 (≤ 39.3) | 100 (≥ 36.8) | 100 (≥ 60.7) |"
    assert rows[1] == "| pytest-perfgate | until decided | 2 | 0 (≤ 77.6) |"
    for name in rivals.RULES:
        assert f"| {name} | one process pair |" in done.stdout
        assert f"| {name} | same rounds, pooled |" in done.stdout


def test_a_stream_that_cannot_be_used_is_named(tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"case": "t", "true_change": 0.0, "rounds": [{"base": [1.0, 2.0], "head": [1.0]}]}))
    done = replayed(bad)
    assert done.returncode == 1
    assert "bad.jsonl:1: a round needs two or more pairs of positive values" in done.stderr
