"""Find words in a sorted list."""

from bisect import bisect_left


def contains(words, word):
    """Tell whether *word* is in the sorted list *words*."""
    place = bisect_left(words, word)
    return place < len(words) and words[place] == word
