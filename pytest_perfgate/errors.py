"""What can go wrong, as one small tree; every class has a slug under which the documentation explains it.

::

    PerfgateError
    ├── UsageError               the user wrote something that cannot be meant
    │   ├── BudgetSyntaxError      a marker keyword or an expression (points at the column)
    │   ├── SettingsError          an option or the configuration file
    │   ├── ProfileError           a hardware profile
    │   ├── ReportPathError        a report that cannot be written where it was asked for
    │   └── AgainstError           what the run is to be compared against cannot be had
    ├── BadRunFileError          a stored run that cannot be read or is not one
    ├── CannotMeasureError       the target: it raised, exited, hung, is not callable ...
    └── TooFewValuesError        the values: not enough of them for what was asked
"""

from __future__ import annotations


class PerfgateError(Exception):
    """Anything this package reports to a person; never a traceback for a user's mistake."""

    slug = "error"


class UsageError(PerfgateError):
    """The user wrote something that cannot be meant."""

    slug = "usage"


class BudgetSyntaxError(UsageError):
    """A budget keyword or expression that cannot be understood; the message points at the column.

    Args:
        message: What is wrong and, where one is close, the intended word.
        text: The text as the user wrote it, without line breaks.
        column: Where it goes wrong, 0-based; None when the whole text is meant.
    """

    slug = "budget"

    def __init__(self, message: str, *, text: str = "", column: int | None = None) -> None:
        self.message, self.text, self.column = message, text, column
        shown = message
        if text and column is not None:
            shown += f" (column {column + 1})\n    {text}\n    {' ' * column}^"
        super().__init__(shown)


class SettingsError(UsageError):
    """An option or a line of the configuration file that cannot be meant."""

    slug = "settings"


class ProfileError(UsageError):
    """A hardware profile that does not exist, cannot match, or is defined twice."""

    slug = "profile"


class ReportPathError(UsageError):
    """A report was asked for in a format or at a place that cannot be had."""

    slug = "report-path"


class AgainstError(UsageError):
    """What ``--perfgate-against`` names does not exist, is not here, does not build, or holds no such package."""

    slug = "against"


class BadRunFileError(PerfgateError):
    """A file that should hold a stored run: missing, empty, truncated, not one, or too new."""

    slug = "bad-run-file"


class CannotMeasureError(PerfgateError):
    """The target could not be measured: it raised, exited, hung, is not callable ..."""

    slug = "cannot-measure"


class TooFewValuesError(PerfgateError):
    """Not enough values for what was asked of them."""

    slug = "too-few-values"
