"""The pace that a province can bear (1.1): requests a second, bytes a second, and rests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from asyncio_throttle.throttler import Throttler

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class RequestPace:
    """Spaces requests evenly at `requests_per_second`; 0 sets no limit.

    The throttler polls for every waiter and is not fair, so one waiter at a time stands before it, and the
    others queue in order at the lock.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._lock = asyncio.Lock()
        self._throttler = Throttler(1, 1 / requests_per_second) if requests_per_second else None

    async def turn(self) -> None:
        """Returns when the next request may go out."""
        if self._throttler is None:
            return
        async with self._lock, self._throttler:
            pass


class BytePace:
    """Keeps what is read from sockets under `bytes_per_second`; 0 sets no limit.

    Each read is paid for after it was made: the reader sleeps until the line would have been free again.
    """

    def __init__(self, bytes_per_second: int, *, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._seconds_per_byte = 1 / bytes_per_second if bytes_per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    async def spend(self, count: int) -> None:
        """Pays for `count` bytes."""
        if not self._seconds_per_byte or not count:
            return
        now = self._clock()
        self._free_at = max(self._free_at, now) + count * self._seconds_per_byte
        await self._sleep(self._free_at - now)


class Rest:
    """The cool-down that all requests of a province share.

    `away` sleeps without holding what another province could use, and may return early when the run stops.
    `until` is the clock's time at which the rest is over.
    """

    def __init__(self, *, clock: Clock, away: Sleep) -> None:
        self._clock = clock
        self._away = away
        self.until = 0.0
        self._lock = asyncio.Lock()
        self.seconds = 0.0

    def extend(self, seconds: float) -> None:
        """Nobody asks before `seconds` from now have gone by."""
        until = self._clock() + seconds
        self.seconds += max(0.0, until - max(self.until, self._clock()))
        self.until = max(self.until, until)

    async def over(self) -> None:
        """Returns when the rest is over, however it grew meanwhile; at once when there is none."""
        if self._clock() >= self.until:
            return
        async with self._lock:
            known = 0.0
            while known < self.until and self._clock() < self.until:
                known = self.until
                await self._away(known - self._clock())
