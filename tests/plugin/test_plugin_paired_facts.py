"""What is known of head besides its time, in a comparison: budgets hold on it, and findings tell it."""

from __future__ import annotations

import pytest
from checkouts import Repository

pytestmark = pytest.mark.slow

BASE = "def work():\n    return sum(range(300))\n"
HEAD = f"import colorsys, stringprep\n{BASE}"
TESTS = """
import sys, time
import pytest
import pkg

budget = pytest.mark.budget

@budget(modules=1)
def test_modules(startup):
    startup.imports("pkg")

@budget(forbid=["stringprep"])
def test_forbid(startup):
    startup.imports("pkg", forbid=["colorsys"])

@budget("peak < 2 GB", "cpu < 1 min", "page_faults > 1", modules=1000)
def test_allowed(startup):
    startup.imports("pkg", forbid=["tkinter"])

@budget("peak < 1 MB", "cpu < 1 ns", "page_faults < 1")
def test_command(startup):  # a child's peak is its own when it is above that of its parent
    startup.command([sys.executable, "-c", "import pkg; held = b'x' * (150 << 20)"])

@budget("ratio_to_bare < 1000", "first_run_s < 60 s", "bare_s < 60 s")
def test_beside_bare(startup):
    startup.command([sys.executable, "-c", "import pkg"])

@budget("p(95) < 1 h", "max < 1 h", "min < 1 h", "mean < 1 h", "stddev < 1 h", "count > 5", "rate > 1/s")
def test_statistics(perf):
    perf(pkg.work)

@budget("p(95) < 1 ns", "max < 1 ns", "min < 1 ns", "mean < 1 ns", "stddev < 1e-6 ns", "count < 2", "first_call < 1 ns")
def test_strict_statistics(perf):
    perf(pkg.work)

@budget(kb=1)
def test_peak(memory):
    with memory.peak():
        held = b"x" * (8 << 20)

@budget("growth < 1 B/call", "blocks_per_call < 0.5 blocks/call")
def test_growth(memory):
    held = []
    memory.growth(lambda: held.append(bytearray(1000)))

@budget("speedup > 0.01", efficiency=0.001)
def test_speedup(speedup):
    speedup(lambda _: time.sleep(0.002), range(8), workers=2)

@budget("hits > 100")
def test_metric(metric):
    metric("hits", 93)
"""

#: Test -> what its limits say, and of those that hold how many there are.
BROKEN = {
    "modules": ["modules 4 > 1"],
    "forbid": ["imports stringprep, colorsys, which the budget forbids"],
    "command": ["peak ", "cpu ", "page_faults "],
    "strict_statistics": ["p(95) ", "max ", "min ", "mean ", "stddev ", "count ", "first_call "],
    "peak": ["value 8"],
    "growth": ["growth 1", "blocks_per_call "],
    "metric": ["hits 93 <= 100"],
}
HELD = {"allowed": 5, "beside_bare": 3, "statistics": 7, "speedup": 2}


def test_budgets_hold_on_what_head_was_measured_to_be(project):
    repository = Repository(project.path)
    repository.commit({"pkg.py": BASE, "test_it.py": TESTS, ".gitignore": "*.json\n__pycache__\n"})
    repository.write({"pkg.py": HEAD})
    run = project.run("--perfgate-against=HEAD", "--perfgate-max-time=2s")
    assert run.ret == 1
    cases = {case["test"].partition("::test_")[2]: case for case in run.json["cases"]}
    assert len(cases) == len(run.json["cases"]) == len(BROKEN) + len(HELD)
    broken = {name: [check for check in case["budgets"] if not check["holds"]] for name, case in cases.items()}
    for name, reasons in BROKEN.items():
        assert cases[name]["verdict"] == "over-budget", name
        said = [check["reason"] for check in broken[name]]
        assert len(said) == len(cases[name]["budgets"]) == len(reasons), said
        assert all(any(text.startswith(reason) for text in said) for reason in reasons), said
    for name, count in HELD.items():
        assert (len(cases[name]["budgets"]), broken[name]) == (count, []), run.text
    imports = "imports 4 modules, 1 at base: new colorsys, stringprep, unicodedata"
    told = {name for name, case in cases.items() if imports in case["warnings"]}
    assert told == {"modules", "forbid", "allowed"}
    assert not any("page faults" in warning for warning in cases["statistics"]["warnings"])
