"""Finds what no linter of actions looks for: a reference to an output, an input or a step that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from action.expressions import Node, parse, split, walk

#: What the nested actions give, by their own action.yml.
NESTED_OUTPUTS = {
    "actions/cache/restore": {"cache-hit", "cache-primary-key", "cache-matched-key"},
    "actions/cache/save": set(),
}
_KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def mistakes(spec: Mapping[str, Any], written: Mapping[str, set[str]]) -> Iterator[str]:
    """Find references to nothing.

    Args:
        spec: The content of ``action.yml``.
        written: Id of a step -> names of the outputs that it was seen to write.
    """
    known: dict[str, set[str]] = {}
    used: set[str] = set()
    for step in spec["runs"]["steps"]:
        yield from _wrong(step["name"], list(_trees(step)), spec["inputs"], known, used)
        if step.get("id") in known:
            yield f"two steps are called {step['id']}"
        if "id" in step:
            nested = step.get("uses", "").partition("@")[0]
            known[step["id"]] = NESTED_OUTPUTS[nested] if nested else set(written.get(step["id"], ()))
    yield from _wrong("outputs", list(_trees(spec["outputs"])), spec["inputs"], known, used)
    yield from (f"the input {name} is not used" for name in spec["inputs"] if name not in used)
    for kind in ("inputs", "outputs"):
        for name, about in spec[kind].items():
            if not _KEBAB.fullmatch(name):
                yield f"{name} is not written with dashes"
            if not about.get("description"):
                yield f"{name} has no description"


def _wrong(
    where: str, trees: list[Node], inputs: Mapping[str, Any], known: Mapping[str, set[str]], used: set[str]
) -> Iterator[str]:
    for node in (node for tree in trees for node in walk(tree)):
        path = _path(node)
        if path[:1] == ["inputs"] and len(path) > 1:
            used.add(path[1])
            if path[1] not in inputs:
                yield f"{where}: there is no input {path[1]}"
        if path[:1] == ["steps"] and len(path) > 1:
            if path[1] not in known:
                yield f"{where}: there is no earlier step {path[1]}"
            elif path[2:3] == ["outputs"] and len(path) > 3 and path[3] not in known[path[1]]:
                yield f"{where}: the step {path[1]} writes no {path[3]}"


def _path(node: Node) -> list[str]:
    """Return ``["steps", "plan", "outputs", "x"]`` of ``steps.plan.outputs.x``; empty for anything else."""
    if node.kind == "name":
        return [node.value]
    if node.kind == "get" and node.parts[1].kind == "constant" and (owner := _path(node.parts[0])):
        return [*owner, str(node.parts[1].value)]
    return []


def _trees(part: Any, key: str = "") -> Iterator[Node]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _trees(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _trees(inner)
    elif isinstance(part, str):
        if key == "if" and "${{" not in part:
            yield parse(part)
        yield from (parse(text) for inside, text in split(part) if inside)
