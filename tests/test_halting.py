"""When a pull must end, on clocks that tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from patience import until
from subcmc_crawler.halting import Halt, Stop

OPENED = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)


class World:
    """A clock that goes on when somebody sleeps, and not otherwise."""

    def __init__(self) -> None:
        self.at = OPENED
        self.slept: list[float] = []
        self.stop = Stop(self.sleep)
        self.stuck = False

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.stuck:
            await asyncio.Event().wait()
        self.at += timedelta(seconds=seconds)

    def halt(self, closes_in: float | None) -> Halt:
        closing = None if closes_in is None else OPENED + timedelta(seconds=closes_in)
        return Halt(self.stop, closing=closing, grace_seconds=8, now=self.now)


async def test_a_window_that_closes_halts_and_cuts_after_the_grace() -> None:
    world = World()
    halt = world.halt(90)
    assert not halt()
    await halt.come()
    assert halt()
    assert world.slept == [60, 30]  # it looks at the clock again, for the clock may be set
    await halt.cut()
    assert world.slept == [60, 30, 8]


async def test_a_stop_halts_at_once_and_cuts_after_the_grace() -> None:
    for closes_in in (None, 90):
        world = World()
        halt = world.halt(closes_in)
        world.stop.ask()
        assert halt()
        await halt.cut()
        assert world.slept == [8]


async def test_a_second_stop_leaves_no_grace() -> None:
    world = World()
    world.stuck = True
    cutting = asyncio.create_task(world.halt(None).cut())
    world.stop.ask()
    await until(lambda: world.slept == [8], "a sleep of 8 s", every=0)
    assert not cutting.done()
    world.stop.ask()
    await cutting
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_sleep_ends_with_the_halt() -> None:
    world = World()
    await world.halt(90).sleep(600)
    await world.halt(None).sleep(600)
    assert world.slept == [90, 600]
    world.stop.ask()
    await world.halt(None).sleep(600)
    await world.stop.sleep_until(OPENED + timedelta(days=1), world.now)
    assert world.slept == [90, 600]


async def test_a_stop_wakes_who_sleeps() -> None:
    world = World()
    world.stuck = True
    sleeping = asyncio.create_task(world.stop.sleep(3600))
    await asyncio.sleep(0)
    world.stop.ask()
    await sleeping
    assert asyncio.all_tasks() == {asyncio.current_task()}
