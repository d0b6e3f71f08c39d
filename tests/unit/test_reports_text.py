"""The table of the terminal: what it shows first, what it leaves out and says so, and that it fits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from builders import (
    HOSTILE_TEXTS,
    empty_run,
    every_verdict_run,
    hostile_run,
    large_run,
    make_change,
    make_check,
    make_finding,
    make_machine,
    make_measurement,
    make_run,
    ordinary_run,
)

from pytest_perfgate.model import Better, Operator, Verdict
from pytest_perfgate.reports import text
from pytest_perfgate.reports._format import asciified, encodable, interval_text, on_one_line, shortened_id


def table(printed):
    """Return the rows of the table as lists of cells, titles first."""
    lines = printed.splitlines()
    rule = next(number for number, line in enumerate(lines) if line.startswith("---"))
    spans = [match.span() for match in re.finditer("-+", lines[rule])]
    end = next(number for number in range(rule, len(lines) + 1) if number == len(lines) or not lines[number])
    return [[line[start:stop].strip() for start, stop in spans] for line in (lines[rule - 1], *lines[rule + 1 : end])]


def unwrapped(printed):
    return " ".join(printed.split())


def over(name, observed, limit=1.0):
    check = make_check(limit, observed)
    measurement = make_measurement(f"t.py::{name}", value=observed)
    verdict = Verdict.PASS if check.holds else Verdict.OVER_BUDGET
    return make_finding(measurement, verdict, f"{name} for a reason", checks=(check,))


def test_the_worst_comes_first():
    run = make_run(
        make_finding(make_measurement("t.py::free")),
        over("far", 0.1),
        over("close", 0.99),
        over("beyond", 1.1),
        over("far_beyond", 9.0),
        make_finding(make_measurement("t.py::dead", value=None), Verdict.FAILED_TO_MEASURE, "it raised"),
    )
    _, *rows = table(text.render(run))
    assert [row[0].removeprefix("t.py::") for row in rows] == [
        *("far_beyond", "beyond", "dead", "close", "far", "free"),
    ]


def test_the_metric_stands_only_where_it_tells_two_rows_apart():
    two = [make_finding(make_measurement("t.py::two", name=name)) for name in ("", "again")]
    _, *rows = table(text.render(make_run(*two, over("one", 0.1))))
    assert {row[0] for row in rows} == {"t.py::two#perf", "t.py::two#perf:again", "t.py::one"}


def test_strict_runs_show_what_is_not_settled_among_the_failures():
    unsure = make_finding(make_measurement("t.py::unsure"), Verdict.INCONCLUSIVE, "too noisy")
    for strict, first in ((False, "t.py::close"), (True, "t.py::unsure")):
        printed = text.render(make_run(over("close", 0.99), unsure, settings={"strict": strict}))
        assert table(printed)[1][0] == first


def test_values_and_limits_are_scaled_for_reading():
    leak = make_measurement("t.py::leak", value=2048.0, unit="B/call")
    limit = make_check(1024.0, 2048.0, unit="B/call", expression="growth <= 1KB/call")
    run = make_run(over("close", 0.0004, 0.0005), make_finding(leak, Verdict.OVER_BUDGET, "leaks", checks=(limit,)))
    titles, first, second = table(text.render(run, width=60))
    assert titles == ["case", "value", "limit", "used", "verdict"]
    assert first == ["t.py::leak", "2 KiB/call", "<= 1 KiB/call", "200 %", "over-budget"]
    assert second == ["t.py::close", "400 µs", "<= 500 µs", "80 %", "pass"]


@pytest.mark.parametrize(
    ("check", "cells"),
    [
        (make_check(0.02, 0.019, expression="p(95) < 20ms"), ["19 ms", "p(95) < 20ms", "95 %", "pass"]),
        (make_check(140, 133, expression="modules <= 140", unit="count"), ["133", "modules <= 140", "95 %", "pass"]),
        (make_check(0.8, 0.4, expression="peak < 80%", unit="ratio"), ["40 %", "peak < 80%", "50 %", "pass"]),
    ],
    ids=["percentile", "extra fact", "percent"],
)
def test_a_limit_on_another_number_than_the_headline_is_shown_as_written_beside_that_number(check, cells):
    """The interval is the headline's and left out: beside another number it would be taken for that one's."""
    _, row = table(text.render(make_run(make_finding(checks=(check,))), width=200))
    assert row[1:] == cells


def test_limits_that_have_no_share_are_no_crash():
    forbid = make_check(None, None, expression="forbid numpy", operator=None, unit="count", holds=False)
    unmeasured = make_check(1.0, None)
    nothing = make_check(0.0, 5.0, unit="B/call", expression="growth <= 0 B/call")
    findings = [
        make_finding(make_measurement("t.py::a"), Verdict.OVER_BUDGET, "imports numpy", checks=(forbid,)),
        make_finding(make_measurement("t.py::b"), Verdict.OVER_BUDGET, "not measured", checks=(unmeasured,)),
        make_finding(make_measurement("t.py::c"), Verdict.OVER_BUDGET, "leaks", checks=(nothing,)),
    ]
    rows = table(text.render(make_run(*findings)))[1:]
    assert [(row[-3], row[-2]) for row in rows] == [
        *(("forbid numpy", ""), ("median <= 1000ms", ""), ("growth <= 0 B/call", "over")),
    ]


def test_the_interval_has_a_column_where_there_is_room_for_it():
    run = ordinary_run()
    assert "95 % interval" not in text.render(run, width=80)
    titles, first, *_ = table(text.render(run, width=140))
    assert titles[:3] == ["case", "value", "95 % interval"]
    assert first[:3] == ["tests/test_cli.py::TestCommand::test_version", "382 ms", "378–386 ms"]


def test_a_change_is_shown_as_in_its_message_whatever_the_direction():
    slower = make_finding(make_measurement("t.py::slower"), Verdict.PASS, "fine", change=make_change(1.083))
    fewer = make_finding(
        make_measurement("t.py::fewer", unit="rows/s", better=Better.HIGHER),
        change=make_change(0.5, better=Better.HIGHER),
    )
    printed = text.render(make_run(slower, fewer), width=40)
    assert [row[2] for row in table(printed)] == ["change", "+8.3 %", "-50.0 %"]
    assert "compared with: base.json; + is worse, or - where more is better" in " ".join(printed.split())


def test_where_more_is_better_for_all_cases_less_is_worse():
    fewer = make_finding(
        make_measurement("t.py::fewer", unit="rows/s", better=Better.HIGHER),
        change=make_change(0.5, better=Better.HIGHER),
    )
    assert "compared with: base.json; - is worse" in text.render(make_run(fewer), width=80)


def test_the_header_says_what_was_measured_where_and_by_what():
    head = text.render(ordinary_run()).partition("\n\n")[0].splitlines()
    assert head == [
        "profile ci (GITHUB_ACTIONS=true, cores 4 <= 4)",
        "machine: Example CPU 3000, 4 of 8 cores, 8 GiB, linux x86_64",
        "python: CPython 3.12 (3.12.1)",
        "commit: 3f2c1ab9d0e4 (main)",
    ]
    changed = make_run(commit={"id": None, "dirty": True}, machine=make_machine(cores=1.5, ci="GitHub Actions"))
    head = text.render(changed)
    assert "1.5 of 8 cores, 8 GiB, linux x86_64 GitHub Actions" in head
    assert "with uncommitted changes" in head


def test_the_baseline_is_named_even_where_nothing_could_be_compared():
    run = make_run(make_finding(), settings={"baseline": "old.json"})
    assert "compared with: old.json" in text.render(run)


def test_everything_that_did_not_pass_has_its_reason_below_the_table():
    printed = text.render(every_verdict_run())
    below = unwrapped(printed.partition("verdict\n")[2])
    for finding in every_verdict_run().findings[1:]:
        assert finding.reason in below
        assert f"{finding.case.id}" in below
    assert "for a test" not in below


def test_a_reason_that_names_verdict_and_case_is_not_given_them_again():
    finding = make_finding(verdict=Verdict.OVER_BUDGET, reason="tests/test_a.py::test_b[x] is over budget: 2 s > 1 s")
    assert "\ntests/test_a.py::test_b[x] is over budget: 2 s > 1 s\n" in text.render(make_run(finding))


def test_cases_that_share_a_reason_share_a_line():
    findings = [
        make_finding(make_measurement(f"t.py::t{number}[x]"), Verdict.INCOMPARABLE, f"t{number}[x]: another CPU")
        for number in range(200)
    ]
    printed = text.render(make_run(*findings))
    assert printed.count("another CPU") == 1
    assert "incomparable: t.py::t0[x]#perf and 199 more: t0[x]: another CPU" in printed


def test_a_failure_has_a_line_of_its_own_whatever_its_reason():
    printed = text.render(make_run(*(over(f"t{number}", 2.0) for number in range(3))))
    for number in range(3):
        assert f"over-budget: t.py::t{number}#perf: t{number} for a reason\n" in printed


def test_missing_and_new_cases_are_counted_and_some_are_named():
    missing = [
        make_finding(make_measurement(f"t.py::gone_{number}", value=None), Verdict.MISSING, "not measured")
        for number in range(12)
    ]
    new = [make_finding(make_measurement(f"t.py::new_{number}"), Verdict.NO_BASELINE, "new") for number in range(3)]
    printed = unwrapped(text.render(make_run(*missing, *new)))
    assert "missing (12): t.py::gone_0#perf, t.py::gone_1#perf," in printed
    assert "t.py::gone_9#perf and 2 more not measured" in printed
    assert "new (3): t.py::new_0#perf, t.py::new_1#perf, t.py::new_2#perf" in printed


def test_the_reason_of_a_missing_case_tells_where_it_went():
    gone = make_finding(make_measurement("t.py::old", value=None), Verdict.MISSING, "perhaps renamed to t.py::new")
    assert "missing (1): t.py::old#perf\n  perhaps renamed to t.py::new\n" in text.render(make_run(gone))


def test_renamed_cases_beyond_a_handful_are_counted():
    gone = [
        make_finding(make_measurement(f"t.py::old_{number}", value=None), Verdict.MISSING, f"renamed to new_{number}")
        for number in range(14)
    ]
    printed = text.render(make_run(*gone))
    assert "  renamed to new_9\n" in printed
    assert "  … and 4 more; all in the JSON report" in printed
    assert "renamed to new_10" not in printed


def test_a_warning_of_many_cases_is_said_once():
    findings = [
        make_finding(make_measurement(f"t.py::t{number}", warnings=("the clock is coarse",))) for number in range(30)
    ]
    printed = text.render(make_run(*findings))
    assert printed.count("the clock is coarse") == 1
    assert "warning: t.py::t0#perf and 29 more: the clock is coarse" in printed


def test_the_noise_of_merged_runs_is_said_once_for_a_case_with_the_largest():
    noises = [f"noisy: the middle half of the rounds spreads over {much} % of the median" for much in (300, 1541, 99)]
    printed = text.render(
        make_run(make_finding(make_measurement("t.py::t", warnings=(*noises, "the clock is coarse"))))
    )
    assert printed.count("noisy") == 1
    assert "over 1541 %" in printed
    assert "the clock is coarse" in printed


def test_one_core_is_not_in_the_plural():
    ordinary = ordinary_run()
    printed = text.render(replace(ordinary, machine=replace(ordinary.machine, cores=1, cores_total=1)))
    assert "1 of 1 core," in printed


def test_a_run_with_nothing_to_measure_is_not_called_an_error():
    printed = text.render(make_run(notes=("nothing to measure: no test of this run",)))
    assert printed.endswith("\n\nnote: nothing to measure: no test of this run\n\nno verdict: nothing was measured\n")
    assert "error" not in printed


def test_the_counts_stand_last_with_the_verdict_on_the_run():
    assert text.render(ordinary_run()).endswith("\n\nverdict: pass (4 measured: 4 pass)\n")
    assert text.render(empty_run()).endswith("\n\nverdict: error (nothing was measured)\n")
    assert "verdict: fail (7 measured: 1 pass, 1 improved, 1 over-budget," in text.render(every_verdict_run())


def test_notes_and_failures_of_the_run_are_said():
    printed = text.render(every_verdict_run())
    assert "\nnote: no profile of yours matched this machine\n" in printed
    assert "\nfailed: 2 of 4 workers crashed; their tests are not in this report\n" in printed


@pytest.mark.parametrize("run", [ordinary_run(), empty_run(), every_verdict_run(), large_run(200, 2)])
def test_no_line_is_wider_than_eighty_columns(run):
    assert max(map(len, text.render(run).splitlines())) <= 80


@pytest.mark.parametrize("width", [1, 10, 40])
def test_a_narrow_terminal_is_no_crash(width):
    for run in (every_verdict_run(), hostile_run()):
        assert "verdict" in unwrapped(text.render(run, width=width))


def test_many_cases_are_cut_to_the_worst_and_the_rest_is_counted():
    run = large_run(1000, 2)
    printed = text.render(run)
    assert len(table(printed)) == 51
    assert "… and 950 more within budget; all in the JSON report" in printed
    assert len(table(text.render(run, limit=1000))) == 1001


def test_cases_left_out_are_never_called_well_when_they_are_not():
    findings = [over(f"t{number}", 2.0) for number in range(60)]
    findings += [
        make_finding(make_measurement(f"t.py::u{number}"), Verdict.INCONCLUSIVE, f"noise {number}")
        for number in range(5)
    ]
    findings += [over(f"p{number}", 0.1) for number in range(7)]
    printed = text.render(make_run(*findings))
    assert "… and 22 more (10 failing, 5 undecided, 7 within budget); all in the JSON report" in printed
    assert "\n… and 15 more; all in the JSON report\n" in printed


def test_colour_is_written_only_when_asked_for():
    run = every_verdict_run()
    plain, painted = text.render(run), text.render(run, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31;1mover-budget\x1b[0m" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain


def test_a_hostile_name_cannot_write_to_the_terminal():
    printed = text.render(hostile_run(), colour=False)
    assert set(printed) - {"\n"} == {character for character in printed if character.isprintable()}


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_texts_of_others_fit_on_one_line(hostile):
    line = on_one_line(hostile)
    assert line.isprintable()
    line.encode("utf-8")
    assert line.isascii() or not hostile.isascii()


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (70, "tests/unit/test_a.py::TestB::test_parse[big-0/1]#startup.command"),
        (60, "...test_a.py::TestB::test_parse[big-0/1]#startup.command"),
        (50, "...test_parse[big-0/1]#startup.command"),
        (30, "test_parse[bi...tartup.command"),
        (5, "t...d"),
    ],
)
def test_a_long_id_loses_its_folders_first_and_its_test_last(width, shown):
    assert shortened_id("tests/unit/test_a.py::TestB::test_parse[big-0/1]#startup.command", width) == shown
    assert len(shown) <= width


@pytest.mark.parametrize(
    ("interval", "unit", "show_as", "shown"),
    [
        ((0.405, 0.421), "s", "", "405–421 ms"),
        ((0.0009, 0.0011), "s", "", "900 µs–1.1 ms"),
        ((2.4, 2.6), "ratio", "×", "2.4×–2.6×"),
        ((0.9, 0.95), "ratio", "%", "90–95 %"),
        ((-3.0, 5.0), "B/call", "", "-3 to 5 B/call"),
        ((10, 12), "count", "", "10–12"),
    ],
)
def test_an_interval_says_its_unit_once(interval, unit, show_as, shown):
    assert interval_text(interval, unit, show_as) == shown


def test_signs_have_an_ascii_form():
    assert asciified("43.1 µs ± 2 %, 2.5× – ok … ≤ 漢") == r"43.1 us +- 2 %, 2.5x - ok ... <= \u6f22"
    assert encodable("43.1 µs", "latin-1") == "43.1 µs"
    assert encodable("43.1 µs", "ascii") == "43.1 us"
    assert encodable("43.1 µs", None) == "43.1 µs"
    assert encodable("43.1 µs", "no-such-encoding") == "43.1 us"


def test_columns_stay_in_line_in_ascii():
    printed = asciified(text.render(ordinary_run()))
    assert table(printed)[0] == ["case", "value", "limit", "used", "verdict"]
    assert {row[-1] for row in table(printed)[1:]} == {"pass"}


def test_a_lower_limit_is_used_up_from_below():
    check = make_check(2.5, 5.0, expression="speedup >= 2.5", unit="ratio", operator=Operator.GE, holds=True)
    speedup = make_measurement(value=5.0, unit="ratio", show_as="×", better=Better.HIGHER)
    _, row = table(text.render(make_run(make_finding(speedup, checks=(check,)))))
    assert row[1] == "5×"
    assert row[-3:] == [">= 2.5×", "50 %", "pass"]
