import time

import pytest
from checksums import checksum, checksums, checksums_serial

BLOCKS = [bytes([n]) * 4_000_000 for n in range(16)]


@pytest.mark.budget(speedup=1.2)
def test_threads_speed_up_hashing(speedup):
    assert len(set(speedup(checksum, BLOCKS, workers=2, backend="thread"))) == 16


@pytest.mark.budget(speedup=1.1)
def test_our_own_pool(speedup):
    result = speedup.of(lambda: checksums_serial(BLOCKS), lambda: checksums(BLOCKS), workers=2)
    assert len(result) == 16


@pytest.mark.budget(speedup=2.5)
def test_waiting_needs_no_cores(speedup):
    speedup(wait_for_the_network, range(8), workers=4)


def wait_for_the_network(_):
    time.sleep(0.01)
