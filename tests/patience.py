"""Waits that end when the other side has come so far, and not when a machine has been slow for so long.

Each has a ceiling, so that what would never come is a failure and no test run that stands still.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

import pytest

P = ParamSpec("P")
T = TypeVar("T")

CEILING_SECONDS: Final = 120.0
"""For what takes a moment: only what would never come takes as long."""


async def until(condition: Callable[[], object], what: str, *, every: float = 0.02) -> None:
    """Returns once the condition holds, which may be a coroutine; `every`: 0 to look at every turn of the loop."""
    over = _ceiling(what)
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        over()
        await asyncio.sleep(every)


def waited(condition: Callable[[], object], what: str) -> None:
    """The same where no loop runs."""
    over = _ceiling(what)
    while not condition():
        over()
        time.sleep(0.02)


def _ceiling(what: str) -> Callable[[], None]:
    began = time.monotonic()

    def over() -> None:
        assert time.monotonic() < began + CEILING_SECONDS, f"{what}: not within {CEILING_SECONDS:.0f} s"

    return over


class Patience:
    """Every wait of asyncio of exactly so many seconds, from now on: `ends` ends those that are under way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self._under_way: list[asyncio.Timeout] = []
        real_timeout, real_wait = asyncio.timeout, asyncio.wait_for

        def timeout(given: float | None) -> asyncio.Timeout:
            made = real_timeout(given)
            if given == seconds:
                self._under_way.append(made)
            return made

        async def wait_for(work: Awaitable[T], given: float | None) -> T:
            if given != seconds:
                return await real_wait(work, given)
            async with timeout(given):
                return await work

        monkeypatch.setattr(asyncio, "timeout", timeout)
        monkeypatch.setattr(asyncio, "wait_for", wait_for)

    def ends(self) -> None:
        """The time of all who wait is over."""
        now = asyncio.get_running_loop().time()
        for each in self._under_way:
            with suppress(RuntimeError):  # it waits no more
                each.reschedule(now)
        self._under_way.clear()

    def ends_when(self, act: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """The act, which ends it as it begins."""

        async def acted(*arguments: P.args, **named: P.kwargs) -> T:
            self.ends()
            return await act(*arguments, **named)

        return acted
