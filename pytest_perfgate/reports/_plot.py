"""A curve as lines of text, for reports in a fixed-width font; what is plotted, and why, is the caller's affair."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

#: (measured point, line between two of them, vertical axis, corner, horizontal axis).  Each sign is one character in
#: both, and :mod:`._format` turns the first row into the second where a stream holds ASCII only.
_SIGNS = {True: tuple("•·│└─"), False: tuple("*.|+-")}
_LEAST_WIDTH, _LEAST_HEIGHT = 16, 3

Point = tuple[float, float]


def plot(
    points: Sequence[Point],
    width: int,
    height: int,
    unicode: bool,  # noqa: FBT001  # agreed by name
    *,
    y_range: tuple[float, float] | None = None,
    x_labels: tuple[str, str] = ("", ""),
    y_labels: tuple[str, str] = ("", ""),
) -> list[str]:
    """Plot points and the straight lines between them.

    Args:
        points: (x, y), finite, in any order; several that fall into one column are shown as their mean.
        width: Most characters of a line, labels and axis included, at least 16.
        height: Lines of the plot, at least 3, without the axis and its labels.
        unicode: Whether signs outside ASCII may be used.
        y_range: Lowest and highest y to show; those of the points when None.
        x_labels: Written below both ends of the horizontal axis; empty for none.
        y_labels: Written beside the lowest and the highest line; empty for none.

    Returns:
        Lines without trailing blanks: *height* of the plot, the axis, and the labels of x if there are any; none at
        all without points.

    Raises:
        ValueError: A point is not finite, or the plot would be too small to show anything.
    """
    margin = max(map(len, y_labels))
    columns = width - margin - 1 - bool(margin)
    if columns < _LEAST_WIDTH // 2 or width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        raise ValueError(f"a plot of {width} by {height} characters with a margin of {margin} shows nothing")
    if not all(math.isfinite(number) for point in points for number in point):
        raise ValueError("a plot needs finite points")
    if not points:
        return []
    mark, between, upright, corner, flat = _SIGNS[unicode]
    low, high = y_range or (min(y for _, y in points), max(y for _, y in points))
    canvas = [[" "] * columns for _ in range(height)]
    marked = _columns(points, columns)
    for column, y in _joined(marked):
        canvas[_row(y, low, high, height)][column] = between
    for column, y in marked:
        canvas[_row(y, low, high, height)][column] = mark
    beside = {0: y_labels[1], height - 1: y_labels[0]}
    gap = " " * bool(margin)
    lines = [f"{beside.get(row, ''):>{margin}}{gap}{upright}{''.join(canvas[row])}" for row in range(height)]
    lines.append(" " * (margin + len(gap)) + corner + flat * columns)
    if any(x_labels):
        left, right = x_labels
        room = max(columns - len(left), len(right) + 1)
        lines.append(" " * (margin + len(gap) + 1) + left + f"{right:>{room}}")
    return [line.rstrip() for line in lines]


def _columns(points: Iterable[Point], columns: int) -> list[tuple[int, float]]:
    """Sort points into columns, from the smallest x to the largest."""
    ordered = sorted(points)
    first, last = ordered[0][0], ordered[-1][0]
    span = last - first

    def column(point: Point) -> int:
        return round((point[0] - first) / span * (columns - 1)) if span > 0 else 0

    found = []
    for place, together in itertools.groupby(ordered, key=column):
        heights = [y for _, y in together]
        found.append((place, math.fsum(heights) / len(heights)))
    return found


def _joined(marked: Sequence[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    """Give the columns between marks, on the straight line from one to the next."""
    for (left, begin), (right, end) in itertools.pairwise(marked):
        for column in range(left + 1, right):
            yield column, begin + (end - begin) * (column - left) / (right - left)


def _row(y: float, low: float, high: float, height: int) -> int:
    """Find the line of *y*, 0 being the highest; what lies outside is shown at the edge, a flat curve in the middle."""
    share = (y - low) / (high - low) if high > low else 0.5
    return round((1 - min(1.0, max(0.0, share))) * (height - 1))
