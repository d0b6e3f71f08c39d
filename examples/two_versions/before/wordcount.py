"""Count words, one after the other."""

import re

_WORD = re.compile(r"\w+")


def count_words(text):
    """Return how often each word of *text* occurs, in lower case."""
    counts = {}
    for found in _WORD.finditer(text):
        word = found.group().lower()
        counts = {**counts, word: counts.get(word, 0) + 1}
    return counts


def most_common(counts, number):
    """Return the *number* most common words, the commonest first."""
    return sorted(counts, key=lambda word: (-counts[word], word))[:number]
