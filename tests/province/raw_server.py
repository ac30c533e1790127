"""A server that says exactly what a test wants it to say, and counts what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from subcmc_crawler.province.addresses import Address

EMPTY = b'{"code":0,"message":"ok","total":0,"data":[]}'


class Exchange:
    """One request and the connection on which it came."""

    def __init__(self, head: str, number: int, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.number = number  # from 0, over all connections
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(
        self, body: bytes = EMPTY, *headers: str, status: str = "200 OK", length: bool = True
    ) -> None:
        lines = [f"HTTP/1.1 {status}", *headers]
        if length:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def drop(self) -> None:
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Returns when the other side has left."""
        while not self.writer.transport.is_closing():  # noqa: ASYNC110 - a transport has no event for it
            await asyncio.sleep(0.001)


Respond = Callable[[Exchange], Awaitable[None]]


class RawServer:
    """What was asked so far, request by request."""

    def __init__(self, respond: Respond, scheme: str) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.port = 0
        self._scheme = scheme
        self._respond = respond
        self._tasks: set[asyncio.Task[None]] = set()

    def address(self, host: str = "127.0.0.1", *, base: str = "/620000") -> Address:
        return Address.parse(f"{self._scheme}://{host}:{self.port}{base}", "https")

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.transport.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                await self._respond(Exchange(head, len(self.requests) - 1, writer))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def raw_server(respond: Respond, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    made = RawServer(respond, "http" if tls is None else "https")
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield made
        finally:
            await made.stop()
