import itertools

import pytest
from recent import RecentCache


@pytest.mark.budget(growth="0 B/call")
def test_a_full_cache_does_not_grow(memory):
    cache, keys = RecentCache(size=50), itertools.count()

    def ask_for_something_new():
        return cache.get(next(keys), str)

    assert memory.growth(ask_for_something_new)


@pytest.mark.budget(mb=64)
def test_filling_it_stays_within_64_megabytes(memory):
    with memory.peak():
        cache = RecentCache(size=100)
        for key in range(1000):
            cache.get(key, make_page)


def make_page(_number):
    return bytes(100_000)
