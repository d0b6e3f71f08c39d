"""A cache that keeps the most recent entries."""

from collections import OrderedDict


class RecentCache:
    """Keeps at most *size* values, and forgets the one that was not asked for the longest."""

    def __init__(self, size):
        self._size = size
        self._values = OrderedDict()

    def get(self, key, make):
        """Return the value of *key*, made by ``make(key)`` when it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
        else:
            self._values[key] = make(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
        return self._values[key]
