"""A ministry with a platform of its own: what the tests of pushed against pulled play with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nights import FAST, Clock, Watcher

from subcmc_crawler.model import Comparison, Manifest, RunRecord
from subcmc_crawler.province.credentials import load_ministry
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.pushed import Comparisons, compare_cells
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.ministry import Manner, MinistryPlatform, Planted
from subcmc_crawler.simulator.nights import Centre, standard_centres
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import Database
from subcmc_crawler.store.comparisons import comparisons_of_run
from subcmc_crawler.store.runs import manifests_of

QUICK = """
page_size = 40
requests_per_second = 0
max_attempts = 2
cool_down_seconds = 0.01
request_timeout_seconds = 60
"""
DIFFERENT = Planted(missing=3, extra=2, changed=4, respelled=True)


@dataclass
class House:
    """A ministry, its provinces and its platform."""

    db: Database
    simulator: Simulator
    platform: MinistryPlatform
    registry: Registry
    folder: Path = Path()
    clock: Clock = field(default_factory=Clock)

    async def night(
        self, *datasets: str, resume: bool = False, on_page: Callable[[Crawl], None] = lambda _: None
    ) -> RunRecord:
        """One run over everything, or over some datasets."""
        crawl = Crawl(
            self.registry,
            self.db,
            Watcher([], on_page=lambda *_: on_page(crawl)),
            folder=self.folder,
            now=self.clock,
            ignore_windows=True,
            resume=resume,
            selection=Selection(datasets=datasets),
        )
        return await crawl.run()

    async def compare(self, run: int) -> None:
        """Compares the cells of a run again."""
        await compare_cells(
            self.db, await manifests_of(self.db, run), lease_seconds=60, make=self.comparisons
        )

    def comparisons(self, fence: int = 1) -> Comparisons:
        assert self.registry.ministry is not None
        credentials = load_ministry(self.registry.ministry, self.folder)
        return Comparisons(self.registry.ministry, credentials, self.db, fence=fence, now=self.clock)

    async def found(self, run: int = 1) -> dict[str, Comparison]:
        """The comparisons of a run by `CMCID/DATASET`."""
        return {"/".join(name): each for name, each in (await comparisons_of_run(self.db, run)).items()}

    async def compared(self, manifests: Sequence[Manifest]) -> Comparison:
        """The comparison of cells alone, without a run."""
        comparisons = self.comparisons()
        comparisons.add(manifests)
        comparisons.end()
        await comparisons.run()
        first = manifests[0]
        return (await self.found(first.run))[f"{first.cmc_id}/{first.dataset}"]


@asynccontextmanager
async def house(
    db: Database,
    *faults: str,
    manner: Manner | None = None,
    planted: Mapping[str, Planted] | None = None,
    provinces: Sequence[str] = ("110000",),
    scale: float = 0.002,
    settings: str = QUICK,
    tables: str = "",
    centres: Sequence[Centre] = (),
    pull_faults: Sequence[str] = (),
) -> AsyncIterator[House]:
    """Provinces, and the platform that they push to, with `faults` of its own; `tables` stand below its settings."""
    known = {
        each.cmc_id: each for each in standard_centres(scale=scale, faults=[*map(Fault.parse, pull_faults)])
    }
    chosen = list(centres) or [known[cmc_id] for cmc_id in provinces]
    platform = MinistryPlatform(
        chosen,
        manner=manner or Manner(),
        planted=planted or {},
        faults=[*map(Fault.parse, faults)],
    )
    async with Simulator(chosen, ministry=platform) as simulator:
        registry = parse(simulator.registry(defaults=FAST, ministry=settings + tables))
        yield House(db, simulator, platform, registry)
