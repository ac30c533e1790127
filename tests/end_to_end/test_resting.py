"""Provinces that rest: they hold nothing that others could use, and a restart does not cut their rest short."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nights import FAST, ministry

from subcmc_crawler.model import Verdict
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.store import Database
from subcmc_crawler.store.rests import keep_rest, kept_rest
from subcmc_crawler.store.runs import manifests_of

RESTING = ("110000", "120000", "130000", "140000", "150000", "210000", "220000", "230000")
OTHERS = ("310000", "320000", "330000", "340000")
TEN_MINUTES = (
    FAST.replace("cool_down_seconds = 0.01", "cool_down_seconds = 600").replace(
        "attempts = 2", "attempts = 3"
    )
    + "max_provinces = 2\n"
)
ORGS = Selection(datasets=("ua_org",))


class Cells:
    """An observer that wakes the sleepers when the provinces that do not rest are through."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.others_through = asyncio.Event()

    def page(self, province: Any, dataset: Any, received: int, declared: int | None) -> None:
        pass

    def cell(self, manifest: Any) -> None:
        self.done.append(manifest.cmc_id)
        if set(OTHERS) <= set(self.done):
            self.others_through.set()


@pytest.mark.parametrize("status", ["429", "408", "503", "509", "dead"])
async def test_eight_provinces_that_rest_do_not_keep_the_others_from_two_slots(
    store: Database, status: str
) -> None:
    faults = [f"{cmc_id}:{status}" for cmc_id in RESTING]
    async with ministry(store, *faults, provinces=(*RESTING, *OTHERS), defaults=TEN_MINUTES) as house:
        cells = Cells()
        rests: list[float] = []

        async def sleep(seconds: float) -> None:
            rests.append(seconds)
            await cells.others_through.wait()
            house.clock.at += timedelta(seconds=seconds)

        crawl = Crawl(
            house.registry,
            store,
            cells,
            folder=Path(),
            now=house.clock,
            selection=ORGS,
            ignore_windows=True,
            sleep=sleep,
        )
        async with asyncio.timeout(60):  # were a slot held, nobody would ever wake the sleepers
            run = await crawl.run()
        assert set(cells.done[: len(OTHERS)]) == set(OTHERS)
        assert max(rests) > 590
        verdicts = {each.cmc_id: each.verdict for each in await manifests_of(store, run.number)}
        assert {verdicts[cmc_id] for cmc_id in OTHERS} == {Verdict.PROVEN}
        assert Verdict.PROVEN not in {verdicts[cmc_id] for cmc_id in RESTING}


async def test_a_rest_survives_a_restart_of_the_process(store: Database) -> None:
    async with ministry(store, defaults=TEN_MINUTES) as house:
        await keep_rest(store, "110000", house.clock() + timedelta(seconds=300))
        asked_after: list[float] = []

        async def sleep(seconds: float) -> None:
            assert house.simulator.requests == []
            asked_after.append(seconds)
            house.clock.at += timedelta(seconds=seconds)

        crawl = Crawl(
            house.registry,
            store,
            Cells(),
            folder=Path(),
            now=house.clock,
            selection=ORGS,
            ignore_windows=True,
            sleep=sleep,
        )
        run = await crawl.run()
        assert run.summary == {"proven": 1}
        assert sum(asked_after) == pytest.approx(300, abs=1)


async def test_a_kept_rest_only_grows(store: Database) -> None:
    async with ministry(store) as house:
        late = house.clock.at + timedelta(seconds=600)
        await keep_rest(store, "110000", late)
        await keep_rest(store, "110000", late - timedelta(seconds=60))
        assert await kept_rest(store, "110000") == late
        assert await kept_rest(store, "120000") is None
