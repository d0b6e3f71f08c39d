"""Code that differs between the sides and is not swapped is measured twice at head: that never passes."""

from __future__ import annotations

import pytest
from against import Trial

HITS = "def test_hits(metric):\n    metric('hits', {value})\n"
#: Where nobody looks for packages by itself, and what a test says to measure it: files, import, value.
HIDDEN = {
    "scripts of a flat project": (
        {"pytest.ini": "[pytest]\npythonpath = .\n", "app/__init__.py": "from scripts.text import HITS"},
        "scripts/text.py",
        "import app",
        "app.HITS",
    ),
    "a folder that is put on the path": (
        {"src/app/__init__.py": "", "conftest.py": "import sys; sys.path += ['src', 'odd']"},
        "odd/more/text.py",
        "import app, more.text",
        "more.text.HITS",
    ),
    "a package under another name": (
        {"src/app/__init__.py": "", "pytest.ini": "[pytest]\npythonpath = . src\n"},
        "src/app/text.py",
        "import app, src.app.text",
        "src.app.text.HITS",
    ),
}


@pytest.mark.parametrize("layout", HIDDEN)
def test_what_differs_and_is_not_swapped_never_passes(tmp_path, layout):
    files, changed, imported, value = HIDDEN[layout]
    trial = Trial(tmp_path)
    trial.base({**files, changed: "HITS = 2", "tests/test_it.py": f"{imported}\n{HITS.format(value=value)}"})
    trial.head({changed: "HITS = 3"})
    run = trial.run()
    assert run.ret == 1, run.text
    assert run.verdicts == {"test_hits#hits": "failed-to-measure"}
    reason = run.cases["test_hits#hits"]["reason"]
    assert f"{changed} differs between base and head" in reason
    assert "it was head's on both sides; name it: [tool.perfgate] packages = [" in reason
    assert "hold the same code" not in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize(
    ("arguments", "plugins"), [(["-n2"], ["xdist"]), (["-p", "no:terminal"], []), (["--junitxml=pytest.xml"], [])]
)
def test_it_never_passes_in_any_setting(tmp_path, arguments, plugins):
    files, changed, imported, value = HIDDEN["scripts of a flat project"]
    trial = Trial(tmp_path)
    trial.base({**files, changed: "HITS = 2", "tests/test_it.py": f"{imported}\n{HITS.format(value=value)}"})
    trial.head({changed: "HITS = 3"})
    run = trial.run(*arguments, plugins=plugins)
    assert (run.ret, run.verdicts) == (1, {"test_hits#hits": "failed-to-measure"}), run.text


def test_the_remedy_works(tmp_path):
    files, changed, imported, value = HIDDEN["scripts of a flat project"]
    trial = Trial(tmp_path)
    settings = {"pyproject.toml": '[tool.perfgate]\npackages = ["app", "scripts"]\n'}
    test = {"tests/test_it.py": f"{imported}\n{HITS.format(value=value)}"}
    trial.base({**files, **settings, **test, changed: "HITS = 2"})
    trial.head({changed: "HITS = 3"})
    assert trial.run().verdicts == {"test_hits#hits": "regressed"}


def test_what_only_one_side_has_never_passes(tmp_path):
    trial = Trial(tmp_path)
    test = "import app\ntry:\n    from scripts.text import HITS\nexcept ImportError:\n    HITS = 2\n"
    base = {"app.py": "", "pytest.ini": "[pytest]\npythonpath = .\n"}
    trial.base({**base, "tests/test_it.py": test + HITS.format(value="HITS")})
    trial.head({"scripts/text.py": "HITS = 3"})
    run = trial.run()
    assert (run.ret, run.verdicts) == (1, {"test_hits#hits": "failed-to-measure"}), run.text
    assert "scripts/text.py differs between base and head" in run.cases["test_hits#hits"]["reason"]


def test_tests_and_what_serves_them_are_heads_on_both_sides(tmp_path):
    trial = Trial(tmp_path)
    test = f"import app, helping, conftest\n{HITS.format(value='helping.HITS')}"
    base = {"app.py": "", "conftest.py": "", "tests/helping.py": "HITS = 2"}
    trial.base({**base, "pytest.ini": "[pytest]\npythonpath = .\n", "tests/test_it.py": test})
    trial.head({"conftest.py": "V = 1", "tests/helping.py": "HITS = 3"})
    own = "[pytest]\npythonpath = .\npython_files = bench_*.py test_*.py\n"
    trial.head({"odd/bench_it.py": HITS.format(value=4).replace("hits(", "own("), "pytest.ini": own})
    run = trial.run()
    assert (run.ret, run.verdicts) == (0, {"test_hits#hits": "pass", "test_own#hits": "pass"}), run.text


def test_the_same_code_is_not_said_of_a_tree_that_differs_elsewhere(tmp_path):
    trial = Trial(tmp_path)
    trial.base({"app.py": "HITS = 2", "scripts/a.py": "", "test_it.py": f"import app\n{HITS.format(value='app.HITS')}"})
    trial.head({"scripts/a.py": "V = 1", "scripts/b.py": ""})
    run = trial.run()
    assert run.ret == 0, run.text
    assert "hold the same code" not in run.text
    assert any(
        "scripts/a.py and 1 more, which differs, is not compared" in note for note in run.json["summary"]["notes"]
    )
