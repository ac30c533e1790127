"""A ministry, its provinces and a database: what the end-to-end tests play with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Manifest, RunRecord, State, Verdict
from subcmc_crawler.province.registry import Province, Registry, parse
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store import Database
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import get_manifest, manifests_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 24, 0, 0, tzinfo=SHANGHAI)
FAST = """
page_size = 50
requests_per_second = 0
max_in_flight = 3
max_attempts = 2
cool_down_seconds = 0.01
request_timeout_seconds = 60
"""


class Clock:
    """A clock that tests move; it also goes on by itself a little with every look, as time does."""

    def __init__(self, at: datetime = MIDNIGHT + timedelta(hours=2)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=100)
        return self.at


@dataclass
class Watcher:
    """An observer that keeps what it sees, and can act on a page."""

    cells: list[Manifest]
    on_page: Callable[[Province, Dataset, int], None] | None = None

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        if self.on_page:
            self.on_page(province, dataset, received)

    def cell(self, manifest: Manifest) -> None:
        self.cells.append(manifest)


class Ministry:
    """Crawls a simulator into a database, night by night."""

    def __init__(self, db: Database, simulator: Simulator, registry: Registry) -> None:
        self.db = db
        self.simulator = simulator
        self.registry = registry
        self.clock = Clock()

    async def night(
        self,
        number: int,
        *,
        selection: Selection | None = None,
        ignore_windows: bool = True,
        balanced: bool = True,
        resume: bool = False,
        on_page: Callable[[Crawl, Province, Dataset, int], None] | None = None,
    ) -> RunRecord:
        """One run over what the provinces hold on that night; its counts balance unless said otherwise."""
        if self.simulator.night != number:
            self.simulator.night = number
        watcher = Watcher([])
        crawl = Crawl(
            self.registry,
            self.db,
            watcher,
            folder=Path(),
            now=self.clock,
            selection=selection,
            ignore_windows=ignore_windows,
            resume=resume,
        )
        if on_page is not None:
            act = on_page
            watcher.on_page = lambda province, dataset, received: act(crawl, province, dataset, received)
        run = await crawl.run()
        for manifest in await manifests_of(self.db, run.number):
            assert not (balanced and manifest.counts.imbalances()), manifest
        return run

    async def cell(self, run: int, name: str) -> Manifest:
        """The manifest of `PROVINCE/DATASET` in a run."""
        cmc_id, dataset = name.split("/")
        return await get_manifest(self.db, run, cmc_id, dataset)

    async def verdicts(self, run: int) -> dict[str, Verdict]:
        """Verdict by `PROVINCE/DATASET`."""
        return {
            f"{each.cmc_id}/{each.dataset}": Verdict(str(each.verdict))
            for each in await manifests_of(self.db, run)
        }

    async def exported(self, manifest: Manifest) -> list[object]:
        """The rows of a snapshot, as export gives them."""
        return [row async for row in export(self.db, manifest)]

    async def assert_exact(self, run: int) -> int:
        """Every snapshot that a run published is exactly what is served now; gives how many there were."""
        published = [each for each in await manifests_of(self.db, run) if each.state is State.PUBLISHED]
        for manifest in published:
            served = self.simulator.rows(manifest.cmc_id, manifest.dataset)
            assert await self.exported(manifest) == served, (manifest.cmc_id, manifest.dataset)
        return len(published)


@asynccontextmanager
async def ministry(
    db: Database,
    *faults: str,
    provinces: Sequence[str] = ("110000",),
    scale: float = 0.005,
    defaults: str = FAST,
    mirrors: int = 1,
    edit: Callable[[str], str] = lambda text: text,
) -> AsyncIterator[Ministry]:
    """Some provinces of a simulator with faults, and a ministry that knows them."""
    known = {
        centre.cmc_id: centre for centre in standard_centres(scale=scale, faults=[*map(Fault.parse, faults)])
    }
    centres = [known[cmc_id] for cmc_id in provinces]
    async with Simulator(centres, mirrors=mirrors) as simulator:
        yield Ministry(db, simulator, parse(edit(simulator.registry(defaults=defaults))))


async def dies(
    house: Ministry,
    night: int,
    *,
    after_pages: int,
    monkeypatch: pytest.MonkeyPatch,
    of: str = "ua_user",
    **how: Any,
) -> None:
    """A night whose process dies when the given number of pages of a dataset is stored."""
    stored = 0

    def watch(_crawl: Any, _province: Any, dataset: Any, _received: int) -> None:
        nonlocal stored
        stored += dataset.code == of
        if stored == after_pages:
            raise StoreLost("died")

    async def never(*_arguments: Any) -> None:
        await asyncio.sleep(0)

    with monkeypatch.context() as patch:
        patch.setattr(leases, "release", never)
        with pytest.raises(StoreLost, match="died"):
            await house.night(night, on_page=watch, **how)
    await house.db["leases"].update_many({}, {"$set": {"expiresAt": house.clock()}})
