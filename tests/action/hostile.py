"""Texts that strangers choose: names of tests, branches, values of inputs; what must not become of them is a test's."""

from __future__ import annotations

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "a\n::error::forged",
    "::error::forged",
    "::add-mask::a",
    "--> <!-- @everyone",
    "<script>alert(1)</script>",
    "${{ github.token }}",
    "x\nghadelimiter\nstatus=pass",
    "a|b [c](http://x) **d**",
]
