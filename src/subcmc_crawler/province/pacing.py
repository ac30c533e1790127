"""The pace that a province can bear (1.1): requests a second, bytes a second, and rests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from asyncio_throttle.throttler import Throttler

from subcmc_crawler.province.adapting import Outcome, next_rate

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]

_REQUEST_SLACK: Final = 1.04
"""Requests are due this much further apart than the rate says: 40 ms in a second, for what may jitter."""

_LATE_SECONDS: Final = 0.005
"""By so much a request may be late without the next one being late, too."""

_LOOK_SECONDS: Final = 0.001
"""How often the throttler looks again; it is asked when its time has all but come, so it hardly ever does."""

_MEASURED: Final = 32
"""Requests over which the rate of a province without a limit is measured."""

_BUFFERED_SECONDS: Final = 0.02
_CATCH_UP_SECONDS: Final = 0.013
_SHORTEST_SLEEP: Final = 0.002
"""How a second is shared out, so that none holds more than the limit: 2 % may lie in the buffers of the sockets
before they are read, 1.3 % are what a late timer may catch up, 0.2 % are the sleeps too short to be slept, and
the 96.5 % that are left are paid for as they are read."""

LEAST_BUFFER_BYTES: Final = 2304
"""The smallest receive buffer that a kernel gives."""

_WORTH_A_READER: Final = 2 * LEAST_BUFFER_BYTES
"""A buffer smaller than this costs more wake-ups than another reader brings."""

_HELD_AT_LEAST: Final = 3 * LEAST_BUFFER_BYTES
_HELD_AND_PAID: Final = 0.03
"""Under a small limit the smallest buffers are more than 2 %: one in the kernel, one in the program and one in
hand, of which some is paid for by then. Measured from 10 to 200 KB/s."""

TURNS_YIELDED: Final = 4
"""So often a page that began later lets an earlier one read first."""

_MOST_BUFFER_BYTES: Final = 128 * 1024


class RequestPace:
    """Spaces requests evenly at `requests_per_second`, less while the province is busy; 0 sets no limit.

    asyncio-throttle polls for every waiter and is not fair, so one waiter at a time stands before it, and the
    others queue in order at the lock. That one sleeps first until its turn is due, since the throttler's own
    polling makes each turn late; turns are due at even times, so that lateness does not add up.

    Without a limit, a busy province is slowed down from the rate measured over the last requests, and has no
    limit again once it is back there.
    """

    def __init__(
        self, requests_per_second: float, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.now = clock
        self._sleep = sleep
        self._limit = requests_per_second
        self._setting = requests_per_second  # what a slowed rate climbs back to
        self._rate = requests_per_second
        self._slowest: float | None = None
        self._slowed_at = float("-inf")
        self._due_from = float("-inf")
        self._turns: deque[float] = deque(maxlen=_MEASURED)
        self._lock = asyncio.Lock()
        self._throttler = Throttler(1, 1.0, retry_interval=_LOOK_SECONDS)

    @property
    def rate(self) -> float:
        """Requests a second now; 0: no limit."""
        return self._rate

    async def turn(self) -> None:
        """Returns when the next request may go out."""
        if self._rate:
            async with self._lock:
                await self._due()
        self._turns.append(self.now())

    async def _due(self) -> None:
        while self._rate and (wait := self._due_from + _REQUEST_SLACK / self._rate - self.now()) > 0:
            await self._sleep(wait)  # meanwhile the rate may change
        if not self._rate:
            return
        step = _REQUEST_SLACK / self._rate
        self._throttler.period = 1 / self._rate
        async with self._throttler:
            now = self.now()
        self._due_from = max(self._due_from + step, now - _LATE_SECONDS)

    def sent(self) -> None:
        """A request is on the line only now, say because its connection had to be made: the next keeps off it."""
        self._due_from = max(self._due_from, self.now() - _LATE_SECONDS)

    def note(self, outcome: Outcome, asked_at: float) -> None:
        """Slows down or speeds up after a request that went out at `asked_at`, as `now()` tells it."""
        if not self._rate:
            if outcome not in (Outcome.BUSY, Outcome.SLOW):
                return
            self._setting = self._measured()
        before = self._rate or self._setting
        self._rate = next_rate(before, outcome, setting=self._setting, stale=asked_at <= self._slowed_at)
        if self._rate < before:
            self._slowed_at = self.now()
            self._slowest = min(self._rate, self._slowest or self._rate)
        elif not self._limit and self._rate >= self._setting:
            self._rate = 0.0

    def drain_slowest(self) -> float | None:
        """The slowest rate since the last call, requests a second; None when it was as set all the time."""
        slowest = self._slowest
        self._slowest = self._rate if self._rate and self._rate < self._setting else None
        return slowest

    def _measured(self) -> float:
        """Requests a second over the last ones; 0 when there were too few of them to tell."""
        if len(self._turns) < 2 or self._turns[-1] <= self._turns[0]:
            return 0.0
        return (len(self._turns) - 1) / (self._turns[-1] - self._turns[0])


@dataclass(frozen=True, slots=True)
class Due:
    """What a read costs: seconds to wait, and how many of them are our doing and not the province's."""

    seconds: float
    excused_seconds: float


class BytePace:
    """Keeps what is read from sockets under `bytes_per_second` in every span of a second; 0 sets no limit.

    Each read is booked after it was made, and the reader waits until the line would have been free again; while
    it waits, its socket takes no more than its buffers hold. So a limit also says how large these may be:
    `buffer_bytes` for each of `readers` sockets in the kernel, and as much again in the program; and how many
    requests may be out at once, for which there are `seats`. Together the buffers hold 20 ms of the limit, so where
    a round trip to the province is longer than that, the line stays below its limit: at 40 ms it gives a quarter.
    Below 100 KB/s the smallest buffers weigh more, and the line gives less: 86 % at 50 KB/s.

    A reader is excused for the wait that its fair share of the line explains, twice over: whoever drips
    bytes gets no time for them.
    """

    def __init__(self, bytes_per_second: int, *, clock: Clock, readers: int = 1) -> None:
        self._clock = clock
        self._free_at = float("-inf")
        self._seconds_per_byte = 0.0
        self.readers, self.buffer_bytes = readers, _MOST_BUFFER_BYTES
        if bytes_per_second:
            buffered = int(bytes_per_second * _BUFFERED_SECONDS / 2)
            self.readers = max(1, min(readers, buffered // _WORTH_A_READER))
            self.buffer_bytes = min(max(LEAST_BUFFER_BYTES, buffered // self.readers), _MOST_BUFFER_BYTES)
            self.limit(bytes_per_second)
        self.seats = asyncio.Semaphore(self.readers)

    def limit(self, bytes_per_second: int) -> None:
        """Another limit from the next read on; buffers and seats stay as they were made for the first one."""
        self._seconds_per_byte = 1 / (bytes_per_second * _share(bytes_per_second))

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._seconds_per_byte > 0

    def book(self, count: int) -> Due:
        """Books `count` bytes that were read."""
        if not self._seconds_per_byte or not count:
            return Due(0.0, 0.0)
        now = self._clock()
        cost = count * self._seconds_per_byte
        self._free_at = max(self._free_at, now - _CATCH_UP_SECONDS) + cost
        seconds = self._free_at - now
        if seconds < _SHORTEST_SLEEP:
            return Due(0.0, 0.0)
        return Due(seconds, min(seconds, 2 * cost * self.readers))

    async def settle(self, due: Due, sleep: Sleep, *, junior: bool) -> None:
        """Waits for what is due; a `junior` lets whoever began earlier read first, while there is such a one.

        Pages that share the line evenly would all end, and their successors all be asked for, at the same time.
        """
        await sleep(due.seconds)
        for _ in range(TURNS_YIELDED if junior else 0):
            left = self._free_at - self._clock()
            if left < _SHORTEST_SLEEP:
                return
            await sleep(left + _LOOK_SECONDS)


def _share(limit: int) -> float:
    """The part of the limit that is paid for as it is read."""
    held = max(_BUFFERED_SECONDS, _HELD_AT_LEAST / limit - _HELD_AND_PAID)
    return max(0.1, 1 - held - _CATCH_UP_SECONDS - _SHORTEST_SLEEP)


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
