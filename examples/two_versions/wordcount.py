"""Count words, one after the other."""

import re
from collections import Counter

_WORD = re.compile(r"\w+")


def count_words(text):
    """Return how often each word of *text* occurs, in lower case."""
    return Counter(_WORD.findall(text.lower()))


def most_common(counts, number):
    """Return the *number* most common words, the commonest first."""
    return sorted(counts, key=lambda word: (-counts[word], word))[:number]
