import pytest
from search import contains

WORDS = sorted(f"word{n}" for n in range(10_000))


@pytest.mark.budget(ms=40)
def test_a_hit(perf):
    assert perf(contains, WORDS, "word4711")


@pytest.mark.budget(ms=40)
def test_a_miss(perf):
    assert not perf(contains, WORDS, "sentence")


@pytest.mark.budget(ms=90, profile="cpu-constrained")
@pytest.mark.budget(ms=60)
def test_many(perf):
    assert perf(lambda: all(contains(WORDS, word) for word in WORDS[:500]))
