"""What reports tell of growth besides the number: the lines that keep, the types, memory over time."""

from __future__ import annotations

import pytest
from builders import HOSTILE_TEXTS, make_finding, make_measurement, make_run

from pytest_perfgate.model import Verdict
from pytest_perfgate.reports import markdown, text
from pytest_perfgate.reports._format import encodable
from pytest_perfgate.reports.details import details
from pytest_perfgate.reports.memory_details import memory_lines

MIB = 2**20
COURSE = {
    "kind": "unique set",
    "calls": [100 * look for look in range(121)],
    "seconds": [0.5 * look for look in range(121)],
    "bytes": [100 * MIB + look * MIB // 4 for look in range(121)],
    "blocks": [],
}
WHERE = ["cache.py:12: 1 block per call: kept.append(key)", "cache.py:13: 64 B per call", "a:1: x", "b:2: y"]


def grown(verdict=Verdict.OVER_BUDGET, **extra):
    extra = extra or {"where": WHERE, "types": ["1 list per call"], "memory_over_time": COURSE}
    measurement = make_measurement("t.py::test_long", "memory.growth.share", value=0.3, unit="ratio", extra=extra)
    return make_finding(measurement, verdict, "memory growth share of test_long is over budget")


def test_the_lines_that_keep_come_first_then_the_curve():
    lines = memory_lines(grown())
    assert lines[:3] == [f"  kept at {place}" for place in WHERE[:3]]
    assert lines[3] == "  kept are 1 list per call"
    assert lines[4] == "  memory over time (unique set):"
    assert lines[5].startswith("  130 MiB │")
    assert lines[11].startswith("  100 MiB │•")
    assert lines[-1].endswith("12,000 calls, 60 s")
    assert max(map(len, lines)) <= 80


def test_what_has_no_place_is_told_in_its_own_words():
    assert memory_lines(grown(where=["nothing that the interpreter allocates grew while traced"])) == [
        "  nothing that the interpreter allocates grew while traced",
    ]


def test_memory_that_hardly_grows_is_drawn_as_a_plain():
    flat = {**COURSE, "bytes": [100 * MIB + look * 1000 for look in range(121)]}
    rows = [line for line in memory_lines(grown(memory_over_time=flat)) if "•" in line]
    assert len(rows) == 1


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.IMPROVED, Verdict.FAILED_TO_MEASURE, Verdict.NO_BASELINE])
def test_what_passes_needs_no_explanation_and_shows_its_curve_apart(verdict):
    assert memory_lines(grown(verdict)) == []
    printed = text.render(make_run(grown(verdict)))
    assert "t.py::test_long#memory.growth.share\n  memory over time (unique set):\n  130 MiB │" in printed
    assert "kept at" not in printed


def test_of_many_curves_a_handful_is_shown():
    printed = text.render(make_run(*[grown(Verdict.PASS)] * 8))
    assert printed.count("memory over time") == 5
    assert "… and 3 more over time; all in the JSON report" in printed


def test_a_curve_is_shown_once():
    assert text.render(make_run(grown())).count("memory over time") == 1


def test_pages_show_places_and_curve():
    page = markdown.render(make_run(grown()))
    assert "### Memory\n\n<code>t.py:&#58;test_long#memory.growth.share</code>\n\n- kept at cache.py:12" in page
    assert "```text\n  memory over time (unique set):\n" in page
    assert page.count("```") % 2 == 0
    assert "### Memory" not in markdown.render(make_run(grown(where=[], memory_over_time=None)))


def test_the_terminal_shows_it_within_its_width_and_in_ascii_where_it_has_to():
    for width in (60, 80, 120):
        printed = text.render(make_run(grown()), width=width)
        assert "memory over time" in printed
        curve = printed[printed.index("memory over time") :].splitlines()
        assert max(map(len, curve)) <= width
    plain = encodable(text.render(make_run(grown())), "ascii")
    assert "\\u" not in plain
    assert "100 MiB |*" in plain


def test_a_narrow_terminal_has_no_curve_but_all_words():
    lines = memory_lines(grown(), width=40)
    assert not any("over time" in line for line in lines)
    assert len(lines) == 4


def test_signs_are_ascii_where_asked_for():
    assert all(line.isascii() for line in details(grown(), unicode=False))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "much",
        [],
        {},
        {**COURSE, "bytes": []},
        {**COURSE, "bytes": COURSE["bytes"][:-1]},
        {**COURSE, "bytes": ["much"] * 121},
        {**COURSE, "bytes": [10**400] * 121},
        {**COURSE, "bytes": [float("nan")] * 121},
        {key: [0] for key in COURSE},
    ],
)
def test_a_file_of_other_origin_may_say_anything(odd):
    assert memory_lines(grown(memory_over_time=odd, where=odd, types=odd)) == []


def test_texts_of_others_move_no_cursor():
    for hostile in HOSTILE_TEXTS:
        finding = grown(where=[hostile], types=[hostile], memory_over_time={**COURSE, "kind": hostile})
        assert all(line.isprintable() for line in memory_lines(finding))
        markdown.render(make_run(finding))
