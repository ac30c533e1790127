"""Windows and stagger on real HTTP and a real mongod, by a clock that the test moves: nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nights import FAST, MIDNIGHT, Clock, Ministry, Watcher, ministry

from patience import CEILING_SECONDS, until
from subcmc_crawler.model import Manifest, RunStatus, Verdict
from subcmc_crawler.province.registry import Province
from subcmc_crawler.run import Crawl, Selection, plan_night
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import attempts_of, past_durations

ONE_AM = MIDNIGHT + timedelta(hours=1)


class Sleepers:
    """Everybody who sleeps on a clock, until the test moves it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._asleep: dict[asyncio.Future[None], datetime] = {}
        self._changed = asyncio.Event()
        self.last = 0.0  # what was slept for last, in seconds

    async def __call__(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep[woken] = self.clock.at + timedelta(seconds=seconds)
        self.last = seconds
        self._changed.set()
        try:
            await woken
        finally:
            self._asleep.pop(woken, None)
            self._changed.set()

    async def settled(self, count: int) -> None:
        """Returns when exactly `count` sleep."""
        await self._comes(lambda: len(self._asleep) == count, f"{count} sleepers")

    async def lasting(self, seconds: float) -> None:
        """Returns when somebody has just begun to sleep for so long."""
        await self._comes(lambda: self.last == seconds, f"a sleep of {seconds} s")

    async def _comes(self, condition: Callable[[], bool], what: str) -> None:
        while not condition():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), CEILING_SECONDS)
            except TimeoutError:
                pytest.fail(f"{what}: not within {CEILING_SECONDS:.0f} s")

    def move(self, at: datetime) -> None:
        """Moves the clock a little past a moment, since each look moves it, too; wakes those whose time has come."""
        at += timedelta(milliseconds=100)
        self.clock.at = at
        for woken, due in list(self._asleep.items()):
            if due <= at:
                del self._asleep[woken]
                woken.set_result(None)


class Seen(Watcher):
    """Which province had its first page and its last verdict when."""

    def __init__(self, house: Ministry) -> None:
        super().__init__([])
        self._house = house
        self.started: dict[str, datetime] = {}
        self.ended: dict[str, asyncio.Event] = {
            each.cmc_id: asyncio.Event() for each in house.registry.provinces
        }

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        super().page(province, dataset, received, declared)
        self.started.setdefault(province.cmc_id, self._house.clock.at)

    def cell(self, manifest: Manifest) -> None:
        super().cell(manifest)
        mine = [each for each in self.cells if each.cmc_id == manifest.cmc_id]
        if len(mine) == len(DATASETS):
            self.ended[manifest.cmc_id].set()


def crawl_of(house: Ministry, seen: Watcher, sleepers: Sleepers, **more: Any) -> Crawl:
    return Crawl(house.registry, house.db, seen, folder=Path(), now=house.clock, sleep=sleepers, **more)


def asked(house: Ministry) -> list[str]:
    return list(dict.fromkeys(request.cmc_id for request in house.simulator.requests))


async def test_provinces_start_in_their_planned_order_and_not_before_their_time(store: Database) -> None:
    provinces = ("110000", "120000", "130000", "140000", "150000")
    across = FAST + 'window = "23:00-01:00"\n'
    async with ministry(store, provinces=provinces, scale=0.002, defaults=across) as house:
        await house.night(1)  # their durations
        house.simulator.requests.clear()
        opening = MIDNIGHT - timedelta(hours=1)
        house.clock.at = opening
        planned = plan_night(house.registry, house.registry.provinces, await past_durations(store), opening)
        lasting = [each.forecast_seconds or 0.0 for each in planned]
        assert lasting == sorted(lasting, reverse=True)
        assert planned[0].start == opening
        gaps = {after.start - before.start for before, after in pairwise(planned)}
        assert gaps == {timedelta(minutes=22, seconds=30)}
        sleepers, seen = Sleepers(house.clock), Seen(house)
        running = asyncio.create_task(crawl_of(house, seen, sleepers).run())
        for done, each in enumerate(planned):
            left = len(planned) - done
            if done:
                await sleepers.settled(left)
                sleepers.move(each.start - timedelta(seconds=1))
                await sleepers.settled(left)
                assert asked(house) == [other.cmc_id for other in planned[:done]]
                sleepers.move(each.start)
            await seen.ended[each.cmc_id].wait()
            assert seen.started[each.cmc_id] >= each.start
        run = await running
        assert run.status is RunStatus.FINISHED
        assert dict(run.summary) == {"proven": 5 * 9}
        assert asked(house) == [each.cmc_id for each in planned]
        assert set(await past_durations(store)) == set(provinces)


async def test_a_run_that_begins_late_starts_at_once_what_is_due(store: Database) -> None:
    provinces = ("110000", "120000", "130000")
    async with ministry(
        store, provinces=provinces, scale=0.002, defaults=FAST + 'window = "01:00-05:00"\n'
    ) as house:
        house.clock.at = MIDNIGHT + timedelta(hours=2, minutes=31)  # the starts: 01:00, 02:30, 04:00
        sleepers, seen = Sleepers(house.clock), Seen(house)
        running = asyncio.create_task(crawl_of(house, seen, sleepers).run())
        await seen.ended["110000"].wait()
        await seen.ended["120000"].wait()
        await sleepers.settled(1)
        assert set(asked(house)) == {"110000", "120000"}
        sleepers.move(MIDNIGHT + timedelta(hours=4))
        assert (await running).status is RunStatus.FINISHED
        assert seen.started["130000"] >= MIDNIGHT + timedelta(hours=4)


async def test_each_province_has_its_own_window_in_the_zone_of_the_registry(store: Database) -> None:
    def edit(text: str) -> str:
        first, second, *rest = text.split("[[province]]")
        assert not rest[1:]
        late = '\n[province.pull]\nwindow = "03:00-04:00"\n'
        return "[[province]]".join((first, second + late, *rest))

    async with ministry(
        store,
        provinces=("110000", "120000"),
        scale=0.002,
        defaults=FAST + 'window = "01:00-02:00"\ntimezone = "Asia/Shanghai"\n',
        edit=edit,
    ) as house:
        house.clock.at = ONE_AM
        sleepers, seen = Sleepers(house.clock), Seen(house)
        running = asyncio.create_task(crawl_of(house, seen, sleepers).run())
        await seen.ended["120000"].wait()
        await sleepers.settled(1)
        sleepers.move(MIDNIGHT + timedelta(hours=2, minutes=59, seconds=59))
        await sleepers.settled(1)
        assert asked(house) == ["120000"]
        sleepers.move(MIDNIGHT + timedelta(hours=3))
        await running
        assert asked(house) == ["120000", "110000"]
        assert seen.started["110000"] >= MIDNIGHT + timedelta(hours=3)


@pytest.mark.parametrize("signals", [0, 1, 2])
async def test_what_hangs_when_the_window_closes_or_a_signal_comes_is_cut_after_the_grace(
    store: Database, signals: int
) -> None:
    only = Selection(datasets=("ua_user",))
    slow = FAST + 'window = "01:00-02:00"\nrequest_timeout_seconds = 500\nmax_in_flight = 1\n'
    slow = slow.replace("request_timeout_seconds = 60\n", "").replace("max_in_flight = 3\n", "")
    async with ministry(store, "110000/ua_user:hang", defaults=slow) as house:
        house.clock.at = ONE_AM
        sleepers, seen = Sleepers(house.clock), Seen(house)
        crawl = crawl_of(house, seen, sleepers, selection=only)
        running = asyncio.create_task(crawl.run())
        await sleepers.settled(1)  # waits for the end of the window while the request is on its way
        await until(lambda: house.simulator.requests, "a request", every=0)  # real sockets, no time
        if signals:
            crawl.stop()
        else:
            sleepers.move(MIDNIGHT + timedelta(hours=2))
        if signals == 2:
            crawl.stop()
        else:
            await sleepers.lasting(8)  # the grace
            assert not running.done()
            sleepers.move(house.clock.at + timedelta(seconds=8))
        run = await running
        assert run.status is (RunStatus.STOPPED if signals else RunStatus.FINISHED)
        cell = await house.cell(run.number, "110000/ua_user")
        assert cell.verdict is Verdict.INCOMPLETE
        assert [each.fault for each in await attempts_of(store, cell)] == ["cancelled"]
