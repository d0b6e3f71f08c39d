"""``python -m pytest_perfgate`` is the console command ``perfgate``; nothing else belongs here."""

from __future__ import annotations

from pytest_perfgate.cli import entry_point

if __name__ == "__main__":
    entry_point()
