import sys

import pytest

PYGMENTIZE = [sys.executable, "-m", "pygments"]


@pytest.mark.budget(s=3)
@pytest.mark.parametrize("arguments", [["-V"], ["-h"], ["-N", "setup.py"]], ids=["version", "help", "guess"])
def test_command(startup, arguments):
    done = startup.command([*PYGMENTIZE, *arguments], runs=10)
    assert done.stdout


@pytest.mark.budget(s=2, modules=60, forbid=["pygments.lexers.python", "pygments.formatters.html", "asyncio"])
def test_importing_the_package_loads_no_lexer(startup):
    startup.imports("pygments", runs=10)
