"""The rounds of a comparison, with workers that follow a script: who is measured again, and what ends it."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from paired_fakes import FakeCrews, World, case

from pytest_perfgate.errors import AgainstError, CannotMeasureError
from pytest_perfgate.model import Verdict
from pytest_perfgate.paired import blocks, comparison
from pytest_perfgate.paired.comparison import CONTROLLED_TESTS, PairedComparison
from pytest_perfgate.paired.crew import WorkerProgram
from pytest_perfgate.paired.terms import Terms
from pytest_perfgate.paired.worker import WorkerLostError
from pytest_perfgate.plugin.paired_findings import packed_findings

SIDE = SimpleNamespace(label="3f2c1ab", roots=("pkg",))
SIDES = SimpleNamespace(base=SIDE, head=SIDE, notes=(), identical=False)
PROGRAM = WorkerProgram(module="none", facts={}, cwd=Path())


@pytest.fixture
def compare(monkeypatch):
    """Compare scripted suites; return what came out by test, and everything else."""

    def compared(
        base, head, *, most_case_s=1000.0, most_run_s=10_000.0, tolerance=0.05, seed=3, crews=FakeCrews, **how
    ):
        world = World().install(monkeypatch, blocks)
        hired = crews(world, base, head, **how)
        monkeypatch.setattr(comparison, "crew", hired)
        terms = Terms(
            tolerance=lambda _: tolerance,
            most_case_s=most_case_s,
            most_run_s=most_run_s,
            timeout_s=None,
            processors=(0, 1),
            seed=seed,
        )
        told = []
        run = PairedComparison(PROGRAM, SIDES, list(head), terms, report=told.append, clock=world.seconds)
        outcome = run.run()
        return SimpleNamespace(
            run=run,
            outcome=outcome,
            crews=hired,
            told=told,
            by_test={series.case.test: series for series in outcome.series},
            verdicts={s.case.test: s.standing.verdict if s.standing else None for s in outcome.series},
            played=lambda test: [
                {name for name, worker in crew.items() if any(told.get("test") == test for told in worker.told)}
                for crew in hired.played
            ],
        )

    return compared


def suite(count=3, **slower):
    """A suite of tests with one case each, some of them so many times slower."""
    return {f"t{n}": [case(call_ns=100_000.0 * slower.get(f"t{n}", 1.0))] for n in range(count)}


def test_a_slowdown_regresses_a_speed_up_improves_and_the_rest_passes(compare):
    done = compare(suite(4), suite(4, t1=1.5, t2=0.5))
    assert done.verdicts == {
        "t0": Verdict.PASS,
        "t1": Verdict.REGRESSED,
        "t2": Verdict.IMPROVED,
        "t3": Verdict.PASS,
    }
    assert math.exp(done.by_test["t1"].standing.estimate) == pytest.approx(1.5, rel=0.02)
    assert not done.outcome.contaminated


def test_cases_leave_as_soon_as_they_are_decided(compare):
    done = compare(suite(3), suite(3, t1=2.0))
    rounds = {test: len(series.base) for test, series in done.by_test.items()}
    assert rounds["t0"] == rounds["t2"] == 5
    assert rounds["t1"] == done.outcome.rounds == len(done.crews.played) > 5
    assert [{"base", "head"} <= played for played in done.played("t0")] == [True] * 5 + [False] * (rounds["t1"] - 5)
    assert [progress.undecided for progress in done.told][-1] == 0


def test_every_round_has_fresh_workers_and_an_order_of_its_own(compare):
    done = compare(suite(6), suite(6, t1=2.0))
    orders = {tuple(told["test"] for told in crew["head"].told if told["do"] == "go") for crew in done.crews.played[:5]}
    assert len(orders) > 1


def test_time_up_for_a_case_is_inconclusive_with_what_would_settle_it_and_costs_the_others_nothing(compare):
    base, head = suite(2), suite(2, t1=1.5)
    base["t1"][0]["call_ns"], head["t1"][0]["call_ns"] = 50e6, 75e6
    done = compare(base, head, most_case_s=1.0)
    assert done.verdicts["t0"] is Verdict.PASS
    assert done.verdicts["t1"] is Verdict.INCONCLUSIVE
    assert "more process pairs would settle it" in done.by_test["t1"].standing.doubt
    (found,) = packed_findings(done.outcome, done.run, SIDES)["findings"]["t1"]
    (enough,) = re.findall(r"--perfgate-max-time (\d+)s allows it more", found["change"]["doubt"])
    assert compare(base, head, most_case_s=float(enough)).verdicts["t1"] is Verdict.REGRESSED


def slow(times):
    """Tests of calls of 50 ms, the first of them so many times slower."""
    return {"t0": [case(call_ns=50e6 * times)], "t1": [case()]}


def test_what_is_clearly_worse_gets_a_bounded_grace(compare):
    done = compare(slow(1), slow(3), most_case_s=3.0)
    assert done.verdicts == {"t0": Verdict.REGRESSED, "t1": Verdict.PASS}
    assert 3.0 < done.by_test["t0"].spent_s < comparison.GRACE * 3.0
    assert compare(slow(1), slow(3), most_case_s=0.4).verdicts["t0"] is Verdict.INCONCLUSIVE
    assert compare(slow(1), slow(3), most_case_s=3.0, most_run_s=2.0).verdicts["t0"] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("times", [1.0, 1 / 3])
def test_what_is_not_worse_gets_no_grace(compare, times):
    done = compare(slow(1), slow(times), most_case_s=1.0)
    assert done.verdicts["t0"] is Verdict.INCONCLUSIVE
    assert done.by_test["t0"].spent_s < 2.0


def test_workers_that_are_slow_to_start_keep_no_case_from_being_decided(compare):
    done = compare(suite(2), suite(2, t1=1.5), most_case_s=20.0, start_s=30.0)
    assert done.verdicts == {"t0": Verdict.PASS, "t1": Verdict.REGRESSED}


def test_time_up_for_the_run_ends_all_cases(compare):
    done = compare(suite(5), suite(5, t1=1.5), most_run_s=1.0)
    assert done.outcome.rounds < 5
    assert set(done.verdicts.values()) == {Verdict.INCONCLUSIVE}


def test_a_stricter_share_of_the_error_budget_takes_more_rounds(compare):
    few = compare(suite(1), suite(1, t0=1.5)).outcome.rounds
    many = compare(suite(200), suite(200, t0=1.5)).outcome.rounds
    assert many > few


# -- tests whose own call is compared


def calling(slower=1.0, *, fails_again=False, seed=5):
    """A suite whose first test has nothing but its call, which varies by 6 % from one play to the next."""
    rng = random.Random(seed)

    def value(worker):
        plays = sum(told.get("test") == "t0" and told["do"] == "go" for told in worker.told)
        return None if fails_again and plays > 1 else slower * worker.factor * rng.gauss(1.0, 0.06)

    return {"t0": [case("call", kind="value", value=value)], "t1": [case()]}


@pytest.mark.parametrize(("slower", "verdict"), [(1.0, Verdict.PASS), (1.3, Verdict.REGRESSED)])
def test_a_test_without_a_fixture_is_played_several_times_in_one_process(compare, slower, verdict):
    done = compare(calling(), calling(slower, seed=6))
    assert done.verdicts["t0"] is verdict
    assert done.outcome.rounds < 25
    for crew in done.crews.played[1:]:
        for name in ("base", "head"):
            told = [one for one in crew[name].told if one["do"] == "go"]
            places = [place for place, one in enumerate(told) if one["test"] == "t0"]
            if places:
                assert len(places) == 9
                assert all(told[place]["next"] == "t0" for place in places[:-1])
                assert told[places[-1]]["next"] != "t0", "the last play is torn down for what comes next"


def test_a_test_that_does_not_pass_twice_in_one_process_is_judged_by_its_first_plays(compare, monkeypatch):
    monkeypatch.setattr("paired_fakes.FAILING", ("failed", "FileExistsError"))
    done = compare(calling(fails_again=True), calling(1.5, fails_again=True, seed=6))
    series = done.by_test["t0"]
    assert not series.no_head
    assert not series.no_base
    assert series.standing.verdict is Verdict.REGRESSED


# -- workers that are lost


class Losing(FakeCrews):
    """Crews in some of which a worker is lost at a test, or before it."""

    def __init__(self, *args, losses, before=False, **how) -> None:
        super().__init__(*args, **how)
        self.losses, self.before = dict(losses), before

    def __call__(self, program, sides, rng):
        script = {name: dict(tests) for name, tests in self.scripts.items()}
        side, times = self.losses["side"], self.losses["times"]
        test = self.losses["test"]
        if len(self.played) < times:
            alive = self.scripts[side]
            lost = "dies" if self.before else [{**one, "dies": True} for one in alive[test]]
            kept, self.scripts = self.scripts, {**script, side: {**alive, test: lost}}
            manager = super().__call__(program, sides, rng)
            crew = manager.__enter__()
            self.scripts = kept
            return _Reopened(manager, crew)
        return super().__call__(program, sides, rng)


class _Reopened:
    def __init__(self, manager, crew) -> None:
        self.manager, self.crew = manager, crew

    def __enter__(self):
        return self.crew

    def __exit__(self, *how):
        return self.manager.__exit__(*how)


def losing(side, times, test="t1", *, before=False):
    def made(*args, **how):
        return Losing(*args, losses={"side": side, "times": times, "test": test}, before=before, **how)

    return made


@pytest.mark.parametrize("before", [False, True], ids=["while measuring", "before"])
@pytest.mark.parametrize("side", ["base", "head"])
def test_a_worker_lost_once_is_forgiven(compare, side, before):
    done = compare(suite(3), suite(3, t1=1.5), crews=losing(side, 1, before=before))
    assert done.verdicts == {"t0": Verdict.PASS, "t1": Verdict.REGRESSED, "t2": Verdict.PASS}
    assert not done.run.given_up
    assert not done.run.lost


@pytest.mark.parametrize("before", [False, True], ids=["while measuring", "before"])
def test_a_test_that_costs_head_two_workers_is_given_up_with_the_reason_and_the_others_go_on(compare, before):
    done = compare(suite(3), suite(3), crews=losing("head", 99, before=before))
    assert done.verdicts["t0"] is done.verdicts["t2"] is Verdict.PASS
    assert done.run.lost == {"t1": "the head worker ended with exit status 3"}
    if before:
        assert done.run.given_up == done.run.lost
        assert "t1" not in done.by_test
    else:
        assert done.by_test["t1"].no_head == "the head worker ended with exit status 3"
    assert sum("head" in played for played in done.played("t1")) == 2


@pytest.mark.parametrize("before", [False, True], ids=["while measuring", "before"])
def test_a_test_that_costs_base_two_workers_is_measured_at_head_alone(compare, before):
    done = compare(suite(3), suite(3), crews=losing("base", 99, before=before))
    assert done.verdicts["t0"] is done.verdicts["t2"] is Verdict.PASS
    assert "against the base, the base worker ended with exit status 3" in done.by_test["t1"].no_base
    assert done.by_test["t1"].has_head
    assert not done.run.lost
    assert not done.run.given_up
    assert done.played("t1")[-1] != {"base", "head"}


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_test_that_hangs_is_waited_for_once_only(compare, side):
    hanging = {**suite(3), "t1": [case(dies=True, hangs=True)]}
    sides = {"base": suite(3), "head": suite(3)} | {side: hanging}
    done = compare(sides["base"], sides["head"])
    assert done.verdicts["t0"] is done.verdicts["t2"] is Verdict.PASS
    assert sum(side in played for played in done.played("t1")) == 1
    assert set(done.run.lost) == ({"t1"} if side == "head" else set())


def test_a_test_that_costs_both_sides_their_workers_is_given_up(compare):
    deadly = {**suite(3), "t1": [case(dies=True)]}
    done = compare(deadly, deadly)
    assert done.verdicts["t0"] is done.verdicts["t2"] is Verdict.PASS
    assert set(done.run.lost) == {"t1"}
    assert done.by_test["t1"].no_head


def test_if_every_test_costs_head_its_workers_that_is_the_reason(compare):
    deadly = {"t0": [case(dies=True)]}
    done = compare(suite(1), deadly)
    assert done.run.lost == {"t0": "the head worker ended with exit status 3"}


def test_a_worker_that_cannot_be_started_ends_the_comparison(compare):
    class Dead(FakeCrews):
        def __call__(self, program, sides, rng):
            raise WorkerLostError(SimpleNamespace(side="head"), "the head worker ended with exit status 2\n    no pkg")

    with pytest.raises(CannotMeasureError, match="could not be started: the head worker ended with exit status 2"):
        compare(suite(1), suite(1), crews=Dead)


def test_a_base_that_cannot_start_leaves_head_to_be_measured_alone(compare):
    class NoBase(FakeCrews):
        def __call__(self, program, sides, rng):
            if "base" in sides:
                raise WorkerLostError(SimpleNamespace(side="base"), "the base worker ended with exit status 4: no name")
            return super().__call__(program, sides, rng)

    done = compare(suite(2), suite(2), crews=NoBase)
    assert {series.no_base for series in done.outcome.series} == {
        "the tests do not start against the base: the base worker ended with exit status 4: no name"
    }
    assert all(series.has_head for series in done.outcome.series)
    assert len(done.outcome.series) == 2
    assert done.outcome.rounds == 1


# -- tests that fail on a side


def test_a_test_that_fails_at_head_before_it_measures_is_given_up(compare):
    done = compare(suite(2), {**suite(2), "t1": []}, ending=("failed", "ValueError: boom (in its setup phase)"))
    assert done.run.given_up == {"t1": "the test fails: ValueError: boom (in its setup phase)"}
    assert not done.run.lost


def test_tests_that_measure_nothing_end_the_comparison_after_one_round(compare):
    done = compare({"t0": []}, {"t0": []})
    assert done.outcome.rounds == 1
    assert done.outcome.series == ()


def test_a_case_that_its_test_never_comes_to_the_end_of_is_not_waited_for(compare, monkeypatch):
    gone = {**suite(2), "t1": [case("hits", kind="value", raises=0)]}
    monkeypatch.setattr("paired_fakes.FAILING", ("passed", ""))
    done = compare(gone, gone)
    assert done.verdicts["t0"] is Verdict.PASS
    assert done.by_test["t1"].is_done
    assert done.outcome.rounds <= 5


def test_a_test_that_is_skipped_while_it_measures_is_over(compare, monkeypatch):
    monkeypatch.setattr("paired_fakes.FAILING", ("skipped", "not here"))
    skipping = {**suite(2), "t1": [case(raises=0)]}
    done = compare(suite(2), skipping)
    assert done.by_test["t1"].no_head == "the test is skipped: not here"
    assert len(done.played("t1")) == done.outcome.rounds


# -- the control


def test_base_is_compared_with_itself_in_every_round(compare):
    done = compare(suite(6), suite(6, t1=1.5))
    assert len(done.outcome.control) >= CONTROLLED_TESTS * 4
    assert max(map(abs, done.outcome.control)) < 0.03


def test_a_contaminated_run_regresses_only_what_stands_out(compare):
    base, head = suite(7), suite(7, t1=1.3, t2=0.8, t3=20.0)
    done = compare(base, head, control_spread=0.3)
    assert "base against itself scatters" in done.outcome.contaminated
    found = packed_findings(done.outcome, done.run, SIDES)
    by_test = {test: finding["verdict"] for test, (finding,) in found["findings"].items()}
    assert by_test["t1"] == by_test["t2"] == "inconclusive"
    assert by_test["t3"] == "regressed", "no scatter of base makes anything 20 times slower"
    assert by_test["t0"] == "pass"
    assert "base against itself" in found["findings"]["t1"][0]["change"]["doubt"]
    assert any("only changes that stand out from it are called" in note for note in found["notes"])


def test_findings_carry_the_evidence(compare):
    done = compare(suite(2), suite(2, t1=1.5))
    found = packed_findings(done.outcome, done.run, SIDES)
    assert {test: finding["verdict"] for test, (finding,) in found["findings"].items()} == {
        "t0": "pass",
        "t1": "regressed",
    }
    change = found["findings"]["t1"][0]["change"]
    assert change["ratio"] == pytest.approx(1.5, rel=0.03)
    assert change["interval"][0] < change["ratio"] < change["interval"][1]
    assert change["against"] == "3f2c1ab"
    assert change["processes"] == 2 * done.outcome.rounds
    assert change["pairs"] == 48 * done.outcome.rounds


def test_a_comparison_in_which_nothing_of_it_was_imported_is_refused(compare, monkeypatch):
    monkeypatch.setattr(
        "paired_fakes.FakeWorker._over",
        lambda self, outcome, problem: {"say": "over", "outcome": outcome, "problem": problem, "loaded": {}},
    )
    with pytest.raises(AgainstError, match=r"no test imported pkg.*a test has to import what is compared"):
        compare(suite(1), suite(1))


def test_what_is_started_may_have_imported_it_and_that_is_told(compare, monkeypatch):
    monkeypatch.setattr(
        "paired_fakes.FakeWorker._over",
        lambda self, outcome, problem: {"say": "over", "outcome": outcome, "problem": problem, "loaded": {}},
    )
    mixed = {"t0": [case("startup.imports")], "t1": [case()]}
    done = compare(mixed, mixed)
    assert set(done.verdicts.values()) == {Verdict.PASS}
    (note,) = packed_findings(done.outcome, done.run, SIDES)["notes"]
    assert note == "no test imported pkg in its own process; only what it starts can have"


def test_what_workers_know_besides_times_is_head_s_and_told_where_base_differs(compare):
    def imports(*modules):
        extra = {"module_names": list(modules), "modules": len(modules), "cpu_s": 0.25, "p95_s": 1e9}
        return case("startup.imports", knows={"extra": extra, "warnings": ["said in every round"]})

    done = compare({"t": [imports("pkg", "json")]}, {"t": [imports("pkg", "decimal", "numbers")]})
    (found,) = packed_findings(done.outcome, done.run, SIDES)["findings"]["t"]
    assert found["warnings"] == ["said in every round", "imports 3 modules, 2 at base: new decimal, numbers; gone json"]
    assert found["extra"]["module_names"] == ["pkg", "decimal", "numbers"]
    assert (found["extra"]["modules"], found["extra"]["cpu_s"]) == (3, 0.25)
    assert found["extra"]["p95_s"] < 1, "of the paired blocks"
    (series,) = done.outcome.series
    assert len(series.facts["base"]) == len(series.facts["head"]) == len(series.head)
    series.facts["head"][0] = {**series.facts["head"][0], "warnings": ["said in one round"]}
    (found,) = packed_findings(done.outcome, done.run, SIDES)["findings"]["t"]
    assert [warning[:7] for warning in found["warnings"]] == ["imports"]
