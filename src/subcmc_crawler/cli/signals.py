"""SIGTERM and SIGINT, heard by a command that ends in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


class Signals:
    """SIGTERM and SIGINT as a request to stop, remembered for the exit code."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._number = 0
        self._callback: Callable[[], None] = lambda: None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._catch, number)

    @property
    def exit_code(self) -> int:
        """130 or 143 when a signal came, else 0."""
        return 128 + self._number if self._number else 0

    def calls(self, callback: Callable[[], None]) -> None:
        """What to call when a signal comes; at once when one has come."""
        self._callback = callback
        if self._number:
            self._callback()

    async def came_within(self, seconds: float) -> bool:
        """Whether a signal comes before the time is over."""
        try:
            await asyncio.wait_for(self._came.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _catch(self, number: int) -> None:
        self._number = number
        self._came.set()
        self._callback()
