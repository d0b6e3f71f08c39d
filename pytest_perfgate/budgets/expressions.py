"""Expressions such as ``p(95) < 8ms``: text -> limit, or an error that points at the column."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NoReturn

from pytest_perfgate import units
from pytest_perfgate.budgets.limits import (
    SHORT_UNITS,
    STATISTICS,
    meant_statistic,
    new_limit,
    split_subject,
    unit_of,
    unmeetable,
)
from pytest_perfgate.errors import BudgetSyntaxError
from pytest_perfgate.model import Limit, Operator
from pytest_perfgate.words import closest, did_you_mean, printable

_OPERATOR = re.compile("[<>=!\u2264\u2265]+")
_OPERATORS = {operator.value for operator in Operator}
_MEANT_OPERATOR = {"=<": "<=", "\u2264": "<=", "=>": ">=", "\u2265": ">=", "<<": "<", ">>": ">"}

_WORD = r"[\w.:-]+"
_SUBJECT = re.compile(
    rf"\s*(?P<first>{_WORD})?(?:\s+(?P<second>{_WORD}))?"
    r"\s*(?P<call>\((?P<inside>[^()]*)(?P<closed>\))?)?\s*"
)
_METRIC = re.compile(r"[^\W\d][\w-]*(?:[.:][\w-]+)*")
_UNIT = r"[^\W\d_]+(?:/[^\W\d_]+)?|/s\b|[%\u00d7]"
_BOUND = re.compile(rf"\s*(?P<number>{units.NUMBER})?\s*(?P<unit>{_UNIT})?\s*")
_CONNECTOR = re.compile(r"&+|\|+|,|;|\b(?:and|or)\b")

_UNIT_ALIASES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("usec", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hour", "hours"), "h"),
    **dict.fromkeys(("percent", "pct"), "%"),
    **dict.fromkeys(("byte",), "bytes"),
    **dict.fromkeys(("calls/s", "ops/s", "req/s", "it/s", "hz"), "/s"),
}
#: Units are short words: "mz" shares half of its letters with "ms".
_ALIKE = 0.5
_LARGEST_PERCENTILE = 100
#: Not printable, and meant as a blank all the same.
_BLANKS = "\t\n\r"
_FORM = 'write it like "median < 400ms" or "cache_hit_rate > 85%"'


@dataclass(frozen=True, slots=True)
class _Bound:
    """What stands right of the operator."""

    number: str
    written: str
    """Number and unit as written, with at most one blank between them."""
    quantity: units.Quantity
    column: int


class _Expression:
    """One expression while it is read; keeps the text for messages.

    Args:
        text: The expression, printable.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, message: str, column: int) -> BudgetSyntaxError:
        return BudgetSyntaxError(message, text=self.text, column=column)

    def read(self) -> Limit:
        operators = _OPERATOR.search(self.text)
        if operators is None:
            self._fail_without_operator()
        self._refuse_connector(0, operators.start())
        metric, statistic, percentile = self._subject(operators.start())
        operator = self._operator(operators)
        bound = self._bound(operators.end(), operator)
        self._check_unit(metric, statistic, bound)
        limit = new_limit(
            metric=metric,
            statistic=statistic,
            percentile=percentile,
            operator=operator,
            quantity=bound.quantity,
            written=bound.written,
        )
        problem = unmeetable(limit)
        if problem:
            raise self.error(f"cannot be met: {problem}", bound.column)
        return limit

    def _skip_blanks(self, position: int) -> int:
        return position + len(self.text[position:]) - len(self.text[position:].lstrip())

    def _fail_without_operator(self) -> NoReturn:
        if not self.text.strip():
            raise BudgetSyntaxError('an expression is empty; write one such as "median < 400ms"')
        raise self.error('the expression has no operator; write it like "median < 400ms"', len(self.text.rstrip()))

    def _refuse_connector(self, start: int, end: int) -> None:
        connector = _CONNECTOR.search(self.text, start, end)
        if connector:
            self._fail_on_connector(connector.group(), connector.start())

    def _fail_on_connector(self, connector: str, column: int) -> NoReturn:
        example = '"max < 5ms", "min > 1ms"'
        raise self.error(f'"{connector}" joins limits; write two expressions: {example}', column)

    def _operator(self, match: re.Match[str]) -> Operator:
        word = match.group()
        if word in _OPERATORS:
            return Operator(word)
        meant = _MEANT_OPERATOR.get(word)
        hint = f'did you mean "{meant}"?' if meant else 'write "<", "<=", ">" or ">="'
        raise self.error(f'"{word}" is not an operator; {hint}', match.start())

    # -- left of the operator

    def _subject(self, end: int) -> tuple[str | None, str, float | None]:
        match = _SUBJECT.match(self.text, 0, end)
        if match is None or match.end() != end:
            column = self._skip_blanks(match.end() if match else 0)
            raise self.error(f'"{self.text[column]}" is unexpected here; {_FORM}', column)
        word = match["second"] or match["first"]
        if word is None:
            raise self.error(f"the expression names no statistic; {_FORM}", self._skip_blanks(match.start()))
        group = "second" if match["second"] else "first"
        if match["call"] is not None:
            found = self._call(match, word, group)
        elif match["second"]:
            found = self._pair(match)
        else:
            found = self._single(word, match.start("first"))
        if found[0] is not None and not _METRIC.fullmatch(found[0]):
            self._fail_on_metric(found[0], match.start("first"))
        if found[2] is not None and found[2] > _LARGEST_PERCENTILE:
            raise self.error(f"p({found[2]:g}) is outside 0 to 100", match.start(group))
        return found

    def _fail_on_metric(self, metric: str, column: int) -> NoReturn:
        if re.match(r"\.?\d", metric):
            raise self.error('the limit comes last: "max < 5ms"', column)
        raise self.error(f'"{metric}" is not the name of a metric', column)

    def _single(self, word: str, column: int) -> tuple[str | None, str, float | None]:
        found = split_subject(word)
        named = found[0] == word and _METRIC.fullmatch(word)
        meant = meant_statistic(word) if named else ""
        if meant:
            raise self.error(
                f'"{word}" is not a statistic; did you mean "{meant}"?'
                f' (for a metric of that name write "{word} value")',
                column,
            )
        return found

    def _pair(self, match: re.Match[str]) -> tuple[str | None, str, float | None]:
        metric, word = match["first"], match["second"]
        inner, statistic, percentile = split_subject(word)
        if inner is not None:
            meant = meant_statistic(word)
            hint = f'; did you mean "{meant}"?' if meant else did_you_mean(word, STATISTICS)
            known = hint or f"; known are {', '.join(STATISTICS)} and p(95)"
            raise self.error(f'"{word}" is not a statistic{known}', match.start("second"))
        return metric, statistic, percentile

    def _call(self, match: re.Match[str], word: str, group: str) -> tuple[str | None, str, float | None]:
        head, _, last = word.rpartition(":" if word.endswith(":p") else ".")
        if last != "p" or (group == "second" and head):
            meant = "" if last in STATISTICS else meant_statistic(last) or closest(last, ["p(95)"])
            hint = f'did you mean "{meant}"?' if meant else 'only "p(95)" has parentheses'
            raise self.error(f'"{last}" takes no argument; {hint}', match.end(group) - len(last))
        if not match["closed"]:
            raise self.error('the parenthesis is not closed; write it like "p(95)"', match.start("call"))
        metric = match["first"] if group == "second" else head or None
        return metric, "p", self._percentile(match["inside"].strip(), match.start("inside"))

    def _percentile(self, inside: str, column: int) -> float:
        if not inside:
            raise self.error('p() needs a percentile such as "p(95)"', column)
        try:
            percentile = float(inside)
        except ValueError:
            percentile = math.nan
        if not 0 <= percentile <= _LARGEST_PERCENTILE:
            raise self.error(f"p({inside}) is not a percentile: a number from 0 to 100", column)
        return percentile

    # -- right of the operator

    def _bound(self, start: int, operator: Operator) -> _Bound:
        match = _BOUND.match(self.text, start)
        if match is None or match["number"] is None:
            self._fail_without_number(start, operator)
        number, word, column = match["number"], match["unit"] or "", match.start("number")
        self._refuse_rest(match)
        if not math.isfinite(float(number)):
            raise self.error(f"{number} is not a finite number", column)
        if number.startswith("-"):
            raise self.error(f"{number}{word} is negative", column)
        if not units.is_known(word):
            meant = closest(word, units.known_spellings(), _UNIT_ALIASES, cutoff=_ALIKE)
            known = f'; did you mean "{meant}"?' if meant else ""
            hint = known or "; a metric in a unit of its own is limited by the bare number"
            raise self.error(f'"{word}" is not a unit{hint}', match.start("unit"))
        try:
            quantity = units.to_base(number, word)
        except ValueError as problem:
            raise self.error(str(problem), column) from None
        gap = " " if word and match.start("unit") > match.end("number") else ""
        return _Bound(number, number.removeprefix("+") + gap + word, quantity, column)

    def _fail_without_number(self, start: int, operator: Operator) -> NoReturn:
        column = self._skip_blanks(start)
        again = _OPERATOR.match(self.text, column)
        joined = operator.value + again.group() if again else ""
        if joined in {"<=", ">="}:
            raise self.error(f'"{operator.value} =" is not an operator; did you mean "{joined}"?', column)
        endless = re.match(r"[+-]?(nan|inf)\w*", self.text[column:], re.IGNORECASE)
        if endless:
            raise self.error(f"{endless.group()} is not a finite number", column)
        raise self.error(f'a number is missing after "{operator.value}", such as 20ms', column)

    def _refuse_rest(self, match: re.Match[str]) -> None:
        """Refuse anything that follows number and unit, and a word that joins two limits."""
        word, end = match["unit"] or "", match.end()
        connector = _CONNECTOR.match(self.text, end)
        if word in {"and", "or"}:
            self._fail_on_connector(word, match.start("unit"))
        if connector and re.search(_OPERATOR, self.text[end:]):
            self._fail_on_connector(connector.group(), end)
        if _OPERATOR.match(self.text, end):
            raise self.error("a second operator; write two expressions, one for each limit", end)
        if end < len(self.text):
            rest = self.text[end:].rstrip()
            point = "; write decimals with a point" if re.match(r",\d", rest) else ""
            raise self.error(f'"{rest}" is unexpected after the limit{point}', end)

    def _check_unit(self, metric: str | None, statistic: str, bound: _Bound) -> None:
        number, unit = bound.number, bound.quantity.unit
        if statistic == "count":
            if unit != units.COUNT:
                raise self.error(f'"count" is a number of rounds; write {number} without a unit', bound.column)
        elif unit == units.COUNT:
            if metric is None:
                shown = number if float(number) else "20"
                example = f"{shown}/s" if statistic == "rate" else f"{shown}ms"
                raise self.error(f"{number} needs a unit such as {example}", bound.column)
        elif unit != (known := unit_of(metric, statistic) or unit):
            shown, meant = SHORT_UNITS[unit], SHORT_UNITS[known]
            raise self.error(f'"{metric}" is measured in {meant}, not in {shown}', bound.column)
        elif statistic == "rate" and unit not in {units.PER_SECOND, units.RATIO}:
            raise self.error('"rate" is a share (85%) or a number of calls per second (1000/s)', bound.column)


def parse_expression(text: object) -> Limit:
    """Read one expression: ``[metric] statistic operator number unit``.

    Args:
        text: Such as ``p(95) < 8ms``, ``perf:parse max<20ms``, ``cache_hit_rate > 85%``.

    Returns:
        The limit; its text is the expression with canonical blanks and statistic, and reads back
        as the same limit.

    Raises:
        BudgetSyntaxError: It cannot be understood or cannot be met; points at the column.
    """
    if not isinstance(text, str):
        raise BudgetSyntaxError(
            f'{printable(repr(text))} is not an expression such as "median < 400ms";'
            " a bare number needs a keyword such as ms=400"
        )
    shown = printable(text)
    for column, letter in enumerate(text):
        if letter not in _BLANKS and letter != shown[column]:
            raise BudgetSyntaxError(f"{letter!a} is not a letter of an expression", text=shown, column=column)
    return _Expression(shown).read()
