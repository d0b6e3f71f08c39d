from wordcount import count_words, most_common

TEXT = "the quick brown fox jumps over the lazy dog and the cat " * 5


def test_counting(perf):
    assert perf(count_words, TEXT)["the"] == 15


def test_the_most_common(perf):
    counts = {f"word{number}": number for number in range(100)}
    assert perf(most_common, counts, 2) == ["word99", "word98"]
