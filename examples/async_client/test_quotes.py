import asyncio
import threading

import pytest
from quotes import prices


async def answer(reader, writer):
    while line := await reader.readline():
        writer.write(b"%d.5\n" % len(line.strip()))
        await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def server():
    """Serve on a free port of this machine, in a thread with its own event loop."""
    loop = asyncio.new_event_loop()
    started = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield started.sockets[0].getsockname()

    async def stop():
        started.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.budget("median < 250ms", "p(95) < 1s")
def test_three_prices(perf, server):
    assert perf(prices, *server, ["AB", "ABC", "ABCD"]) == [2.5, 3.5, 4.5]
