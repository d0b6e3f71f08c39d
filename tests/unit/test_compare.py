"""Two stored runs: when they may be compared, how much a case moved, what is missing, new, renamed; merging runs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import make_check, make_finding, make_machine, make_measurement, make_python, make_run

from pytest_perfgate import units
from pytest_perfgate.compare import (
    compare,
    compare_measurements,
    find_renames,
    incomparable_reason,
    merge_runs,
    own_tolerance,
    unmatched,
)
from pytest_perfgate.compare.noise import is_exact, rounds_sd
from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Better, Verdict
from pytest_perfgate.reports import _cells as cells


def compared(base, head, *, tolerance=0.05, **options):
    return compare_measurements(base, head, tolerance=tolerance, against="base.json", **options)


def change(base, head, **options):
    found = compared(base, head, **options)
    assert found.verdict is None, found.reason
    return found.change


def timed(*processes, rounds=20, spread=0.01, **fields):
    """Build a measurement of seconds from the values of its processes, with rounds around the first."""
    value = sorted(processes)[len(processes) // 2]
    samples = tuple(processes[0] * (1 + spread * (i - (rounds - 1) / 2) / rounds) for i in range(rounds))
    return make_measurement(value=value, processes=processes, samples=samples, **fields)


def counted(value, *, unit="count", samples=1, processes=1, **fields):
    return make_measurement(
        value=value, unit=unit, samples=(value,) * samples, processes=(value,) * processes, interval=None, **fields
    )


# -- comparable at all


def reason(base_facts=(), python=None, profile="standard", **facts):
    base = make_run(**dict(base_facts))
    return incomparable_reason(base, make_machine(**facts), python or make_python(), profile)


def test_the_same_machine_python_and_profile_are_comparable():
    assert reason() == ""


def test_host_name_memory_kernel_and_patch_level_do_not_matter():
    assert reason(hostname="other", memory_bytes=1, memory_total_bytes=2, os_release="9", cores_total=64) == ""
    assert reason(python=make_python(version="3.12.9")) == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"cpu": "AMD EPYC 7763"},
            "the baseline was measured on Example CPU 3000, 4 cores; this is AMD EPYC 7763, 4 cores",
        ),
        ({"cores": 1.0}, "Example CPU 3000, 4 cores; this is Example CPU 3000, 1 core;"),
        ({"cores": 1.5}, "this is Example CPU 3000, 1.5 cores;"),
        ({"cpu": ""}, "this is an unknown CPU, 4 cores;"),
        ({"os": "macos"}, "the baseline was measured on linux x86_64; this is macos x86_64;"),
        ({"arch": "arm64"}, "linux x86_64; this is linux arm64;"),
    ],
)
def test_another_machine_is_named_with_the_differing_facts_of_both_sides(facts, said):
    assert said in reason(**facts)
    assert reason(**facts).endswith("record a baseline here to compare with")


def test_another_python_or_build_or_profile_is_incomparable():
    assert "on CPython 3.12; this is CPython 3.13;" in reason(python=make_python(version="3.13.0"))
    assert "CPython 3.12 free-threaded;" in reason(python=make_python(build="free-threaded"))
    assert "on profile standard; this is profile ci;" in reason(profile="ci")


def test_several_differences_are_named_together():
    said = reason(cpu="X", os="macos", profile="laptop")
    assert "Example CPU 3000, 4 cores, linux x86_64, profile standard; this is X, 4 cores, macos x86_64" in said


# -- one case: what is no change


def test_a_baseline_that_failed_to_measure_is_no_baseline():
    found = compared(make_measurement(value=None, error="it hung"), make_measurement())
    assert found.verdict is Verdict.NO_BASELINE
    assert found.reason == "the baseline base.json failed to measure it: it hung"


def test_a_case_that_failed_here_is_not_compared():
    found = compared(make_measurement(), make_measurement(value=None, error="it hung"))
    assert (found.verdict, found.reason) == (Verdict.NO_BASELINE, "this run failed to measure it: it hung")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit": "B"}, "unit s; this run: unit B"),
        ({"better": Better.HIGHER}, "lower is better; this run: higher is better"),
        ({"statistic": "mean"}, "statistic median; this run: statistic mean"),
    ],
)
def test_a_case_that_changed_its_meaning_is_incomparable(fields, words):
    found = compared(make_measurement(), make_measurement(**fields))
    assert found.verdict is Verdict.INCOMPARABLE
    assert words in found.reason


def test_a_doubtful_baseline_settles_nothing():
    found = compared(make_measurement(doubt="the machine was throttled"), make_measurement())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the number in base.json is in doubt: the machine was throttled" in found.reason


def test_a_baseline_of_a_starved_series_settles_nothing():
    found = compared(make_measurement(extra={"starved": "it waited"}), make_measurement())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the number in base.json is in doubt: it waited" in found.reason


def test_a_starved_series_regresses_nothing_and_still_shows_what_became_better():
    busy = {"extra": {"starved": "it waited"}}
    slower = change(timed(0.1), timed(0.9, **busy))
    assert slower.settled is Verdict.INCONCLUSIVE
    assert slower.doubt == "the machine was too busy: it waited"
    assert change(timed(0.9), timed(0.1, **busy)).settled is None


# -- one case: times


def test_one_process_on_each_side_gives_an_assumed_interval_and_says_what_would_settle_it():
    found = change(timed(0.1), timed(0.1))
    assert found.ratio == pytest.approx(1.0)
    # Student's t with 4 degrees of freedom at 99.5 %, and an assumed 4 % on each side.
    assert found.interval[1] == pytest.approx(math.exp(4.604095 * 0.04 * math.sqrt(2)), rel=1e-6)
    assert found.interval[0] * found.interval[1] == pytest.approx(1.0)
    assert (found.processes, found.confidence, found.tolerance) == (2, 0.99, 0.05)
    assert found.doubt == (
        "one process on each side: differences between runs are assumed, not measured; "
        "record at least 9 runs of each and `perfgate merge` them"
    )


def test_one_process_on_each_side_settles_only_what_is_large():
    assert change(timed(0.1), timed(0.13)).interval[0] < 1.05
    assert change(timed(0.1), timed(0.15)).interval[0] > 1.05
    assert change(timed(0.1), timed(0.05)).interval[1] < 1 / 1.05


def test_rounds_that_scatter_more_than_is_assumed_widen_the_interval():
    calm, noisy = timed(0.1), timed(0.1, spread=1.5)
    assert rounds_sd(noisy) > 0.3
    assert change(noisy, calm).interval[1] > 2 * change(calm, calm).interval[1] - 1


def test_an_outlier_among_the_rounds_does_not():
    calm = timed(0.1)
    spoilt = replace(calm, samples=(*calm.samples[:-1], 50.0))
    assert rounds_sd(spoilt) == pytest.approx(rounds_sd(calm), rel=0.2)


def test_a_single_call_on_the_clock_is_trusted_less_than_a_median():
    once, often = timed(0.1, rounds=1), timed(0.1)
    assert change(once, once).interval[1] > 1.4 * change(often, often).interval[1]
    assert change(once, often).interval == change(once, once).interval


def test_several_processes_on_each_side_give_welchs_interval_of_the_logarithms():
    scipy_stats = pytest.importorskip("scipy.stats")
    base, head = (0.10, 0.11, 0.105, 0.12), (0.13, 0.12, 0.15)
    found = change(timed(*base), timed(*head))
    logs = [[math.log(x) for x in side] for side in (head, base)]
    reference = scipy_stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.99)
    assert math.log(found.interval[0]) == pytest.approx(reference.low, abs=0.01)
    assert math.log(found.interval[1]) == pytest.approx(reference.high, abs=0.01)
    assert math.log(found.ratio) == pytest.approx((reference.low + reference.high) / 2)
    assert found.processes == 7


def test_rounds_count_for_nothing_where_processes_are_measured():
    calm = change(timed(0.1, 0.101, 0.102), timed(0.1, 0.101, 0.102))
    noisy = change(timed(0.1, 0.101, 0.102, spread=1.5), timed(0.1, 0.101, 0.102, rounds=200))
    assert calm.interval == noisy.interval


def test_two_lucky_processes_do_not_pretend_certainty():
    found = change(timed(0.1, 0.1), timed(0.104, 0.104))
    assert found.interval[1] > 1.12


def test_the_doubt_between_measured_sides_asks_for_more_runs():
    found = change(timed(0.1, 0.104, 0.098), timed(0.101, 0.099, 0.103))
    assert found.doubt.startswith("about ")
    assert found.doubt.endswith("more runs of each, merged with `perfgate merge`, would settle it")


def test_a_settled_case_has_no_doubt():
    assert change(timed(0.1, 0.1001, 0.0999), timed(0.2, 0.2001, 0.1999)).doubt == ""
    assert change(timed(0.1), timed(0.9)).doubt == ""


def test_a_higher_better_case_is_in_doubt_about_its_fall():
    calm = (100.0, 100.1, 99.9, 100.0)
    rate = {"unit": "req/s", "better": Better.HIGHER}
    assert change(timed(*calm, **rate), timed(*(x * 0.7 for x in calm), **rate)).doubt == ""
    assert change(timed(*calm, **rate), timed(*(x * 1.4 for x in calm), **rate)).doubt == ""
    assert change(timed(*calm, **rate), timed(*calm, **rate)).doubt == ""
    assert change(timed(*calm, **rate), timed(*(x * 0.96 for x in calm), **rate)).doubt.startswith("about ")


def test_an_estimate_at_the_tolerance_is_not_worth_more_runs():
    said = "the estimate is so close to the tolerance that even 100 runs of each would hardly settle it"
    measured = change(timed(0.1, 0.104, 0.098), timed(0.105, 0.109, 0.103))
    assert measured.doubt == said
    assert change(timed(0.1), timed(0.105)).doubt.endswith(said)


@pytest.mark.parametrize(
    ("base", "head", "where"), [(1, 4, "in the baseline"), (4, 1, "in this run"), (1, 1, "on each side")]
)
def test_the_doubt_says_which_side_is_a_single_process(base, head, where):
    values = (0.1, 0.101, 0.099, 0.1005)
    assert change(timed(*values[:base]), timed(*values[:head])).doubt.startswith(f"one process {where}:")


def test_a_single_process_borrows_the_scatter_that_the_other_side_measured():
    calm, wild = timed(0.1, 0.101, 0.099, 0.1), timed(0.08, 0.1, 0.12, 0.14)
    assert change(wild, timed(0.1)).interval[1] > change(calm, timed(0.1)).interval[1] * 1.3


def test_two_wild_processes_of_the_other_side_do_not_make_the_interval_endless():
    wild = timed(0.08, 0.12)
    assert change(wild, timed(0.1)).interval[1] < 20  # Student's t with a single degree of freedom would give 10^12


def test_more_processes_narrow_the_interval():
    values = (0.1, 0.103, 0.098, 0.101, 0.099, 0.102, 0.1, 0.1)
    widths = [change(timed(*values[:n]), timed(*values[:n])).interval[1] for n in (3, 5, 8)]
    assert widths == sorted(widths, reverse=True)


def test_swapping_base_and_head_mirrors_the_interval():
    one, other = timed(0.1, 0.11, 0.105), timed(0.13)
    there, back = change(one, other), change(other, one)
    assert there.ratio * back.ratio == pytest.approx(1)
    assert there.interval[0] * back.interval[1] == pytest.approx(1)
    assert there.interval[1] * back.interval[0] == pytest.approx(1)


def test_ratios_beyond_the_range_of_floats_stay_finite():
    found = change(timed(1e-300), timed(1e300))
    assert all(math.isfinite(x) and x > 0 for x in (found.ratio, *found.interval))


def test_a_run_without_process_values_counts_as_one_process():
    assert change(timed(0.1), replace(timed(0.1), processes=())).processes == 2


# -- one case: what does not vary


def test_counts_are_compared_exactly():
    found = change(counted(12.0), counted(13.0))
    assert found.ratio == 13 / 12
    assert found.interval == (13 / 12, 13 / 12)
    assert found.doubt == ""


def test_bytes_that_never_varied_are_compared_exactly_and_a_single_reading_is_not():
    assert change(counted(640.0, unit="B", samples=2), counted(704.0, unit="B", samples=2)).interval == (1.1, 1.1)
    low, high = change(counted(640.0, unit="B"), counted(704.0, unit="B")).interval
    assert low < 1.1 < high


def test_bytes_that_vary_a_little_use_a_smaller_scatter_than_times():
    base = make_measurement(value=1e6, unit="B", samples=(1e6, 1.001e6, 0.999e6), processes=(1e6,))
    assert 1.02 < change(base, base).interval[1] < 1.05


def test_a_number_that_is_equal_to_the_last_bit_did_not_move():
    rate = counted(0.93, unit="ratio", better=Better.HIGHER)
    assert change(rate, rate).interval == (1.0, 1.0)
    assert not is_exact(rate, counted(0.88, unit="ratio", better=Better.HIGHER))


def test_numbers_of_the_users_own_are_exact_once_several_processes_agree():
    base, head = (counted(x, unit="rows", processes=3) for x in (100.0, 120.0))
    assert change(base, head).interval == (1.2, 1.2)


@pytest.mark.parametrize("unit", [units.SECONDS, units.PER_SECOND])
def test_times_are_never_exact(unit):
    same = counted(0.5, unit=unit, samples=5, processes=5)
    assert change(same, same).interval[1] > 1


def test_zero_against_zero_is_no_change():
    zero = counted(0.0, unit="B/call", samples=3)
    assert change(zero, zero).interval == (1.0, 1.0)


@pytest.mark.parametrize(
    ("base", "head", "better", "verdict"),
    [
        (0.0, 3.0, Better.LOWER, Verdict.REGRESSED),
        (3.0, 0.0, Better.LOWER, Verdict.IMPROVED),
        (0.0, 3.0, Better.HIGHER, Verdict.IMPROVED),
        (3.0, 0.0, Better.HIGHER, Verdict.REGRESSED),
    ],
)
def test_from_or_to_zero_is_a_verdict_without_a_ratio(base, head, better, verdict):
    found = compared(counted(base, better=better), counted(head, better=better))
    assert found.change is None
    assert found.verdict is verdict
    assert f"from {base:g} to {head:g} against base.json" in found.reason


def test_growth_whose_interval_includes_zero_is_not_a_leak():
    head = replace(counted(5.0, unit="B/call"), samples=(5.0, 4.0, 9.0), interval=(-2.0, 12.0))
    assert compared(counted(0.0, unit="B/call"), head).verdict is Verdict.INCONCLUSIVE
    sure = replace(head, interval=(3.0, 12.0))
    assert compared(counted(0.0, unit="B/call"), sure).verdict is Verdict.REGRESSED


@pytest.mark.parametrize("tiny", [0.9, 0.001, -0.2, -500.0])
def test_growth_of_less_than_a_byte_per_call_is_none(tiny):
    assert change(counted(0.0, unit="B/call"), counted(tiny, unit="B/call")).ratio == 1.0


@pytest.mark.parametrize(("base", "head"), [(0.9, 1.1), (0.0, 3.9), (3.9, 0.0)])
def test_growth_that_can_hardly_be_told_from_none_is_no_verdict(base, head):
    assert compared(counted(base, unit="B/call"), counted(head, unit="B/call")).verdict is Verdict.INCONCLUSIVE


def resident(mebibytes):
    return counted(mebibytes * 1024**2, unit="B", extra={"method": "resident set"})


def test_a_small_resident_set_is_told_less_finely_than_a_large_one():
    assert change(resident(64.0), resident(72.0)).interval[0] > 1.05
    assert change(resident(3.0), resident(3.375)).interval[0] < 1.0
    assert compared(resident(0.0), resident(1.5)).verdict is Verdict.INCONCLUSIVE
    assert compared(resident(0.0), resident(16.0)).verdict is Verdict.REGRESSED


def test_negative_numbers_have_no_relative_change():
    found = compared(counted(-3.0, unit="points"), counted(4.0, unit="points"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no relative change can be given; set an absolute limit instead" in found.reason
    same = counted(-3.0, unit="points")
    assert change(same, same).ratio == 1.0


def test_rounds_around_zero_have_no_relative_change():
    base = make_measurement(value=3.0, unit="points", samples=(3.0, -1.0, 5.0))
    found = compared(base, replace(base, value=4.0, processes=(4.0,)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "some rounds were zero or negative" in found.reason


# -- whole runs


def run_of(*measurements, **fields):
    return make_run(*(make_finding(one) for one in measurements), **fields)


def case(test, metric="perf", **fields):
    return make_measurement(f"tests/test_a.py::{test}", metric, **fields)


def whole(base, head, **options):
    return compare(base, head, **({"against": "base.json", "tolerance": 0.05} | options))


def test_every_case_of_both_runs_is_spoken_of():
    base = run_of(case("test_same"), case("test_gone"), case("test_was_broken", value=None))
    head = run_of(case("test_same"), case("test_fresh"), case("test_broken", value=None))
    found = whole(base, head)
    assert found["tests/test_a.py::test_same#perf"].change is not None
    assert found["tests/test_a.py::test_gone#perf"].verdict is Verdict.MISSING
    assert found["tests/test_a.py::test_gone#perf"].reason == (
        "base.json has it (12.3 ms), this run did not measure it; if it was removed on purpose, record a new baseline"
    )
    assert found["tests/test_a.py::test_fresh#perf"].verdict is Verdict.NO_BASELINE
    assert found["tests/test_a.py::test_fresh#perf"].reason == (
        "base.json does not have it: nothing to compare with yet"
    )
    assert found["tests/test_a.py::test_broken#perf"].verdict is Verdict.NO_BASELINE
    assert len(found) == 4


def test_runs_of_different_machines_are_incomparable_case_by_case():
    base = run_of(case("test_a"), case("test_gone"), machine=make_machine(cpu="Other"))
    found = whole(base, run_of(case("test_a"), case("test_b")))
    assert {one.verdict for one in found.values()} == {Verdict.INCOMPARABLE}
    assert set(found) == {"tests/test_a.py::test_a#perf", "tests/test_a.py::test_b#perf"}
    assert "Other, 4 cores; this is Example CPU 3000" in found["tests/test_a.py::test_a#perf"].reason


def test_a_case_missing_in_an_earlier_gate_was_not_measured_by_that_run():
    gone = make_finding(case("test_gone", value=None), Verdict.MISSING)
    assert whole(make_run(gone), run_of(case("test_a"))).keys() == {"tests/test_a.py::test_a#perf"}
    assert whole(run_of(case("test_gone")), make_run(gone))["tests/test_a.py::test_gone#perf"].verdict is (
        Verdict.MISSING
    )


def test_what_a_partial_run_never_meant_to_measure_is_not_missing():
    base = run_of(case("test_a"), case("test_b"))
    found = whole(base, run_of(case("test_a")), expected=lambda one: "test_b" not in one.test)
    assert list(found) == ["tests/test_a.py::test_a#perf"]


def test_a_test_may_have_a_tolerance_of_its_own():
    base = run_of(case("test_a"), case("test_b"), case("test_c"))
    strict = {"extra": {"max_regression": 0.03}}
    found = whole(
        base,
        run_of(case("test_a"), case("test_b", **strict), case("test_c", **strict)),
        tolerances={"tests/test_a.py::test_c#perf": 0.01},
    )
    assert [one.change.tolerance for one in found.values()] == [0.05, 0.03, 0.01]


@pytest.mark.parametrize("nonsense", ["3%", None, True, -0.1, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_ignored(nonsense):
    assert own_tolerance(make_measurement(extra={"max_regression": nonsense}), 0.05) == 0.05


def test_the_order_of_cases_does_not_matter():
    cases = [case(f"test_{i}", value=0.01 * (i + 1)) for i in range(5)]
    heads = [replace(one, value=one.value * 2) for one in cases]
    forwards = whole(run_of(*cases), run_of(*heads))
    backwards = whole(run_of(*cases[::-1]), run_of(*heads[::-1]))
    assert forwards == backwards


# -- renames


def renamed(old, new, **fields):
    """Tell whether a case of test *old* looks renamed to test *new*, which has other *fields*."""
    return bool(find_renames([make_measurement(old)], [make_measurement(new, **fields)]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tests/test_a.py::test_parse", "tests/deep/test_b.py::test_parse"),
        ("tests/test_a.py::test_parse[x]", "tests/test_a.py::TestParser::test_parse[x]"),
        ("tests/test_a.py::test_count", "tests/test_a.py::test_counts"),
        ("tests/test_a.py::test_parse_small[a::b[c]]", "tests/test_a.py::test_parse_smaller[a::b[c]]"),
        ("parse_json", "parse_jsons"),
    ],
)
def test_a_test_that_moved_or_was_reworded_looks_renamed(old, new):
    assert renamed(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tests/test_a.py::test_parse", "tests/test_a.py::test_render"),
        ("tests/test_a.py::test_parse[x]", "tests/test_b.py::test_parse[y]"),
        ("tests/test_a.py::test_count", "tests/test_b.py::test_counts"),
        ("tests/test_a.py::test_count[1]", "tests/test_a.py::test_counts[2]"),
    ],
)
def test_a_test_that_shares_less_does_not(old, new):
    assert not renamed(old, new)


def test_a_rename_keeps_metric_name_and_unit():
    old, new = "tests/test_a.py::test_parse", "tests/test_b.py::test_parse"
    assert renamed(old, new)
    assert not renamed(old, new, metric="call")
    assert not renamed(old, new, name="small")
    assert not renamed(old, new, unit="B")


def test_each_case_is_used_once_and_the_most_alike_are_paired():
    old = [make_measurement(f"t.py::test_parse_{x}") for x in ("alpha", "alphb")]
    new = [make_measurement(f"t.py::test_parse_{x}") for x in ("alphb2", "alpha2")]
    assert find_renames(old, new) == {
        "t.py::test_parse_alpha#perf": "t.py::test_parse_alpha2#perf",
        "t.py::test_parse_alphb#perf": "t.py::test_parse_alphb2#perf",
    }
    assert len(find_renames(old, new[:1])) == 1


def test_a_renamed_folder_is_paired_file_by_file_and_an_ambiguous_move_is_not():
    old = [make_measurement(f"tests/test_{x}.py::test_run") for x in "abc"]
    new = [make_measurement(f"checks/test_{x}.py::test_run") for x in "abc"]
    assert find_renames(old, new) == {
        f"tests/test_{x}.py::test_run#perf": f"checks/test_{x}.py::test_run#perf" for x in "abc"
    }
    assert find_renames(old, new[:2]) == {}


def test_both_sides_of_a_rename_say_so():
    found = whole(run_of(case("test_count")), run_of(case("test_counts")))
    assert found["tests/test_a.py::test_count#perf"].reason == (
        "base.json has it (12.3 ms), this run did not measure it; it looks renamed to "
        "tests/test_a.py::test_counts#perf: record a new baseline"
    )
    assert found["tests/test_a.py::test_counts#perf"].reason == (
        "base.json does not have it; it looks renamed from tests/test_a.py::test_count#perf: record a new baseline"
    )


def test_many_changed_names_are_not_compared_each_with_each(monkeypatch):
    from pytest_perfgate.compare import renames

    compared_pairs = []
    monkeypatch.setattr(renames, "_likeness", lambda old, new: compared_pairs.append((old, new)) or 0.0)
    old = [make_measurement(f"t.py::test_old_{i}") for i in range(2000)]
    new = [make_measurement(f"t.py::test_new_{i}") for i in range(2000)]
    assert find_renames(old, new) == {}
    assert len(compared_pairs) <= renames._MOST_PAIRS


def test_unmatched_cases_are_those_with_a_value():
    base = run_of(case("test_gone"), case("test_broken_then", value=None))
    alone = unmatched(base, [case("test_new"), case("test_broken_now", value=None)])
    assert [one.case.test for one in alone.missing] == ["tests/test_a.py::test_gone"]
    assert [one.case.test for one in alone.new] == ["tests/test_a.py::test_new"]


# -- merging


def merged(*values, **fields):
    """Merge one run for each value of the one case they measure."""
    runs = [
        run_of(case("test_a", value=value, **fields), started=f"2026-01-0{i + 1}") for i, value in enumerate(values)
    ]
    run = merge_runs(runs)
    return run, run.findings[0].measurement


def test_merging_gathers_processes_and_samples_and_takes_the_median():
    run, measurement = merged(0.10, 0.12, 0.11)
    assert measurement.processes == (0.10, 0.12, 0.11)
    assert measurement.value == 0.11
    assert measurement.rounds == 9
    assert measurement.interval == (0.10 * 0.99, 0.12 * 1.01)
    assert run.duration_s == 37.5
    assert run.started == "2026-01-01"
    assert run.notes[0] == "merged from 3 runs"


def test_six_processes_have_an_interval_of_their_own():
    assert merged(0.10, 0.12, 0.11, 0.13, 0.14, 0.15)[1].interval == (0.10, 0.15)


def test_merged_runs_can_be_merged_again():
    first, _ = merged(0.10, 0.12)
    second = replace(merged(0.13, 0.14)[0], started="2026-02-01")
    assert merge_runs([first, second]).findings[0].measurement.processes == (0.10, 0.12, 0.13, 0.14)


def test_merging_measures_what_one_process_only_assumes():
    many = merged(0.1, 0.1001, 0.0999, 0.1, 0.1002, 0.0998)[1]
    assert change(many, many).interval[1] < change(case("a", value=0.1), case("a", value=0.1)).interval[1]


def test_extra_facts_are_merged_by_their_median_and_others_kept():
    extras = [{"p95": 1.0, "modules": 10, "target": "app"}, {"p95": 3.0, "modules": 10, "more": [1]}]
    runs = [run_of(case("test_a", extra=extra), started=str(i)) for i, extra in enumerate(extras)]
    assert merge_runs(runs).findings[0].measurement.extra == {
        "p95": 2.0,
        "modules": 10,
        "target": "app",
        "more": [1],
    }


def test_the_worst_verdict_is_kept_with_its_reason_and_its_check():
    good = make_finding(case("test_a"), reason="fine", checks=(make_check(0.4, 0.3),))
    bad = make_finding(case("test_a"), Verdict.OVER_BUDGET, "over", checks=(make_check(0.4, 0.5),))
    found = merge_runs([make_run(good, started="1"), make_run(bad, started="2"), make_run(good, started="3")])
    (finding,) = found.findings
    assert (finding.verdict, finding.reason) == (Verdict.OVER_BUDGET, "in 1 of 3 runs: over")
    assert [check.observed for check in finding.checks] == [0.5]


def test_a_limit_that_every_headline_keeps_is_shown_with_the_merged_one():
    runs = [
        make_run(make_finding(case("test_a", value=value), checks=(make_check(0.4, value),)), started=str(value))
        for value in (0.1, 0.3)
    ]
    (finding,) = merge_runs(runs).findings
    assert [check.observed for check in finding.checks] == [finding.measurement.value]
    assert cells.limit(finding) == "<= 400 ms"
    assert cells.interval(finding) != ""


def test_of_two_broken_limits_the_one_further_beyond_gives_the_reason():
    findings = [
        make_finding(case("test_a"), Verdict.OVER_BUDGET, f"over by {x}", checks=(make_check(0.4, x),))
        for x in (0.5, 0.7, 0.6)
    ]
    found = merge_runs([make_run(one, started=one.reason) for one in findings])
    assert found.findings[0].reason == "over by 0.7"


def test_runs_in_which_nothing_was_measured_are_not_merged():
    broken = make_run(make_finding(case("test_a", value=None), Verdict.FAILED_TO_MEASURE, "it hung"), started="2")
    runs = [run_of(case("test_a"), started="1"), broken, make_run(started="3")]
    with pytest.raises(UsageError, match=r"^nothing was measured in run 2, run 3: "):
        merge_runs(runs)
    with pytest.raises(UsageError, match=r"^nothing was measured in b\.json, c\.json: "):
        merge_runs(runs, ["a.json", "b.json", "c.json"])


def test_a_case_that_failed_in_one_run_keeps_failing_with_the_numbers_of_the_others():
    broken = make_finding(case("test_a", value=None), Verdict.FAILED_TO_MEASURE, "it hung")
    other = make_finding(case("test_b"))
    found = merge_runs([run_of(case("test_a"), started="1"), make_run(broken, other, started="2")]).findings[0]
    assert found.verdict is Verdict.FAILED_TO_MEASURE
    assert found.reason == "in 1 of 2 runs: it hung"
    assert found.measurement.value == 0.0123
    assert "measured in 1 of 2 merged runs" in found.warnings


def test_cases_and_doubts_of_any_run_are_kept():
    one = run_of(case("test_a", doubt="throttled"), case("test_b"), started="1")
    found = merge_runs([one, run_of(case("test_a"), case("test_c"), started="2")])
    assert [finding.case.test[-6:] for finding in found.findings] == ["test_a", "test_b", "test_c"]
    assert found.findings[0].measurement.doubt == "throttled"


def test_runs_of_different_code_are_merged_with_a_note_and_no_commit():
    runs = [run_of(case("test_a"), started=str(i), commit={"id": f"abc{i}", "dirty": bool(i)}) for i in range(2)]
    found = merge_runs(runs)
    assert found.commit is None
    assert "different code (abc0, abc1 with changes)" in found.notes[1]
    same = merge_runs([replace(run, commit={"id": "abc", "dirty": False}) for run in runs])
    assert same.commit == {"id": "abc", "dirty": False}


def test_merged_settings_are_those_that_all_runs_share_and_strict_if_any_was():
    runs = [
        run_of(case("test_a"), started="1", settings={"strict": False, "max_time_s": 1, "workers": 2}),
        run_of(case("test_a"), started="2", settings={"strict": True, "max_time_s": 1, "workers": 3}),
    ]
    assert merge_runs(runs).settings == {"strict": True, "max_time_s": 1}


def test_failures_and_notes_are_gathered_once():
    runs = [run_of(case("test_a"), started=str(i), notes=("n",), failures=("f",)) for i in range(2)]
    found = merge_runs(runs)
    assert found.notes == ("merged from 2 runs", "n")
    assert found.failures == ("f",)


@pytest.mark.parametrize("count", [0, 1])
def test_merging_takes_two_runs(count):
    with pytest.raises(UsageError, match=f"at least two runs; {count} given"):
        merge_runs([run_of(case("test_a"))] * count)


def test_the_same_run_twice_is_refused():
    run = run_of(case("test_a"))
    with pytest.raises(UsageError, match="run 1 and run 3 are the same run"):
        merge_runs([run, replace(run, started="later"), run])


def test_two_runs_that_started_in_the_same_second_are_two():
    assert (
        len(merge_runs([run_of(case("test_a")), run_of(case("test_a", value=0.2))]).findings[0].measurement.processes)
        == 2
    )


def test_runs_of_different_kinds_are_refused_with_the_facts():
    with pytest.raises(UsageError, match=r"run 1 was measured on CPython 3\.12, run 2 on CPython 3\.13: merge"):
        merge_runs([run_of(case("test_a")), run_of(case("test_a"), python=make_python(version="3.13.0"))])


def test_a_case_that_means_different_things_is_refused():
    with pytest.raises(UsageError, match="test_a#perf means different things in the runs to merge: unit s"):
        merge_runs([run_of(case("test_a"), started="1"), run_of(case("test_a", unit="B"), started="2")])


# -- values divided by the calibration beside them


def calibrated(*ratios, spread=0.01, number=1, factor=1.0, **fields):
    """Build a measurement of seconds that carries ratios; *factor* is how slow the machine was."""
    rounds = [ratios[0] * (1 + spread * (i - 9.5) / 20) for i in range(20)]
    extra = {
        "calibration": number,
        "calibrated": sorted(ratios)[len(ratios) // 2],
        "calibrated_processes": list(ratios),
        "calibrated_samples": rounds,
        "calibration_s": 14e-6 * factor,
        "calibration_pinned": True,
    }
    return timed(*(ratio * 14e-6 * factor for ratio in ratios), extra=extra, **fields)


FIVE = (2.0, 2.01, 1.99, 2.02, 1.98)


def test_ratios_are_compared_where_both_sides_have_them():
    """A machine twice as slow is no regression, and one twice as fast hides none."""
    slower = change(calibrated(*FIVE), calibrated(*FIVE, factor=2.0))
    assert slower.ratio == pytest.approx(1.0)
    assert slower.calibrated
    hidden = change(calibrated(*FIVE), calibrated(*(1.3 * ratio for ratio in FIVE), factor=0.5))
    assert hidden.ratio == pytest.approx(1.3)
    assert hidden.interval[0] > 1.2
    assert hidden.processes == 10


@pytest.mark.parametrize(
    "other",
    [
        timed(28e-6, extra={"uncalibrated": "it waits"}),
        timed(28e-6),
        calibrated(2.0, number=2),
        timed(28e-6, extra={"calibration": 1}),
        timed(28e-6, extra={"calibration": 1, "calibrated_processes": [0.0], "calibrated_samples": [1.0]}),
        timed(28e-6, extra={"calibration": 1, "calibrated_processes": ["2"], "calibrated_samples": [1.0]}),
        timed(28e-6, extra={"calibration": True, "calibrated_processes": [2.0], "calibrated_samples": [2.0]}),
        timed(28e-6, extra={"calibration": 1, "calibrated_processes": 2.0, "calibrated_samples": [2.0]}),
    ],
)
def test_without_ratios_to_the_same_workload_on_both_sides_seconds_are_compared(other):
    for base, head in ((other, calibrated(2.0, factor=2.0)), (calibrated(2.0, factor=2.0), other)):
        found = change(base, head)
        assert not found.calibrated
        assert found.ratio == pytest.approx(head.value / base.value)


def test_swapping_the_sides_mirrors_the_interval_of_ratios_and_a_common_factor_changes_nothing():
    base, head = calibrated(*FIVE), calibrated(*(1.1 * ratio for ratio in FIVE), factor=1.7)
    there, back = change(base, head), change(head, base)
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.interval == pytest.approx((1 / back.interval[1], 1 / back.interval[0]))
    scaled = change(calibrated(*FIVE, factor=5.0), head)
    assert (scaled.ratio, scaled.interval) == (there.ratio, there.interval)


def test_merging_keeps_one_ratio_for_each_process():
    runs = [
        make_run(make_finding(calibrated(ratio)), started=f"2026-01-0{number}T00:00:00+00:00")
        for number, ratio in enumerate(FIVE, start=1)
    ]
    extra = merge_runs(runs).findings[0].measurement.extra
    assert sorted(extra["calibrated_processes"]) == sorted(FIVE)
    assert extra["calibrated"] == 2.0
    assert len(extra["calibrated_samples"]) == 100
    twice = merge_runs([merge_runs(runs[:2]), merge_runs(runs[2:])]).findings[0].measurement.extra
    assert sorted(twice["calibrated_processes"]) == sorted(FIVE)


@pytest.mark.parametrize("other", [timed(28e-6), calibrated(2.0, number=2)])
def test_merging_with_a_run_without_them_leaves_none(other):
    runs = [make_run(make_finding(one), started=f"{number}") for number, one in enumerate((calibrated(2.0), other))]
    extra = merge_runs(runs).findings[0].measurement.extra
    assert extra == {"uncalibrated": "not all of the merged runs are"}


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"cpu": "Other"}, "on another CPU model"),
        ({"cores": 2.0}, "on another number of cores"),
        ({"os": "windows"}, "on another system"),
    ],
)
def test_another_machine_gives_advice_and_no_change(facts, where):
    base = make_run(make_finding(calibrated(2.0)), machine=make_machine(**facts))
    head = make_run(make_finding(calibrated(2.04, factor=3.0)))
    (found,) = compare(base, head, against="base.json", tolerance=0.05).values()
    assert found.verdict is Verdict.INCOMPARABLE
    assert found.change is None
    assert found.reason.endswith(f"; {where}: calibrated +2 % (advice only)")


def test_another_python_gives_no_advice_nor_does_a_run_without_ratios():
    head = make_run(make_finding(calibrated(2.0)))
    older = make_run(make_finding(calibrated(2.0)), python=make_python(version="3.11.0"))
    plain = make_run(make_finding(timed(28e-6)), machine=make_machine(cpu="Other"))
    empty = make_run(machine=make_machine(cpu="Other"))
    for base in (older, plain, empty):
        (found,) = compare(base, head, against="base.json", tolerance=0.05).values()
        assert found.verdict is Verdict.INCOMPARABLE
        assert "calibrated" not in found.reason


def test_another_profile_is_named_as_such():
    base = make_run(make_finding(calibrated(2.0)), profile="ci")
    (found,) = compare(base, make_run(make_finding(calibrated(2.2))), against="b", tolerance=0.05).values()
    assert found.reason.endswith("; under another profile: calibrated +10 % (advice only)")


# -- growth as a share, which is known as well as its interval is narrow


def grown(value, reach=0.01):
    extra = {"judged_by": "interval"}
    return make_measurement(
        metric="memory.growth.share",
        value=value,
        unit="ratio",
        statistic="value",
        samples=(value,),
        interval=(value - reach, value + reach),
        extra=extra,
    )


@pytest.mark.parametrize(("base", "head"), [(0.001, 0.008), (0.002, -0.005), (-0.009, 0.009)])
def test_growth_within_what_can_be_told_has_not_changed(base, head):
    assert change(grown(base), grown(head)).ratio == 1


def test_a_process_that_begins_to_grow_has_regressed_and_one_that_stops_improved():
    assert compared(grown(0.001), grown(0.12)).verdict is Verdict.REGRESSED
    assert compared(grown(0.12), grown(-0.004)).verdict is Verdict.IMPROVED
    assert compared(grown(0.001), grown(0.03)).verdict is Verdict.INCONCLUSIVE


def test_two_processes_that_grow_are_compared_as_closely_as_both_are_known():
    found = change(grown(0.10), grown(0.12))
    assert found.ratio == pytest.approx(1.2)
    assert found.interval[0] < 1 < found.interval[1]
