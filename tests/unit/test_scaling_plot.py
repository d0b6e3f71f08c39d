"""The bars of a scaling curve: that they fit, say what is known, survive any stored run and any encoding."""

import math

import pytest
from builders import HOSTILE_TEXTS, make_finding, make_measurement, make_run
from markdown_it import MarkdownIt

from pytest_perfgate.model import Better
from pytest_perfgate.reports import markdown, text
from pytest_perfgate.reports._format import encodable
from pytest_perfgate.reports.scaling_plot import MOST_PLOTS, plotted, scaling_plot

CURVE = {"workers": 8, "capacity": 8.0, "curve": [[2, 1.92], [4, 3.4], [8, 5.1]], "amdahl_fraction": 0.081}


def scaling(test="tests/test_pool.py::test_scaling", *, ceiling=8.0, **extra):
    measured = make_measurement(
        test, "speedup", value=5.1, unit="ratio", better=Better.HIGHER, show_as="×", ceiling=ceiling, extra=extra
    )
    return make_finding(measured)


def test_every_number_of_workers_has_a_bar_up_to_what_was_possible():
    lines = scaling_plot(scaling(**CURVE))
    assert lines == [
        "  workers  speedup (░ to what was possible)",
        "        2  " + "█" * 10 + " 1.92×",
        "        4  " + "█" * 17 + "░" * 3 + " 3.4×",
        "        8  " + "█" * 26 + "░" * 14 + " 5.1×",
        "  Amdahl's law: 8.1 % of the work is as if it were serial",
    ]
    assert "░" * 14 not in "".join(scaling_plot(scaling(ceiling=5.1, **CURVE))), "no more than the machine can give"


def test_a_law_of_two_numbers_is_shown_where_it_was_fitted():
    (law,) = scaling_plot(scaling(usl_contention=0.05, usl_coherency=0.002))
    assert law == "  universal scalability: contention 5 %, coherency 0.2 %, most at 22 workers"
    (law,) = scaling_plot(scaling(usl_contention=0.05, usl_coherency=0.0))
    assert law == "  universal scalability: contention 5 %, coherency 0 %"


def test_an_estimate_is_called_one():
    (line,) = scaling_plot(scaling(speedup_if_cores=6.84, workers=8, capacity=2.0))
    assert line == "  about 6.84× if each of 8 workers had a core: an estimate, there are 2"


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"curve": "x"},
        {"curve": {"1": 1.0}},
        {"curve": [[1], None, ["a", 2], [2, math.nan], [True, 1]]},
        {"amdahl_fraction": "x", "usl_contention": None, "usl_coherency": 1},
        {"speedup_if_cores": 5.0, "workers": "8", "capacity": 2},
    ],
)
def test_what_is_no_curve_is_no_plot(extra):
    assert scaling_plot(scaling(**extra)) == []
    assert plotted([scaling(**extra)]) == []


def test_speedups_of_nothing_are_no_crash():
    assert scaling_plot(scaling(ceiling=None, curve=[[0, 0]])) == []
    assert len(scaling_plot(scaling(ceiling=0.0, curve=[[2, 0]]))) in (0, 2)


def test_the_terminal_shows_it_within_80_columns_in_any_encoding():
    printed = text.render(make_run(scaling(**CURVE)))
    assert "scaling of tests/test_pool.py::test_scaling#speedup\n  workers" in printed
    assert max(map(len, printed.splitlines())) <= 80
    asciified = encodable(printed, "ascii")
    assert "        8  " + "#" * 26 + "." * 14 + " 5.1x" in asciified
    assert "\\u" not in asciified
    assert max(map(len, asciified.splitlines())) <= 80


def test_markdown_shows_it_as_it_is():
    shown = markdown.render(make_run(scaling(**CURVE)))
    (fence,) = [token for token in MarkdownIt().parse(shown) if token.type == "fence" and token.info == "text"]
    assert "        8  " + "█" * 26 in fence.content


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_a_name_ends_no_fence(hostile):
    shown = markdown.render(make_run(scaling(f"t.py::{hostile}\n```\n# heading", **CURVE)))
    fences = [token for token in MarkdownIt().parse(shown) if token.type == "fence"]
    assert [token.info for token in fences] == ["text", "sh"]


def test_beyond_a_handful_they_are_counted():
    run = make_run(*(scaling(f"t.py::test_{number}", **CURVE) for number in range(MOST_PLOTS + 3)))
    for shown in (text.render(run), markdown.render(run)):
        assert shown.count("Amdahl") == MOST_PLOTS
        assert "… and 3 more; all in the JSON report" in shown
