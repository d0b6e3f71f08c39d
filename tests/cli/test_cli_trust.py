"""``perfgate trust``: what it prints and refuses; the verdicts of a live trial are not asserted."""

import json

import pytest

from pytest_perfgate.cli import main


def test_a_short_trial_prints_its_error_rates_with_bounds_and_writes_them(tmp_path, capsys):
    file = tmp_path / "trust.json"
    assert main(["trust", "--time", "1s", "--cases", "2", "--changes", "100%", "--json", str(file)]) in (0, 1)
    printed = capsys.readouterr()
    head, _, unchanged, *_ = printed.out.splitlines()
    assert " ".join(head.split()) == "slower by compared failed 95 % bounds passed undecided rounds seconds 95th"
    assert unchanged.split()[:2] == ["unchanged", "2"]
    assert " of 1 failed (95 % bound " in printed.out
    assert "noise: one process pair differs from the next by" in printed.out
    assert not printed.err, "no bar where nobody looks"
    facts = json.loads(file.read_text("utf-8"))
    assert facts["format"] == "perfgate-trust"
    assert [tally["true_change"] for tally in facts["tallies"]] == [0.0, 1.0]
    assert len(facts["tallies"][0]["rounds"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time", "soon"], "--time 'soon' is not"),
        (["--time", "0.2s"], "give it at least a second"),
        (["--changes", "fast"], "--changes 'fast' is not a percentage"),
        (["--changes", "0%"], "unchanged code is tried by itself"),
        (["--max-regression", "0%"], "no gate can tell"),
        (["--cases", "0"], "at least one case"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(capsys, arguments, said):
    assert main(["trust", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1.5h", 5400), ("2min", 120)])
def test_times_are_read_in_seconds_minutes_and_hours(text, seconds):
    from pytest_perfgate.cli.trust import _seconds

    assert _seconds(text) == seconds
