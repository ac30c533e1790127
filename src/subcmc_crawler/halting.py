"""When a pull must end: its window closes, or the run is asked to stop; and the grace for what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

Sleep = Callable[[float], Awaitable[object]]

_LOOK_SECONDS = 60.0  # the clock on the wall may be set, and machines are put to sleep


class Stop:
    """The wish that a run ends. Asked for twice, it leaves no grace."""

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._asked = asyncio.Event()
        self._at_once = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether the run is to end."""
        return self._asked.is_set()

    @property
    def times(self) -> int:
        """How often it was asked for: 0, 1, or 2 for a run that is to end at once."""
        return self._asked.is_set() + self._at_once.is_set()

    def ask(self) -> None:
        """Asks the run to end; the second time, at once."""
        if self._asked.is_set():
            self._at_once.set()
        self._asked.set()

    async def wait(self) -> None:
        """Returns when the run is to end."""
        await self._asked.wait()

    async def sleep(self, seconds: float) -> None:
        """Sleeps, but not past the moment at which the run is to end."""
        await self._until(self._asked, seconds)

    async def grace(self, seconds: float) -> None:
        """Sleeps, but not past the moment at which the run is to end at once."""
        await self._until(self._at_once, seconds)

    async def sleep_until(self, moment: datetime, now: Callable[[], datetime]) -> None:
        """Sleeps until the clock on the wall says `moment`, or the run is to end."""
        while not self.asked and (left := (moment - now()).total_seconds()) > 0:
            await self.sleep(min(left, _LOOK_SECONDS))

    async def _until(self, event: asyncio.Event, seconds: float) -> None:
        if seconds <= 0 or event.is_set():
            return
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(event.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Halt:
    """Whether one province may be asked for a further page, and until when what is on its way may come."""

    def __init__(
        self,
        stop: Stop,
        *,
        closing: datetime | None,
        grace_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._stop = stop
        self._closing = closing
        self._grace_seconds = grace_seconds
        self._now = now

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end; a window that closed is no such wish."""
        return self._stop.asked

    def __call__(self) -> bool:
        """Whether no further page may be asked for."""
        return self._stop.asked or (self._closing is not None and self._now() >= self._closing)

    async def cut(self) -> None:
        """Returns `grace_seconds` after the halt, at once when the run was asked a second time to end."""
        await self.come()
        await self._stop.grace(self._grace_seconds)

    async def come(self) -> None:
        """Returns when no further page may be asked for."""
        if self._closing is None:
            await self._stop.wait()
        else:
            await self._stop.sleep_until(self._closing, self._now)

    async def sleep(self, seconds: float) -> None:
        """Sleeps, but not past the halt."""
        if self._closing is not None:
            seconds = min(seconds, (self._closing - self._now()).total_seconds())
        await self._stop.sleep(seconds)
