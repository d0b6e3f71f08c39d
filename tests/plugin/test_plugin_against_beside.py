"""Code beside the packages is compared as they are: no layout hides it from the test that measures it."""

from __future__ import annotations

import pytest
from against import Trial

TEST = "import {module}\n\ndef test_hits(metric):\n    metric('hits', {module}.HITS)\n"
PYTEST = "[pytest]\npythonpath = {}\n"
LAYOUTS = {
    "utils": (
        {"pytest.ini": PYTEST.format("."), "app/__init__.py": "from utils.text import HITS"},
        "utils/text.py",
    ),
    "src and top": (
        {"pytest.ini": PYTEST.format(". src"), "src/twoa/__init__.py": "from helpermod import HITS"},
        "helpermod.py",
    ),
    "declared": (
        {
            "pyproject.toml": '[tool.setuptools]\npackages = ["twoa"]\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "twoa/__init__.py": "from twob.core import HITS",
            "twob/__init__.py": "",
        },
        "twob/core.py",
    ),
    "namespace": (
        {"pytest.ini": PYTEST.format("."), "twoa/__init__.py": "from twob.core import HITS"},
        "twob/core.py",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_became_worse_beside_the_package_fails(tmp_path, layout):
    files, changed = LAYOUTS[layout]
    module = "app" if layout == "utils" else "twoa"
    trial = Trial(tmp_path)
    trial.base({**files, "tests/test_it.py": TEST.format(module=module), changed: "HITS = 2"})
    trial.head({changed: "HITS = 3"})
    run = trial.run()
    assert (run.ret, run.verdicts) == (1, {"test_hits#hits": "regressed"}), run.text
