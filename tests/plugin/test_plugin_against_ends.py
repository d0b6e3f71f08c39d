"""However a comparison ends, it leaves nothing behind; and one that cannot begin says so once."""

from __future__ import annotations

import signal
import sys
import time

import pytest
from against import Trial

PATIENCE_S = 60.0
ENDLESS = """
    import time
    import pkg

    def test_endless(perf):
        perf(pkg.nap)
"""
INTERRUPTING = """
    import pkg
    import pytest

    @pytest.fixture
    def prepared():
        return pkg.job()

    def test_it(perf):
        perf(pkg.job)

    def test_prepared(metric, prepared):
        metric("v", prepared)

    def test_more(metric):
        metric("v", pkg.V)
"""
NAP = """
    import time

    def nap():
        time.sleep({seconds})
"""


@pytest.fixture
def trial(tmp_path):
    trial = Trial(tmp_path)
    trial.base({"pkg.py": NAP.format(seconds=0.5), "test_it.py": ENDLESS})
    trial.head({"pkg.py": NAP.format(seconds=0.6)})
    return trial


def test_an_interruption_that_a_target_raises_is_told_as_what_it_is(tmp_path):
    trial = Trial(tmp_path)
    trial.base({"pkg.py": "V = 1\ndef job(): raise KeyboardInterrupt\n", "test_it.py": INTERRUPTING})
    trial.head({"pkg.py": "V = 1\ndef job(): return 1\n"})
    run = trial.run()
    assert run.verdicts.pop("test_more#v") == "pass", run.text
    assert run.verdicts == dict.fromkeys(["test_it#perf", "test_prepared#v"], "no-baseline")
    for name in run.verdicts:
        assert "the test raised KeyboardInterrupt" in run.cases[name]["reason"]


def eventually(condition):
    """Wait until *condition* holds, generously."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("plugins", [(), ("xdist",)], ids=["plain", "xdist"])
def test_ctrl_c_leaves_no_worker_and_no_folder(trial, plugins):
    before = trial.repository.state()
    process = trial.start(*(["-n2"] if plugins else []), plugins=plugins)
    try:
        assert eventually(lambda: len(trial.workers()) >= 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 2, out + err
    assert eventually(lambda: not trial.workers())
    assert [path.name for path in trial.tmp.glob("perfgate-*/*")] == []
    assert [path.name for path in trial.tmp.glob("pytest-perfgate-*")] == []
    assert trial.repository.state() == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker notices when it next speaks")
def test_kill_leaves_no_worker_and_the_next_run_takes_the_folder_away(trial):
    process = trial.start()
    try:
        assert eventually(lambda: len(trial.workers()) >= 2)
    finally:
        process.kill()
        process.communicate()
    assert eventually(lambda: not trial.workers())
    assert list(trial.tmp.glob("perfgate-*/*"))
    trial.head({"test_it.py": "import pkg\ndef test_n(metric): metric('n', 1)\n"})
    assert trial.run().ret == 0
    assert [path.name for path in trial.tmp.glob("perfgate-*/*")] == []
    assert [path.name for path in trial.tmp.glob("pytest-perfgate-*")] == []


def test_two_gates_in_one_checkout_do_not_disturb_each_other(trial):
    trial.head({"pkg.py": "HITS = 2", "test_it.py": "import pkg\ndef test_n(metric): metric('n', pkg.HITS)\n"})
    trial.repository.commit()
    trial.head({"pkg.py": "HITS = 4"})
    before = trial.repository.state()
    processes = [trial.start(f"--perfgate-report=json=run{n}.json") for n in range(2)]
    told = [process.communicate(timeout=PATIENCE_S * 2) for process in processes]
    for process, (out, err) in zip(processes, told, strict=True):
        assert process.returncode == 1, out + err
        assert "n of test_n regressed: +100.0 %" in out
    for n in range(2):
        (trial.path / f"run{n}.json").unlink()
    assert trial.repository.state() == before


def test_another_checkout_may_be_the_base(trial, tmp_path):
    test = "import pkg\ndef test_n(metric): metric('n', pkg.HITS)\n"
    trial.head({"pkg.py": "HITS = 4", "test_it.py": test})
    other = Trial(tmp_path / "other")
    other.base({"pkg.py": "HITS = 2"})
    run = trial.run(against=f"path:{other.path}")
    assert run.verdicts == {"test_n#n": "regressed"}
    assert "other" in run.cases["test_n#n"]["reason"]


MISTAKES = {
    "unknown revision": (["--perfgate-against=no-such-branch"], "no-such-branch"),
    "no folder": (["--perfgate-against=path:no-such-folder"], "no-such-folder"),
    "both": (["--perfgate-against=HEAD", "--perfgate-baseline=base.json"], "compare with one or the other"),
}


@pytest.mark.parametrize(("arguments", "words"), list(MISTAKES.values()), ids=list(MISTAKES))
@pytest.mark.parametrize("plugins", [(), ("xdist",)], ids=["plain", "xdist"])
def test_what_cannot_be_compared_with_is_one_message_and_a_usage_error(trial, arguments, words, plugins):
    run = trial.run(*arguments, *(["-n2"] if plugins else []), against=None, plugins=plugins)
    assert run.ret == 4, run.text
    assert run.text.count("perfgate: ") == 1
    assert words in run.text
    assert "Traceback" not in run.text


def test_outside_of_a_repository_a_revision_is_a_usage_error(tmp_path):
    trial = Trial(tmp_path)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "pkg.py").write_text("V = 1")
    (plain / "test_it.py").write_text("import pkg\ndef test_v(metric): metric('v', 1)\n")
    trial.path = plain
    run = trial.run()
    assert run.ret == 4, run.text
    assert "git" in run.text
    assert "Traceback" not in run.text
