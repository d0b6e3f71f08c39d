"""The files that README.md and the documentation show, by the name in their first line; nothing is checked here."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if "_build" not in page.parts]
_BLOCK = re.compile(
    r"^```(?:yaml|sh|groovy)\n(?:#!.*\n)?(?:#|//) (?P<name>[\w./-]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
#: Page and name -> name and content.
SHOWN = {
    f"{page.relative_to(ROOT).as_posix()}:{found['name']}": (found["name"], found[0].partition("\n")[2][:-3])
    for page in PAGES
    for found in _BLOCK.finditer(page.read_text("utf-8"))
}
#: Page and name -> content of each workflow for GitHub.
WORKFLOWS = {place: text for place, (name, text) in SHOWN.items() if name.startswith(".github/workflows/")}


def shown(name: str) -> str:
    """Return the content of a file; every page that shows it shows the same."""
    (text,) = {text for found, text in SHOWN.values() if found == name}
    return text
