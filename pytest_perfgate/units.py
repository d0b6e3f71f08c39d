"""Units: read ``250 ms``, write ``250 ms``.  The only place that scales; the rest holds base units.

Base units are seconds (``s``), bytes (``B``), bytes per call (``B/call``), dimensionless ratios
(``ratio``), counts (``count``), rates per second (``/s``) and whatever word a user gives to a
metric of their own, which is never scaled.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

SECONDS = "s"
BYTES = "B"
BYTES_PER_CALL = "B/call"
BLOCKS_PER_CALL = "blocks/call"
PER_SECOND = "/s"
RATIO = "ratio"
COUNT = "count"

#: Spelling -> (base unit, factor).  Memory words are powers of 1024, with or without the "i".
_SPELLINGS: dict[str, tuple[str, float]] = {
    "ns": (SECONDS, 1e-9),
    "us": (SECONDS, 1e-6),
    "µs": (SECONDS, 1e-6),  # micro sign
    "μs": (SECONDS, 1e-6),  # Greek mu, which many keyboards give
    "ms": (SECONDS, 1e-3),
    "s": (SECONDS, 1.0),
    "min": (SECONDS, 60.0),
    "h": (SECONDS, 3600.0),
    "%": (RATIO, 0.01),
    "x": (RATIO, 1.0),
    "×": (RATIO, 1.0),  # the multiplication sign is what speedups are written with
    "ratio": (RATIO, 1.0),
    "count": (COUNT, 1.0),
    "": (COUNT, 1.0),
    "blocks/call": (BLOCKS_PER_CALL, 1.0),
    "/s": (PER_SECOND, 1.0),
}
for _power, _letter in enumerate(("", "k", "m", "g", "t")):
    for _word in (_letter, _letter.upper()):
        for _suffix in ("B", "iB", "b", "ib") if _letter else ("B", "b"):
            _SPELLINGS[_word + _suffix] = (BYTES, 1024.0**_power)
            _SPELLINGS[_word + _suffix + "/call"] = (BYTES_PER_CALL, 1024.0**_power)
_SPELLINGS["bytes"] = (BYTES, 1.0)
_SPELLINGS["bytes/call"] = (BYTES_PER_CALL, 1.0)

#: For writing, largest first.
_SCALES: dict[str, tuple[tuple[str, float], ...]] = {
    SECONDS: (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)),
    BYTES: tuple((f"{p}iB" if p else "B", 1024.0**i) for i, p in reversed([*enumerate(["", "K", "M", "G", "T"])])),
    BYTES_PER_CALL: tuple(
        (f"{p}iB/call" if p else "B/call", 1024.0**i) for i, p in reversed([*enumerate(["", "K", "M", "G", "T"])])
    ),
}

#: Powers of ten are applied to the decimal text: 57 * 0.01 is 0.5700000000000001, and 0.57 is less.
_DECIMAL_EXPONENTS = {1e-9: -9, 1e-6: -6, 1e-3: -3, 0.01: -2}

#: What a message about an unknown unit lists; all spellings would be a screenful.
_USUAL_SPELLINGS = "ns, us, ms, s, min, h, B, KB, MB, GB, B/call, blocks/call, %, x, /s"

#: The text of a number, also one that is not finite; for other readers of quantities as well.
NUMBER = (
    r"[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?"
    r"|[+-]?(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)(?![^\W\d_])"
)
_QUANTITY = re.compile(rf"\s*(?P<number>{NUMBER})\s*(?P<unit>[^\s\d]\S*)?\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a base unit."""

    value: float
    """In the base unit; finite."""
    unit: str
    """One of the base units of this module."""


def base_unit(word: str) -> tuple[str, float]:
    """Find the base unit and the factor of a unit's spelling.

    Args:
        word: As the user wrote it: ``ms``, ``MiB``, ``B/call``, ``%``, or a word of their own.

    Returns:
        Base unit and the factor that turns a number in *word* into it (:func:`to_base` does so
        without a rounding error).  A word this module does not know is its own base unit, factor 1.
    """
    return _SPELLINGS.get(word, (word, 1.0))


def to_base(number: float | str, word: str) -> Quantity:
    """Turn a number in any unit into its base unit, rounding once at most.

    Args:
        number: In the unit *word*; decimal text is taken exactly.
        word: A unit's spelling, or a word of the user's own.

    Returns:
        The quantity, such that ``to_base(57, "%").value == 0.57``.

    Raises:
        ValueError: Not a number, or not finite.
    """
    unit, factor = base_unit(word)
    try:
        text = number.strip() if isinstance(number, str) else repr(float(number))
    except OverflowError:  # an integer beyond the range of floats
        text = "inf"
    if not math.isfinite(float(text)):
        raise ValueError(f"{text}{word} is not a finite number")
    exponent = _DECIMAL_EXPONENTS.get(factor)
    if exponent is None:
        value = float(text) * factor
    else:
        mantissa, _, power = text.lower().partition("e")
        value = float(f"{mantissa}e{int(power or 0) + exponent}")
    if not math.isfinite(value):
        raise ValueError(f"{text}{word} is not a finite number")
    return Quantity(value, unit)


def is_known(word: str) -> bool:
    """Tell whether *word* is the spelling of a unit of this module."""
    return word in _SPELLINGS


def known_spellings(unit: str | None = None) -> tuple[str, ...]:
    """List the spellings of one base unit, or of all, for messages."""
    return tuple(word for word, (base, _) in _SPELLINGS.items() if word and unit in (None, base))


def parse(text: str) -> Quantity:
    """Read a number with its unit.

    Args:
        text: Such as ``250 ms``, ``1.5s``, ``64MB``, ``5%``, ``12``.

    Returns:
        The quantity in its base unit; a bare number is a count.

    Raises:
        ValueError: Not a number with a known unit, or not finite; the message says which.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as 250ms, 64MB or 5%")
    word = match["unit"] or ""
    if word not in _SPELLINGS:
        raise ValueError(f"{word!r} in {text!r} is not a unit; known are {_USUAL_SPELLINGS}")
    try:
        return to_base(match["number"], word)
    except ValueError:
        raise ValueError(f"{text!r} is not a finite number") from None


def parse_as(text: str, unit: str, *, example: str) -> float:
    """Read a quantity that must have a certain unit, for options and settings.

    Args:
        text: What the user wrote.
        unit: The base unit wanted.
        example: What a right value looks like, for the message.

    Returns:
        The value in the base unit, finite and not negative.

    Raises:
        ValueError: It is something else; the message shows *example*.
    """
    try:
        quantity = parse(text)
    except ValueError as problem:
        raise ValueError(f"{problem}; write it like {example}") from None
    if quantity.unit != unit:
        raise ValueError(f"{text!r} has the wrong unit or none; write it like {example}")
    if quantity.value < 0:
        raise ValueError(f"{text!r} is negative; write it like {example}")
    return quantity.value


def format_value(value: float, unit: str, *, show_as: str = "", digits: int = 3) -> str:
    """Write a value for reading, scaled to a fitting unit.

    Args:
        value: In the base unit *unit*.
        unit: A base unit, or a word of the user's own.
        show_as: ``%`` or a multiplication sign for ratios, empty for none.
        digits: Significant digits, at least 1; whole parts are never rounded away.

    Returns:
        Text such as ``412 ms``, ``43.1 µs``, ``64 MiB``, ``93 %``, ``12``.
    """
    if not math.isfinite(value):
        return str(value)
    if unit == RATIO and show_as == "%":
        return f"{_round(value * 100, digits)} %"
    if unit == RATIO:
        return f"{_round(value, digits)}{show_as}"
    if unit == COUNT:
        return _round(value, digits)
    if unit not in _SCALES:
        return f"{_round(value, digits)} {unit}".rstrip()
    scales = _SCALES[unit]
    for position, (name, factor) in enumerate(scales):
        last = position == len(scales) - 1
        shown = _round(value / factor, digits)
        # 999.96 ms rounds to "1000 ms": take the larger unit once its rounded number reaches 1.
        if last or abs(float(shown)) >= 1:
            return f"{shown} {name}" if value else f"0 {unit}"
    raise AssertionError("unreachable: every scale has a last entry")  # pragma: no cover


def format_change(change: float, *, digits: int = 1) -> str:
    """Write a relative change with its sign: ``+8.2 %``; *change* is head/base - 1."""
    if not math.isfinite(change):
        return str(change)
    return f"{change * 100:+.{digits}f} %"


def _round(number: float, digits: int) -> str:
    """Write *number* with *digits* significant digits, without an exponent as far as people do."""
    if number == 0:
        return "0"
    if not math.isfinite(number):  # a share of 1e307 is finite, its percentage is not
        return str(number)
    magnitude = math.floor(math.log10(abs(number)))
    decimals = max(0, digits - 1 - magnitude)
    if decimals > 12:  # noqa: PLR2004  # beyond this an exponent reads better than zeros
        return f"{number:.{digits}g}"
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
