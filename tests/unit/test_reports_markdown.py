"""Markdown: the verdict first, within the bytes that a page takes, and nothing that others wrote becomes markup."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

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
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Better, Verdict
from pytest_perfgate.reports import markdown
from pytest_perfgate.reports._escaping import code, escaped
from pytest_perfgate.reports._format import on_one_line

#: What people write into names of tests and branches when they want more than a name.
ATTACKS = (
    "<script>alert(1)</script>",
    "--> <img src=x onerror=alert(1)>",
    "<!-- hidden",
    "<details><summary>x",
    "</code></td></tr></table>",
    "@everyone and @owner/team",
    "#1 GH-2 owner/project#3 gh-4 !5 &6 ~7 $8 %9",
    "https://evil.example/x www.evil.example mailto:a@evil.example ftp://evil.example",
    "<https://evil.example> <a@evil.example>",
    "[click](javascript:alert) ![i](http://x/y.png) [ref] [^1]",
    "[ref]: http://evil.example",
    "a | b || c \\| d \\\\| e",
    "| --- |",
    "`code` ``more`` ```",
    "```sh",
    "~~~",
    "# heading",
    "## perfgate: pass",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "123456) item",
    "> quote",
    "---",
    "===",
    ":-:",
    "***bold*** __bold__ _it_ ~~gone~~ a_b_c _",
    "&lt;b&gt; &#64; &amp; &copy",
    "$x$ $$y$$ $`z`$",
    "::error file=a::pwned",
    "##[error]pwned",
    "\\",
    "trailing \\",
    "two\n\n# lines\n<b>",
    "$(touch x) `touch x` ; rm -rf",
    "\u200b@\u202eowner",
    *HOSTILE_TEXTS,
)
#: Tags that the report itself is made of.
OURS = {"h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong"}


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        self.text += data


def renderer():
    """Return a renderer of GitHub's dialect: tables, strikethrough, bare addresses, raw HTML."""
    made = MarkdownIt("gfm-like")
    made.linkify.set({"fuzzy_link": False})  # GitHub makes no link of test_a.py, which could be in Paraguay
    return made


GFM = renderer()


def page(source):
    return Page(GFM.render(source))


def table(text):
    """Return the cells of the table, unescaped, titles first."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    rows = [[html.unescape(re.sub("</?code>", "", cell)) for cell in line[2:-2].split(" | ")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set("-: ")]


def failing(name, **fields):
    return make_finding(make_measurement(f"t.py::{name}"), Verdict.OVER_BUDGET, f"{name} for a reason", **fields)


# -- what it says


def test_the_verdict_comes_first():
    for run, said in (
        (ordinary_run(), "## ✅ perfgate: pass\n\n4 measured: 4 pass\n"),
        (empty_run(), "## ⛔ perfgate: error\n\nnothing was measured\n"),
        (every_verdict_run(), "## ❌ perfgate: fail\n\n7 measured: 1 pass, 1 improved, 1 over-budget,"),
        (every_verdict_run(failures=(), settings={}), "## ❌ perfgate: fail\n\n"),
        (make_run(make_finding(verdict=Verdict.INCONCLUSIVE)), "## ⚠️ perfgate: inconclusive\n\n"),
    ):
        assert markdown.render(run).startswith(said)


def test_the_table_shows_the_worst_first_with_value_limit_change_and_verdict():
    titles, *rows = table(markdown.render(every_verdict_run()))
    assert titles == ["case", "value", "limit", "change", "verdict"]
    assert rows[0] == ["tests/test_all.py::test_over", "412 ms", "<= 400 ms", "", "over-budget"]
    assert rows[1][1:] == ["12.3 ms", "<= 400 ms", "+8.3 % (+6.1 to +10.5 %)", "regressed"]
    assert [row[-1] for row in rows].index("pass") > 2
    assert len(rows) == 8


def test_columns_that_say_nothing_are_left_out():
    titles, _ = table(markdown.render(make_run(make_finding())))
    assert titles == ["case", "value", "verdict"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (make_change(1.083), "+8.3 % (+6.1 to +10.5 %)"),
        (make_change(1.083, interval=(1.083, 1.083)), "+8.3 %"),
        (make_change(0.5, interval=(0.0, 0.6), better=Better.HIGHER), "-50.0 % (-100.0 to -40.0 %)"),
    ],
)
def test_a_change_has_its_interval_and_more_is_worse(change, shown):
    assert table(markdown.render(make_run(make_finding(change=change))))[1][2] == shown


def test_it_says_what_was_compared_with_what_and_where():
    text = html.unescape(markdown.render(every_verdict_run()))
    for said in (
        "- profile standard (default)",
        "- machine: Example CPU 3000, 4 of 8 cores, 8 GiB, linux x86_64",
        "- python: CPython 3.12 (3.12.1)",
        "- compared with: base.json; + is worse, or - where more is better",
    ):
        assert f"\n{said}\n" in text


def test_everything_that_did_not_pass_has_its_reason():
    text = html.unescape(markdown.render(every_verdict_run()))
    for finding in every_verdict_run().findings[1:]:
        assert finding.reason in text
        assert finding.case.id in text
    for said in ("note: no profile of yours", "**failed: 2 of 4 workers crashed", "missing (1): ", "new (1): "):
        assert said in text


# -- how to see it again


def recipe(run):
    return re.search(r"```sh\n(.*)\n```", markdown.render(run), re.DOTALL)[1]


def test_the_command_names_what_failed_with_the_options_that_were_in_force():
    settings = {"strict": True, "against": "origin/main", "max_regression": 0.03, "root": "not plain; at all"}
    run = make_run(failing("test_a[x-1]"), make_finding(), settings=settings, profile="ci")
    assert recipe(run) == (
        "pytest --perfgate --perfgate-profile ci --perfgate-against origin/main "
        "--perfgate-max-regression 3% --perfgate-strict 't.py::test_a[x-1]'"
    )
    assert recipe(make_run(failing("test_a"), settings={"root": "packages/a"})).startswith("cd packages/a\npytest ")


def test_where_nothing_failed_it_names_what_could_not_be_told_or_all():
    unsure = make_finding(make_measurement("t.py::test_u"), Verdict.INCONCLUSIVE, "noise")
    gone = make_finding(make_measurement("t.py::test_g", value=None), Verdict.MISSING, "gone")
    assert recipe(make_run(make_finding(), unsure, gone)).endswith(" t.py::test_u")
    assert recipe(make_run(make_finding())) == "pytest --perfgate --perfgate-profile standard --perfgate-only"
    assert recipe(make_run(*(failing(f"test_{n}") for n in range(11)))).endswith(" --perfgate-only")


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_hostile_is_there_to_be_pasted(attack):
    run = make_run(
        failing(f"test_a[{attack}]"),
        failing("test_b"),
        settings={"against": attack, "baseline": attack, "root": attack, "max_regression": attack},
        profile=attack,
    )
    lines = recipe(run).splitlines()
    assert set("".join(lines)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 '_.:/[]=+~^-")
    assert lines[-1].startswith("pytest --perfgate --perfgate-")
    assert "t.py::test_b" in lines[-1]


def test_a_test_whose_parameters_are_not_plain_is_named_without_them():
    assert recipe(make_run(failing("test_a[$(x)]"))).endswith(" t.py::test_a")
    assert recipe(make_run(failing("test_`a`"))).endswith(" t.py")
    hostile = make_finding(make_measurement("-p evil.py::t"), Verdict.OVER_BUDGET, "x")
    assert recipe(make_run(hostile)).endswith(" --perfgate-only")


# -- nothing becomes markup

CONTEXTS = {
    "paragraph": ("{}", "<p>{}</p>\n"),
    "behind a line": ("before\n{}\nafter", "<p>before\n{}\nafter</p>\n"),
    "list": ("- {}", "<ul>\n<li>{}</li>\n</ul>\n"),
    "strong": ("- **{}**", "<ul>\n<li><strong>{}</strong></li>\n</ul>\n"),
    "heading": ("## {}", "<h2>{}</h2>\n"),
}


def sees(rendered):
    return html.unescape(rendered).replace("\u200b", "")


@pytest.mark.parametrize("context", CONTEXTS)
@given(st.text(st.sampled_from("ab1 _*`~#|\\<>&[]()!@:/.-+=$%^{}'\"\n;wgh0x") | st.characters(), max_size=40))
@example("https://a.b @c #1")
@example("1. x")
@example("a\\")
@example("gh-1 www.a.b")
def test_any_text_is_shown_as_it_is(context, text):
    shown = on_one_line(text)
    if not shown:
        return
    source, expected = CONTEXTS[context]
    rendered = GFM.render(source.format(escaped(text)))
    before, after = expected.split("{}")
    assert rendered.startswith(before)
    assert rendered.endswith(after)
    inside = rendered[len(before) : len(rendered) - len(after)]
    assert "<" not in inside
    assert sees(inside) == shown


@given(st.lists(st.text(st.sampled_from("ab |\\`<>&*_@:-\n"), max_size=12), min_size=2, max_size=2))
def test_any_text_stays_in_its_cell(texts):
    rendered = GFM.render(f"| a | b |\n| --- | --- |\n| {code(texts[0])} | {escaped(texts[1])} |")
    cells = re.findall(r"<td>(.*?)</td>", rendered)
    assert [sees(cell) for cell in cells] == [f"<code>{on_one_line(texts[0])}</code>", on_one_line(texts[1])]
    assert set(Page(rendered).tags) <= OURS


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_site_finds_a_mention_a_link_or_a_command(attack):
    text = escaped(attack)
    shown = html.unescape(text)
    assert not re.search(r"@\w|#\d|://|\bwww\.|\bgh-\d|[!$&~%]\w", shown, re.IGNORECASE)
    assert not re.search(r"^#|[<>|`*\[\]@\\]|::|##", re.sub(r"&#\d+;", "x", text))


def attacked(attack):
    """Build a run whose every text is *attack*."""
    findings = [
        make_finding(
            make_measurement(
                f"t.py::test[{number}{attack}]", f"m{attack}", name=attack, unit=attack, warnings=(attack,)
            ),
            verdict,
            attack,
            checks=(make_check(expression=attack, reason=attack, unit=attack, observed=2.0, profile=attack),),
            change=make_change(against=attack),
        )
        for number, verdict in enumerate((Verdict.OVER_BUDGET, Verdict.INCONCLUSIVE, Verdict.MISSING))
    ]
    return make_run(
        *findings,
        machine=make_machine(cpu=attack),
        profile=attack,
        profile_matched_by=attack,
        commit={"id": attack, "branch": attack, "dirty": True},
        notes=(attack,),
        failures=(attack,),
        settings={"strict": False, "against": attack, "root": attack},
    )


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.strip()])
def test_a_hostile_report_has_the_structure_of_a_harmless_one(attack):
    found, harmless = page(markdown.render(attacked(attack))), page(markdown.render(attacked("harmless")))
    assert found.comments == []
    assert set(found.tags) <= OURS
    assert found.attributes <= {"class", "style"}
    assert found.tags == harmless.tags
    assert found.text.count("perfgate: fail") == 1


def test_a_hostile_run_becomes_no_markup():
    found = page(markdown.render(hostile_run()))
    assert set(found.tags) <= OURS
    assert found.comments == []


def test_no_line_is_a_command_to_a_runner():
    for attack in ATTACKS:
        for line in markdown.render(attacked(attack)).splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
            assert "-->" not in line


def test_a_renderer_would_find_what_is_not_escaped():
    assert not set(page("<img src=x> [a](b) @c").tags) <= OURS
    assert "a" in page("https://evil.example").tags


# -- how large it may be


def crowd(count, size=200):
    return make_run(*(failing(f"test_{number}[{'|' * size}]") for number in range(count)))


def test_many_cases_are_cut_to_the_worst_and_the_rest_is_counted():
    text = markdown.render(large_run(1000, 2))
    assert len(table(text)) == 51
    assert "… and 950 more within budget; all in the JSON report" in text
    assert len(table(markdown.render(large_run(100, 2), limit=7))) == 8


@pytest.mark.parametrize("most", [2000, 3000, 10_000, 30_000, 1_000_000])
def test_it_is_never_larger_than_asked_for(most):
    text = markdown.render(crowd(60), max_bytes=most)
    assert len(text.encode()) <= most
    assert text.startswith("## ❌ perfgate: fail\n\n60 measured: 60 over-budget\n")


def test_what_is_left_out_is_said():
    assert "Shortened" not in markdown.render(crowd(60))
    some = markdown.render(crowd(60), max_bytes=30_000)
    (rows,) = re.findall(r"\*\*Shortened to fit into 30,000 bytes: the worst (\d+) cases and reasons are shown", some)
    assert len(table(some)) == int(rows) + 1
    none = markdown.render(crowd(60), max_bytes=2000)
    assert "**Shortened to fit into 2,000 bytes: only the counts are shown; all are in the JSON report.**" in none
    assert table(none) == []


def test_a_page_has_room_for_the_default():
    huge = "<@" * 100_000
    text = markdown.render(make_run(*crowd(3000).findings, notes=(huge,) * 300, failures=(huge,) * 300))
    assert len(text.encode()) <= markdown.MAX_BYTES
    assert "perfgate: fail" in text


def test_lists_that_are_cut_say_so():
    run = make_run(make_finding(), notes=[f"note {n}" for n in range(60)], failures=[f"f {n}" for n in range(60)])
    assert markdown.render(run).count("… and 10 more; all in the JSON report") == 2


def test_too_little_room_is_refused():
    with pytest.raises(UsageError, match="a report of at most 1,999 bytes says nothing; give it 2,000 or more"):
        markdown.render(ordinary_run(), max_bytes=1999)
