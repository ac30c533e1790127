"""A province, seen from its own side: when each request came in, and when each byte left over the line.

The server runs in a process of its own, so that nothing in the crawler delays what it sees. A byte has left when
the other side's kernel has acknowledged it: what was written, less what the send buffer still holds (SIOCOUTQ).
A request has come in when our kernel had it. So a meter that a busy machine keeps waiting sees no span fuller.
"""

from __future__ import annotations

import asyncio
import bisect
import fcntl
import multiprocessing
import re
import socket
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from random import Random
from typing import NamedTuple

_LOOK_SECONDS = 0.004
_TIMESTAMPS = 35  # SO_TIMESTAMPNS of Linux, which the module socket has no name for
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Look(NamedTuple):
    """Bytes that had left at some moment between two times."""

    began: float
    ended: float
    left: int


@dataclass
class Seen:
    """What one province saw: the times of requests, and how many bytes had left by when."""

    requests: list[float] = field(default_factory=list)
    line: list[Look] = field(default_factory=list)

    def most_requests(self, seconds: float = 1.0) -> int:
        """Requests in the fullest span."""
        times = sorted(self.requests)
        return max(
            (bisect.bisect_left(times, at + seconds) - index for index, at in enumerate(times)), default=0
        )

    def request_rate(self) -> float:
        """Requests a second from the first to the last."""
        times = sorted(self.requests)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def most_bytes(self, seconds: float = 1.0) -> int:
        """Bytes that left in the fullest span."""
        ends = [look.ended for look in self.line]
        return max(
            (
                self.line[max(index, bisect.bisect_right(ends, look.began + seconds) - 1)].left - look.left
                for index, look in enumerate(self.line)
            ),
            default=0,
        )

    def byte_rate(self) -> float:
        """Bytes a second from the first byte to the last."""
        moving = [
            index for index in range(1, len(self.line)) if self.line[index].left > self.line[index - 1].left
        ]
        if not moving:
            return 0.0
        first, last = self.line[moving[0] - 1], self.line[moving[-1]]
        return (last.left - first.left) / (last.began - first.began)


def together(seen: list[Seen]) -> Seen:
    """All provinces as one line; they are looked at in the same moments."""
    return Seen(
        sorted(at for each in seen for at in each.requests),
        [
            Look(looks[0].began, looks[-1].ended, sum(look.left for look in looks))
            for looks in zip(*(s.line for s in seen), strict=False)
        ],
    )


class Meter:
    """The running server: `ports`, one for each province, and what they saw once it has stopped."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.seen: list[Seen] = []


@contextmanager
def metered(provinces: int = 1, *, think_seconds: float = 0.0) -> Iterator[Meter]:
    """Provinces whose pages are as many bytes as `pageSize` says; `seen` is filled when the context ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_main, args=(there, provinces, think_seconds), daemon=True)
    process.start()
    meter = Meter(here.recv())
    try:
        yield meter
    finally:
        here.send("stop")
        meter.seen = here.recv()
        process.join()
        process.close()
        here.close()
        there.close()


def _main(pipe: Connection, provinces: int, think_seconds: float) -> None:
    asyncio.run(_serve(pipe, provinces, think_seconds))


async def _serve(pipe: Connection, provinces: int, think_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    served = [_Province(think_seconds) for _ in range(provinces)]
    ports = [each.listen() for each in served]
    tasks = [loop.create_task(each.accept()) for each in served]
    loop.add_reader(pipe.fileno(), stopping.set)
    pipe.send(ports)
    while not stopping.is_set():
        _look(served)
        await asyncio.sleep(_LOOK_SECONDS)
    _look(served)  # what left since the last one
    for task in tasks:
        task.cancel()
    pipe.send([each.seen for each in served])


def _look(served: list[_Province]) -> None:
    for each in served:
        began = time.monotonic()
        count = each.left()
        each.seen.line.append(Look(began, time.monotonic(), count))


class _Province:
    def __init__(self, think_seconds: float) -> None:
        self.seen = Seen()
        self._think_seconds = think_seconds
        self._gone = 0
        self._sent: dict[socket.socket, int] = {}
        self._left: dict[socket.socket, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bodies: dict[int, bytes] = {}

    def listen(self) -> int:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listening.setblocking(False)
        self._listening.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)  # those that are accepted have it, too
        port: int = self._listening.getsockname()[1]
        return port

    async def accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(self._listening)
            accepted.setblocking(False)
            self._sent[accepted] = 0
            self._tasks.add(loop.create_task(self._talk(accepted)))

    def left(self) -> int:
        """Bytes that the other side's kernels have."""
        self._left = {each: sent - _queued(each) for each, sent in self._sent.items()}
        return self._gone + sum(self._left.values())

    async def _talk(self, accepted: socket.socket) -> None:
        head = b""
        try:
            while True:
                while b"\r\n\r\n" not in head:
                    data, at = await _received(accepted)
                    if not data:  # it has taken all: one that has not ends by a reset
                        self._left[accepted] = self._sent[accepted] - _queued(accepted)
                        return
                    head += data
                self.seen.requests.append(at)
                asked = re.search(rb"pageSize=(\d+)", head)
                head = b""
                await asyncio.sleep(self._think_seconds)
                await self._send(accepted, self._body(int(asked[1]) if asked else 100))
        except OSError:
            pass
        finally:
            del self._sent[accepted]  # who hangs up has not taken what was queued then
            self._gone += self._left.get(accepted, 0)
            accepted.close()

    async def _send(self, accepted: socket.socket, data: bytes) -> None:
        loop, view = asyncio.get_running_loop(), memoryview(data)
        while view:
            try:
                count = accepted.send(view)
            except BlockingIOError:
                writable = asyncio.Event()
                loop.add_writer(accepted.fileno(), writable.set)
                await writable.wait()
                loop.remove_writer(accepted.fileno())
                continue
            self._sent[accepted] += count
            view = view[count:]

    def _body(self, size: int) -> bytes:
        if size not in self._bodies:
            frame = b'{"code":0,"message":"ok","total":1,"data":[{"userId":"%b"}]}'
            random = Random(size)  # noqa: S311 - the same bytes in every run
            text = random.randbytes(size).hex().encode()[: max(0, size - len(frame) + 2)]
            body = frame % text
            self._bodies[size] = _HEAD % len(body) + body
        return self._bodies[size]


async def _received(connected: socket.socket) -> tuple[bytes, float]:
    """What has come in, and when the kernel had the last of it."""
    while True:
        try:
            data, stamps, _, _ = connected.recvmsg(65536, 64)
        except BlockingIOError:
            readable = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(connected.fileno(), readable.set)
            await readable.wait()
            loop.remove_reader(connected.fileno())
            continue
        if not stamps:  # at the end, or where the kernel has none
            return data, time.time()
        seconds, nanoseconds = struct.unpack("qq", stamps[0][2])
        return data, seconds + nanoseconds / 1e9


def _queued(connected: socket.socket) -> int:
    queued: int = struct.unpack("i", fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
    return queued
