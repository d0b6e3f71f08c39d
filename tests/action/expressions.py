"""The expression language of GitHub Actions: text to a tree, a tree and contexts to a value; knows no step."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[-+]?(?:0x[0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?)(?![\w.]))
    | (?P<text>'(?:[^']|'')*')
    | (?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],.*])
    | (?P<word>[A-Za-z_][\w-]*)
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_STATUS_FUNCTIONS = frozenset({"success", "failure", "cancelled", "always"})
#: Signs that bind more tightly come later.
_BINDING = ({"||"}, {"&&"}, {"==", "!="}, {"<", "<=", ">", ">="})


class ExpressionError(Exception):
    """GitHub would refuse the expression."""


class Node(NamedTuple):
    """A part of an expression."""

    kind: str
    """``constant name get star call not`` or a sign with two sides."""
    value: Any = None
    """A constant, a name, the name of a function."""
    parts: tuple[Node, ...] = ()


def parse(text: str) -> Node:
    """Read an expression without ``${{ }}``."""
    parser = _Parser(list(_tokens(text)))
    tree = parser.binary(0)
    if parser.tokens:
        raise ExpressionError(f"unexpected {parser.tokens[0][1]!r} in {text!r}")
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"cannot read {text[at:]!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def take(self, *signs: str) -> str | None:
        if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return None

    def need(self, sign: str) -> None:
        if self.take(sign) is None:
            raise ExpressionError(f"{sign!r} is missing")

    def binary(self, level: int) -> Node:
        if level == len(_BINDING):
            return self.unary()
        left = self.binary(level + 1)
        while sign := self.take(*_BINDING[level]):
            left = Node(sign, parts=(left, self.binary(level + 1)))
        return left

    def unary(self) -> Node:
        if self.take("!"):
            return Node("not", parts=(self.unary(),))
        found = self.primary()
        while sign := self.take(".", "["):
            if self.take("*"):
                found = Node("star", parts=(found,))
            elif sign == ".":
                kind, word = self.tokens.pop(0) if self.tokens else ("", "")
                if kind != "word":
                    raise ExpressionError("a name is missing after the dot")
                found = Node("get", parts=(found, Node("constant", word)))
                continue
            else:
                found = Node("get", parts=(found, self.binary(0)))
            if sign == "[":
                self.need("]")
        return found

    def primary(self) -> Node:
        if self.take("("):
            inner = self.binary(0)
            self.need(")")
            return inner
        if not self.tokens:
            raise ExpressionError("the expression ends too early")
        kind, word = self.tokens.pop(0)
        if kind == "number":
            return Node("constant", float(int(word, 16) if "x" in word else float(word)))
        if kind == "text":
            return Node("constant", word[1:-1].replace("''", "'"))
        if kind != "word":
            raise ExpressionError(f"unexpected {word!r}")
        if self.take("("):
            return Node("call", word.lower(), tuple(self.arguments()))
        return Node("constant", _CONSTANTS[word]) if word in _CONSTANTS else Node("name", word)

    def arguments(self) -> Iterator[Node]:
        if self.take(")"):
            return
        yield self.binary(0)
        while self.take(","):
            yield self.binary(0)
        self.need(")")


def walk(tree: Node) -> Iterator[Node]:
    """Give every part of an expression."""
    yield tree
    for part in tree.parts:
        yield from walk(part)


def evaluate(  # noqa: C901  # one branch per kind of node
    tree: Node, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Work an expression out.

    Args:
        tree: The expression.
        contexts: ``github``, ``inputs``, ``steps`` ...
        functions: Those that depend on the job: ``success``, ``always``, ``hashfiles`` ...
    """

    def value(node: Node) -> Any:  # noqa: PLR0911  # likewise
        kind, parts = node.kind, node.parts
        if kind == "constant":
            return node.value
        if kind == "name":
            return _lookup(contexts, node.value, missing=ExpressionError(f"there is no context {node.value!r}"))
        if kind == "get":
            return _get(value(parts[0]), value(parts[1]))
        if kind == "star":
            found = value(parts[0])
            return list(found.values()) if isinstance(found, Mapping) else found if isinstance(found, list) else []
        if kind == "not":
            return not truthy(value(parts[0]))
        if kind == "||":
            left = value(parts[0])
            return left if truthy(left) else value(parts[1])
        if kind == "&&":
            left = value(parts[0])
            return value(parts[1]) if truthy(left) else left
        if kind == "call":
            function = {**_FUNCTIONS, **functions}.get(node.value)
            if function is None:
                raise ExpressionError(f"there is no function {node.value!r}")
            return function(*map(value, parts))
        return _compare(kind, value(parts[0]), value(parts[1]))

    return value(tree)


def expand(text: object, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> str:
    """Replace each ``${{ }}`` of a text of the YAML file."""
    written = as_text(text)
    return "".join(
        as_text(evaluate(parse(part), contexts, functions)) if inside else part for inside, part in split(written)
    )


def holds(condition: object, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> bool:
    """Work out an ``if:``, which asks for success where it does not ask for another status."""
    written = as_text(condition).strip() if condition is not None else ""
    pieces = [piece for piece in split(written) if piece[1].strip()]
    if any(inside for inside, _ in pieces):
        if len(pieces) > 1:
            raise ExpressionError(f"text beside an expression makes a condition always true: {written!r}")
        written = pieces[0][1]
    if not written:
        return bool(functions["success"]())
    tree = parse(written)
    asks = any(node.kind == "call" and node.value in _STATUS_FUNCTIONS for node in walk(tree))
    return (asks or bool(functions["success"]())) and truthy(evaluate(tree, contexts, functions))


def split(text: str) -> Iterator[tuple[bool, str]]:
    """Take a text apart into what is inside ``${{ }}`` and what is not."""
    while (start := text.find("${{")) >= 0:
        yield False, text[:start]
        end, quoted = start + 3, False
        while quoted or not text.startswith("}}", end):
            if end >= len(text):
                raise ExpressionError(f"an expression is not closed: {text!r}")
            quoted ^= text[end] == "'"
            end += 1
        yield True, text[start + 3 : end]
        text = text[end + 2 :]
    yield False, text


def truthy(value: Any) -> bool:
    """Tell what counts as true."""
    if isinstance(value, float):
        return not (value == 0 or math.isnan(value))
    return value not in (None, False, "") or isinstance(value, (list, Mapping))


def as_text(value: Any) -> str:
    """Write a value as the runner does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.15g}"
    if isinstance(value, str):
        return value
    return "Array" if isinstance(value, list) else "Object"


def _lookup(mapping: Mapping[str, Any], key: str, missing: Exception | None = None) -> Any:
    for name, value in mapping.items():
        if name.lower() == key.lower():
            return value
    if missing is not None:
        raise missing
    return None


def _get(owner: Any, key: Any) -> Any:
    if isinstance(owner, Mapping):
        return _lookup(owner, as_text(key))
    if isinstance(owner, list):
        if isinstance(key, str):  # what `.*` gave: the member of each
            return [found for one in owner if (found := _get(one, key)) is not None]
        index = _number(key)
        return owner[int(index)] if 0 <= index < len(owner) else None
    return None


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            return float(value.strip() or "0")
        except ValueError:
            return math.nan
    return math.nan if isinstance(value, (list, Mapping)) else float(value)


def _compare(sign: str, left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.upper(), right.upper()
    elif type(left) is not type(right):
        left, right = _number(left), _number(right)
    if sign == "==":
        return bool(left == right)
    if sign == "!=":
        return bool(left != right)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_compare("==", one, what) for one in where)
    return as_text(what).upper() in as_text(where).upper()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: as_text(text).upper().startswith(as_text(start).upper()),
    "endswith": lambda text, end: as_text(text).upper().endswith(as_text(end).upper()),
    "format": lambda text, *values: re.sub(r"\{(\d+)\}", lambda found: as_text(values[int(found[1])]), text),
    "join": lambda values, glue=",": glue.join(map(as_text, values)),
    "tojson": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    "fromjson": json.loads,
}
