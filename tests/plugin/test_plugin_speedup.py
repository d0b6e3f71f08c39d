"""A speedup from the call to the report, in every setting."""

from __future__ import annotations

CURVE = """
    import time

    def wait(item):
        time.sleep(0.01)
        return item

    def test_scaling(speedup):
        assert speedup(wait, range(8), workers=[2, 4], repeats=1, warmup=0) == list(range(8))
"""


def test_a_curve_is_drawn_for_people_and_kept_for_programs(project, setting):
    project.test(CURVE)
    run = project.run(*setting, "--perfgate-report=markdown=run.md")
    assert run.ret == 0
    extra = run.cases["test_scaling#speedup"]["extra"]
    assert [workers for workers, _ in extra["curve"]] == [2, 4]
    assert len(extra["curve_noise"]) == 2
    assert "gil_before" in extra
    assert "usl_contention" not in extra, "two points carry no such fit"
    assert "machine_ceiling" not in extra, "waiting needs no cores"
    if "no:terminal" not in setting:
        assert "scaling of test_it.py::test_scaling#speedup" in run.out
        assert "        4  ██" in run.out
    assert "        4  ██" in (project.path / "run.md").read_text("utf-8")


def test_a_terminal_without_such_signs_shows_it_in_ascii(project, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    project.test(CURVE)
    run = project.run()
    assert run.ret == 0
    assert "        4  ##" in run.out
    assert "\\u" not in run.out


def test_work_that_needs_cores_is_held_against_what_the_machine_gives(project):
    project.test("""
        import hashlib

        def work(rounds):
            return hashlib.pbkdf2_hmac("sha256", b"a", b"b", rounds)

        @pytest.mark.budget(efficiency=0.9, speedup=1.9)
        def test_hashing(speedup):
            speedup(work, [20_000] * 4, workers=2, repeats=1, warmup=0)
    """)
    run = project.run()
    case = run.cases["test_hashing#speedup"]
    assert case["extra"]["kind"] in {"cpu-bound", "mixed", "io-bound"}, "on a busy machine anything"
    if case["extra"]["capacity"] >= 2 and case["extra"]["kind"] == "cpu-bound":
        assert case["extra"]["machine_ceiling"] > 0
