"""A client for a tiny line protocol: send a symbol, get its price."""

import asyncio


class QuoteClient:
    """Keeps one connection open."""

    def __init__(self, host, port):
        self._address = (host, port)
        self._streams = None

    async def price(self, symbol):
        """Ask for the price of *symbol*."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(f"{symbol}\n".encode())
        return float(await reader.readline())

    async def close(self):
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            await self._streams[1].wait_closed()
            self._streams = None


async def prices(host, port, symbols):
    """Ask for several prices over one connection, one after the other."""
    client = QuoteClient(host, port)
    try:
        return [await client.price(symbol) for symbol in symbols]
    finally:
        await client.close()
